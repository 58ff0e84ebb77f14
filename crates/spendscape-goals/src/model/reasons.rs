//! Which past groups moved a prediction, by leaving each of them out.

use std::ops::Range;

use ndarray::{Array2, ArrayView1, Axis, s};
use rayon::prelude::*;
use spendscape_lstm::State;
use spendscape_stats::check;

use super::{
    GoalModel,
    encode::{Encoded, Encoder, Last, Next, Own, Seen},
    predict::{NextGroup, Stand, elapsed, select, stacked},
    windows::{Part, Reader, Window, history_start},
};
use crate::{Covariates, Error, Sequences, Target};

/// Targets that are explained at once.
const TARGETS: usize = 512;

/// The effect of leaving out one group on a prediction.
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
    /// The joint effect of the groups beyond the sum of their own effects: zero where they act independently.
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
    target: Target,
    /// The groups that are left out in turn.
    events: Range<usize>,
    /// The steps at which the networks of days and of goals begin to read.
    begins: [usize; 2],
}

/// A case without some of its groups.
struct Variant {
    /// Place of the case.
    case: usize,
    /// The groups that are read from the last one on that no variant leaves out, each with all groups up to it.
    kept: Vec<(Last, Own)>,
}

/// One step of a network: the group it holds, all groups up to it, and what it is told of the next one.
type Step = (Option<Last>, Own, Next);

/// The predictions of some cases and of their variants.
struct Occluded {
    /// The distribution of goals of every variant (variants x G): of each case nothing left out, everything, then each group.
    goals: Array2<f64>,
    /// Of each case with nothing left out (cases x K).
    gaps: Array2<f64>,
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
    /// As [`Self::predict`]; `BadInput::ShapeMismatch` unless there is one goal per target, `BadInput::OutOfRange` for a goal
    /// that does not exist, `BadInput::InvalidParameter` for a number of events that is not from 1 to half the model's window:
    /// something has to be left to read.
    pub fn reasons(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        targets: &[Target],
        goals: &[usize],
        known_until: Option<i32>,
        events: usize,
    ) -> Result<Reasons, Error> {
        check::length("goals", targets.len(), goals.len())?;
        for &goal in goals {
            check::index("goal", goal, self.goals())?;
        }
        let cases = self.cases(sequences, covariates, targets, events)?;
        let occluded = self.occlude(sequences, covariates, &cases, known_until)?;
        Ok(effects(&cases, &occluded.goals, |row, _| goals[row]))
    }

    /// The predictions of [`Self::predict`], and the [reasons](Self::reasons) for the likeliest goal of each target
    /// (the first among equals): each history is read once for both.
    ///
    /// # Errors
    /// As [`Self::reasons`].
    pub fn predict_with_reasons(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        targets: &[Target],
        known_until: Option<i32>,
        events: usize,
    ) -> Result<(NextGroup, Reasons), Error> {
        let cases = self.cases(sequences, covariates, targets, events)?;
        let Occluded { goals, gaps } = self.occlude(sequences, covariates, &cases, known_until)?;
        let reasons = effects(&cases, &goals, |_, with_all| likeliest(goals.row(with_all)));
        let with_all: Vec<usize> = first_variants(&cases).collect();
        Ok((NextGroup { goals: goals.select(Axis(0), &with_all), gaps }, reasons))
    }

    fn cases(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        targets: &[Target],
        events: usize,
    ) -> Result<Vec<Case>, Error> {
        self.check(sequences, covariates, targets)?;
        let inside = (1..=(self.shape.window / 2).max(1)).contains(&events);
        check::parameter("events", events as f64, inside, "1 to half the model's window")?;
        let case = |target: &Target| {
            let position = target.position as usize;
            let begins =
                [Part::Days, Part::Goals].map(|part| history_start(part, position, self.shape.window));
            // A step holds the group before it.
            let first = position.saturating_sub(events).max(begins[0] - 1);
            Case { target: *target, begins, events: first..position }
        };
        Ok(targets.iter().map(case).collect())
    }

    fn occlude(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        cases: &[Case],
        known_until: Option<i32>,
    ) -> Result<Occluded, Error> {
        let [days, goals] = [Part::Days, Part::Goals].map(|part| self.reader(part, sequences, covariates));
        // All variants of a case share the steps before the groups in question.
        let before = |reader: &Reader<'_>| {
            let prefixes: Vec<Window> = cases.iter().map(|case| case.prefix(reader.part)).collect();
            Ok::<_, Error>(reader.ends(&prefixes)?.1)
        };
        let (before_days, before_goals) = (before(&days)?, before(&goals)?);
        let parts: Vec<(Array2<f64>, Array2<f64>)> = cases
            .par_chunks(TARGETS)
            .enumerate()
            .map(|(part, own)| {
                let rows: Vec<usize> = (part * TARGETS..part * TARGETS + own.len()).collect();
                let variants = variants(&self.encoder, own, sequences);
                let stand = |Variant { case, kept }: &Variant| {
                    let customer = own[*case].target.customer as usize;
                    let (last, own) = kept
                        .last()
                        .cloned()
                        .map_or((None, self.encoder.nothing()), |(last, own)| (Some(last), own));
                    Stand { customer, last, own, elapsed: elapsed(last, known_until) }
                };
                let stands: Vec<Stand> = variants.iter().map(stand).collect();
                let (logits, _) = days.variants(own, &variants, &select(&before_days, &rows))?;
                let (_, states) = goals.variants(own, &variants, &select(&before_goals, &rows))?;
                let gaps = self.gap_probabilities(&logits, &stands);
                let goals = self.goals_over_gaps(sequences, covariates, &states, &gaps, &stands)?;
                let whole: Vec<usize> = first_variants(own).collect();
                Ok((goals, gaps.select(Axis(0), &whole)))
            })
            .collect::<Result<_, Error>>()?;
        let (goals, gaps): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Ok(Occluded { goals: stacked(&goals, self.goals()), gaps: stacked(&gaps, self.gaps()) })
    }
}

impl Reader<'_> {
    /// Outputs and states of every variant after its last step, from the states `before` the steps in which variants differ
    /// (one row per case). The steps up to the first that differs are those of the case itself, and taken once for all.
    fn variants(
        &self,
        cases: &[Case],
        variants: &[Variant],
        before: &[State<f32>],
    ) -> Result<(Array2<f32>, Vec<State<f32>>), Error> {
        let steps = |variant: &Variant| {
            let starts = self.part == Part::Goals && cases[variant.case].reads_start();
            steps(self.encoder, self.part, &variant.kept, starts)
        };
        let steps: Vec<Vec<Step>> = variants.iter().map(steps).collect();
        let whole: Vec<&[Step]> = first_variants(cases).map(|first| &steps[first][..]).collect();
        let shared = |(variant, steps): (&Variant, &Vec<Step>)| {
            let same = whole[variant.case].iter().zip(steps).take_while(|(a, b)| a == b).count();
            // What the network of days says is asked after the last step, which has to be taken for it.
            if self.part == Part::Days { same.min(steps.len().saturating_sub(1)) } else { same }
        };
        let shared: Vec<usize> = variants.iter().zip(&steps).map(shared).collect();
        let customer = |case: usize| cases[case].target.customer as usize;

        let of_cases = first_variants(cases).enumerate();
        let of_cases = of_cases.map(|(case, first)| (customer(case), &steps[first][..shared[first]]));
        let (encoded, lengths) = self.encode(of_cases)?;
        let inputs = encoded.inputs()?.with_lengths(&lengths)?.with_initial(before.to_vec())?;
        let layers = (0..before.len()).map(|layer| self.network.states(&inputs, layer));
        let after = layers.collect::<Result<Vec<_>, _>>()?;
        let mut states = select(before, &variants.iter().map(|variant| variant.case).collect::<Vec<_>>());
        for (state, after) in states.iter_mut().zip(&after) {
            for (row, (variant, shared)) in variants.iter().zip(&shared).enumerate() {
                if let Some(step) = shared.checked_sub(1) {
                    state.h.row_mut(row).assign(&after.h.slice(s![variant.case, step, ..]));
                    state.c.row_mut(row).assign(&after.c.slice(s![variant.case, step, ..]));
                }
            }
        }

        let own = variants.iter().zip(&steps).zip(&shared);
        let own = own.map(|((variant, steps), shared)| (customer(variant.case), &steps[*shared..]));
        let (encoded, lengths) = self.encode(own)?;
        Ok(self.network.advance(encoded.inputs()?.with_lengths(&lengths)?, states)?)
    }

    /// The encoded steps of some customers, padded to the longest, and their numbers.
    fn encode<'s>(
        &self,
        runs: impl Iterator<Item = (usize, &'s [Step])> + Clone,
    ) -> Result<(Encoded, Vec<usize>), Error> {
        let lengths: Vec<usize> = runs.clone().map(|(_, steps)| steps.len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let variables = self.encoder.variables(self.part.sees_next());
        let mut encoded = self.encoder.steps(lengths.len() * longest, variables);
        let (sequences, covariates) = (self.sequences, self.covariates);
        for (customer, steps) in runs {
            for (last, own, next) in steps {
                let seen = Seen { sequences, covariates, customer, last: *last, own };
                self.encoder.push(&mut encoded, &seen, *next);
            }
            (steps.len()..longest).for_each(|_| encoded.pad());
        }
        Ok((encoded.finish(lengths.len(), longest)?, lengths))
    }
}

/// The effects of leaving groups out on the probability of a goal of every case, which `goal` tells from the row of
/// the case and that of the variant from which nothing is left out.
fn effects(cases: &[Case], probabilities: &Array2<f64>, goal: impl Fn(usize, usize) -> usize) -> Reasons {
    let mut reasons = Reasons { explained: Vec::with_capacity(cases.len()), reasons: Vec::new() };
    for ((row, case), first) in cases.iter().enumerate().zip(first_variants(cases)) {
        let goal = goal(row, first);
        let (probability, without) = (probabilities[[first, goal]], probabilities[[first + 1, goal]]);
        let mut sum = 0.0;
        for (at, position) in case.events.clone().enumerate() {
            let without = probabilities[[first + 2 + at, goal]];
            let effect = probability - without;
            reasons.reasons.push(Reason { target: row, position: position as u32, without, effect });
            sum += effect;
        }
        let joint = probability - without;
        reasons.explained.push(Explained { goal, probability, without, joint, sum });
    }
    reasons
}

/// The variants of all cases, case by case.
fn variants(encoder: &Encoder, cases: &[Case], sequences: &Sequences) -> Vec<Variant> {
    let mut variants = Vec::new();
    for (case, of) in cases.iter().enumerate() {
        let kept = |left_out| of.kept(encoder, sequences, &left_out);
        variants.extend(of.variants().map(|left_out| Variant { case, kept: kept(left_out) }));
    }
    variants
}

/// The row of each case's first variant.
fn first_variants(cases: &[Case]) -> impl Iterator<Item = usize> + Clone + '_ {
    cases.iter().scan(0, |next, case| {
        let first = *next;
        *next += case.variants().count();
        Some(first)
    })
}

/// The first of the largest.
fn likeliest(probabilities: ArrayView1<'_, f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (at, value) in probabilities.iter().enumerate() {
        if *value > best.1 {
            best = (at, *value);
        }
    }
    best.0
}

impl Case {
    /// The groups left out in each variant: none, all, then each one.
    fn variants(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let Range { start, end } = self.events;
        [start..start, start..end].into_iter().chain((start..end).map(|at| at..at + 1))
    }

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
    fn kept(&self, encoder: &Encoder, sequences: &Sequences, left_out: &Range<usize>) -> Vec<(Last, Own)> {
        let customer = self.target.customer as usize;
        let groups = sequences.groups(customer);
        let first = self.events.start.saturating_sub(1).max(self.first());
        let mut before = first.checked_sub(1).map(|at| groups.day[at]);
        let mut own = encoder.own(sequences, customer, first);
        let mut kept = Vec::with_capacity(self.events.end - first);
        for position in (first..self.events.end).filter(|position| !left_out.contains(position)) {
            let day = groups.day[position];
            let gap = before.map(|before| day.saturating_sub(before));
            own.add(groups.goal[position], day);
            kept.push((Last { gap, ..Last::of(sequences, customer, position) }, own.clone()));
            before = Some(day);
        }
        kept
    }
}

/// The steps that a network reads of these groups: that of days all of them, that of goals all but the last, whose next
/// group is asked for, and the start if it `starts` there.
fn steps(encoder: &Encoder, part: Part, kept: &[(Last, Own)], starts: bool) -> Vec<Step> {
    if part == Part::Days {
        return kept.iter().map(|(last, own)| (Some(*last), own.clone(), Next::Unseen)).collect();
    }
    let start = (starts && !kept.is_empty()).then(|| (None, encoder.nothing(), Next::Unknown));
    let pairs = kept.iter().zip(kept.iter().skip(1)).map(|((last, own), (next, _))| {
        (Some(*last), own.clone(), Next::Gap(next.day.saturating_sub(last.day)))
    });
    start.into_iter().chain(pairs).collect()
}
