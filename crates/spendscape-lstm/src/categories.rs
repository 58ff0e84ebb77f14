//! Categorical inputs: one-hot features that are looked up instead of multiplied.

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

/// Adds the columns of one step's categories, those of the first variable starting at column `first`; the variable, the category
/// and how many there are where there is none such.
pub(crate) fn push_columns<'i>(
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
