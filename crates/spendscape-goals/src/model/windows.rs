//! Runs of steps that a network reads at once, from a zero state.

use ndarray::{Array2, s};
use rayon::prelude::*;
use spendscape_lstm::{Inputs, Network, State};

use super::encode::{Encoded, Encoder, Last, Next, Seen};
use crate::{Covariates, Error, Groups, Sequences, Target};

/// Windows that are run together: similar in length, so that little is padded.
pub(crate) const PIECE: usize = 512;

/// Which of the two networks reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// P(gap | groups): sees no day ahead, and begins with the first group.
    Days,
    /// P(goal | groups, gap): sees the next day, and begins with the start.
    Goals,
}

impl Part {
    pub(crate) fn sees_next(self) -> bool {
        self == Self::Goals
    }

    /// The first step that the network reads.
    pub(crate) fn first_step(self) -> usize {
        match self {
            Self::Days => 1,
            Self::Goals => 0,
        }
    }
}

/// Steps of one customer, from a zero state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Window {
    pub(crate) customer: u32,
    /// First step.
    pub(crate) first: usize,
    /// Number of steps.
    pub(crate) steps: usize,
}

/// The step at which the history of the group at `position` begins: half a window to a whole one before it, whatever else
/// is asked, so that a prediction does not depend on its company.
pub(crate) fn history_start(part: Part, position: usize, window: usize) -> usize {
    let half = (window / 2).max(1);
    ((position / half).saturating_sub(1) * half).max(part.first_step())
}

/// Cuts the steps that predict the groups `0..until` of a customer into windows.
pub(crate) fn cut(part: Part, customer: u32, until: usize, window: usize) -> impl Iterator<Item = Window> {
    let firsts = (part.first_step()..until).step_by(window);
    firsts.map(move |first| Window { customer, first, steps: window.min(until - first) })
}

/// The encoded steps of windows, each of which knows the group after every step, padded to the longest.
pub(crate) fn encode(
    encoder: &Encoder,
    part: Part,
    sequences: &Sequences,
    covariates: &Covariates,
    windows: &[Window],
) -> Result<(Encoded, Vec<usize>), Error> {
    let longest = windows.iter().map(|window| window.steps).max().unwrap_or(0);
    let mut steps = encoder.steps(windows.len() * longest, encoder.variables(part.sees_next()));
    for window in windows {
        let customer = window.customer as usize;
        let groups = sequences.groups(customer);
        let mut own = encoder.own(sequences, customer, window.first);
        for step in window.first..window.first + window.steps {
            let last = Last::behind(sequences, customer, step);
            if let Some(last) = last.filter(|_| step > window.first) {
                own.add(last.goal, last.day);
            }
            let next = match (part, step) {
                (Part::Days, _) => Next::Unseen,
                (Part::Goals, 0) => Next::Unknown,
                (Part::Goals, _) => Next::Gap(groups.day[step].saturating_sub(groups.day[step - 1])),
            };
            encoder.push(&mut steps, &Seen { sequences, covariates, customer, last, own: &own }, next);
        }
        (window.steps..longest).for_each(|_| steps.pad());
    }
    let lengths = windows.iter().map(|window| window.steps).collect();
    Ok((steps.finish(windows.len(), longest)?, lengths))
}

/// The target after a step: the gap to the next group, or its goal.
pub(crate) fn label(encoder: &Encoder, part: Part, groups: Groups<'_>, step: usize) -> usize {
    match part {
        Part::Days => encoder.sizes.gap(groups.day[step].saturating_sub(groups.day[step - 1])),
        Part::Goals => groups.goal[step] as usize,
    }
}

/// The labels after each step of the windows (windows x longest).
pub(crate) fn labels(
    encoder: &Encoder,
    part: Part,
    sequences: &Sequences,
    windows: &[Window],
) -> Array2<usize> {
    let longest = windows.iter().map(|window| window.steps).max().unwrap_or(0);
    let mut labels = Array2::zeros((windows.len(), longest));
    for (mut row, window) in labels.rows_mut().into_iter().zip(windows) {
        let groups = sequences.groups(window.customer as usize);
        for (to, step) in row.iter_mut().zip(window.first..window.first + window.steps) {
            *to = label(encoder, part, groups, step);
        }
    }
    labels
}

/// A window and, of each target that it answers, the row and the step inside it.
type Asked = (Window, Vec<(usize, usize)>);
/// Row of a target, and the sample and step that answer it.
type Answered = (usize, usize, usize);

/// One network and the histories that it reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) network: &'a Network<f32>,
    pub(crate) encoder: &'a Encoder,
    pub(crate) part: Part,
    pub(crate) sequences: &'a Sequences,
    pub(crate) covariates: &'a Covariates,
    pub(crate) window: usize,
}

impl Reader<'_> {
    /// Outputs after the step of each target (targets x outputs). The network of goals is told the day on which the group
    /// came. Rows of targets before the network's first step are zero.
    pub(crate) fn logits(&self, targets: &[Target]) -> Result<Array2<f32>, Error> {
        let mut logits = Array2::zeros((targets.len(), self.network.outputs()));
        let (alone, shared) = self.asked(targets, 1);
        let (outputs, _) = self.ends(&alone.iter().map(|(window, _)| *window).collect::<Vec<_>>())?;
        for (output, (_, members)) in outputs.rows().into_iter().zip(&alone) {
            logits.row_mut(members[0].0).assign(&output);
        }
        let found = self.run(&shared, |inputs| Ok(self.network.predict_steps(inputs)?))?;
        for (outputs, members) in found {
            for (row, sample, step) in members {
                logits.row_mut(row).assign(&outputs.slice(s![sample, step, ..]));
            }
        }
        Ok(logits)
    }

    /// States of every layer before the step of each target: zero where its history begins.
    pub(crate) fn states_before(&self, targets: &[Target]) -> Result<Vec<State<f32>>, Error> {
        let layers = self.layers();
        let mut states = self.zero_states(targets.len());
        let (alone, shared) = self.asked(targets, 0);
        let (_, ends) = self.ends(&alone.iter().map(|(window, _)| *window).collect::<Vec<_>>())?;
        for (to, from) in states.iter_mut().zip(&ends) {
            for (at, (_, members)) in alone.iter().enumerate() {
                to.h.row_mut(members[0].0).assign(&from.h.row(at));
                to.c.row_mut(members[0].0).assign(&from.c.row(at));
            }
        }
        let found = self.run(&shared, |inputs| {
            Ok((0..layers).map(|layer| self.network.states(&inputs, layer)).collect::<Result<Vec<_>, _>>()?)
        })?;
        for (read, members) in found {
            for (row, sample, step) in members {
                for (to, from) in states.iter_mut().zip(&read) {
                    to.h.row_mut(row).assign(&from.h.slice(s![sample, step, ..]));
                    to.c.row_mut(row).assign(&from.c.slice(s![sample, step, ..]));
                }
            }
        }
        Ok(states)
    }

    /// Outputs after the last step of each window (windows x outputs), and the state of every layer; of a window without
    /// steps those of the beginning.
    pub(crate) fn ends(&self, windows: &[Window]) -> Result<(Array2<f32>, Vec<State<f32>>), Error> {
        let mut order: Vec<usize> = (0..windows.len()).collect();
        order.sort_by_key(|row| std::cmp::Reverse(windows[*row].steps));
        let read = |rows: &[usize]| {
            let windows: Vec<Window> = rows.iter().map(|row| windows[*row]).collect();
            let (encoded, lengths) =
                encode(self.encoder, self.part, self.sequences, self.covariates, &windows)?;
            Ok(self.network.advance(encoded.inputs()?.with_lengths(&lengths)?, Vec::new())?)
        };
        let found: Vec<_> = order.par_chunks(PIECE).map(read).collect::<Result<_, Error>>()?;
        let mut outputs = Array2::zeros((windows.len(), self.network.outputs()));
        let mut states = self.zero_states(windows.len());
        for (rows, (output, state)) in order.chunks(PIECE).zip(&found) {
            for (from, row) in rows.iter().enumerate() {
                outputs.row_mut(*row).assign(&output.row(from));
                for (to, state) in states.iter_mut().zip(state) {
                    to.h.row_mut(*row).assign(&state.h.row(from));
                    to.c.row_mut(*row).assign(&state.c.row(from));
                }
            }
        }
        Ok((outputs, states))
    }

    fn zero_states(&self, rows: usize) -> Vec<State<f32>> {
        let zero = || Array2::zeros((rows, self.network.units()));
        (0..self.layers()).map(|_| State { h: zero(), c: zero() }).collect()
    }

    fn layers(&self) -> usize {
        (0..).take_while(|layer| self.network.weight_hh(*layer).is_some()).count()
    }

    /// The windows that end `with` (1 or 0) steps into the targets' own: those that answer one target, of which only the end
    /// is wanted, and those that several targets with the same history share.
    fn asked(&self, targets: &[Target], with: usize) -> (Vec<Asked>, Vec<Asked>) {
        let mut asked: Vec<(u32, usize, usize, usize)> = Vec::with_capacity(targets.len());
        for (row, target) in targets.iter().enumerate() {
            let position = target.position as usize;
            let first = history_start(self.part, position, self.window);
            if position + with > first {
                asked.push((target.customer, first, position + with - first, row));
            }
        }
        asked.sort_unstable();
        let windows = asked.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(|group| {
            let steps = group.iter().map(|(.., steps, _)| *steps).max().unwrap_or(0);
            let window = Window { customer: group[0].0, first: group[0].1, steps };
            (window, group.iter().map(|(.., steps, row)| (*row, steps - 1)).collect())
        });
        windows.partition(|(_, members): &Asked| members.len() == 1)
    }

    /// Runs windows in parallel; each result comes with the targets that it answers: row, sample and step.
    fn run<T: Send>(
        &self,
        asked: &[Asked],
        read: impl Fn(Inputs<'_, f32>) -> Result<T, Error> + Sync,
    ) -> Result<Vec<(T, Vec<Answered>)>, Error> {
        let mut jobs: Vec<&Asked> = asked.iter().collect();
        jobs.sort_by_key(|(window, _)| std::cmp::Reverse(window.steps));
        jobs.par_chunks(PIECE)
            .map(|jobs| {
                let windows: Vec<Window> = jobs.iter().map(|(window, _)| *window).collect();
                let (encoded, lengths) =
                    encode(self.encoder, self.part, self.sequences, self.covariates, &windows)?;
                let read = read(encoded.inputs()?.with_lengths(&lengths)?)?;
                let member = |(sample, (_, rows)): (usize, &&Asked)| {
                    rows.iter().map(|(row, step)| (*row, sample, *step)).collect::<Vec<_>>()
                };
                Ok((read, jobs.iter().enumerate().flat_map(member).collect()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_every_step_once() {
        for (part, first) in [(Part::Days, 1), (Part::Goals, 0)] {
            for until in 0..20 {
                let steps: Vec<usize> = cut(part, 7, until, 6)
                    .flat_map(|window| window.first..window.first + window.steps)
                    .collect();
                assert_eq!(steps, (first..until).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn histories_are_half_a_window_long_at_least() {
        for position in 1..100 {
            let start = history_start(Part::Goals, position, 16);
            assert!(position - start <= 16 && (start == 0 || position - start >= 8), "{position} {start}");
        }
        assert_eq!((history_start(Part::Days, 1, 16), history_start(Part::Goals, 0, 2)), (1, 0));
    }
}
