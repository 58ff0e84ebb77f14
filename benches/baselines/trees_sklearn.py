"""Seconds to bin 20,800 customers, boost 100 trees of depth 3 and predict, and to grow an exact tree, in scikit-learn; the
peer of benches/trees.rs.

Usage: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python3 trees_sklearn.py
Install: Debian's python3-sklearn, or pip install scikit-learn. Prints one JSON line per task, and one that says so where
scikit-learn is missing.
"""
import json
import resource
import sys
import time

try:
    import numpy as np
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.tree import DecisionTreeRegressor
except ImportError as missing:
    print(json.dumps({"peer": "scikit-learn", "skipped": str(missing)}))
    sys.exit(0)

ROWS = 20_800


def data(features):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((ROWS, features))
    odds = x[:, 0] + 0.5 * x[:, 1] * x[:, 2]
    return x, (rng.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(int)


def sparse_data(features):
    rng = np.random.default_rng(2)
    x = np.where(rng.random((ROWS, features)) < 0.05, rng.integers(1, 100, (ROWS, features)), 0).astype(float)
    odds = 0.05 * (x[:, 0] + x[:, 1]) - 0.5
    return x, (rng.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(int)


def clock(name, run, repeats=5):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(
        json.dumps(
            {
                "peer": f"scikit-learn {sklearn.__version__}",
                "task": name,
                "s": sorted(seconds)[repeats // 2],
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        ),
        flush=True,
    )


for features in [12, 40, 110]:
    x, labels = data(features)
    for bins in [64, 255]:
        model = HistGradientBoostingClassifier(max_iter=100, max_depth=3, max_bins=bins, early_stopping=False)
        clock(f"logistic_{features}_features_{bins}_bins", lambda: model.fit(x, labels).predict_proba(x))
x, labels = sparse_data(500)
model = HistGradientBoostingClassifier(max_iter=100, max_depth=3, max_bins=64, early_stopping=False)
clock("logistic_500_sparse_features_64_bins", lambda: model.fit(x, labels).predict_proba(x), 3)
x, _ = data(97)
target = x[:, 0] + x[:, 1] * x[:, 2]
clock("cart_97_features", lambda: DecisionTreeRegressor().fit(x, target), 3)
