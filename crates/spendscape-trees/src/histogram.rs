//! Sums of gradients by bins.

use crate::{
    bins::{Binned, LANES},
    fixed::{Sum, minus, plus},
};

/// The sums of the features of a panel: `B` bins for each dense one, as many as it has for each sparse one.
///
/// `B` is a power of two, so that a code cut to its bits is an index that needs no check: 64 bins keep a block in 8 KiB, and
/// several blocks in the first cache; 256 take 32 KiB a block.
#[derive(Debug)]
pub(crate) struct Histogram<const B: usize> {
    blocks: Vec<[[Sum; B]; LANES]>,
    sparse: Vec<Sum>,
}

impl<const B: usize> Histogram<B> {
    pub(crate) fn new(x: &Binned) -> Self {
        let blocks = vec![[[[0; 2]; B]; LANES]; x.blocks().count()];
        Self { blocks, sparse: vec![[0; 2]; x.sparse().bins()] }
    }

    /// Sums the rows listed; `sums` are theirs, in the same order.
    pub(crate) fn sum(&mut self, x: &Binned, rows: &[u32], sums: &[Sum]) {
        for (bins, (codes, features)) in self.blocks.iter_mut().zip(x.blocks()) {
            bins.as_flattened_mut().fill([0; 2]);
            // The number of lanes is known to the compiler, so that the loop over them is unrolled.
            match features.len() {
                1 => add::<B, 1>(bins, codes, rows, sums),
                2 => add::<B, 2>(bins, codes, rows, sums),
                3 => add::<B, 3>(bins, codes, rows, sums),
                4 => add::<B, 4>(bins, codes, rows, sums),
                5 => add::<B, 5>(bins, codes, rows, sums),
                6 => add::<B, 6>(bins, codes, rows, sums),
                7 => add::<B, 7>(bins, codes, rows, sums),
                _ => add::<B, LANES>(bins, codes, rows, sums),
            }
        }
        x.sparse().sum(&mut self.sparse, rows, sums);
    }

    /// Takes the sums of one child away, which leaves those of the other.
    pub(crate) fn subtract(&mut self, child: &Self) {
        for (own, theirs) in self.blocks.iter_mut().zip(&child.blocks) {
            for (own, theirs) in own.as_flattened_mut().iter_mut().zip(theirs.as_flattened()) {
                *own = minus(*own, *theirs);
            }
        }
        for (own, theirs) in self.sparse.iter_mut().zip(&child.sparse) {
            *own = minus(*own, *theirs);
        }
    }

    /// Features and the sums of their bins: the dense ones in turn, then the sparse ones.
    pub(crate) fn features<'a>(&'a self, x: &'a Binned) -> impl Iterator<Item = (u32, &'a [Sum])> {
        let dense = x.blocks().flat_map(|(_, features)| features).zip(self.blocks.iter().flatten());
        let sparse = x.sparse().features().iter().enumerate();
        let dense = dense.map(|(feature, bins)| (*feature, bins.as_slice()));
        dense.chain(sparse.map(|(at, feature)| (*feature, x.sparse().bins_of(at, &self.sparse))))
    }
}

fn add<const B: usize, const L: usize>(
    bins: &mut [[Sum; B]; LANES],
    codes: &[[u8; LANES]],
    rows: &[u32],
    sums: &[Sum],
) {
    for (row, sum) in rows.iter().zip(sums) {
        let codes = &codes[*row as usize];
        for lane in 0..L {
            let bin = &mut bins[lane][usize::from(codes[lane]) & (B - 1)];
            *bin = plus(*bin, *sum);
        }
    }
}
