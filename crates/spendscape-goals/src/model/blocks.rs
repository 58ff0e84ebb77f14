//! Customers in blocks: what training reads.

use spendscape_stats::{BadInput, check};
use std::borrow::Cow;

use super::windows::{self, Part, Window};
use crate::{Covariates, Error, Sequences, Target, split::check_known};

/// Customers in blocks, of which one at a time needs to be in memory.
pub trait Blocks: Sync {
    /// Number of blocks.
    fn blocks(&self) -> usize;

    /// Loads a block; asked for again in every pass.
    ///
    /// # Errors
    /// [`Error::Read`] if it cannot be read.
    fn load(&self, block: usize) -> Result<Block<'_>, Error>;
}

/// Groups of some customers and the use of each.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// Groups of the block's customers.
    pub sequences: Cow<'a, Sequences>,
    /// Their covariates.
    pub covariates: Cow<'a, Covariates>,
    /// Per customer, how many groups from the first on are trained on.
    pub train: Cow<'a, [usize]>,
    /// Groups that are validated on.
    pub validation: Cow<'a, [Target]>,
}

impl Block<'_> {
    /// Refuses a block whose parts do not fit together, or that differs from the first in goals or covariates.
    pub(super) fn check(&self, first: &Self) -> Result<(), Error> {
        let (sequences, covariates) = (&self.sequences, &self.covariates);
        let customers = sequences.customers();
        let mismatch = |argument, expected, found| {
            Err(Error::Input(BadInput::ShapeMismatch { argument, expected, found }))
        };
        for (argument, found) in [("covariates", covariates.customers()), ("train", self.train.len())] {
            check::length(argument, customers, found)?;
        }
        if sequences.goals != first.sequences.goals {
            return mismatch("the goals of a block", first.sequences.goals.len(), sequences.goals.len());
        }
        if covariates.sizes != first.covariates.sizes {
            return mismatch(
                "the covariates of a block",
                first.covariates.sizes.len(),
                covariates.sizes.len(),
            );
        }
        let groups = |n: usize| sequences.groups(n).len();
        if let Some(n) = (0..customers).find(|n| self.train[*n] > groups(*n)) {
            return mismatch("a customer's training groups", groups(n), self.train[n]);
        }
        check_known(sequences, &self.validation)
    }
}

/// All customers as one block.
#[derive(Debug, Clone, Copy)]
pub struct InMemory<'a> {
    sequences: &'a Sequences,
    covariates: &'a Covariates,
    validation: &'a [Target],
    train: &'a [usize],
}

impl<'a> InMemory<'a> {
    /// Trains on the first `train[n]` groups of customer n and validates on `validation`; training checks that they fit.
    #[must_use]
    pub fn new(
        sequences: &'a Sequences,
        covariates: &'a Covariates,
        train: &'a [usize],
        validation: &'a [Target],
    ) -> Self {
        Self { sequences, covariates, validation, train }
    }
}

impl Blocks for InMemory<'_> {
    fn blocks(&self) -> usize {
        1
    }

    fn load(&self, _: usize) -> Result<Block<'_>, Error> {
        Ok(Block {
            sequences: Cow::Borrowed(self.sequences),
            covariates: Cow::Borrowed(self.covariates),
            train: Cow::Borrowed(self.train),
            validation: Cow::Borrowed(self.validation),
        })
    }
}

impl Block<'_> {
    /// Windows of the block by falling length, so that pieces of them are padded little.
    pub(super) fn training_windows(&self, part: Part, window: usize) -> Vec<Window> {
        let cut = |(n, until): (usize, &usize)| windows::cut(part, n as u32, *until, window);
        let mut windows: Vec<Window> = self.train.iter().enumerate().flat_map(cut).collect();
        windows.sort_by_key(|window| std::cmp::Reverse(window.steps));
        windows
    }
}
