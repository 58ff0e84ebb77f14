//! Categorical inputs: one-hot features that are looked up instead of multiplied.

use crate::error::Error;
use crate::inputs::{Inputs, check};
use crate::real::Real;
use ndarray::{ArrayRef, Ix3};
use std::borrow::Cow;

/// The categories of every sample and step, as columns of the first layer's input kernel behind those of the features.
#[derive(Debug, Clone)]
pub(crate) struct Categories {
    /// Samples x steps x variables.
    pub(crate) columns: Vec<usize>,
    /// Categorical variables per step.
    pub(crate) variables: usize,
    /// Columns of all variables together.
    pub(crate) width: usize,
}

impl<'a, F: Real> Inputs<'a, F> {
    /// Categorical variables alone: `ids` is samples x steps x variables, variable `v` has the categories
    /// `0..sizes[v]`.
    ///
    /// # Errors
    /// As [`with_categories`](Self::with_categories).
    pub fn categorical(ids: &ArrayRef<usize, Ix3>, sizes: &[usize]) -> Result<Self, Error> {
        let (samples, steps, _) = ids.dim();
        let x = Cow::Owned(Vec::new());
        Self { x, samples, steps, features: 0, mask: None, initial: Vec::new(), categories: None }
            .with_categories(ids, sizes)
    }

    /// Adds categorical variables to every step: `ids` is samples x steps x variables, variable `v` has the categories
    /// `0..sizes[v]`.
    ///
    /// The network sees them as one-hot features behind the others, variable after variable, so its number of inputs is
    /// [`width`](Self::width). A category costs the lookup of one column of the input kernel, however many there are.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when `ids` has other samples or steps than the inputs or not one size per variable,
    /// [`Error::Category`] for a category that does not exist.
    pub fn with_categories(mut self, ids: &ArrayRef<usize, Ix3>, sizes: &[usize]) -> Result<Self, Error> {
        let (samples, steps, variables) = ids.dim();
        check("samples of the categories", self.samples, samples)?;
        check("steps of the categories", self.steps, steps)?;
        check("sizes of categorical variables", variables, sizes.len())?;
        let mut width = 0;
        let firsts: Vec<usize> = sizes.iter().map(|size| (width, width += size).0).collect();
        let mut columns = Vec::with_capacity(ids.len());
        for (row, ids) in ids.rows().into_iter().enumerate() {
            for (variable, (&id, (&size, &first))) in ids.iter().zip(sizes.iter().zip(&firsts)).enumerate() {
                if id >= size {
                    return Err(Error::Category {
                        sample: row / steps,
                        step: row % steps,
                        variable,
                        id,
                        size,
                    });
                }
                columns.push(first + id);
            }
        }
        self.categories = Some(Cow::Owned(Categories { columns, variables, width }));
        Ok(self)
    }

    /// Inputs of a network for these: features, and one per category of every categorical variable.
    pub fn width(&self) -> usize {
        self.features + self.categories.as_ref().map_or(0, |categories| categories.width)
    }
}
