//! Categorical inputs: one-hot features that are looked up instead of multiplied.

use ndarray::Array2;

/// The categories of every sample and step, as columns of the first layer's input kernel behind those of the features.
#[derive(Debug, Clone)]
pub(crate) struct Categories {
    /// Samples x steps x variables.
    pub(crate) columns: Vec<usize>,
    /// Categorical variables per step.
    pub(crate) variables: usize,
    /// Columns of all variables together.
    pub(crate) width: usize,
    /// Columns that are added up once and then chosen like one: way `w` is column `width + w`. Ways x columns.
    pub(crate) ways: Array2<usize>,
}

impl Categories {
    /// As many columns of every sample and step as there are variables.
    pub(crate) fn new(columns: Vec<usize>, variables: usize, width: usize) -> Self {
        Self { columns, variables, width, ways: Array2::default((0, 0)) }
    }
}

/// The columns of rows of categories, one per variable of some size, those of the first variable starting at column `first`;
/// where there is no such category, its row, its variable, itself and how many there are.
pub(crate) fn columns_of(
    ids: &[usize],
    sizes: &[usize],
    mut first: usize,
) -> Result<Vec<usize>, (usize, usize, usize, usize)> {
    let next = |size: &usize| {
        first += size;
        first - size
    };
    let starts: Vec<usize> = sizes.iter().map(next).collect();
    let mut columns = Vec::with_capacity(ids.len());
    for (row, ids) in ids.chunks_exact(sizes.len().max(1)).enumerate() {
        let beyond = ids.iter().zip(sizes).position(|(id, size)| id >= size);
        if let Some(variable) = beyond {
            return Err((row, variable, ids[variable], sizes[variable]));
        }
        columns.extend(ids.iter().zip(&starts).map(|(id, start)| start + id));
    }
    Ok(columns)
}
