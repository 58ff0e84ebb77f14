//! From states of any width to the three coordinates that are drawn.

use ndarray::Array2;

use crate::{draw::space::Place, run::Run};

/// The unit of hidden states, as labels give it.
const UNITS: &str = " (state units)";

/// How states are drawn.
#[derive(Debug)]
pub(crate) struct Coordinates {
    /// 3 x M directions in state space, where the states are wider than three.
    basis: Option<Array2<f64>>,
    width: usize,
    /// The labels of the axes.
    pub(crate) labels: [String; 3],
    /// What to say about the axes.
    pub(crate) note: Option<String>,
}

impl Coordinates {
    /// Three units are drawn as they are, two in a plane, one against time, more by their first three principal
    /// components, or by those of the run whose network customers were assigned by. These only turn the states, so that the
    /// origin stays where it is.
    pub(crate) fn of(run: &Run) -> Self {
        let width = run.width();
        let unit = |at: usize| format!("{}{UNITS}", run.units[at]);
        let flat = |x: String, y: String, note: &str| Self {
            basis: None,
            width,
            labels: [x, y, String::new()],
            note: Some(note.to_owned()),
        };
        match width {
            0 => flat("time".to_owned(), String::new(), "The states have no dimension."),
            1 => flat(
                "time (0 = start, 1 = end)".to_owned(),
                unit(0),
                "The states have one dimension, which is drawn against time.",
            ),
            2 => flat(unit(0), unit(1), "The states have two dimensions and are drawn in their plane."),
            3 => Self { basis: None, width, labels: [unit(0), unit(1), unit(2)], note: None },
            _ => Self::components(run),
        }
    }

    /// By the projection that the stage of the states wrote.
    fn components(run: &Run) -> Self {
        let width = run.width();
        match &run.projection {
            Ok((axes, shares)) => {
                let percent: Vec<String> =
                    shares.iter().map(|share| format!("{:.1} %", 100.0 * share)).collect();
                let what = if run.assigned {
                    "the first three principal components of the trained run's"
                } else {
                    "their first three principal components"
                };
                let note = format!(
                    "The states have {width} dimensions: drawn are {what}, with {} of the variance.",
                    percent.join(", ")
                );
                let labels = [1, 2, 3].map(|k| format!("component {k}{UNITS}"));
                Self { basis: Some(axes.clone()), width, labels, note: Some(note) }
            }
            Err(missing) => {
                let note = format!(
                    "The states have {width} dimensions: drawn are the first three units ({}).",
                    missing.reason()
                );
                let labels = [0, 1, 2].map(|at: usize| format!("{}{UNITS}", run.units[at]));
                Self { basis: None, width, labels, note: Some(note) }
            }
        }
    }

    /// The labels without units, for small panels beside one that has them.
    pub(crate) fn short_labels(&self) -> [String; 3] {
        self.labels.each_ref().map(|label| label.replace(UNITS, ""))
    }

    /// Whether the third coordinate is left out.
    pub(crate) fn flat(&self) -> bool {
        self.width < 3
    }

    /// Where a state is drawn; `time` runs from 0 to 1 and matters only where there is one unit.
    pub(crate) fn place(&self, state: impl IntoIterator<Item = f64>, time: f64) -> Place {
        let state: Vec<f64> = state.into_iter().collect();
        match (&self.basis, state.as_slice()) {
            (Some(basis), state) => {
                [0, 1, 2].map(|k| basis.row(k).iter().zip(state).map(|(b, s)| b * s).sum())
            }
            (None, []) => [time, 0.0, 0.0],
            (None, [h]) => [time, *h, 0.0],
            (None, [x, y]) => [*x, *y, 0.0],
            (None, [x, y, z, ..]) => [*x, *y, *z],
        }
    }

    /// A trajectory from the origin on.
    pub(crate) fn trajectory(&self, states: ndarray::ArrayView2<'_, f64>) -> Vec<Place> {
        let steps = states.nrows().max(1) as f64;
        let mut places = vec![self.place(vec![0.0; self.width], 0.0)];
        places.extend(
            states
                .rows()
                .into_iter()
                .enumerate()
                .map(|(step, state)| self.place(state.iter().copied(), (step + 1) as f64 / steps)),
        );
        places
    }
}
