"""Seconds to fit the surrogates on 26,000 x 97 -> 2 in scikit-learn; the peer of benches/surrogate.rs.

Usage: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python3 surrogate_sklearn.py
Install: Debian's python3-sklearn, or pip install scikit-learn. Prints one JSON line per model, and one that says so
where scikit-learn is missing.
"""
import json
import resource
import sys
import time

try:
    import numpy as np
    import sklearn
    from sklearn.linear_model import LinearRegression, Ridge
    from sklearn.preprocessing import PolynomialFeatures
    from sklearn.tree import DecisionTreeRegressor
except ImportError as missing:
    print(json.dumps({"peer": "scikit-learn", "skipped": str(missing)}))
    sys.exit(0)

rng = np.random.default_rng(1)
x = rng.gamma(0.5, 1.0, (26_000, 97))
x /= x.sum(1, keepdims=True)
y = x @ rng.standard_normal((97, 2)) + 0.1 * rng.standard_normal((26_000, 2))


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


def full_degree_2():
    LinearRegression().fit(PolynomialFeatures(2, include_bias=False).fit_transform(x), y)


clock("ols", lambda: LinearRegression().fit(x, y))
clock("ridge", lambda: Ridge(alpha=1.0).fit(x, y))
clock("tree_depth_10", lambda: [DecisionTreeRegressor(max_depth=10).fit(x, target) for target in y.T], 3)
clock("ols_degree_2_full", full_degree_2, 1)
