"""Seconds to learn an outcome of 26,000 customers from six sets of features in scikit-learn, and to measure it; the peer of
benches/outcomes.rs.

Usage: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python3 outcomes_sklearn.py [threads]
Install: PyPI's scikit-learn, or Debian's python3-sklearn. Prints one JSON line per task, in seconds of the processor where it
runs on one thread; skips, and says so on standard error, where scikit-learn is missing.

The same folds, repeats, sets and numbers of trees, penalties and samples as in the bench. LogisticRegressionCV tries five
penalties on three inner folds. scikit-learn has no bootstrap of measures. The one here is what numpy does best: scores are
sorted once, a sample is how often each customer was drawn (bincount), all scores are measured on the same samples, AUC,
Kolmogorov-Smirnov and cuts come from cumulated counts, Brier score, log-loss and curves from products, the calibration line
from Newton steps from that of everybody until no coefficient moves by 1e-4.
"""
import json
import sys
import time
import warnings

try:
    import numpy as np
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import RepeatedStratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(0)

warnings.filterwarnings("ignore", category=FutureWarning)
CUSTOMERS, TRAITS, FOLDS, REPEATS, DRAWS, BINS = 26_000, 5, 5, 2, 1_000, 10
rng = np.random.default_rng(1)
traits = rng.standard_normal((CUSTOMERS, TRAITS))


def seen(width):
    return traits @ (0.4 * rng.standard_normal((TRAITS, width)))


blocks = {
    "trajectory": np.tanh(seen(22) + 0.5 * rng.standard_normal((CUSTOMERS, 22))),
    "spending": seen(8) + rng.standard_normal((CUSTOMERS, 8)),
    "balances": seen(6) + rng.standard_normal((CUSTOMERS, 6)),
}
shares = (np.exp(seen(2 * 97)) * rng.gamma(0.5, 1.0, (CUSTOMERS, 2 * 97))).reshape(CUSTOMERS, 2, 97)
blocks["shares"] = (shares / shares.sum(2, keepdims=True)).reshape(CUSTOMERS, 2 * 97)
odds = -1.5 + traits[:, 0] - 0.5 * traits[:, 1] + 0.7 * blocks["balances"][:, 0] + 0.3 * blocks["spending"][:, 1]
y = (rng.random(CUSTOMERS) < 1 / (1 + np.exp(-odds))).astype(int)
sets = {
    "trajectory": ["trajectory"],
    "bespoke": ["spending", "balances"],
    "bespoke-no-balance": ["spending"],
    "shares": ["shares"],
    "combined": ["trajectory", "spending", "balances"],
    "combined-no-balance": ["trajectory", "spending"],
}
folds = list(RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=2).split(np.zeros(CUSTOMERS), y))


def linear():
    penalties = 1 / np.array([1000.0, 100.0, 10.0, 1.0, 0.1])
    return make_pipeline(StandardScaler(), LogisticRegressionCV(Cs=penalties, cv=3, scoring="neg_log_loss", max_iter=1000))


def boosted():
    return HistGradientBoostingClassifier(max_iter=100, max_depth=3, learning_rate=0.1, early_stopping=False)


def validated(learner):
    """The mean held-out probability of every customer, per set."""
    scores = []
    for names in sets.values():
        x = np.hstack([blocks[name] for name in names])
        sums = np.zeros(CUSTOMERS)
        for train, test in folds:
            sums[test] += learner().fit(x[train], y[train]).predict_proba(x[test])[:, 1]
        scores.append(sums / REPEATS)
    return scores


class Sorted:
    """A score, sorted once, with what every sample needs of it."""

    def __init__(self, p):
        self.order = np.argsort(-p, kind="stable")
        self.p, self.y = p[self.order], y[self.order].astype(float)
        last = np.append(self.p[1:] != self.p[:-1], True)
        self.ends = None if last.all() else np.flatnonzero(last)
        inside = self.p.clip(np.finfo(float).eps, 1 - np.finfo(float).eps)
        self.logit = np.log(inside) - np.log1p(-inside)
        self.columns = np.column_stack(
            [self.y, (self.p - self.y) ** 2, -np.where(self.y > 0, np.log(inside), np.log1p(-inside))]
        )
        self.cut = int(y.sum())
        self.tenths = np.arange(10) * CUSTOMERS // 10
        edges = np.quantile(self.p, np.arange(1, BINS) / BINS)
        self.bins = np.append(0, np.searchsorted(-self.p, -edges[::-1], side="left"))
        self.start = np.array([np.log(y.mean() / (1 - y.mean())), 0.0])
        self.start = self.line(np.ones(CUSTOMERS), 1e-12)

    def line(self, weight, steady):
        line, x = self.start, self.logit
        for _ in range(50):
            p = 1 / (1 + np.exp(-(line[0] + line[1] * x)))
            residual, curvature = weight * (self.y - p), weight * p * (1 - p)
            along = curvature * x
            hessian = np.array([[curvature.sum(), along.sum()], [along.sum(), along @ x]])
            step = np.linalg.solve(hessian, [residual.sum(), residual @ x])
            line = line + step
            if np.abs(step).max() <= steady * (1 + np.abs(line).max()):
                break
        return line

    def measures(self, drawn):
        weight = drawn[self.order]
        positive = weight * self.y
        found, all_ = np.cumsum(positive), np.cumsum(weight)
        if self.ends is not None:
            found, all_ = found[self.ends], all_[self.ends]
        wrong = all_ - found
        p, n = found[-1], wrong[-1]
        auc = np.diff(wrong, prepend=0) @ (found - 0.5 * np.diff(found, prepend=0)) / (p * n)
        ks = np.abs(found / p - wrong / n).max()
        _, brier, log_loss = weight @ self.columns / CUSTOMERS
        hit, flagged = positive[: self.cut].sum(), weight[: self.cut].sum()
        tenth = np.searchsorted(all_, 0.1 * CUSTOMERS)
        rates = [np.add.reduceat(positive, at) / np.add.reduceat(weight, at) for at in (self.tenths, self.bins)]
        intercept, slope = self.line(weight, 1e-4)
        top = found[tenth] / all_[tenth] / (p / CUSTOMERS)
        single = [auc, 2 * auc - 1, ks, brier, log_loss, hit / flagged, hit / p, top, intercept, slope]
        return np.concatenate([single, rates[0] / (p / CUSTOMERS), rates[1]])


def measured(scores):
    scored = [Sorted(p) for p in scores]
    values = []
    for _ in range(DRAWS):
        drawn = np.bincount(rng.integers(0, CUSTOMERS, CUSTOMERS), minlength=CUSTOMERS).astype(float)
        values.append([one.measures(drawn) for one in scored])
    return np.quantile(np.array(values), [0.025, 0.975], axis=0)


threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
clock = time.perf_counter


def show(task, seconds):
    print(json.dumps({"peer": f"scikit-learn {sklearn.__version__}", "task": task, "s": seconds}), flush=True)


seconds = {}
scores = []
for task, learner in (("linear", linear), ("boosted", boosted)):
    start = clock()
    scores += validated(learner)
    seconds[task] = clock() - start
start = clock()
intervals = measured(scores)
seconds["measures"] = clock() - start
seconds["whole_job"] = sum(seconds.values())
for task, taken in seconds.items():
    show(task, taken)
if "--values" in sys.argv:
    for at, name in enumerate([*sets, *sets]):
        print(name, *(f"{intervals[k, at, m]:.4f}" for m in (0, 9) for k in (0, 1)), file=sys.stderr)
