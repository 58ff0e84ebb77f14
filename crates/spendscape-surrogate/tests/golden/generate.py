"""Writes sklearn.csv: shares, targets and the fitted values of scikit-learn's models on them.

Made with scikit-learn 1.2.1, NumPy 1.26.4, Python 3.11: python3 generate.py > sklearn.csv
"""
import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor

ROWS, CLASSES = 120, 6
rng = np.random.default_rng(20)
x = rng.gamma(0.8, 1.0, (ROWS, CLASSES))
x /= x.sum(1, keepdims=True)
bend = np.stack([x[:, 0] * x[:, 1], x[:, 2] ** 2], 1)
y = x @ rng.standard_normal((CLASSES, 2)) + 3 * bend + 0.1 * rng.standard_normal((ROWS, 2))

# The shares sum to 1. scikit-learn's least squares does not notice that (its slopes on all classes are of the order of
# 1e13 and its fitted values are good to one digit), so it gets one class less: the same space, with full rank.
free = x[:, 1:]


def fitted(model, features=free):
    return model.fit(features, y).predict(features)


squares = np.hstack([free, x**2])
full = PolynomialFeatures(2, include_bias=False).fit_transform(free)
columns = {
    "x": x,
    "y": y,
    "ols": fitted(LinearRegression()),
    "ridge": fitted(Ridge(alpha=1.0), x),
    "squares": fitted(make_pipeline(StandardScaler(), LinearRegression()), squares),
    "full": fitted(make_pipeline(StandardScaler(), LinearRegression()), full),
    "tree": np.stack([DecisionTreeRegressor(max_depth=3, min_samples_leaf=5).fit(x, t).predict(x) for t in y.T], 1),
    "boosted": np.stack(
        [
            GradientBoostingRegressor(criterion="squared_error", n_estimators=20, max_depth=2, learning_rate=0.3)
            .fit(x, t)
            .predict(x)
            for t in y.T
        ],
        1,
    ),
    "slopes": np.vstack([LinearRegression().fit(free, y).coef_.T, np.full((ROWS - CLASSES + 1, 2), np.nan)]),
}
print(",".join(f"{name}{i}" for name, table in columns.items() for i in range(table.shape[1])))
for row in np.hstack(list(columns.values())):
    print(",".join("" if np.isnan(v) else repr(float(v)) for v in row))
