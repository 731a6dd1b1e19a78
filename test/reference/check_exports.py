#!/usr/bin/env python3
"""Opens what exports.ts wrote in PEFT, transformers and onnxruntime, and compares the logits with Tabloom's.

Needs torch, transformers, peft, onnx and onnxruntime.  Usage:  python3 check_exports.py FOLDER

Then saves the adapter again with PEFT, to FOLDER/resaved, for exports.ts to go on from. Ends with an error when something is further
off than 1e-4.
"""
import json, os, sys
import numpy as np, onnx, onnxruntime, torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

folder = sys.argv[1]
at = lambda *names: os.path.join(folder, *names)
ours = json.load(open(at("ours.json")))
wanted = np.array(ours["logits"], np.float32).reshape(-1, ours["labelCount"])
length = max(map(len, ours["ids"]))
ids = np.array([row + [1] * (length - len(row)) for row in ours["ids"]], np.int64)
mask = np.array([[1] * len(row) + [0] * (length - len(row)) for row in ours["ids"]], np.int64)
failed = False

def report(what, good, figure=""):
    global failed
    failed |= not good
    print(("ok    " if good else "WRONG ") + what, figure)
def compare(what, logits):
    apart = float(np.abs(logits - wanted).max())
    report(what, apart < 1e-4, f"largest difference {apart:.1e} of logits up to {np.abs(wanted).max():.2f}")
def logits_of(model):
    with torch.no_grad(): return model.eval()(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.numpy()

base = AutoModelForSequenceClassification.from_pretrained(ours["base"], num_labels=ours["labelCount"], dtype=torch.float32)
adapted = PeftModel.from_pretrained(base, at("adapter"))
compare("adapter in PEFT", logits_of(adapted))
adapted.save_pretrained(at("resaved"))
a, b = load_file(at("adapter", "adapter_model.safetensors")), load_file(at("resaved", "adapter_model.safetensors"))
report("names and values as PEFT saves them again", set(a) == set(b) and all(torch.equal(a[k], b[k]) for k in a), f"{len(a)} tensors")

merged = AutoModelForSequenceClassification.from_pretrained(at("merged"))
compare("merged model in transformers", logits_of(merged))
for name in ("merged", "onnx"):
    tokenizer = AutoTokenizer.from_pretrained(at(name))
    encoded = [tokenizer(*texts, truncation="longest_first", max_length=ours["maxTokens"])["input_ids"] for texts in ours["texts"]]
    report(f"tokenizer of {name}/", encoded == ours["ids"], f"{len(encoded)} texts, {type(tokenizer).__name__}")
first = ours["texts"][0]
answer = pipeline("text-classification", at("merged"))({"text": first[0], **({"text_pair": first[1]} if len(first) > 1 else {})})
print("      pipeline:", answer)

path = at("onnx", "onnx", "model.onnx")
onnx.checker.check_model(path, full_check=True)
model = onnx.load(path)
report("onnx.checker, shapes inferred", True, f"IR {model.ir_version}, opset {[(o.domain, o.version) for o in model.opset_import]}, {len(model.graph.node)} nodes")
session = onnxruntime.InferenceSession(path)
compare("ONNX in onnxruntime", session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0])
one = [session.run(["logits"], {"input_ids": ids[i:i + 1, :len(row)], "attention_mask": mask[i:i + 1, :len(row)]})[0][0] for i, row in enumerate(ours["ids"])]
compare("the same one text at a time, without padding", np.array(one))
sys.exit(failed)
