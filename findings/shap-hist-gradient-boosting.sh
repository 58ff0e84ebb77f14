#!/usr/bin/env bash
# SHAP's TreeExplainer on scikit-learn's histogram boosting where a merchant's kind is declared a category, and where customers
# have weights.
# Seen 2026-12-01 with shap 0.51.0 and scikit-learn 1.9.1: with `categorical_features` the contributions no longer add up to the
# prediction (off by more than the standard deviation of the predictions), and the check of additivity, which is on, does not
# say so: it holds the contributions against SHAP's own reading of the trees, which takes the category for a number. With
# `sample_weight` the base value is the unweighted mean of the predictions, where that of GradientBoostingRegressor is the weighted
# one: the two explain from different bases.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet shap==0.51.0 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
venv/bin/python - <<'PYTHON'
import numpy
import shap
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor

draw = numpy.random.default_rng(0)
customers = 2_000
kind = draw.integers(0, 12, customers)
age = draw.normal(size=customers)
spending = draw.normal(size=12)[kind] + 0.3 * age
features = numpy.column_stack([kind, age]).astype(float)


def gap(model):
    explainer = shap.TreeExplainer(model)
    contributions = explainer.shap_values(features[:200])  # with its check of additivity
    return numpy.abs(contributions.sum(1) + explainer.expected_value - model.predict(features[:200])).max()


number = HistGradientBoostingRegressor(max_iter=30).fit(features, spending)
category = HistGradientBoostingRegressor(categorical_features=[0], max_iter=30).fit(features, spending)
spread = category.predict(features).std()
print("kind as a number: off by", gap(number))
print("kind as a category: off by", gap(category), "where predictions have a standard deviation of", spread)
assert gap(number) < 1e-9
assert gap(category) > spread

weight = draw.uniform(0.1, 3.0, customers)
for learner, weighted in ((HistGradientBoostingRegressor(max_iter=30), False), (GradientBoostingRegressor(n_estimators=30), True)):
    model = learner.fit(features, spending, sample_weight=weight)
    base = float(numpy.ravel(shap.TreeExplainer(model).expected_value)[0])
    predicted = model.predict(features)
    plain, mean = predicted.mean(), numpy.average(predicted, weights=weight)
    print(type(learner).__name__, "base", base, "mean", plain, "weighted mean", mean)
    assert abs(base - (mean if weighted else plain)) < 1e-6 < abs(mean - plain)
PYTHON
