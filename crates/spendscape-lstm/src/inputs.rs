//! Inputs of a network, and its targets.

use crate::categories::{Categories, columns_of};
use crate::error::Error;
use crate::real::Real;
use ndarray::{Array2, Array3, ArrayRef, ArrayRef2, ArrayRef3, Dimension};
use std::borrow::Cow;

/// Sequences of feature rows: samples x steps x features, optionally with categories, a mask of steps, and initial states.
///
/// Made from an array of three dimensions, or of two (one step). Arrays in standard layout are borrowed, others copied.
///
/// ```
/// use ndarray::Array3;
/// use spendscape_lstm::Inputs;
///
/// // Two samples of three steps, of which the second is used for one step only.
/// let x = Array3::<f32>::zeros((2, 3, 4));
/// let inputs = Inputs::from(&x).with_lengths(&[3, 1])?;
/// assert_eq!((inputs.samples(), inputs.steps(), inputs.features()), (2, 3, 4));
/// assert!(Inputs::from(&x).with_lengths(&[3, 4]).is_err());
/// # Ok::<(), spendscape_lstm::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Inputs<'a, F: Real> {
    pub(crate) x: Cow<'a, [F]>,
    pub(crate) samples: usize,
    pub(crate) steps: usize,
    pub(crate) features: usize,
    /// One (use) or zero (skip) per sample and step.
    pub(crate) mask: Option<Vec<F>>,
    /// One state per LSTM layer, or none for zero states.
    pub(crate) initial: Vec<State<F>>,
    /// The row of features, mask and initial states that each sample reads; its own if there are none.
    pub(crate) stems: Vec<usize>,
    /// What the first layer's weighted sums begin with, in place of features and hidden states: rows x the layer's rows, the
    /// columns behind the ways of the categories.
    pub(crate) begun: Cow<'a, [F]>,
    pub(crate) categories: Option<Cow<'a, Categories>>,
}

/// Hidden and cell states of an LSTM layer: samples x units each.
#[derive(Debug, Clone, PartialEq)]
pub struct State<F> {
    /// Hidden states.
    pub h: Array2<F>,
    /// Cell states.
    pub c: Array2<F>,
}

/// The elements in row-major order, borrowed if they lie so.
pub(crate) fn row_major<T: Copy, D: Dimension>(x: &ArrayRef<T, D>) -> Cow<'_, [T]> {
    x.as_slice().map_or_else(|| Cow::Owned(x.iter().copied().collect()), Cow::Borrowed)
}

impl<'a, F: Real> From<&'a ArrayRef3<F>> for Inputs<'a, F> {
    fn from(x: &'a ArrayRef3<F>) -> Self {
        let (samples, steps, features) = x.dim();
        Self::of_features(row_major(x), samples, steps, features)
    }
}

impl<'a, F: Real> From<&'a ArrayRef2<F>> for Inputs<'a, F> {
    fn from(x: &'a ArrayRef2<F>) -> Self {
        let (samples, features) = x.dim();
        Self::of_features(row_major(x), samples, 1, features)
    }
}

impl<'a, F: Real> From<&'a Array3<F>> for Inputs<'a, F> {
    fn from(x: &'a Array3<F>) -> Self {
        let x: &ArrayRef3<F> = x;
        x.into()
    }
}

impl<'a, F: Real> From<&'a Array2<F>> for Inputs<'a, F> {
    fn from(x: &'a Array2<F>) -> Self {
        let x: &ArrayRef2<F> = x;
        x.into()
    }
}

impl<'a, F: Real> From<&'a Inputs<'_, F>> for Inputs<'a, F> {
    fn from(x: &'a Inputs<'_, F>) -> Self {
        Self {
            x: Cow::Borrowed(&x.x),
            mask: x.mask.clone(),
            initial: x.initial.clone(),
            stems: x.stems.clone(),
            begun: Cow::Borrowed(&x.begun),
            categories: x.categories.as_deref().map(Cow::Borrowed),
            ..*x
        }
    }
}

impl<'a, F: Real> Inputs<'a, F> {
    pub(crate) fn of_features(x: Cow<'a, [F]>, samples: usize, steps: usize, features: usize) -> Self {
        Self {
            x,
            samples,
            steps,
            features,
            mask: None,
            initial: Vec::new(),
            stems: Vec::new(),
            begun: Cow::Borrowed(&[]),
            categories: None,
        }
    }

    /// Where the features, the mask and the initial states of a sample lie.
    pub(crate) fn row(&self, sample: usize) -> usize {
        self.stems.get(sample).copied().unwrap_or(sample)
    }

    /// Uses only the first `lengths[n]` steps of sample `n`; the state stays as it was at the steps after them, whatever
    /// these hold. With a mask too, steps are used where both say so. Steps after the last used one are not computed, so that
    /// padding costs little.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when there is not one length per sample or a length exceeds the steps.
    pub fn with_lengths(self, lengths: &[usize]) -> Result<Self, Error> {
        check("lengths", self.samples, lengths.len())?;
        if let Some(&found) = lengths.iter().find(|&&length| length > self.steps) {
            return Err(Error::Mismatch { what: "the longest length", expected: self.steps, found });
        }
        let steps = self.steps;
        Ok(self.masked(lengths.iter().flat_map(|&length| (0..steps).map(move |t| t < length))))
    }

    /// Skips the steps where `mask` (samples x steps) is false: the state passes through them unchanged, whatever their
    /// features are, NaN too. Where every step has a target, skipped ones do not count. A net without recurrence has no
    /// state to pass on: it gives an output for every step, with zeros for features that are not finite at skipped ones.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the mask has other dimensions than the inputs.
    pub fn with_mask(self, mask: &ArrayRef2<bool>) -> Result<Self, Error> {
        check("samples of the mask", self.samples, mask.nrows())?;
        check("steps of the mask", self.steps, mask.ncols())?;
        Ok(self.masked(mask.iter().copied()))
    }

    /// Skips steps, sample after sample.
    fn masked(mut self, on: impl Iterator<Item = bool>) -> Self {
        let mut mask = self.mask.take().unwrap_or_else(|| vec![F::one(); self.samples * self.steps]);
        for (row, (used, on)) in mask.iter_mut().zip(on).enumerate() {
            if on {
                continue;
            }
            *used = F::zero();
            let row = row * self.features..(row + 1) * self.features;
            // The derivatives of a skipped step are zero, but zero times NaN would reach the gradient of the weights.
            if self.x[row.clone()].iter().any(|x| !x.is_finite()) {
                for x in &mut self.x.to_mut()[row] {
                    *x = if x.is_finite() { *x } else { F::zero() };
                }
            }
        }
        self.mask = Some(mask);
        self
    }

    /// Steps of a sample up to the last one that is used.
    pub(crate) fn end(&self, sample: usize) -> usize {
        let Some(mask) = &self.mask else { return self.steps };
        let used = &mask[self.row(sample) * self.steps..][..self.steps];
        used.iter().rposition(|&on| on != F::zero()).map_or(0, |last| last + 1)
    }

    /// Puts samples that end about the same step side by side: a block is computed up to the step where its last one ends.
    pub(crate) fn sort_by_end(&self, samples: &mut [usize]) {
        if self.mask.is_some() {
            samples.sort_by_cached_key(|&sample| self.end(sample));
        }
    }

    /// Starts from the given states, one per LSTM layer from the lowest up, instead of zero: samples x units each.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when a state does not have a row per sample, or h and c have different widths.
    pub fn with_initial(mut self, initial: Vec<State<F>>) -> Result<Self, Error> {
        for state in &initial {
            check("rows of an initial hidden state", self.samples, state.h.nrows())?;
            check("rows of an initial cell state", self.samples, state.c.nrows())?;
            check("columns of an initial cell state", state.h.ncols(), state.c.ncols())?;
        }
        self.initial = initial;
        Ok(self)
    }

    /// Categorical variables alone: `ids` is samples x steps x variables, variable `v` has the categories
    /// `0..sizes[v]`.
    ///
    /// # Errors
    /// As [`with_categories`](Self::with_categories).
    pub fn categorical(ids: &ArrayRef3<usize>, sizes: &[usize]) -> Result<Self, Error> {
        let (samples, steps, _) = ids.dim();
        Self::of_features(Cow::Owned(Vec::new()), samples, steps, 0).with_categories(ids, sizes)
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
    pub fn with_categories(mut self, ids: &ArrayRef3<usize>, sizes: &[usize]) -> Result<Self, Error> {
        let (samples, steps, variables) = ids.dim();
        check("samples of the categories", self.samples, samples)?;
        check("steps of the categories", self.steps, steps)?;
        check("sizes of categorical variables", variables, sizes.len())?;
        let columns = columns_of(&row_major(ids), sizes, 0).map_err(|(row, variable, id, size)| {
            Error::Category { sample: row / steps, step: row % steps, variable, id, size }
        })?;
        self.categories = Some(Cow::Owned(Categories::new(columns, variables, sizes.iter().sum())));
        Ok(self)
    }

    /// Makes room for categories of these sizes behind the others, of which these inputs have none.
    pub(crate) fn without_last(mut self, sizes: &[usize]) -> Self {
        let own = self.categories.take().map(Cow::into_owned);
        let mut categories = own.unwrap_or(Categories::new(Vec::new(), 0, 0));
        categories.width += sizes.iter().sum::<usize>();
        self.categories = Some(Cow::Owned(categories));
        self
    }

    /// Samples that each go on from a row of these inputs of one step, with which the first layer has `begun`, by a row of `ids`:
    /// the last categories, of these sizes, of which these inputs have none.
    pub(crate) fn branches(
        mut self,
        begun: Vec<F>,
        branches: &[(usize, usize)],
        ids: &ArrayRef2<usize>,
        sizes: &[usize],
    ) -> Result<Self, Error> {
        check("sizes of categorical variables", ids.ncols(), sizes.len())?;
        let rows = [("rows that branches share", self.samples), ("ways of the categories", ids.nrows())];
        for &(stem, way) in branches {
            for ((what, found), row) in rows.into_iter().zip([stem, way]) {
                if row >= found {
                    return Err(Error::Mismatch { what, expected: row + 1, found });
                }
            }
        }
        let width = self.categories.as_ref().map_or(0, |categories| categories.width);
        let first = width - sizes.iter().sum::<usize>();
        let ways = columns_of(&row_major(ids), sizes, first).map_err(|(sample, variable, id, size)| {
            Error::Category { sample, step: 0, variable, id, size }
        })?;
        let ways = Array2::from_shape_vec(ids.dim(), ways).expect("a column for every category");
        let stems = width + ways.nrows();
        let columns = branches.iter().flat_map(|&(stem, way)| [stems + stem, width + way]).collect();
        self.categories = Some(Cow::Owned(Categories { ways, ..Categories::new(columns, 2, width) }));
        (self.samples, self.stems) = (branches.len(), branches.iter().map(|&(stem, _)| stem).collect());
        self.begun = Cow::Owned(begun);
        Ok(self)
    }

    /// Number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Steps per sample.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Features per step, without categories.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Inputs of a network for these: features, and one per category of every categorical variable.
    #[must_use]
    pub fn width(&self) -> usize {
        self.features + self.categories.as_ref().map_or(0, |categories| categories.width)
    }
}

/// Equal or an [`Error::Mismatch`].
pub(crate) fn check(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Mismatch { what, expected, found }) }
}

/// Inputs with their targets.
#[derive(Debug, Clone)]
pub struct Dataset<'a, F: Real> {
    pub(crate) inputs: Inputs<'a, F>,
    pub(crate) targets: Cow<'a, [F]>,
    /// Numbers per sample: outputs, times steps when every step has a target.
    pub(crate) per_sample: usize,
    pub(crate) outputs: usize,
    /// Class of every sample (and step) instead of target numbers.
    pub(crate) classes: Option<Vec<usize>>,
    /// Weight of every class.
    pub(crate) class_weights: Vec<f64>,
}

impl<'a, F: Real> Dataset<'a, F> {
    /// One row of targets (samples x outputs) per sample.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when inputs and targets have different numbers of samples.
    pub fn new(inputs: impl Into<Inputs<'a, F>>, targets: &'a ArrayRef2<F>) -> Result<Self, Error> {
        let inputs = inputs.into();
        check("the targets' number of samples", inputs.samples, targets.nrows())?;
        let outputs = targets.ncols();
        Ok(Self::of_numbers(inputs, row_major(targets), outputs, outputs))
    }

    /// One row of targets per sample and step (samples x steps x outputs).
    ///
    /// # Errors
    /// [`Error::Mismatch`] when inputs and targets have different numbers of samples or steps.
    pub fn per_step(inputs: impl Into<Inputs<'a, F>>, targets: &'a ArrayRef3<F>) -> Result<Self, Error> {
        let inputs = inputs.into();
        let (samples, steps, outputs) = targets.dim();
        check("the targets' number of samples", inputs.samples, samples)?;
        check("the targets' number of steps", inputs.steps, steps)?;
        Ok(Self::of_numbers(inputs, row_major(targets), steps * outputs, outputs))
    }

    fn of_numbers(inputs: Inputs<'a, F>, targets: Cow<'a, [F]>, per_sample: usize, outputs: usize) -> Self {
        Self { inputs, targets, per_sample, outputs, classes: None, class_weights: Vec::new() }
    }

    /// One of `classes` classes per sample: the loss is the cross-entropy of the softmax of the outputs.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when there is not one label per sample or a label is not below `classes`.
    pub fn classes(
        inputs: impl Into<Inputs<'a, F>>,
        labels: &[usize],
        classes: usize,
    ) -> Result<Self, Error> {
        let inputs = inputs.into();
        check("labels", inputs.samples, labels.len())?;
        Self::of_classes(inputs, labels.to_vec(), classes, classes)
    }

    /// One class per sample and step (samples x steps).
    ///
    /// # Errors
    /// [`Error::Mismatch`] when there is not one label per sample and step or a label is not below `classes`.
    pub fn classes_per_step(
        inputs: impl Into<Inputs<'a, F>>,
        labels: &ArrayRef2<usize>,
        classes: usize,
    ) -> Result<Self, Error> {
        let inputs = inputs.into();
        check("rows of labels", inputs.samples, labels.nrows())?;
        check("columns of labels", inputs.steps, labels.ncols())?;
        let per_sample = inputs.steps * classes;
        Self::of_classes(inputs, labels.iter().copied().collect(), per_sample, classes)
    }

    fn of_classes(
        inputs: Inputs<'a, F>,
        labels: Vec<usize>,
        per_sample: usize,
        outputs: usize,
    ) -> Result<Self, Error> {
        if let Some(&found) = labels.iter().find(|&&label| label >= outputs) {
            return Err(Error::Mismatch {
                what: "the classes for the largest label",
                expected: outputs,
                found,
            });
        }
        let class_weights = vec![1.0; outputs];
        Ok(Self {
            inputs,
            targets: Cow::Owned(Vec::new()),
            per_sample,
            outputs,
            classes: Some(labels),
            class_weights,
        })
    }

    /// Weighs the loss of every class; the mean is over the weights, as PyTorch does.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when there is not one weight per class, [`Error::Setting`] for a weight that is negative or
    /// not finite.
    pub fn with_class_weights(mut self, weights: &[f64]) -> Result<Self, Error> {
        check("class weights", self.class_weights.len(), weights.len())?;
        if let Some(&value) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(Error::Setting { what: "a class weight", value, range: "at least 0 and finite" });
        }
        self.class_weights = weights.to_vec();
        Ok(self)
    }

    /// Number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.inputs.samples
    }
}
