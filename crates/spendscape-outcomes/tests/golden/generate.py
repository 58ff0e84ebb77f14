"""Writes scores.csv and measures.csv: scores, and what scikit-learn and plain numpy say of them.

Made with scikit-learn 1.2.1, NumPy 1.24.2, Python 3.11: python3 generate.py

DeLong is the textbook's: structural components over all pairs of a positive and a negative (DeLong, DeLong and
Clarke-Pearson 1988), no midranks. The calibration line is a logistic regression without penalty by Newton's method in
numpy, as are the ridge logistic regressions that scikit-learn confirms to its own tolerance.
"""
import csv
import math

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (brier_score_loss, log_loss, precision_score, r2_score, recall_score, roc_auc_score,
                             roc_curve)

ROWS, FEATURES = 300, 4
rng = np.random.default_rng(7)
x = rng.standard_normal((ROWS, FEATURES))
truth = -1.2 + x @ np.array([1.0, -0.6, 0.3, 0.0])
y = (rng.random(ROWS) < 1 / (1 + np.exp(-truth))).astype(int)
# Rounded, so that scores tie; too extreme, so that the slope is not 1.
first = np.round(1 / (1 + np.exp(-1.7 * truth - 0.4)), 2).clip(0.01, 0.99)
second = 1 / (1 + np.exp(-0.5 * truth - rng.standard_normal(ROWS)))
amount = truth + 0.5 * rng.standard_normal(ROWS)


def newton(features, labels, penalty):
    design = np.hstack([np.ones((len(features), 1)), features])
    ridge = penalty * np.diag([0.0] + [1.0] * features.shape[1])
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ beta))
        hessian = design.T @ (design * (p * (1 - p))[:, None]) + ridge
        beta = beta + np.linalg.solve(hessian, design.T @ (labels - p) - ridge @ beta)
    return beta


def delong(labels, a, b):
    columns = []
    for s in (a, b):
        m = s[labels == 1][:, None]
        n = s[labels == 0][None, :]
        psi = (m > n) + 0.5 * (m == n)
        columns.append((psi.mean(1), psi.mean(0), psi.mean()))
    (v10a, v01a, auc_a), (v10b, v01b, auc_b) = columns
    s10, s01 = np.cov(np.stack([v10a, v10b])), np.cov(np.stack([v01a, v01b]))
    s = s10 / (labels == 1).sum() + s01 / (labels == 0).sum()
    z = (auc_a - auc_b) / math.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    return {"delong_variance_first": s[0, 0], "delong_variance_second": s[1, 1], "delong_covariance": s[0, 1],
            "delong_p": math.erfc(abs(z) / math.sqrt(2))}


measures = {}
for name, s in (("first", first), ("second", second)):
    false, true, _ = roc_curve(y, s, drop_intermediate=False)
    intercept, slope = newton(np.log(s / (1 - s))[:, None], y, 0.0)
    rate, mean = calibration_curve(y, s, n_bins=10, strategy="quantile")
    measures |= {
        f"{name}_auc": roc_auc_score(y, s),
        f"{name}_ks": np.abs(true - false).max(),
        f"{name}_brier": brier_score_loss(y, s),
        f"{name}_log_loss": log_loss(y, s),
        f"{name}_intercept": intercept,
        f"{name}_slope": slope,
        f"{name}_precision": precision_score(y, s >= 0.4),
        f"{name}_recall": recall_score(y, s >= 0.4),
    }
    measures |= {f"{name}_roc_false_{k}": v for k, v in enumerate(false)} | {
        f"{name}_roc_true_{k}": v for k, v in enumerate(true)}
    measures |= {f"{name}_calibration_score_{k}": v for k, v in enumerate(mean)} | {
        f"{name}_calibration_rate_{k}": v for k, v in enumerate(rate)}
measures |= delong(y, first, second)
pairs = [(i, j) for i in range(ROWS) for j in range(ROWS) if amount[i] > amount[j]]
measures["concordance"] = np.mean([(first[i] > first[j]) + 0.5 * (first[i] == first[j]) for i, j in pairs])
measures["r2"] = r2_score(amount, first)
measures["rmse"] = math.sqrt(np.mean((amount - first) ** 2))

ours = newton(x, y, 2.0)
theirs = LogisticRegression(C=1 / 2.0, tol=1e-10, max_iter=10_000).fit(x, y)
assert np.abs(ours - np.concatenate([theirs.intercept_, theirs.coef_[0]])).max() < 1e-6
measures |= {f"logistic_{k}": v for k, v in enumerate(ours)}
ridge = Ridge(alpha=2.0, tol=1e-14).fit(x, amount)
measures |= {f"ridge_{k}": v for k, v in enumerate([ridge.intercept_, *ridge.coef_])}

with open("scores.csv", "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["y", "first", "second", "amount", *(f"x{k}" for k in range(FEATURES))])
    rows.writerows([y[i], *map(repr, map(float, (first[i], second[i], amount[i], *x[i])))] for i in range(ROWS))
with open("measures.csv", "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["name", "value"])
    rows.writerows([name, repr(float(value))] for name, value in measures.items())
