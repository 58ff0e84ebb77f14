"""Seconds of scikit-learn for clustering, neighbors and quality of 26,000 customers: the peer of benches/segments.rs.

Usage: OMP_NUM_THREADS=1 segments_sklearn.py
Install: Debian's python3-sklearn, or pip install scikit-learn. Prints one JSON line per task.
"""
import json
import os
import time

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score, davies_bouldin_score, silhouette_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

CUSTOMERS = 26_000


def normal(rows, columns, seed):
    """Standard normals by SplitMix64 and Box-Muller, bit by bit those of the bench."""
    with np.errstate(over="ignore"):
        z = (np.arange(1, 2 * rows * columns + 1, dtype=np.uint64) + np.uint64(seed << 40)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    uniform = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(float) / 2.0**53
    return (np.sqrt(-2 * np.log(1 - uniform[::2])) * np.cos(2 * np.pi * uniform[1::2])).reshape(rows, columns)


states = normal(CUSTOMERS, 3, 1)
directions = states / np.linalg.norm(states, axis=1, keepdims=True)
order = np.argsort(-(states @ normal(3, 5, 2) + 0.3 * normal(CUSTOMERS, 5, 3)), axis=1, kind="stable")
train = np.arange(CUSTOMERS) % 5 != 0
wide = normal(CUSTOMERS, 97, 4)
jobs = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))


def kmeans():
    return KMeans(5, n_init=4, random_state=1).fit(directions)


def prefixes(x):
    x = StandardScaler().fit(x[train]).transform(x)
    knn = KNeighborsClassifier(15, n_jobs=jobs).fit(x[train], np.zeros(train.sum()))
    near = knn.kneighbors(x[~train], return_distance=False)
    accuracy = []
    for depth in range(1, 5):
        label = order[:, :depth] @ 5 ** np.arange(depth)[::-1]
        votes = label[train][near]
        predicted = [np.bincount(v).argmax() for v in votes]
        accuracy.append(float((predicted == label[~train]).mean()))
    return accuracy


def clock(name, run, repeats=5):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"peer": f"scikit-learn {sklearn.__version__}", "threads": jobs, "task": name,
                      "s": sorted(seconds)[repeats // 2]}), flush=True)


labels = kmeans().labels_
clock("kmeans_5_directions", kmeans)
clock("silhouette_exact", lambda: silhouette_score(directions, labels), 1)
clock("davies_bouldin", lambda: davies_bouldin_score(directions, labels))
clock("ami", lambda: adjusted_mutual_info_score(labels, order[:, 0]))
clock("knn_prefixes_3", lambda: prefixes(states), 3)
clock("knn_prefixes_97", lambda: prefixes(wide), 1)
