"""Writes golden.json: figures of scikit-learn that the crate must reproduce.

Usage: pip install -r requirements.txt && python generate.py
"""
import json
from pathlib import Path

import numpy as np
import sklearn
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    davies_bouldin_score,
    silhouette_samples,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(20)
out = {"scikit-learn": sklearn.__version__, "numpy": np.__version__}

# Agreement of labellings: few groups, many groups, singletons, independent ones.
truth = rng.integers(0, 5, 200)
noisy = np.where(rng.random(200) < 0.7, truth, rng.integers(0, 5, 200))
pairs = {
    "noisy": (truth, noisy),
    "independent": (truth, rng.integers(0, 7, 200)),
    "many_groups": (truth * 12 + rng.integers(0, 12, 200), noisy * 9 + rng.integers(0, 9, 200)),
    "singletons": (np.arange(200), truth),
    "all_singletons": (np.arange(40), np.arange(40)[::-1]),
    "one_group": (np.zeros(200, int), truth),
    "gaps_in_labels": (truth * 10 + 3, noisy * 7),
}
out["agreement"] = [
    {
        "name": name,
        "a": a.tolist(),
        "b": b.tolist(),
        "adjusted_rand": adjusted_rand_score(a, b),
        "adjusted_mutual_information": adjusted_mutual_info_score(a, b),
    }
    for name, (a, b) in pairs.items()
]

# Clustering quality and k-means. Overlapping blobs and one cluster with a single member.
out["clustering"] = []
for name, features, spread in [("three", 3, 1.5), ("two", 2, 3.0), ("ten", 10, 2.0)]:
    x, _ = make_blobs(150, features, centers=4, cluster_std=spread, random_state=7)
    start = x[rng.choice(150, 4, replace=False)]
    fit = KMeans(4, init=start, n_init=1, tol=0.0, max_iter=1000).fit(x)
    best = KMeans(4, n_init=50, tol=0.0, max_iter=1000, random_state=3).fit(x)
    labels = fit.labels_.copy()
    labels[0] = 9
    out["clustering"].append(
        {
            "name": name,
            "x": x.tolist(),
            "start": start.tolist(),
            "centers": fit.cluster_centers_.tolist(),
            "inertia": fit.inertia_,
            "best_inertia": best.inertia_,
            "labels": labels.tolist(),
            "silhouette": silhouette_score(x, labels),
            "silhouette_samples": silhouette_samples(x, labels).tolist(),
            "davies_bouldin": davies_bouldin_score(x, labels),
        }
    )

# 15 nearest neighbors: few dimensions (k-d tree) and many (all pairs), labels of several depths.
out["neighbors"] = []
for name, features in [("few", 3), ("many", 20)]:
    x = rng.standard_normal((300, features)) * rng.uniform(0.1, 5.0, features) + 3.0
    grades = x[:, :3] @ rng.standard_normal((3, 5)) + rng.standard_normal((300, 5))
    order = np.argsort(-grades, axis=1, kind="stable")
    train = rng.random(300) < 0.8
    scaled = StandardScaler().fit(x[train]).transform(x)
    accuracy = []
    for depth in range(1, 5):
        label = order[:, :depth] @ (5 ** np.arange(depth)[::-1])
        accuracy.append(KNeighborsClassifier(15).fit(scaled[train], label[train]).score(scaled[~train], label[~train]))
    out["neighbors"].append(
        {"name": name, "x": x.tolist(), "order": order.tolist(), "train": train.tolist(), "accuracy": accuracy}
    )

# Trees of both linkages, density clusters and a mixture on overlapping blobs with uniform noise.
x, truth = make_blobs(160, 3, centers=4, cluster_std=0.8, random_state=11)
x = np.vstack([x, rng.uniform(-10, 10, (20, 3))])
noise = HDBSCAN(min_cluster_size=10, min_samples=5, copy=True).fit(x)
mixture = GaussianMixture(4, n_init=10, tol=1e-13, max_iter=20_000, random_state=2).fit(x)
by_mean = np.argsort(mixture.means_[:, 0])
out["models"] = {
    "x": x.tolist(),
    "trees": [
        {
            "method": method,
            "heights": linkage(x, method)[:, 2].tolist(),
            "labels": AgglomerativeClustering(6, linkage=method).fit(x).labels_.tolist(),
        }
        for method in ("ward", "average")
    ],
    "density_labels": noise.labels_.tolist(),
    "mixture": {
        "log_likelihood": mixture.score(x),
        "bic": mixture.bic(x),
        "weights": mixture.weights_[by_mean].tolist(),
        "means": mixture.means_[by_mean].tolist(),
        "covariances": mixture.covariances_[by_mean].reshape(4, -1).tolist(),
    },
}

# Inertia of 1..6 clusters, and the gap statistic with given reference samples: three blobs, three uniform samples.
x, _ = make_blobs(120, 2, centers=3, cluster_std=1.0, random_state=5)
samples = [rng.uniform(x.min(axis=0), x.max(axis=0), x.shape) for _ in range(3)]


def inertias(points):
    return [KMeans(k, n_init=500, tol=0.0, max_iter=1000, random_state=3).fit(points).inertia_ for k in range(1, 7)]


observed, logs = inertias(x), np.log([inertias(sample) for sample in samples])
gap, error = logs.mean(axis=0) - np.log(observed), logs.std(axis=0) * np.sqrt(1 + 1 / len(samples))
out["counts"] = {
    "x": x.tolist(),
    "samples": [sample.tolist() for sample in samples],
    "inertia": observed,
    "gap": gap.tolist(),
    "error": error.tolist(),
    "clusters": next((k + 1 for k in range(5) if gap[k] >= gap[k + 1] - error[k + 1]), 6),
}

Path(__file__).with_name("golden.json").write_text(json.dumps(out))
