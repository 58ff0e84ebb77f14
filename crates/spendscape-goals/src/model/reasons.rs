//! Which past groups moved a prediction, by leaving each of them out.

use ndarray::Array2;
use rayon::prelude::*;

use super::{
    GoalModel,
    encode::{Last, Next, Steps},
    predict::{Stand, elapsed, select},
    windows::{Part, Window, history_start},
};
use crate::{Covariates, Error, Sequences, Target};

/// Targets that are explained at once.
const TARGETS: usize = 256;

/// What leaving out one group does to a prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason {
    /// Row of the target, from 0.
    pub target: usize,
    /// Position of the group that is left out among the customer's groups.
    pub position: u32,
    /// Probability of the goal without it.
    pub without: f64,
    /// Probability with it less that without it: above zero if the group speaks for the goal.
    pub effect: f64,
}

/// A prediction and what leaving out all of its last groups does to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Explained {
    /// The goal.
    pub goal: usize,
    /// Its probability.
    pub probability: f64,
    /// Its probability without any of the groups that were left out in turn: what older history and covariates say.
    pub without: f64,
    /// The effect of all these groups together: `probability - without`.
    pub joint: f64,
    /// The sum of their single effects.
    pub sum: f64,
}

impl Explained {
    /// What the groups do together beyond the sum of what each does: zero where they act independently.
    #[must_use]
    pub fn interaction(&self) -> f64 {
        self.joint - self.sum
    }
}

/// Why predictions are what they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasons {
    /// One per target.
    pub explained: Vec<Explained>,
    /// By target and position.
    pub reasons: Vec<Reason>,
}

/// A target with the groups that can be left out.
struct Case {
    row: usize,
    target: Target,
    /// The first group that is left out, and the number of groups.
    events: std::ops::Range<usize>,
    /// The steps at which the networks of days and of goals begin to read.
    begins: [usize; 2],
}

/// A case without some of its groups.
struct Variant {
    /// Place of the case.
    case: usize,
    left_out: std::ops::Range<usize>,
}

impl GoalModel {
    /// Which of the last `events` groups before each target moved the probability of the goal in `goals` (one per target),
    /// and how: by occlusion (Zeiler and Fergus 2014), exactly and for each group by itself, and for all of them together.
    ///
    /// A group is left out as if it had never been: the gap of the group after it is counted from the one before it, and
    /// when the last one is left out, the gap to come and the days without groups up to `known_until` are too. The networks
    /// begin to read at the group at which they begin for the prediction itself. The result is what [`Self::predict`] says
    /// of such a history, if that too begins there.
    ///
    /// Effects are differences of probabilities: they are in the unit of the prediction, bounded by 1, and their sum can be
    /// held against the joint effect. For effects on log-odds, take those of `probability` and `without`.
    ///
    /// # Errors
    /// As [`Self::predict`]; [`Error::ShapeMismatch`] unless there is one goal per target,
    /// [`Error::InvalidParameter`] for a goal that does not exist or a number of events that is not from 1 to half the
    /// model's window: something has to be left to read.
    pub fn reasons(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        targets: &[Target],
        goals: &[usize],
        known_until: Option<i32>,
        events: usize,
    ) -> Result<Reasons, Error> {
        self.check(sequences, covariates, targets)?;
        if goals.len() != targets.len() {
            let (expected, found) = (targets.len(), goals.len());
            return Err(Error::ShapeMismatch { argument: "goals", expected, found });
        }
        let invalid = |parameter, value: usize, range| Error::InvalidParameter {
            parameter,
            value: value as f64,
            range,
        };
        if let Some(goal) = goals.iter().find(|goal| **goal >= self.goals()) {
            return Err(invalid("a goal", *goal, "0 to below the number of goals"));
        }
        if !(1..=(self.shape.window / 2).max(1)).contains(&events) {
            return Err(invalid("events", events, "1 to half the model's window"));
        }
        let rows: Vec<usize> = (0..targets.len()).collect();
        let parts: Vec<(Vec<Explained>, Vec<Reason>)> = rows
            .par_chunks(TARGETS)
            .map(|rows| {
                let case = |row: &usize| {
                    let (row, target) = (*row, targets[*row]);
                    let position = target.position as usize;
                    let begins = [Part::Days, Part::Goals]
                        .map(|part| history_start(part, position, self.shape.window));
                    // A step holds the group before it.
                    let first = position.saturating_sub(events).max(begins[0] - 1);
                    Case { row, target, begins, events: first..position }
                };
                let cases: Vec<Case> = rows.iter().map(case).collect();
                self.explain(sequences, covariates, &cases, goals, known_until)
            })
            .collect::<Result<_, Error>>()?;
        let mut reasons = Reasons { explained: Vec::with_capacity(targets.len()), reasons: Vec::new() };
        for (explained, of_part) in parts {
            reasons.explained.extend(explained);
            reasons.reasons.extend(of_part);
        }
        Ok(reasons)
    }

    fn explain(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        cases: &[Case],
        goals: &[usize],
        known_until: Option<i32>,
    ) -> Result<(Vec<Explained>, Vec<Reason>), Error> {
        // Per case: nothing left out, everything, then each group.
        let mut variants = Vec::new();
        for (case, Case { events, .. }) in cases.iter().enumerate() {
            let left_out = [events.start..events.start, events.clone()];
            let each = events.clone().map(|at| at..at + 1);
            variants.extend(left_out.into_iter().chain(each).map(|left_out| Variant { case, left_out }));
        }
        let probabilities = self.without(sequences, covariates, cases, &variants, known_until)?;
        let (mut explained, mut reasons) = (Vec::with_capacity(cases.len()), Vec::new());
        let mut at = 0;
        for Case { row, events, .. } in cases {
            let goal = goals[*row];
            let of = |at: usize| probabilities[[at, goal]];
            let (probability, without) = (of(at), of(at + 1));
            at += 2;
            let mut sum = 0.0;
            for position in events.clone() {
                let effect = probability - of(at);
                reasons.push(Reason { target: *row, position: position as u32, without: of(at), effect });
                sum += effect;
                at += 1;
            }
            explained.push(Explained { goal, probability, without, joint: probability - without, sum });
        }
        Ok((explained, reasons))
    }

    /// The distribution of goals of every variant (variants x G).
    fn without(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        cases: &[Case],
        variants: &[Variant],
        known_until: Option<i32>,
    ) -> Result<Array2<f64>, Error> {
        let kept: Vec<Vec<Last>> =
            variants.iter().map(|variant| cases[variant.case].kept(sequences, &variant.left_out)).collect();
        let stands: Vec<Stand> = variants
            .iter()
            .zip(&kept)
            .map(|(variant, kept)| {
                let (customer, last) = (cases[variant.case].target.customer as usize, kept.last().copied());
                Stand { customer, last, elapsed: elapsed(last, known_until) }
            })
            .collect();
        let mut outputs = Vec::new();
        for part in [Part::Days, Part::Goals] {
            let reader = self.reader(part, sequences, covariates);
            let prefixes: Vec<Window> = cases.iter().map(|case| case.prefix(part)).collect();
            let (_, before) = reader.ends(&prefixes)?;
            let rows: Vec<usize> = variants.iter().map(|variant| variant.case).collect();
            let sample = |((variant, kept), stand): ((&Variant, &Vec<Last>), &Stand)| {
                let starts = part == Part::Goals && cases[variant.case].reads_start();
                (stand.customer, steps(part, kept, starts))
            };
            let samples: Vec<_> = variants.iter().zip(&kept).zip(&stands).map(sample).collect();
            let longest = samples.iter().map(|(_, steps)| steps.len()).max().unwrap_or(0);
            let variables = self.encoder.variables(part.sees_next());
            let (mut encoded, mut lengths) = (Steps::default(), Vec::new());
            for (customer, steps) in &samples {
                for (last, next) in steps {
                    self.encoder.push(&mut encoded, *last, (covariates, *customer), *next);
                }
                (steps.len()..longest).for_each(|_| encoded.pad(variables.len()));
                lengths.push(steps.len());
            }
            let encoded = encoded.finish(variables, (samples.len(), longest))?;
            let inputs = encoded.inputs()?.with_lengths(&lengths)?;
            outputs.push(reader.network.advance(&inputs, select(&before, &rows))?);
        }
        let gaps = self.gap_probabilities(&outputs[0].0, &stands);
        self.goals_over_gaps(covariates, &outputs[1].1, &gaps, &stands)
    }
}

impl Case {
    /// The first group that is read.
    fn first(&self) -> usize {
        self.begins[0] - 1
    }

    /// Whether the network of goals reads the step before anything happened among those that variants differ in.
    fn reads_start(&self) -> bool {
        self.begins[1] == 0 && self.events.start == 0
    }

    /// The steps before those that variants differ in, the first of which holds the group before the ones left out.
    fn prefix(&self, part: Part) -> Window {
        let first = self.begins[usize::from(part == Part::Goals)];
        let until = if self.events.start > self.first() { self.events.start } else { first };
        Window { customer: self.target.customer, first, steps: until - first }
    }

    /// The groups that are read from the last one on that no variant leaves out.
    fn kept(&self, sequences: &Sequences, left_out: &std::ops::Range<usize>) -> Vec<Last> {
        let groups = sequences.groups(self.target.customer as usize);
        let first = self.events.start.saturating_sub(1).max(self.first());
        let mut before = first.checked_sub(1).map(|at| groups.day[at]);
        let mut kept = Vec::with_capacity(self.events.end - first);
        for position in (first..self.events.end).filter(|position| !left_out.contains(position)) {
            let day = groups.day[position];
            let gap = before.map(|before| day.saturating_sub(before));
            kept.push(Last { gap, ..Last::of(groups, position) });
            before = Some(day);
        }
        kept
    }
}

/// The steps that a network reads of these groups: that of days all of them, that of goals all but the last, whose next
/// group is asked for, and the start if it `starts` there.
fn steps(part: Part, kept: &[Last], starts: bool) -> Vec<(Option<Last>, Next)> {
    if part == Part::Days {
        return kept.iter().map(|last| (Some(*last), Next::Unseen)).collect();
    }
    let start = (starts && !kept.is_empty()).then_some((None, Next::Unknown));
    let pairs =
        kept.windows(2).map(|pair| (Some(pair[0]), Next::Gap(pair[1].day.saturating_sub(pair[0].day))));
    start.into_iter().chain(pairs).collect()
}
