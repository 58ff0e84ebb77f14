//! Cells as families of maps: one map per constant input.

use ndarray::{ArrayRef, Ix1};

use super::{GruCell, GruMap, LstmCell, LstmMap, RnnCell, RnnMap};
use crate::error::Error;
use crate::fixed_points::Complete;
use crate::interval::Interval;

/// A recurrent cell or stack: each constant input makes it a map whose fixed points can be listed.
pub trait Driven: Sync {
    /// The map under one input.
    type Map<'a>: Complete
    where
        Self: 'a;

    /// The width C of the input.
    fn input_width(&self) -> usize;

    /// The names of the state's coordinates, in order: `h 1`, .., and `c 1`, .. for cells, with the layer in front
    /// where there are several.
    fn state_names(&self) -> Vec<String>;

    /// The enclosed pre-activations `W_x u + b` of the first layer.
    ///
    /// # Errors
    /// [`Error::InputWidth`] or `BadInput::NotFinite`.
    fn preactivations(&self, u: &ArrayRef<f64, Ix1>) -> Result<Vec<Interval>, Error>;

    /// The maps of all inputs whose pre-activations lie in `z0`, which has the length that
    /// [`Driven::preactivations`] gives.
    fn with_preactivations(&self, z0: Vec<Interval>) -> Self::Map<'_>;

    /// The map under the constant input `u`.
    ///
    /// # Errors
    /// [`Error::InputWidth`] or `BadInput::NotFinite`.
    fn driven_by(&self, u: &ArrayRef<f64, Ix1>) -> Result<Self::Map<'_>, Error> {
        Ok(self.with_preactivations(self.preactivations(u)?))
    }
}

pub(super) fn numbered(prefix: &str, letter: char, units: usize) -> impl Iterator<Item = String> + '_ {
    (1..=units).map(move |k| format!("{prefix}{letter} {k}"))
}

impl Driven for LstmCell {
    type Map<'a> = LstmMap<'a>;

    fn input_width(&self) -> usize {
        self.inputs()
    }

    fn state_names(&self) -> Vec<String> {
        numbered("", 'h', self.units()).chain(numbered("", 'c', self.units())).collect()
    }

    fn preactivations(&self, u: &ArrayRef<f64, Ix1>) -> Result<Vec<Interval>, Error> {
        self.affine.enclose(u)
    }

    fn with_preactivations(&self, z0: Vec<Interval>) -> LstmMap<'_> {
        LstmMap { cell: self, z0, input_known: true }
    }
}

/// Cells whose state is the hidden state alone.
macro_rules! driven_hidden {
    ($($cell:ident => $map:ident),+) => {$(
        impl Driven for $cell {
            type Map<'a> = $map<'a>;

            fn input_width(&self) -> usize {
                self.affine.inputs()
            }

            fn state_names(&self) -> Vec<String> {
                numbered("", 'h', self.units()).collect()
            }

            fn preactivations(&self, u: &ArrayRef<f64, Ix1>) -> Result<Vec<Interval>, Error> {
                self.affine.enclose(u)
            }

            fn with_preactivations(&self, z0: Vec<Interval>) -> $map<'_> {
                $map { cell: self, z0 }
            }
        }
    )+};
}

driven_hidden!(GruCell => GruMap, RnnCell => RnnMap);
