#!/usr/bin/env python3
"""GLUE's metrics of drawn cases by the libraries that GLUE's own scorer uses (scikit-learn, SciPy), for test/data/metrics.test.ts.

Needs numpy, scikit-learn and scipy.  Usage:  python3 make_metric_cases.py OUT.json

What a library has no number for (the correlation of a constant) is null.
"""
import json, sys, warnings
import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

warnings.simplefilter("ignore")
rng = np.random.default_rng(20260401)
number = lambda x: None if np.isnan(x) else float(x)
classes, values = [], []
def classified(predicted, labels):
    two = max(*predicted, *labels) <= 1
    classes.append({"predicted": [int(p) for p in predicted], "labels": [int(l) for l in labels], "accuracy": accuracy_score(labels, predicted),
                    "f1": f1_score(labels, predicted, zero_division=0) if two else None, "matthews": matthews_corrcoef(labels, predicted)})
def valued(predicted, labels):
    values.append({"predicted": [float(p) for p in predicted], "labels": [float(l) for l in labels],
                   "pearson": number(pearsonr(predicted, labels)[0]), "spearman": number(spearmanr(predicted, labels)[0])})

for count in (2, 2, 2, 2, 3, 3, 5):
    n = int(rng.integers(3, 30))
    labels = rng.integers(0, count, n)
    classified(np.where(rng.random(n) < 0.6, labels, rng.integers(0, count, n)), labels)
constant, mixed = [0] * 8, [0, 1, 1, 0, 1, 0, 0, 1]
for predicted, labels in ((constant, mixed), ([1] * 8, mixed), (mixed, constant), (constant, constant), ([1] * 8, [1] * 8), (mixed, mixed), (mixed, [1 - x for x in mixed]), ([2] * 6, [0, 1, 2, 0, 1, 2])):
    classified(predicted, labels)
for n in (3, 7, 20, 40):
    labels = np.round(rng.random(n) * 5 * 4) / 4
    valued(labels + rng.normal(0, 1, n), labels)
    # Few different values: ranks are shared.
    valued(np.round(labels + rng.normal(0, 1, n)), labels)
valued([0.1] * 3, [1, 2, 4]); valued([1, 2, 4], [3] * 3); valued([1e-6, 2e-6, 4e-6], [1, 2, 4]); valued([1000001, 1000002, 1000004], [5, 3, 0])
json.dump({"classes": classes, "values": values}, open(sys.argv[1], "w"))
print(len(classes), "cases of classes", len(values), "of values")
