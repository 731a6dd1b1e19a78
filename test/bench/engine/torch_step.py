#!/usr/bin/env python3
"""One LoRA training step in PyTorch, timed: the yardstick for the engines on WASM (cpu) and on a GPU (cuda, cuda-tf32).

    torch_step.py MODEL.safetensors GRADIENT.f32 cpu|cuda|cuda-tf32

The file holds the sums of the embeddings' rows, frozen tensors under Hugging Face's names, adapters, head and labels, all f32; its
metadata hold heads, eps, scale, layers and the trained tensors' names in order. Each line on standard input is one step; its loss,
its seconds by the clock, until loss and gradient are in the processor's memory, and its seconds of processor time come back as JSON, and its
gradient goes to GRADIENT.f32. Threads: OMP_NUM_THREADS.
"""
import json, math, struct, sys, time
import torch, torch.nn.functional as F

with open(sys.argv[1], "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length))
    data = bytearray(file.read())
meta = header.pop("__metadata__")
device = "cpu" if sys.argv[3] == "cpu" else "cuda"
torch.backends.cuda.matmul.allow_tf32 = sys.argv[3].endswith("tf32")


def tensor(entry):
    start, end = entry["data_offsets"]
    values = torch.frombuffer(data, dtype=torch.float32, count=(end - start) // 4, offset=start)
    return values.reshape(entry["shape"]).to(device)


T = {name: tensor(entry) for name, entry in header.items()}
trained = {name: T[name].clone().requires_grad_() for name in json.loads(meta["trained"])}
heads, eps, scale, layers = int(meta["heads"]), float(meta["eps"]), float(meta["scale"]), int(meta["layers"])
B, N, C = T["embedded"].shape
labels = T["labels"].long()
PATHS = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value"}


def project(x, layer, key):
    path = f"roberta.encoder.layer.{layer}.{PATHS.get(key, key)}"
    y = F.linear(x, T[path + ".weight"], T[path + ".bias"])
    a = trained.get(f"lora.layer.{layer}.{key}.A")
    if a is None:
        return y
    return y + scale * F.linear(F.linear(x, a), trained[f"lora.layer.{layer}.{key}.B"])


def norm(x, name):
    return F.layer_norm(x, (C,), T[name + ".weight"], T[name + ".bias"], eps)


def split(x):
    return x.view(B, N, heads, C // heads).transpose(1, 2)


def step():
    x = norm(T["embedded"], "roberta.embeddings.LayerNorm")
    for layer in range(layers):
        path = f"roberta.encoder.layer.{layer}."
        q, k, v = (split(project(x, layer, key)) for key in ("query", "key", "value"))
        probs = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(C // heads), -1)
        context = (probs @ v).transpose(1, 2).reshape(B, N, C)
        x = norm(x + project(context, layer, "attention.output.dense"), path + "attention.output.LayerNorm")
        wide = F.gelu(project(x, layer, "intermediate.dense"))
        x = norm(x + project(wide, layer, "output.dense"), path + "output.LayerNorm")
    first = torch.tanh(F.linear(x[:, 0], trained["classifier.dense.weight"], trained["classifier.dense.bias"]))
    logits = F.linear(first, trained["classifier.out_proj.weight"], trained["classifier.out_proj.bias"])
    loss = F.cross_entropy(logits, labels, reduction="sum")
    return loss, torch.autograd.grad(loss, list(trained.values()))


for _ in sys.stdin:
    start, cpu_start = time.perf_counter(), time.process_time()
    loss, gradients = step()
    flat = torch.cat([g.reshape(-1) for g in gradients]).cpu()
    value = loss.item()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    with open(sys.argv[2], "wb") as file:
        file.write(flat.numpy().tobytes())
    print(json.dumps({"loss": value, "seconds": seconds, "cpuSeconds": cpu_seconds}), flush=True)
