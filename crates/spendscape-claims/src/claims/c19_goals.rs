//! Claim 19: what the papers leave to future work.
//!
//! Recommendations need to know what a customer does next, so that is what is judged: whether it can be predicted, and
//! whether acting on it gains anything.

use crate::claim::{Band, Claim, Forced, Statement, Value};
use crate::figure::{Family, Figure, Keyed, figures};
use crate::measured::Measured;

/// Models that the network is to beat.
const SIMPLE: [&str; 6] =
    ["majority", "repeat_last", "repeat_last_smoothed", "markov_1", "markov_2", "boosted"];
/// Place of boosted trees, the strongest of them.
const BOOSTED: usize = 5;
/// What the model is trained without, to see what it is worth.
const LEFT_OUT: [&str; 7] =
    ["long history", "temporal", "covariates", "external", "second layer", "weekday", "month-day"];
/// Place of what is more than 4 to 8 groups ago.
const LONG_HISTORY: usize = 0;
/// Place of all that tells the time.
const TEMPORAL: usize = 1;
/// Place of what is known of customers.
const METADATA: usize = 2;
/// Place of what comes from outside.
const EXTERNAL: usize = 3;
/// Place of a layer on top.
const SECOND_LAYER: usize = 4;
/// Place of the weekday.
const WEEKDAY: usize = 5;
/// Place of the day of the month.
const MONTH_DAY: usize = 6;
/// Simple models under noise.
const UNDER_NOISE: [&str; 2] = ["markov_2", "boosted"];
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
    /// Log-loss of the network less that of the same one without something.
    ABLATION: Keyed = "goals.train.lstm - without ", &LEFT_OUT, ".log_loss";
    /// Upper end of its 95 % interval.
    ABLATION_HIGH: Keyed = "goals.train.lstm - without ", &LEFT_OUT, ".log_loss.high";
    /// Log-loss of the network less its own where a tenth of the groups before the predicted ones are replaced.
    NOISE: Figure = "goals.train.lstm - under noise.log_loss";
    /// What noise adds to the network's log-loss less what it adds to that of a simple model.
    NOISE_BESIDE: Keyed = "goals.train.lstm - ", &UNDER_NOISE, " under noise.log_loss";
    /// Upper end of its 95 % interval.
    NOISE_BESIDE_HIGH: Keyed = "goals.train.lstm - ", &UNDER_NOISE, " under noise.log_loss.high";
    /// Largest difference of probabilities between carried states and whole histories.
    CARRIED: Figure = "goals.train.lstm - carried state.probability";
    /// Pairs of classes of which the second is bought anew after the first, surely more often than by chance.
    CROSS_SELLING: Figure = "goals.cross-sell.follows_new.discoveries";
    /// Pairs that were tested.
    CROSS_SELLING_TESTED: Figure = "goals.cross-sell.follows_new.tested";
    /// Largest lower end of a lift among them.
    CROSS_SELLING_LIFT: Figure = "goals.cross-sell.follows_new.lift_low";
    /// Pairs of classes of which more is spent on the second after the first, surely more often than by chance.
    UP_SELLING: Figure = "goals.cross-sell.spends_more.discoveries";
    /// Pairs that were tested.
    UP_SELLING_TESTED: Figure = "goals.cross-sell.spends_more.tested";
    /// Largest lower end of a lift among them.
    UP_SELLING_LIFT: Figure = "goals.cross-sell.spends_more.lift_low";
    /// Cost of a stock ordered by the costs of too few and too many, over that of last season's quantity.
    STOCK: Figure = "goals.demand.goal.events.stock_cost";
    /// Upper end of its 95 % interval over goals.
    STOCK_HIGH: Figure = "goals.demand.goal.events.stock_cost.high";
    /// The same of a stock of what is expected.
    STOCK_OF_EXPECTED: Figure = "goals.demand.goal.events.stock_cost_of_expected";
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
        ablated(
            "a long history tells more than a short one",
            Value::Of(|measured| gain(measured, ABLATION_HIGH.of(LONG_HISTORY))),
            "gain of the whole history over the last 4 to 8 groups {}",
            Value::Of(|measured| gain(measured, ABLATION.of(LONG_HISTORY))),
        ),
        ablated(
            "the network is robust to noise: a tenth of the groups replaced costs it less than boosted trees",
            Value::Of(|measured| gain(measured, NOISE_BESIDE_HIGH.of(1))),
            "log-loss that noise costs the network {}",
            Value::Of(|measured| gain(measured, NOISE)),
        )
        .control("less than it costs boosted trees by {}", Value::Of(|measured| gain(measured, NOISE_BESIDE.of(1))))
        .control("less than it costs a chain of order 2 by {}", Value::Of(|measured| gain(measured, NOISE_BESIDE.of(0)))),
        ablated(
            "temporal factors (weekday, day of the month, payday, holiday, season) tell something",
            Value::Of(|measured| gain(measured, ABLATION_HIGH.of(TEMPORAL))),
            "gain of all of them {}",
            Value::Of(|measured| gain(measured, ABLATION.of(TEMPORAL))),
        )
        .control("of the weekday {}", Value::Of(|measured| gain(measured, ABLATION.of(WEEKDAY))))
        .control("of the day of the month {}", Value::Of(|measured| gain(measured, ABLATION.of(MONTH_DAY)))),
        ablated(
            "metadata of customers (age, gender, location) tell something beside their history",
            Value::Of(|measured| gain(measured, ABLATION_HIGH.of(METADATA))),
            "gain {}",
            Value::Of(|measured| gain(measured, ABLATION.of(METADATA))),
        ),
        ablated(
            "external factors (holidays, promotions, economic series) tell something",
            Value::Of(|measured| gain(measured, ABLATION_HIGH.of(EXTERNAL))),
            "gain {}",
            Value::Of(|measured| gain(measured, ABLATION.of(EXTERNAL))),
        ),
        ablated(
            "a stack of two layers with dropout predicts better than one layer",
            Value::Of(|measured| gain(measured, ABLATION_HIGH.of(SECOND_LAYER))),
            "gain {}",
            Value::Of(|measured| gain(measured, ABLATION.of(SECOND_LAYER))),
        ),
        Statement::new(
            "predictions can be kept up to date in a stream, group by group",
            CARRIED,
            Band::Both(0.0, 0.0),
        )
        .by_construction(Forced::Holds)
        .readings(
            "Largest difference between probabilities from carried states and from whole histories: none, in any bit.",
            "Largest difference between probabilities from carried states and from whole histories: not 0.",
        ),
        Statement::new(
            "cross-selling: some things are bought anew after others more often than by chance",
            CROSS_SELLING,
            Band::Both(1.0, 10_000.0),
        )
        .control("of {} pairs", CROSS_SELLING_TESTED)
        .control("largest lower end of a lift {}", CROSS_SELLING_LIFT)
        .readings(
            "Pairs whose lift is above 1 by its interval, at a false discovery rate of 5 %: one at least. It is what goes on by itself, not what an offer causes.",
            "Pairs whose lift is above 1 by its interval, at a false discovery rate of 5 %: none.",
        ),
        Statement::new(
            "up-selling: after some purchases more is spent on what is bought anyway than by chance",
            UP_SELLING,
            Band::Both(1.0, 10_000.0),
        )
        .control("of {} pairs", UP_SELLING_TESTED)
        .control("largest lower end of a lift {}", UP_SELLING_LIFT)
        .readings(
            "Pairs whose lift is above 1 by its interval, at a false discovery rate of 5 %: one at least. It is what goes on by itself, not what an offer causes.",
            "Pairs whose lift is above 1 by its interval, at a false discovery rate of 5 %: none.",
        ),
        Statement::new(
            "stock: ordering by the forecast costs less than last season's quantity",
            STOCK_HIGH,
            Band::Both(0.0, 1.0),
        )
        .control("cost over that of last season's quantity {}", STOCK)
        .control("of ordering what is expected {}", STOCK_OF_EXPECTED)
        .readings(
            "Upper end of the 95 % interval over goals of the ratio of costs, one unit too few at three times one too many: below 1.",
            "Upper end of the 95 % interval over goals of the ratio of costs, one unit too few at three times one too many: not below 1.",
        ),
    ]
}

/// A statement that the interval of a gain in log-loss decides.
fn ablated(text: &'static str, low: Value, words: &'static str, gain: Value) -> Statement {
    Statement::new(text, low, Band::Both(f64::MIN_POSITIVE, 10.0)).control(words, gain).readings(
        "Lower end of the 95 % interval, over customers, of the gain in log-loss: above 0.",
        "Lower end of the 95 % interval, over customers, of the gain in log-loss: not above 0.",
    )
}

/// What the network gains in log-loss, of a difference that is the smaller the more it gains.
fn gain(measured: &Measured, difference: Figure) -> Option<f64> {
    measured.get(difference).map(|difference| -difference)
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
