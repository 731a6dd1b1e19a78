"""Which modules and ranks PEFT 0.21 finds for drawn configurations, for test/adapter/lora-config.test.ts.

    python3 test/reference/make_peft_modules.py FOLDER > test/adapter/peft-modules.jsonl

FOLDER holds the package `peft` as its wheel has it, unpacked. Only the functions that decide are taken out of it and run, so neither it
nor PyTorch has to be installed.
"""

import ast
import json
import random
import re
import sys

FOLDER = sys.argv[1]
ROWS = 150
TARGETS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention.output.dense": "attention.output.dense",
    "intermediate.dense": "intermediate.dense",
    "output.dense": "output.dense",
}
LAYERS = 4


def functions(path: str, names: list[str], into: dict) -> None:
    text = open(f"{FOLDER}/peft/{path}").read()
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in names:
            exec("from __future__ import annotations\n" + ast.get_source_segment(text, node), into)


peft: dict = {"re": re}
functions("tuners/tuners_utils.py", ["_ExcludedModule", "match_target_against_key", "check_target_module_exists"], peft)
functions("utils/other.py", ["match_target_against_key", "get_pattern_key"], peft)


class Config:
    modules_to_save = ["classifier", "score"]
    target_parameters = None


random.seed(5)
paths = {(layer, target): f"roberta.encoder.layer.{layer}.{path}" for layer in range(LAYERS) for target, path in TARGETS.items()}
names = ["query", "key", "value", "dense", "output.dense", "attention.output.dense", "self.query", "intermediate.dense"]
names += ["layer.1.attention.self.key", "1.attention.self.value", *list(paths.values())[:8]]
expressions = [
    r".*query",
    r".*layer\.[0-2]\..*(query|value)",
    r"roberta\.encoder\.layer\.(1|3)\.attention\.self\.\w+",
    r".*\.\d\.(attention\.)?output\.dense",
    r".*(self|intermediate).*",
    r".+\.[13]\.[a-z.]+",
    r"(?:.*)\.layer\.2\..*$",
]
ranked = names + [r".*\.[02]\..*", r"layer\.1\..*", r"^roberta\.encoder\.layer\.0\..*dense", r"self\.(query|key)"]

for _ in range(ROWS):
    config = Config()
    is_expression = random.random() < 0.4
    config.target_modules = random.choice(expressions) if is_expression else random.sample(names, random.randint(1, 3))
    config.exclude_modules = random.choice([None, None, random.choice(expressions), random.sample(names, 1)])
    config.layers_to_transform = None if is_expression else random.choice([None, None, [1], [0, 2], 3, [7]])
    patterns = [None, "layer", ["h", "layer"], "blocks", []]
    config.layers_pattern = None if config.layers_to_transform is None else random.choice(patterns)
    ranks = {name: random.randint(1, 64) for name in random.sample(ranked, random.randint(0, 4))}
    meant = []
    for (layer, target), path in paths.items():
        found = peft["check_target_module_exists"](config, path)
        if found and not isinstance(found, peft["_ExcludedModule"]):
            meant.append([layer, target, ranks.get(peft["get_pattern_key"](list(ranks), path), 8)])
    keys = ["target_modules", "exclude_modules", "layers_to_transform", "layers_pattern"]
    row = {"peft_type": "LORA", "task_type": "SEQ_CLS", **{key: getattr(config, key) for key in keys}, "rank_pattern": ranks}
    print(json.dumps([row, meant]))
