//! The distribution of the next group: when, and with which goal.

use std::collections::HashMap;

use ndarray::{Array1, Array2, s};
use rayon::prelude::*;
use spendscape_lstm::State;
use spendscape_stats::{BadInput, check};

use super::{
    GoalModel,
    encode::{Encoder, Last, Next, Own, Seen},
    softmax::softmax,
    windows::{Part, Reader, label},
};
use crate::measures::Calibration;
use crate::{
    Covariates, Error, Sequences, Target,
    split::{check_history, check_known},
};

/// Stands that the network of goals is asked about at once.
const STANDS: usize = 1024;
/// Days that are less likely than this are left out of the sum over days, and the others scaled up for it.
const NEGLIGIBLE: f64 = 1e-4;

/// The distribution of the next group of some customers.
#[derive(Debug, Clone, PartialEq)]
pub struct NextGroup {
    /// Probability of each goal (targets x G).
    pub goals: Array2<f64>,
    /// Probability of each gap in days since the group before (targets x K); all zero where there is none.
    pub gaps: Array2<f64>,
}

/// Where a customer stands when the next group is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Stand {
    pub(crate) customer: usize,
    /// The last group, if there is one.
    pub(crate) last: Option<Last>,
    /// All groups up to it.
    pub(crate) own: Own,
    /// Days since then on which nothing happened.
    pub(crate) elapsed: Option<i32>,
}

impl Stand {
    /// Before a target's group, when nothing has happened up to a day.
    pub(crate) fn before(
        encoder: &Encoder,
        sequences: &Sequences,
        target: Target,
        known_until: Option<i32>,
    ) -> Self {
        let (customer, groups) = (target.customer as usize, target.position as usize);
        let last = Last::behind(sequences, customer, groups);
        let own = encoder.own(sequences, customer, groups);
        Self { customer, last, own, elapsed: elapsed(last, known_until) }
    }
}

/// Days since the last group up to the day until which nothing happened, if that is not before it.
pub(crate) fn elapsed(last: Option<Last>, known_until: Option<i32>) -> Option<i32> {
    Some(known_until?.saturating_sub(last?.day)).filter(|days| *days >= 0)
}

impl GoalModel {
    /// The distribution of the group at each target's position, from the groups before it: of the coming one for a position
    /// behind the last group. Without groups before it, only goals are known.
    ///
    /// With `known_until`, nothing happened up to that day (since 1970-01-01), it included: gaps that end by then are ruled
    /// out. A day before the group before the target says nothing.
    ///
    /// # Errors
    /// [`BadInput::ShapeMismatch`] for covariates of other customers, [`Error::NoTarget`] for a target beyond the coming group.
    pub fn predict(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        targets: &[Target],
        known_until: Option<i32>,
    ) -> Result<NextGroup, Error> {
        self.check(sequences, covariates, targets)?;
        let stands: Vec<Stand> = targets
            .iter()
            .map(|target| Stand::before(&self.encoder, sequences, *target, known_until))
            .collect();
        let logits = self.reader(Part::Days, sequences, covariates).logits(targets)?;
        let gaps = self.gap_probabilities(&logits, &stands);
        let states = self.reader(Part::Goals, sequences, covariates).states_before(targets)?;
        let goals = self.goals_over_gaps(sequences, covariates, &states, &gaps, &stands)?;
        Ok(NextGroup { goals, gaps })
    }

    /// The distribution of the goal of each target's group when the day on which it came is known (targets x G).
    ///
    /// # Errors
    /// As [`Self::predict`]; the group itself must exist.
    pub fn predict_on_day(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        targets: &[Target],
    ) -> Result<Array2<f64>, Error> {
        self.check(sequences, covariates, targets)?;
        check_known(sequences, targets)?;
        let logits = self.reader(Part::Goals, sequences, covariates).logits(targets)?;
        Ok(self.goal_probabilities(&logits))
    }

    pub(crate) fn check(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        targets: &[Target],
    ) -> Result<(), Error> {
        let mismatch = |argument, expected, found| {
            Err(Error::Input(BadInput::ShapeMismatch { argument, expected, found }))
        };
        check::length("the goals of the sequences", self.goals(), sequences.goals.len())?;
        check::length("covariates", sequences.customers(), covariates.customers())?;
        if covariates.sizes != self.encoder.sizes.covariates {
            return mismatch(
                "the covariates' levels",
                self.encoder.sizes.covariates.len(),
                covariates.sizes.len(),
            );
        }
        check_history(sequences, targets)
    }

    pub(crate) fn reader<'a>(
        &'a self,
        part: Part,
        sequences: &'a Sequences,
        covariates: &'a Covariates,
    ) -> Reader<'a> {
        let network = if part == Part::Days { &self.days } else { &self.goals };
        Reader { network, encoder: &self.encoder, part, sequences, covariates, window: self.shape.window }
    }

    /// The days that a category of gaps stands for when `elapsed` days have gone by already.
    pub(crate) fn days_of(&self, gap: usize, elapsed: i32) -> i32 {
        let sizes = &self.encoder.sizes;
        let days = sizes.days(gap);
        // Beyond the longest gap each day is as likely as the one before to be the last.
        if gap > sizes.longest_gap {
            days.max(elapsed.saturating_add(days - sizes.longest_gap as i32))
        } else {
            days
        }
    }

    /// P(gap | groups, nothing so far) from the logits of days; all zero where there is no group.
    pub(crate) fn gap_probabilities(&self, logits: &Array2<f32>, stands: &[Stand]) -> Array2<f64> {
        let mut gaps = softmax(logits, self.shape.temperatures.0);
        for (mut row, stand) in gaps.rows_mut().into_iter().zip(stands) {
            match (stand.last, stand.elapsed) {
                (None, _) => row.fill(0.0),
                (_, None) => {}
                (_, Some(elapsed)) => rule_out(row.as_slice_mut().unwrap_or_default(), elapsed),
            }
        }
        gaps
    }

    /// P(goal | groups): the sum over gaps (stands x K) of P(gap) P(goal | gap), from the states before the last step.
    pub(crate) fn goals_over_gaps(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        states: &[State<f32>],
        gaps: &Array2<f64>,
        stands: &[Stand],
    ) -> Result<Array2<f64>, Error> {
        let rows: Vec<usize> = (0..stands.len()).collect();
        let parts: Vec<Array2<f64>> = rows
            .par_chunks(STANDS)
            .map(|rows| self.goals_of_some(sequences, covariates, states, gaps, stands, rows))
            .collect::<Result<_, Error>>()?;
        Ok(stacked(&parts, self.goals()))
    }

    /// [`Self::goals_over_gaps`] of some rows, by one question to the network of goals for each likely gap.
    fn goals_of_some(
        &self,
        sequences: &Sequences,
        covariates: &Covariates,
        states: &[State<f32>],
        gaps: &Array2<f64>,
        stands: &[Stand],
        rows: &[usize],
    ) -> Result<Array2<f64>, Error> {
        // All questions about a stand share everything but the day that is asked about, which others ask about too.
        let mut shared = self.encoder.steps(rows.len(), self.encoder.shared_variables());
        let (mut questions, mut weights) = (Vec::new(), Vec::new());
        let mut ways = Ways::new(self);
        for (stem, row) in rows.iter().copied().enumerate() {
            let Stand { customer, last, own, elapsed } = &stands[row];
            let (customer, last) = (*customer, *last);
            self.encoder.push(&mut shared, &Seen { sequences, covariates, customer, last, own }, Next::Asked);
            let Some(last) = last else {
                questions.push((stem, ways.unknown(own)));
                weights.push(1.0);
                continue;
            };
            let whose = self.encoder.asks_each().then_some(stem);
            let from = ways.from(Start { day: last.day, elapsed: elapsed.unwrap_or(0), whose });
            for (gap, p) in gaps.row(row).iter().copied().enumerate().filter(|(_, p)| *p > NEGLIGIBLE) {
                questions.push((stem, ways.after(from, gap, own)));
                weights.push(p);
            }
        }
        let variables = self.encoder.next_variables();
        let encoded = shared.finish(rows.len(), 1)?;
        let inputs = encoded.inputs()?.with_initial(select(states, rows))?;
        let answers = self.goals.branch(inputs, &questions, &ways.ids(), &variables)?;
        let answers = self.goal_probabilities(&answers);
        let mut goals = Array2::zeros((rows.len(), self.goals()));
        for (((stem, _), weight), answer) in questions.iter().zip(&weights).zip(answers.rows()) {
            goals.row_mut(*stem).scaled_add(*weight, &answer);
        }
        for mut row in goals.rows_mut() {
            let sum = row.sum();
            row.mapv_inplace(|p| p / sum);
        }
        Ok(goals)
    }

    /// Probabilities from the logits of goals: without the weights that training gave them, at the goals' temperature.
    pub(crate) fn goal_probabilities(&self, logits: &Array2<f32>) -> Array2<f64> {
        let temperature = self.shape.temperatures.1;
        match &self.shape.class_weights {
            None => softmax(logits, temperature),
            Some(weights) => {
                let shifts = Array1::from_iter(weights.iter().map(|weight| libm::log(*weight) as f32));
                softmax(&(logits - &shifts), temperature)
            }
        }
    }

    /// Fits one temperature to the gaps and one to the goals on groups that were not trained on, so that probabilities are
    /// as sure as they are right (Guo et al. 2017).
    ///
    /// # Errors
    /// As [`Self::predict_on_day`]; [`BadInput::TooFew`] without targets that have a group before them.
    pub fn calibrate(
        &mut self,
        sequences: &Sequences,
        covariates: &Covariates,
        targets: &[Target],
    ) -> Result<(), Error> {
        let targets: Vec<Target> = targets.iter().copied().filter(|target| target.position > 0).collect();
        if targets.is_empty() {
            return Err(Error::Input(BadInput::TooFew {
                what: "calibration",
                needed: 1,
                of: "targets",
                found: 0,
            }));
        }
        self.shape.temperatures = (1.0, 1.0);
        let goals = self.predict_on_day(sequences, covariates, &targets)?;
        let stands: Vec<Stand> =
            targets.iter().map(|target| Stand::before(&self.encoder, sequences, *target, None)).collect();
        let logits = self.reader(Part::Days, sequences, covariates).logits(&targets)?;
        let gaps = self.gap_probabilities(&logits, &stands);
        let truth = |part| {
            let label = |target: &Target| {
                let groups = sequences.groups(target.customer as usize);
                label(&self.encoder, part, groups, target.position as usize)
            };
            targets.iter().map(label).collect::<Vec<_>>()
        };
        let days = Calibration::fit(&gaps, &truth(Part::Days))?.temperature();
        let goals = Calibration::fit(&goals, &truth(Part::Goals))?.temperature();
        self.shape.temperatures = (days, goals);
        Ok(())
    }

    /// The divisors of logits: of gaps, of goals; 1 before [`Self::calibrate`].
    #[must_use]
    pub fn temperatures(&self) -> (f64, f64) {
        self.shape.temperatures
    }
}

/// A day that gaps are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Start {
    day: i32,
    /// Days after it on which nothing has happened yet.
    elapsed: i32,
    /// Whose it is, where the days since each goal are told.
    whose: Option<usize>,
}

/// The days that questions are about, as categories of the network of goals: each once.
struct Ways<'a> {
    model: &'a GoalModel,
    /// Rows of categories, one after the other, and categories of a row.
    ids: Vec<usize>,
    variables: usize,
    /// The row of a day that nobody knows, if it was asked about.
    unknown: Option<usize>,
    /// The days that are counted from.
    from: Vec<Start>,
    places: HashMap<Start, usize>,
    /// The row of each gap from each of them, if it was asked about.
    rows: Vec<Option<usize>>,
}

impl<'a> Ways<'a> {
    fn new(model: &'a GoalModel) -> Self {
        let (from, places) = (Vec::new(), HashMap::new());
        let variables = model.encoder.next_variables().len();
        Self { model, ids: Vec::new(), variables, unknown: None, from, places, rows: Vec::new() }
    }

    fn push(&mut self, day: Option<i32>, next: Next, own: &Own) -> usize {
        let row = self.ids.len() / self.variables;
        self.model.encoder.push_next(&mut self.ids, day, next, own);
        row
    }

    /// The row of a day that nobody knows; before the first group everybody's days are alike.
    fn unknown(&mut self, own: &Own) -> usize {
        let row = self.unknown.unwrap_or_else(|| self.push(None, Next::Unknown, own));
        self.unknown = Some(row);
        row
    }

    /// The place of a day that gaps are counted from.
    fn from(&mut self, day: Start) -> usize {
        let (model, from, rows) = (self.model, &mut self.from, &mut self.rows);
        *self.places.entry(day).or_insert_with(|| {
            from.push(day);
            rows.resize(from.len() * model.gaps(), None);
            from.len() - 1
        })
    }

    /// The row of the day that a gap from there leads to.
    fn after(&mut self, from: usize, gap: usize, own: &Own) -> usize {
        let at = from * self.model.gaps() + gap;
        if let Some(row) = self.rows[at] {
            return row;
        }
        let Start { day, elapsed, .. } = self.from[from];
        let row = self.push(Some(day), Next::Gap(self.model.days_of(gap, elapsed)), own);
        self.rows[at] = Some(row);
        row
    }

    /// The categories, ways x variables.
    fn ids(self) -> Array2<usize> {
        let shape = (self.ids.len() / self.variables, self.variables);
        Array2::from_shape_vec(shape, self.ids).unwrap_or_default()
    }
}

/// Takes the gaps of up to `elapsed` days, which are over, out of a distribution (K), the last of which stands for all
/// longer ones. Where that leaves nothing, the gap is a longer one.
pub(crate) fn rule_out(gaps: &mut [f64], elapsed: i32) {
    let Some(last) = gaps.len().checked_sub(1) else { return };
    let past = (elapsed.max(0) as usize + 1).min(last);
    gaps[..past].fill(0.0);
    let sum: f64 = gaps.iter().sum();
    if sum > 0.0 {
        gaps.iter_mut().for_each(|p| *p /= sum);
    } else {
        gaps[last] = 1.0;
    }
}

/// Rows of every layer's state.
pub(crate) fn select(states: &[State<f32>], rows: &[usize]) -> Vec<State<f32>> {
    let pick = |from: &Array2<f32>| from.select(ndarray::Axis(0), rows);
    states.iter().map(|state| State { h: pick(&state.h), c: pick(&state.c) }).collect()
}

/// Matrices of so many columns below one another.
pub(crate) fn stacked(parts: &[Array2<f64>], columns: usize) -> Array2<f64> {
    let mut all = Array2::zeros((parts.iter().map(Array2::nrows).sum(), columns));
    let mut at = 0;
    for part in parts {
        all.slice_mut(s![at..at + part.nrows(), ..]).assign(part);
        at += part.nrows();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_that_are_over_are_ruled_out() {
        let mut gaps = [0.1, 0.2, 0.3, 0.4];
        rule_out(&mut gaps, 0);
        assert!(gaps.iter().zip([0.0, 2.0 / 9.0, 3.0 / 9.0, 4.0 / 9.0]).all(|(a, b)| (a - b).abs() < 1e-15));
        rule_out(&mut gaps, 1);
        assert!(gaps.iter().zip([0.0, 0.0, 3.0 / 7.0, 4.0 / 7.0]).all(|(a, b)| (a - b).abs() < 1e-15));
        rule_out(&mut gaps, 90);
        assert_eq!(gaps, [0.0, 0.0, 0.0, 1.0]);
        let mut none = [1.0, 0.0];
        rule_out(&mut none, 5);
        assert_eq!(none, [0.0, 1.0]);
    }
}
