//! Claim 19: what the papers leave to future work.
//!
//! Recommendations need to know what a customer does next, so that is what is judged: whether it can be predicted, and
//! whether acting on it gains anything.

use crate::claim::{Band, Claim, Statement, Value};
use crate::figure::{Family, Keyed, figures};
use crate::measured::Measured;

/// Models that the network is to beat.
const SIMPLE: [&str; 6] =
    ["majority", "repeat_last", "repeat_last_smoothed", "markov_1", "markov_2", "boosted"];
/// Place of boosted trees, the strongest of them.
const BOOSTED: usize = 5;
/// Whether more of a measure is better.
const MORE_IS_BETTER: f64 = 1.0;
/// Whether less of it is.
const LESS_IS_BETTER: f64 = -1.0;

figures! {
    /// Log-loss of the network.
    LSTM_LOG_LOSS: Figure = "goals.train.lstm.log_loss";
    /// Accuracy of the network.
    LSTM_ACCURACY: Figure = "goals.train.lstm.accuracy";
    /// Macro F1 of the network.
    LSTM_MACRO_F1: Figure = "goals.train.lstm.macro_f1";
    /// Log-loss of the truth.
    BEST_LOG_LOSS: Figure = "goals.train.best_possible.log_loss";
    /// Accuracy of the truth.
    BEST_ACCURACY: Figure = "goals.train.best_possible.accuracy";
    /// Macro F1 of the truth.
    BEST_MACRO_F1: Figure = "goals.train.best_possible.macro_f1";
    /// Log-loss of each simple model.
    SIMPLE_LOG_LOSS: Keyed = "goals.train.", &SIMPLE, ".log_loss";
    /// Accuracy of each simple model.
    SIMPLE_ACCURACY: Keyed = "goals.train.", &SIMPLE, ".accuracy";
    /// Macro F1 of each simple model.
    SIMPLE_MACRO_F1: Keyed = "goals.train.", &SIMPLE, ".macro_f1";
    /// Log-loss of the network less that of each simple model: upper end of the 95 % interval.
    LOG_LOSS_GAIN: Keyed = "goals.train.lstm - ", &SIMPLE, ".log_loss.high";
    /// Macro F1 of the network less that of each simple model: lower end of the 95 % interval.
    MACRO_F1_GAIN: Keyed = "goals.train.lstm - ", &SIMPLE, ".macro_f1.low";
    /// The network's gain in accuracy over the majority, as a share of the truth's.
    SHARE_OF_BEST: Figure = "goals.train.lstm - majority.accuracy.share_of_best";
    /// Per goal, what addressing the tenth with the highest probability finds more than chance: lower end of the interval.
    UPLIFT: Family = "goals.campaign.", ".model.uplift_low";
    /// The same over addressing the latest buyers.
    AHEAD_OF_RECENCY: Family = "goals.campaign.", ".recency.behind_model_low";
    /// The same over addressing the most frequent buyers.
    AHEAD_OF_FREQUENCY: Family = "goals.campaign.", ".frequency.behind_model_low";
    /// Mean absolute error of the forecast of events per goal over that of the season before.
    DEMAND_ERROR: Figure = "goals.demand.goal.events.relative_mae";
    /// The same of money per goal.
    DEMAND_AMOUNT_ERROR: Figure = "goals.demand.goal.amount.relative_mae";
    /// The same of events per class.
    DEMAND_CLASS_ERROR: Figure = "goals.demand.class.events.relative_mae";
    /// Share of the 95 % intervals of events per goal that held.
    DEMAND_COVERAGE: Figure = "goals.demand.goal.events.coverage";
}

/// The claim.
pub const CLAIM: Claim = Claim { number: 19, section: "16", figures: FIGURES, statements };

fn statements() -> Vec<Statement> {
    vec![
        Statement::new(
            "future work: recommendations. The next goal is predicted better than by simple models, log-loss",
            Value::Of(|measured| least_gain(measured, LOG_LOSS_GAIN, LESS_IS_BETTER)),
            Band::Both(0.0, 10.0),
        )
        .decided_by("the stream's goals come back after 21 to 36 days, 5 to 8 groups, which no short memory holds")
        .control("log-loss of the network {}", LSTM_LOG_LOSS)
        .control("of the best simple model {}", Value::Of(|measured| best(measured, SIMPLE_LOG_LOSS, LESS_IS_BETTER)))
        .control("of boosted trees {}", SIMPLE_LOG_LOSS.of(BOOSTED))
        .control("of the truth {}", BEST_LOG_LOSS)
        .control("accuracy {}", LSTM_ACCURACY)
        .control("of the best simple model {}", Value::Of(|measured| best(measured, SIMPLE_ACCURACY, MORE_IS_BETTER)))
        .control("of boosted trees {}", SIMPLE_ACCURACY.of(BOOSTED))
        .control("of the truth {}", BEST_ACCURACY)
        .readings(
            "Lower end of the 95 % interval of the gain in log-loss over majority, repeat-last, Markov chains and boosted trees: above 0 for every one of them.",
            "Lower end of the 95 % interval of the gain in log-loss over majority, repeat-last, Markov chains and boosted trees: not shown to be better than every one of them.",
        ),
        Statement::new(
            "the next goal is predicted better than by simple models, macro F1",
            Value::Of(|measured| least_gain(measured, MACRO_F1_GAIN, MORE_IS_BETTER)),
            Band::Both(0.0, 1.0),
        )
        .decided_by("the stream's goals come back after 21 to 36 days, 5 to 8 groups, which no short memory holds")
        .control("macro F1 of the network {}", LSTM_MACRO_F1)
        .control("of the best simple model {}", Value::Of(|measured| best(measured, SIMPLE_MACRO_F1, MORE_IS_BETTER)))
        .control("of boosted trees {}", SIMPLE_MACRO_F1.of(BOOSTED))
        .control("of the truth {}", BEST_MACRO_F1)
        .readings(
            "Lower end of the 95 % interval of the gain in macro F1 over each simple model: above 0 for every one.",
            "Lower end of the 95 % interval of the gain in macro F1 over each simple model: not shown to be better than every one.",
        ),
        Statement::new(
            "recommendations to the tenth of the customers with the highest probability find more than the latest and the most frequent buyers",
            Value::Of(|measured| {
                let rules = [AHEAD_OF_RECENCY, AHEAD_OF_FREQUENCY].map(|rule| share_above(measured, rule));
                Some(f64::min(rules[0]?, rules[1]?))
            }),
            Band::Both(0.5, 1.0),
        )
        .control("more than the latest buyers, share of goals {}", Value::Of(|measured| share_above(measured, AHEAD_OF_RECENCY)))
        .control("more than the most frequent buyers {}", Value::Of(|measured| share_above(measured, AHEAD_OF_FREQUENCY)))
        .control("more than chance {}", Value::Of(|measured| share_above(measured, UPLIFT)))
        .readings(
            "The smaller of two shares of goals, those for which the interval of the lead over the latest buyers on held-out days excludes 0, and over the most frequent ones: at least half. It is targeting, not what addressing causes.",
            "The smaller of two shares of goals, those for which the interval of the lead over the latest buyers on held-out days excludes 0, and over the most frequent ones: less than half.",
        ),
        Statement::new(
            "demand per goal is forecast better than by the season before",
            DEMAND_ERROR,
            Band::Both(0.0, 1.0),
        )
        .control("money per goal {}", DEMAND_AMOUNT_ERROR)
        .control("events per class {}", DEMAND_CLASS_ERROR)
        .readings(
            "Mean absolute error over that of the naive forecast: below 1.",
            "Mean absolute error over that of the naive forecast: not below 1.",
        ),
        Statement::new("the intervals of demand hold as often as they say", DEMAND_COVERAGE, Band::Both(0.93, 0.97))
            .readings(
                "Share of the 95 % intervals of events per goal that held: as many as they should.",
                "Share of the 95 % intervals of events per goal that held: they promise something else.",
            ),
    ]
}

/// The best of the simple models.
fn best(measured: &Measured, simple: Keyed, sign: f64) -> Option<f64> {
    let values = simple.all().filter_map(|figure| measured.get(figure));
    values.max_by(|a, b| (sign * a).total_cmp(&(sign * b)))
}

/// The worst end, over the simple models, of the interval of the network's gain over each.
fn least_gain(measured: &Measured, ends: Keyed, sign: f64) -> Option<f64> {
    let gain = |figure| measured.get(figure).map(|value| sign * value);
    ends.all().map(gain).try_fold(f64::INFINITY, |least, gain| Some(f64::min(least, gain?)))
}

/// Share of the goals for which a figure of the campaigns is above 0.
fn share_above(measured: &Measured, family: Family) -> Option<f64> {
    let values: Vec<f64> = measured.family(family).map(|(_, value)| value).collect();
    (!values.is_empty())
        .then(|| values.iter().filter(|value| **value > 0.0).count() as f64 / values.len() as f64)
}
