"""Writes sklearn.csv: a panel with few distinct values, targets, weights and the predictions of scikit-learn's trees.

The first 200 rows are for training. Made with scikit-learn 1.9.1, NumPy 2.4.6: python3 generate.py > sklearn.csv
"""
import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.ensemble import HistGradientBoostingClassifier as Classifier
from sklearn.ensemble import HistGradientBoostingRegressor as Regressor
from sklearn.tree import DecisionTreeRegressor

ROWS, TRAIN, FEATURES = 260, 200, 5
rng = np.random.default_rng(16)
# At most 61 distinct values, which is fewer than bins: splits are exact.
x = np.round(rng.standard_normal((ROWS, FEATURES)).clip(-3, 3), 1) + 0.0
x[:, 4] = np.maximum(x[:, 4], 0)
bend = x[:, 0] + x[:, 1] * x[:, 2] + 0.5 * x[:, 4]
y = bend + 0.3 * rng.standard_normal(ROWS)
label = (bend + rng.logistic(size=ROWS) > 0.4).astype(float)
weight = rng.uniform(0.2, 3.0, ROWS)
some = slice(TRAIN)


def fit(model, target, weights=None):
    return model.fit(x[some], target[some], weights if weights is None else weights[some])


histogram = {"max_leaf_nodes": None, "early_stopping": False}
columns = {
    "x": x,
    "y": y,
    "label": label,
    "weight": weight,
    "squared": fit(Regressor(max_iter=30, max_depth=3, min_samples_leaf=5, **histogram), y).predict(x),
    "penalized": fit(Regressor(max_iter=30, max_depth=4, l2_regularization=2.0, **histogram), y, weight).predict(x),
    "logistic": fit(Classifier(max_iter=40, max_depth=3, min_samples_leaf=8, **histogram), label).predict_proba(x)[:, 1],
    "weighted": fit(Classifier(max_iter=20, max_depth=2, **histogram), label, weight).predict_proba(x)[:, 1],
    "exact": fit(GradientBoostingRegressor(n_estimators=25, max_depth=3, learning_rate=0.2), y).predict(x),
    "cart": fit(DecisionTreeRegressor(max_depth=6, min_samples_leaf=3, random_state=0), y).predict(x),
}
columns = {name: values.reshape(ROWS, -1) for name, values in columns.items()}
print(",".join(f"{name}{i}" for name, table in columns.items() for i in range(table.shape[1])))
for row in np.hstack(list(columns.values())):
    print(",".join(repr(float(v)) for v in row))
