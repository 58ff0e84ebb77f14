//! What each kind of input and each part of the model is worth: the same training without it, on the same held-out groups.

use std::collections::BTreeSet;

use anyhow::Result;
use ndarray::Array2;
use spendscape_goals::{
    Calendar, Covariates, Estimate, Sequences, Target,
    baselines::Baseline,
    measures::{Measure, Predictions},
    model::{GoalModel, Input, InputSet},
};
use spendscape_schema::{seed, tables::GoalComparisonRow};

use super::{data::GoalData, measure::HeldOut};

/// Longest run of groups of a model that has no long memory: it reads 4 to 8 groups before the one in question.
const SHORT_WINDOW: usize = 8;
/// Layers of the model that is set beside the one of a single layer.
const STACKED: usize = 2;
/// Share of the groups that noise replaces.
const NOISE: f64 = 0.1;
/// Customers whose groups are read one by one.
const STREAMED: usize = 200;
/// Measures by which models are compared.
const COMPARED: [Measure; 2] = [Measure::LogLoss, Measure::Accuracy];
/// Inputs that tell what the time is.
const TEMPORAL: [Input; 5] = [Input::Weekday, Input::MonthDay, Input::Payday, Input::Holiday, Input::Season];
/// Inputs from outside the bank.
const EXTERNAL: [Input; 3] = [Input::Holiday, Input::Promotion, Input::Series];

/// What a model is trained with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) inputs: InputSet,
    pub(super) layers: usize,
    pub(super) window: usize,
}

/// What the data have, beside what is trained on them: an input of which there is nothing is not left out of anything.
pub(super) struct Known<'a> {
    pub(super) data: &'a GoalData,
    pub(super) calendar: &'a Calendar,
    pub(super) sequences: &'a Sequences,
    /// Whether the season of any month is known.
    pub(super) seasons: bool,
}

impl Known<'_> {
    fn has(&self, input: Input) -> bool {
        let (labels, calendar) = (&self.data.labels, self.calendar);
        match input {
            Input::Payday => calendar.knows_paydays(),
            Input::Holiday => calendar.knows_holidays(),
            Input::Promotion => !calendar.promotions().is_empty(),
            Input::Series => !calendar.series().is_empty(),
            Input::Channel => labels.channels.len() > 1,
            Input::Place => labels.places.len() > 1,
            Input::Hour => {
                let hours = (0..self.sequences.customers()).flat_map(|n| self.sequences.groups(n).hour);
                hours.collect::<BTreeSet<_>>().len() > 1
            }
            Input::Covariates => !labels.covariates.is_empty(),
            Input::Season => self.seasons,
            Input::Weekday
            | Input::MonthDay
            | Input::Money
            | Input::Classes
            | Input::Shares
            | Input::Recency => true,
        }
    }
}

/// Pairs of models of which only the second lacks something, and what it lacks; `has` says of which inputs there is anything.
fn pairs(base: Variant, has: impl Fn(Input) -> bool) -> Vec<(String, [Variant; 2])> {
    // With all of these inputs that there are, whether the run's model sees them or not, and without any of them.
    let set_apart = |inputs: &[Input]| {
        let known = inputs.iter().filter(|input| has(**input));
        let with = known.fold(base.inputs, |set, input| set.with(*input));
        let without = inputs.iter().fold(base.inputs, |set, input| set.without(*input));
        [with, without].map(|inputs| Variant { inputs, ..base })
    };
    let mut pairs = Vec::new();
    if base.window > SHORT_WINDOW {
        // A model that is told its own history at every step needs no memory for it.
        let inputs = base.inputs.without(Input::Shares).without(Input::Recency);
        let remembering = Variant { inputs, ..base };
        let forgetting = Variant { window: SHORT_WINDOW, ..remembering };
        pairs.push(("long history".to_owned(), [remembering, forgetting]));
    }
    let stacked = |layers| Variant { layers, ..base };
    pairs.push(("second layer".to_owned(), [stacked(STACKED), stacked(1)]));
    for (name, inputs) in [("temporal", &TEMPORAL[..]), ("external", &EXTERNAL[..])] {
        if inputs.iter().any(|input| has(*input)) {
            pairs.push((name.to_owned(), set_apart(inputs)));
        }
    }
    for input in Input::ALL.into_iter().filter(|input| has(*input)) {
        pairs.push((input.to_string(), set_apart(&[input])));
    }
    // Nothing is to be learned from a model beside itself.
    pairs.retain(|(_, [with, without])| with != without);
    pairs
}

/// Trains every model that lacks something, or has something more, and sets each beside its pair.
pub(super) fn ablations(
    model: &GoalModel,
    base: Variant,
    held_out: HeldOut<'_>,
    train: impl Fn(Variant) -> Result<GoalModel>,
    draws: usize,
    seed: u64,
) -> Result<Vec<GoalComparisonRow>> {
    let HeldOut { data, sequences, covariates, test, calendar, .. } = held_out;
    let predict = |model: &GoalModel, sequences: &Sequences| {
        let found = model.predict(sequences, covariates, test, None)?.goals;
        // What came true is not what noise says.
        Ok::<_, anyhow::Error>(Predictions::of(held_out.sequences, test, found)?)
    };
    let own = predict(model, sequences)?;
    let mut rng = seed::stream(seed, "goals ablation intervals", 0);
    let mut known = vec![(base, own.clone())];
    let mut rows = Vec::new();
    let mut add = |reference: String, measure: &Measure, found: Estimate| {
        let Estimate { value: difference, low, high, .. } = found;
        if *measure == Measure::LogLoss {
            tracing::info!("{reference}: log_loss {difference:+.4} ({low:+.4} to {high:+.4})");
        }
        let measure = measure.to_string();
        rows.push(GoalComparisonRow { reference, measure, difference, low, high, share_of_best: None });
    };
    let there = Known { data, calendar, sequences, seasons: model.knows_seasons() };
    for (name, pair) in pairs(base, |input| there.has(input)) {
        for variant in pair {
            if !known.iter().any(|(of, _)| *of == variant) {
                known.push((variant, predict(&train(variant)?, sequences)?));
            }
        }
        let of = |variant: Variant| known.iter().find(|(of, _)| *of == variant).map(|(_, found)| found);
        if let [Some(with), Some(without)] = pair.map(of) {
            let found = with.differences(without, &COMPARED, draws, &mut rng)?;
            for (measure, found) in COMPARED.iter().zip(found) {
                add(format!("without {name}"), measure, found);
            }
        }
    }
    let noisy_groups = sequences.with_noise(NOISE, &mut seed::stream(seed, "goals noise", 0))?;
    let noisy = predict(model, &noisy_groups)?;
    for (measure, found) in COMPARED.iter().zip(own.differences(&noisy, &COMPARED, draws, &mut rng)?) {
        add("under noise".to_owned(), measure, found);
    }
    for baseline in [Baseline::SecondOrderMarkov, Baseline::Boosted] {
        let mut fitting = seed::stream(seed, "goals baseline", 0);
        let fitted = baseline.fit(sequences, held_out.train, calendar, &mut fitting)?;
        let of = |groups: &Sequences| {
            Ok::<_, anyhow::Error>(Predictions::of(sequences, test, fitted.predict(groups, test)?)?)
        };
        let (before, after) = (of(sequences)?, of(&noisy_groups)?);
        for measure in &COMPARED {
            let found = noisy.change(&own, (&after, &before), *measure, draws, &mut rng)?;
            add(format!("{} under noise", baseline.name()), measure, found);
        }
    }
    let apart = streamed(model, data, test)?;
    rows.push(GoalComparisonRow {
        reference: "carried state".to_owned(),
        measure: "probability".to_owned(),
        difference: apart,
        low: apart,
        high: apart,
        share_of_best: None,
    });
    Ok(rows)
}

/// The largest difference between probabilities of goals from whole histories and from groups read one by one.
fn streamed(model: &GoalModel, data: &GoalData, test: &[Target]) -> Result<f64> {
    let customers: BTreeSet<u32> = test.iter().map(|target| target.customer).collect();
    let customers: Vec<usize> = customers.into_iter().take(STREAMED).map(|n| n as usize).collect();
    let sequences = data.select(|n| customers.binary_search(&n).is_ok())?;
    let covariates: Covariates = data.covariates_of(&customers)?;
    let mut stream = model.stream(sequences.goals(), customers.len())?;
    let longest = (0..customers.len()).map(|n| sequences.groups(n).len()).max().unwrap_or(0);
    let mut apart = 0.0_f64;
    for round in 0..longest {
        let asked: Vec<Target> = (0..customers.len())
            .filter(|n| sequences.groups(*n).len() > round)
            .map(|n| Target { customer: n as u32, position: round as u32 })
            .collect();
        let whole = model.predict(&sequences, &covariates, &asked, None)?.goals;
        let carried: Array2<f64> = model.predict_stream(&stream, &covariates, None)?.goals;
        for (target, whole) in asked.iter().zip(whole.rows()) {
            for (a, b) in whole.iter().zip(carried.row(target.customer as usize)) {
                apart = apart.max((a - b).abs());
            }
        }
        let next = sequences.part(|n| {
            let groups = sequences.groups(n).len();
            round.min(groups)..(round + 1).min(groups)
        });
        model.advance(&mut stream, &next, &covariates)?;
    }
    Ok(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_differ_in_what_there_is() {
        let base = Variant { inputs: InputSet::default().without(Input::Holiday), layers: 1, window: 128 };
        let has = |input: Input| matches!(input, Input::Weekday | Input::Holiday | Input::Series);
        let found = pairs(base, has);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        let expected =
            ["long history", "second layer", "temporal", "external", "weekday", "holiday", "series"];
        assert_eq!(names, expected);
        assert!(found.iter().all(|(_, [with, without])| with != without));
        let [with, without] = found[3].1.map(|variant| variant.inputs);
        // What the run's model does not see is in it too, where there is any.
        assert!([Input::Holiday, Input::Series].iter().all(|input| with.has(*input)));
        assert!(EXTERNAL.iter().all(|input| !without.has(*input)));
        // Neither a short memory nor an input of which there is nothing is left out of anything.
        let short = pairs(Variant { window: SHORT_WINDOW, ..base }, |_| false);
        assert_eq!(short.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["second layer"]);
    }
}
