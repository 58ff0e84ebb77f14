//! Categorical inputs: one-hot features that are looked up instead of multiplied.

use crate::error::Error;
use crate::inputs::{Inputs, check};
use crate::real::Real;
use ndarray::{ArrayRef, Ix2, Ix3};
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
    /// Columns that are added up once and then chosen like one: sum `s` is column `width + s`. Sums x columns.
    pub(crate) sums: Vec<usize>,
    /// Columns of a sum.
    pub(crate) summed: usize,
}

impl<'a, F: Real> Inputs<'a, F> {
    /// Categorical variables alone: `ids` is samples x steps x variables, variable `v` has the categories
    /// `0..sizes[v]`.
    ///
    /// # Errors
    /// As [`with_categories`](Self::with_categories).
    pub fn categorical(ids: &ArrayRef<usize, Ix3>, sizes: &[usize]) -> Result<Self, Error> {
        let (samples, steps, _) = ids.dim();
        Self::of_features(Cow::Owned(Vec::new()), (samples, steps, 0)).with_categories(ids, sizes)
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
        let mut columns = Vec::with_capacity(ids.len());
        for (row, ids) in ids.rows().into_iter().enumerate() {
            push_columns(&mut columns, ids.iter(), sizes, 0).map_err(|(variable, id, size)| {
                Error::Category { sample: row / steps, step: row % steps, variable, id, size }
            })?;
        }
        let (width, sums) = (sizes.iter().sum(), Vec::new());
        self.categories = Some(Cow::Owned(Categories { columns, variables, width, sums, summed: 0 }));
        Ok(self)
    }

    /// Samples that each read a row of these inputs of one step (`stems`), and have further categories behind its own.
    pub(crate) fn branches(
        mut self,
        stems: &[usize],
        ids: &ArrayRef<usize, Ix2>,
        sizes: &[usize],
    ) -> Result<Self, Error> {
        check("steps that branches share", 1, self.steps)?;
        check("branches of the categories", stems.len(), ids.nrows())?;
        check("sizes of categorical variables", ids.ncols(), sizes.len())?;
        if let Some(&stem) = stems.iter().find(|&&stem| stem >= self.samples) {
            return Err(Error::Mismatch {
                what: "rows that branches share",
                expected: stem + 1,
                found: self.samples,
            });
        }
        let shared = self.categories.take().map(Cow::into_owned);
        let first = shared.as_ref().map_or(0, |shared| shared.width);
        let width = first + sizes.iter().sum::<usize>();
        let mut columns = Vec::with_capacity(ids.len() + stems.len());
        for (sample, (ids, stem)) in ids.rows().into_iter().zip(stems).enumerate() {
            columns.extend(shared.as_ref().map(|_| width + stem));
            push_columns(&mut columns, ids.iter(), sizes, first)
                .map_err(|(variable, id, size)| Error::Category { sample, step: 0, variable, id, size })?;
        }
        let variables = sizes.len() + usize::from(shared.is_some());
        let (sums, summed) = shared.map_or((Vec::new(), 0), |shared| (shared.columns, shared.variables));
        self.categories = Some(Cow::Owned(Categories { columns, variables, width, sums, summed }));
        (self.samples, self.stems) = (stems.len(), stems.to_vec());
        Ok(self)
    }

    /// Inputs of a network for these: features, and one per category of every categorical variable.
    pub fn width(&self) -> usize {
        self.features + self.categories.as_ref().map_or(0, |categories| categories.width)
    }
}

/// Adds the columns of one step's categories, those of the first variable starting at column `first`; the variable, the category
/// and how many there are where there is none such.
fn push_columns<'i>(
    columns: &mut Vec<usize>,
    ids: impl Iterator<Item = &'i usize>,
    sizes: &[usize],
    mut first: usize,
) -> Result<(), (usize, usize, usize)> {
    for (variable, (&id, &size)) in ids.zip(sizes).enumerate() {
        if id >= size {
            return Err((variable, id, size));
        }
        columns.push(first + id);
        first += size;
    }
    Ok(())
}
