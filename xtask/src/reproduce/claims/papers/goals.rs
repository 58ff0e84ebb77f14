//! Claim 19: what the papers leave to future work. Recommendations need to know what a customer does next, so that is what
//! is judged: whether it can be predicted, and whether acting on it gains anything.

use super::super::{Expected::Both, Measured, Row, get, metric};
use super::claim;

/// Models that the network is to beat; boosted trees are set beside it.
const SIMPLE: [&str; 5] = ["majority", "repeat_last", "repeat_last_smoothed", "markov_1", "markov_2"];

/// The best of the simple models by a measure; `sign` 1 if more is better, -1 if less is.
fn best_simple(measured: &Measured, measure: &str, sign: f64) -> Option<f64> {
    let values = SIMPLE.iter().filter_map(|model| get(measured, &format!("goals.train.{model}.{measure}")));
    values.max_by(|a, b| (sign * a).total_cmp(&(sign * b)))
}

/// The worst end, over the simple models, of the interval of the network's gain in a measure over each.
fn least_gain(measured: &Measured, measure: &str, sign: f64) -> Option<f64> {
    let end = if sign > 0.0 { "low" } else { "high" };
    let gain = |model: &&str| {
        get(measured, &format!("goals.train.lstm - {model}.{measure}.{end}")).map(|value| sign * value)
    };
    SIMPLE.iter().map(gain).try_fold(f64::INFINITY, |least, gain| Some(f64::min(least, gain?)))
}

/// Share of the goals for which a figure of the campaigns is above 0.
fn share_above(measured: &Measured, ending: &str) -> Option<f64> {
    let values: Vec<f64> = measured
        .iter()
        .filter(|(name, _)| name.starts_with("goals.campaign.") && name.ends_with(ending))
        .map(|(_, value)| *value)
        .collect();
    (!values.is_empty())
        .then(|| values.iter().filter(|value| **value > 0.0).count() as f64 / values.len() as f64)
}

/// Every claim.
pub(super) fn rows() -> Vec<Row> {
    vec![
        claim(
            19,
            "future work: recommendations. The next goal is predicted better than by simple models, log-loss",
            |m| least_gain(m, "log_loss", -1.0),
            Both(0.0, 10.0),
        )
        .control("log-loss of the network {}", metric!("goals.train.lstm.log_loss"))
        .control("of the best simple model {}", |m| best_simple(m, "log_loss", -1.0))
        .control("of boosted trees {}", metric!("goals.train.boosted.log_loss"))
        .control("of the truth {}", metric!("goals.train.best_possible.log_loss"))
        .control("accuracy {}", metric!("goals.train.lstm.accuracy"))
        .control("of the best simple model {}", |m| best_simple(m, "accuracy", 1.0))
        .control("of boosted trees {}", metric!("goals.train.boosted.accuracy"))
        .control("of the truth {}", metric!("goals.train.best_possible.accuracy"))
        .readings(
            "Lower end of the 95 % interval of the gain in log-loss over the best of majority, repeat-last and Markov chains: above 0 for every one of them.",
            "Lower end of the 95 % interval of the gain in log-loss over majority, repeat-last and Markov chains: not shown to be better than every one of them.",
        )
        .everywhere(),
        claim(
            19,
            "the same, macro F1",
            |m| least_gain(m, "macro_f1", 1.0),
            Both(0.0, 1.0),
        )
        .control("macro F1 of the network {}", metric!("goals.train.lstm.macro_f1"))
        .control("of the best simple model {}", |m| best_simple(m, "macro_f1", 1.0))
        .control("of boosted trees {}", metric!("goals.train.boosted.macro_f1"))
        .control("of the truth {}", metric!("goals.train.best_possible.macro_f1"))
        .readings(
            "Lower end of the 95 % interval of the gain in macro F1 over each simple model: above 0 for every one.",
            "Lower end of the 95 % interval of the gain in macro F1 over each simple model: not shown to be better than every one.",
        )
        .everywhere(),
        claim(
            19,
            "recommendations to the tenth of the customers with the highest probability find more than chance",
            |m| share_above(m, ".model.uplift_low"),
            Both(0.5, 1.0),
        )
        .control("and more than the latest buyers, share of goals {}", |m| {
            share_above(m, ".recency.behind_model_low")
        })
        .control("and more than the most frequent buyers {}", |m| {
            share_above(m, ".frequency.behind_model_low")
        })
        .readings(
            "Share of the goals for which the interval of the uplift on held-out days excludes 0. It is targeting, not what addressing causes.",
            "Share of the goals for which the interval of the uplift on held-out days excludes 0: less than half.",
        )
        .everywhere(),
        claim(
            19,
            "demand per goal is forecast better than by the season before",
            metric!("goals.demand.goal.events.relative_mae"),
            Both(0.0, 1.0),
        )
        .control("money per goal {}", metric!("goals.demand.goal.amount.relative_mae"))
        .control("events per class {}", metric!("goals.demand.class.events.relative_mae"))
        .control("share of the 95 % intervals that held {}", metric!("goals.demand.goal.events.coverage"))
        .readings(
            "Mean absolute error over that of the naive forecast: below 1.",
            "Mean absolute error over that of the naive forecast: not below 1.",
        )
        .everywhere(),
    ]
}
