"""Writes values.csv and figures.csv: numbers, and what numpy, scipy and scikit-learn say of them.

Made with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, Python 3.11.7: python3 generate.py
"""
import csv

import numpy as np
import scipy.stats
from sklearn.metrics import r2_score, roc_auc_score, root_mean_squared_error
from sklearn.preprocessing import StandardScaler

ROWS = 60
rng = np.random.default_rng(11)
a = rng.gamma(1.5, 2.0, ROWS)
b = 0.4 * a + rng.standard_normal(ROWS)
# Rounded, so that scores tie.
score = np.round(b, 1)
label = (a + rng.standard_normal(ROWS) > 3).astype(int)
p = rng.random(ROWS) ** 3

figures = {f"quantile_{level}": np.quantile(a, level) for level in (0.0, 0.025, 0.1, 0.5, 0.9, 0.975, 1.0)}
figures["median"] = np.median(a)
figures["median_odd"] = np.median(a[:-1])
figures["correlation"] = scipy.stats.pearsonr(a, b).statistic
figures["r2"] = r2_score(a, b)
figures["rmse"] = root_mean_squared_error(a, b)
figures["auc"] = roc_auc_score(label, score)
scaled = StandardScaler().fit(np.stack([a, b], 1)).transform(np.stack([a, b], 1))
for row in (0, 17, 59):
    figures[f"percentile_{row}"] = scipy.stats.percentileofscore(score, score[row], kind="mean") / 100
    figures[f"scaled_{row}"] = scaled[row, 0]
for row, value in enumerate(scipy.stats.false_discovery_control(p)):
    figures[f"adjusted_{row}"] = value
for degrees in (1, 2, 3, 7, 30, 365, 100_000):
    figures[f"student_{degrees}"] = scipy.stats.t.ppf(0.975, degrees)
for z in (0.1, 1.0, 2.5, 6.0):
    figures[f"cdf_{z}"] = scipy.stats.norm.cdf(-z)
    figures[f"two_sided_{z}"] = 2 * scipy.stats.norm.sf(z)

with open("values.csv", "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["a", "b", "score", "label", "p"])
    rows.writerows([*map(repr, map(float, row))] for row in zip(a, b, score, label, p))
with open("figures.csv", "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["name", "value"])
    rows.writerows([name, repr(float(value))] for name, value in figures.items())
