#!/usr/bin/env python3
"""The training runs of learning.ts again, in PyTorch: the same initial parameters, batches and recipe, gradients by autograd.

Needs python3-torch and python3-numpy.  Usage:  python3 train.py RUN [--model ../../models/roberta-mini] [--every 50]

Reads RUN.safetensors, writes its losses and scores to RUN.torch.json, and prints how far those of RUN.alone.json and RUN.together.json, where
they are, lie from them. No dropout. What the run was trained with is in the file: schedule, clipping, betas, epsilon, LoRA+, class weights,
label smoothing, several labels, adapters on some layers, ranks and alphas of single layers, rsLoRA; files of older runs that do not say are
plain AdamW and have the same adapters on all layers.
"""
import argparse, json, math, os, struct, time
import numpy as np, torch, torch.nn.functional as F

a = argparse.ArgumentParser()
a.add_argument("run")
a.add_argument("--model", default=os.path.join(os.path.dirname(__file__), "../../models/roberta-mini"))
a.add_argument("--every", type=int, default=50)
a.add_argument("--rate", type=float, help="another peak learning rate than the run's, to try it out")
a.add_argument("--rounds", type=int, help="fewer rounds than the run's, to try them out")
a.add_argument("--threads", type=int, default=1)
a = a.parse_args()
torch.set_num_threads(a.threads)

def read(path):
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    kinds = {"F32": np.float32, "F16": np.float16, "I32": np.int32}
    at = lambda e: raw[8 + size + e["data_offsets"][0]:8 + size + e["data_offsets"][1]]
    tensors = {k: torch.from_numpy(np.frombuffer(at(e), dtype=kinds[e["dtype"]]).reshape(e["shape"]).copy()) for k, e in header.items() if k != "__metadata__"}
    return tensors, header.get("__metadata__", {})

W, _ = read(os.path.join(a.model, "model.safetensors"))
W = {k: v.float() for k, v in W.items()}
T, facts = read(a.run + ".safetensors")
facts = json.loads(facts["run"])
training, lora, shape, labels = facts["training"], facts["lora"], facts["shape"], facts["labelCount"]
kind = facts.get("kind", "regression" if labels == 1 else "classification")
said = lambda key, otherwise: otherwise if training.get(key) is None else training[key]
if a.rate: training["learningRate"] = a.rate
if a.rounds: training["rounds"] = a.rounds
L, C, H, pad, eps = shape["layers"], shape["hiddenSize"], shape["heads"], shape["padTokenId"], shape["layerNormEps"]
FFN = shape["ffnSize"]
SHAPES = {"query": ("attention.self.query", C, C), "key": ("attention.self.key", C, C), "value": ("attention.self.value", C, C),
          "attention.output.dense": ("attention.output.dense", C, C), "intermediate.dense": ("intermediate.dense", FFN, C), "output.dense": ("output.dense", C, FFN)}

# The flat vector: layer by layer, target by target, A before B; then the head.
adapted = lora.get("layers", range(L))
rank = {l: lora.get("rankPattern", {}).get(str(l), lora["rank"]) for l in adapted}
# PEFT's LoraLayer.update_layer: lora_alpha / math.sqrt(r) if use_rslora else lora_alpha / r.
scaling = {l: lora.get("alphaPattern", {}).get(str(l), lora["alpha"]) / (math.sqrt(rank[l]) if lora.get("rslora") else rank[l]) for l in adapted}
sizes = [(f"{l}.{t}.{m}", s) for l in adapted for t in lora["targets"] for m, s in (("A", (rank[l], SHAPES[t][2])), ("B", (SHAPES[t][1], rank[l])))]
sizes += [("dense.weight", (C, C)), ("dense.bias", (C,)), ("out_proj.weight", (labels, C)), ("out_proj.bias", (labels,))]
P, at = {}, 0
for name, size in sizes:
    count = math.prod(size)
    P[name] = T["parameters"][at:at + count].reshape(size).clone().requires_grad_()
    at += count
assert at == T["parameters"].numel()

def project(x, l, t):
    name = f"roberta.encoder.layer.{l}.{SHAPES[t][0]}"
    y = F.linear(x, W[name + ".weight"], W[name + ".bias"])
    if l in rank and t in lora["targets"]: y = y + scaling[l] * F.linear(F.linear(x, P[f"{l}.{t}.A"]), P[f"{l}.{t}.B"])
    return y
def norm(x, name): return F.layer_norm(x, (C,), W[name + ".weight"], W[name + ".bias"], eps)
def forward(ids, lengths):
    B, S = ids.shape
    mask = torch.arange(S)[None] < lengths[:, None]
    positions = torch.cumsum(mask, 1) * mask + pad
    e = "roberta.embeddings."
    x = W[e + "word_embeddings.weight"][ids.long()] + W[e + "position_embeddings.weight"][positions] + W[e + "token_type_embeddings.weight"][0]
    x = norm(x, e + "LayerNorm")
    bias = torch.where(mask, 0.0, torch.finfo(torch.float32).min)[:, None, None, :]
    split = lambda t: t.view(B, S, H, C // H).transpose(1, 2)
    for l in range(L):
        p = f"roberta.encoder.layer.{l}."
        q, k, v = (split(project(x, l, t)) for t in ("query", "key", "value"))
        context = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(C // H) + bias, -1) @ v
        x = norm(x + project(context.transpose(1, 2).reshape(B, S, C), l, "attention.output.dense"), p + "attention.output.LayerNorm")
        x = norm(x + project(F.gelu(project(x, l, "intermediate.dense")), l, "output.dense"), p + "output.LayerNorm")
    return F.linear(torch.tanh(F.linear(x[:, 0], P["dense.weight"], P["dense.bias"])), P["out_proj.weight"], P["out_proj.bias"])
weights = training.get("classWeights")
weights = None if weights is None else torch.tensor(weights)
def loss_of(logits, y):
    if kind == "regression": return F.mse_loss(logits[:, 0], y)
    if kind == "multi-label": return F.binary_cross_entropy_with_logits(logits, y.view_as(logits))
    return F.cross_entropy(logits, y.long(), weight=weights, label_smoothing=said("labelSmoothing", 0.0))

def score():
    logits, y, i = [], [], 0
    with torch.no_grad():
        while f"dev.{i}.ids" in T:
            logits.append(forward(T[f"dev.{i}.ids"], T[f"dev.{i}.lengths"])); y.append(T[f"dev.{i}.labels"]); i += 1
    logits, y = torch.cat(logits).numpy(), torch.cat(y).numpy()
    if kind == "regression": return float(np.corrcoef(logits[:, 0], y)[0, 1])
    if kind == "multi-label":
        p, y = 1 / (1 + np.exp(-logits)) >= said("threshold", 0.5), y.reshape(logits.shape) == 1
        return float(2 * (p & y).sum() / max(1, p.sum() + y.sum()))
    p = logits.argmax(1)
    if facts["metric"] == "f1": return float(2 * ((p == 1) & (y == 1)).sum() / max(1, (p == 1).sum() + (y == 1).sum()))
    if facts["metric"] == "matthews": return float(np.corrcoef(p, y)[0, 1]) if p.std() > 0 else 0.0
    return float((p == y).mean())

rounds, warmup = training["rounds"], math.ceil(training["rounds"] * training["warmupFraction"])
rate, decay, ratio = training["learningRate"], training["weightDecay"], said("loraPlusRatio", 1)
# PEFT's create_loraplus_optimizer: B and one-dimensional parameters learn faster, biases do not decay.
fast = lambda name, p: name.endswith(".B") or p.ndim == 1
groups = [{"params": list(P.values())}] if ratio == 1 else [
    {"params": [p for n, p in P.items() if not fast(n, p)]},
    {"params": [p for n, p in P.items() if fast(n, p) and p.ndim > 1], "lr": rate * ratio},
    {"params": [p for n, p in P.items() if p.ndim == 1], "lr": rate * ratio, "weight_decay": 0.0}]
optimiser = torch.optim.AdamW(groups, lr=rate, weight_decay=decay, betas=(said("beta1", 0.9), said("beta2", 0.999)), eps=said("epsilon", 1e-8))
# transformers' get_linear_, get_cosine_ and get_constant_schedule_with_warmup.
progress = lambda s: (s - warmup) / max(1, rounds - warmup)
after = {"linear": lambda s: max(0.0, (rounds - s) / max(1, rounds - warmup)),
         "cosine": lambda s: max(0.0, 0.5 * (1 + math.cos(math.pi * progress(s)))), "constant": lambda s: 1.0}[said("schedule", "linear")]
schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: s / max(1, warmup) if s < warmup else after(s))
clip = said("maxGradientNorm", 0)
scores = []
def report(r):
    scores.append({"round": r, "metric": facts["metric"], "value": score()})
    print(f"round {r}: {facts['metric']} {scores[-1]['value']:.4f}", flush=True)
report(0)
losses, start = [], time.time()
for r in range(1, rounds + 1):
    optimiser.zero_grad()
    loss = loss_of(forward(T[f"round.{r}.ids"], T[f"round.{r}.lengths"]), T[f"round.{r}.labels"])
    loss.backward()
    if clip > 0: torch.nn.utils.clip_grad_norm_(list(P.values()), clip)
    optimiser.step(); schedule.step(); losses.append(loss.item())
    if r == rounds or r % a.every == 0: report(r)

json.dump({"losses": losses, "scores": scores, "seconds": time.time() - start}, open(a.run + ".torch.json", "w"))
for name in ("alone", "together"):
    if not os.path.exists(f"{a.run}.{name}.json"): continue
    ours = json.load(open(f"{a.run}.{name}.json"))
    apart = [abs(x - y) / abs(y) for x, y in zip(ours["losses"], losses)]
    for upto in (20, 50, 100, 200, rounds):
        if upto <= rounds: print(f"{name}, rounds 1 to {upto}: largest relative difference of the loss {max(apart[:upto]):.1e}, median {sorted(apart[:upto])[upto // 2]:.1e}")
    print(name + ":", ", ".join(f"{s['round']}: {s['value']:.4f}" for s in ours["scores"]))
