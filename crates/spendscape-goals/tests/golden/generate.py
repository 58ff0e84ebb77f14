"""Writes predictions.csv and measures.csv: probabilities over goals, and what scikit-learn says of them.

Made with scikit-learn 1.2.1, SciPy 1.10.1, NumPy 1.26.4, Python 3.11: python3 generate.py

Two models on the same rows. The first has counts of 20 draws as probabilities, so that goals tie and some have probability
0; the second has a softmax. Goal 6 never comes true but is predicted, goal 5 is never predicted by the second model. The
Brier score, which scikit-learn has for two classes only, and the calibration errors are plain NumPy from their definitions,
the bins found by comparing with every edge.
"""
import csv

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.metrics import (accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support,
                             top_k_accuracy_score)

ROWS, GOALS, BINS = 240, 7, 15
rng = np.random.default_rng(11)
logits = 1.2 * rng.standard_normal((ROWS, GOALS)) + np.linspace(1.0, -0.6, GOALS)
softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
y = np.array([rng.choice(GOALS, p=p) for p in softmax])
y[y == 6] = 0
first = np.array([rng.multinomial(20, 0.9 * p + 0.1 / GOALS) for p in softmax]) / 20
sharp = 2.0 * logits + 0.5 * rng.standard_normal((ROWS, GOALS))
sharp[:, 5] = -12.0
second = np.exp(sharp) / np.exp(sharp).sum(1, keepdims=True)
customer = np.sort(rng.integers(0, 40, ROWS))
every = np.arange(GOALS)
present = np.unique(y)
assert 6 not in present and len(present) == 6
hot = np.eye(GOALS)[y]


def calibration_error(p, truth):
    """Sum over the bins (a, b] of |sum of p - truth|, per row; 0 belongs to the first bin."""
    place = (p[:, None] > np.arange(1, BINS) / BINS).sum(1)
    return sum(abs((p - truth)[place == k].sum()) for k in range(BINS)) / len(p)


measures = {}
for name, p in (("first", first), ("second", second)):
    best = p.argmax(1)
    measures[f"{name}_accuracy"] = accuracy_score(y, best)
    for k in (1, 3, 5):
        measures[f"{name}_top_{k}_accuracy"] = top_k_accuracy_score(y, p, k=k, labels=every)
    measures[f"{name}_log_loss"] = log_loss(y, p, labels=every)
    measures[f"{name}_brier"] = ((p - hot) ** 2).sum(1).mean()
    measures[f"{name}_calibration_error"] = calibration_error(p.max(1), best == y)
    measures[f"{name}_classwise_calibration_error"] = np.mean(
        [calibration_error(p[:, g], hot[:, g]) for g in range(GOALS)])
    for average in ("macro", "weighted"):
        scores = precision_recall_fscore_support(y, best, labels=present, average=average, zero_division=0)
        measures |= {f"{name}_{average}_{what}": v for what, v in zip(("precision", "recall", "f1"), scores)}
    scores = precision_recall_fscore_support(y, best, labels=every, zero_division=0)
    for what, values in zip(("precision", "recall", "f1", "support"), scores):
        measures |= {f"{name}_{what}_{g}": v for g, v in enumerate(values)}
    confusion = confusion_matrix(y, best, labels=every)
    measures |= {f"{name}_confusion_{g}_{h}": confusion[g, h] for g in range(GOALS) for h in range(GOALS)}
assert (second.argmax(1) != 5).all() and (first.argmax(1) == 6).any()


def scaled(log_temperature):
    p = second ** np.exp(-log_temperature)
    return log_loss(y, p / p.sum(1, keepdims=True), labels=every)


fit = minimize_scalar(scaled, bounds=(-3, 3), method="bounded", options={"xatol": 1e-10})
measures["second_temperature"] = np.exp(fit.x)
measures["second_scaled_log_loss"] = fit.fun

with open("predictions.csv", "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["customer", "truth", *(f"first{g}" for g in every), *(f"second{g}" for g in every)])
    rows.writerows([customer[i], y[i], *map(repr, map(float, (*first[i], *second[i])))] for i in range(ROWS))
with open("measures.csv", "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["name", "value"])
    rows.writerows([name, repr(float(value))] for name, value in measures.items())
