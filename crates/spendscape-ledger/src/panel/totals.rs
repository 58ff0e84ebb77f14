//! Totals per customer and cell: exact integers, so that neither the order of rows nor the number of threads matters.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    rows::{Division, Rows},
    scan::{Counts, Scan},
    spill::Spilled,
    threads::{in_order, scan_divided},
};
use crate::Error;

/// Parts that the customers are divided into for each thread: threads that add rows to different parts do not wait for each
/// other, and dividing rows into more parts costs more.
const PARTS_PER_THREAD: usize = 4;

/// The totals of some customers in minor units, one block of cells per customer.
///
/// Almost all totals fit 32 bits, with which the blocks take half the memory: what does not is moved to a map.
#[derive(Debug)]
pub(crate) struct Blocks {
    cells: usize,
    totals: Vec<i32>,
    /// What was moved from a cell, by its position.
    moved: BTreeMap<usize, i64>,
}

impl Blocks {
    pub(crate) fn zeroed(customers: usize, cells: usize) -> Self {
        Self { cells, totals: vec![0; customers * cells], moved: BTreeMap::new() }
    }

    /// Adds rows of one part; `position` is the place of a customer in the part.
    fn add(&mut self, rows: &Rows, position: impl Fn(u32) -> u32) {
        for ((customer, cell), amount) in rows.customers.iter().zip(&rows.cells).zip(&rows.amounts) {
            let at = position(*customer) as usize * self.cells + *cell as usize;
            let total = &mut self.totals[at];
            match i32::try_from(*amount).ok().and_then(|amount| total.checked_add(amount)) {
                Some(sum) => *total = sum,
                None => {
                    let moved = self.moved.entry(at).or_default();
                    *moved = moved.wrapping_add(i64::from(*total)).wrapping_add(*amount);
                    *total = 0;
                }
            }
        }
    }

    /// The block of the customer in this place of the part.
    pub(crate) fn of(&self, position: usize, block: &mut Vec<i64>) {
        let cells = position * self.cells..(position + 1) * self.cells;
        block.clear();
        block.extend(self.totals[cells.clone()].iter().map(|total| i64::from(*total)));
        for (at, moved) in self.moved.range(cells.clone()) {
            let total = &mut block[at - cells.start];
            *total = total.wrapping_add(*moved);
        }
    }
}

/// Scans the whole ledger into totals in memory and hands each part with its customers to `finish`, whose results come in
/// the order of the parts.
pub(crate) fn in_memory<R: Send>(
    scan: &Arc<Scan>,
    customers: u32,
    threads: NonZeroUsize,
    finish: impl Fn(&Blocks, &mut dyn Iterator<Item = u32>) -> R + Sync,
) -> Result<(Vec<R>, Counts), Error> {
    // A single thread need not divide rows.
    let parts =
        if threads.get() == 1 { 1 } else { (threads.get() * PARTS_PER_THREAD).min(customers as usize) };
    let division = Division::Modulo(parts as u32);
    let blocks: Vec<Mutex<Blocks>> = (0..parts as u32)
        .map(|part| Mutex::new(Blocks::zeroed(division.customers_of(part, customers).len(), scan.cells())))
        .collect();
    let counts = scan_divided(scan, division, threads, |part, rows| {
        let mut blocks = blocks[part].lock().unwrap_or_else(PoisonError::into_inner);
        blocks.add(rows, |customer| division.position(customer));
        Ok(())
    })?;
    let finished = in_order(parts, threads, |part| {
        let blocks = blocks[part].lock().unwrap_or_else(PoisonError::into_inner);
        Ok(finish(&blocks, &mut division.customers_of(part as u32, customers)))
    })?;
    Ok((finished, counts))
}

/// The same from rows that were divided into files; `threads` parts are in memory at a time.
pub(crate) fn from_files<R: Send>(
    spilled: &Spilled,
    cells: usize,
    customers: u32,
    threads: NonZeroUsize,
    finish: impl Fn(&Blocks, &mut dyn Iterator<Item = u32>) -> R + Sync,
) -> Result<Vec<R>, Error> {
    let division = spilled.division;
    in_order(division.parts(), threads, |part| {
        let mut codes = division.customers_of(part as u32, customers);
        let mut blocks = Blocks::zeroed(codes.len(), cells);
        spilled.read(part, |rows| blocks.add(rows, |customer| division.position(customer)))?;
        Ok(finish(&blocks, &mut codes))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Totals are those of 64 bits, whatever their size.
        #[test]
        fn totals_beyond_32_bits_are_exact(
            rows in prop::collection::vec(
                (0..3_u32, 0..4_u32, prop_oneof![-100..100_i64, Just(i64::from(i32::MAX)), Just(i64::from(i32::MIN)), any::<i64>()]),
                0..60,
            ),
        ) {
            let (mut blocks, mut expected) = (Blocks::zeroed(3, 4), vec![0_i64; 12]);
            let mut all = Rows::default();
            for (customer, cell, amount) in rows {
                all.push(customer, cell, amount);
                let total = &mut expected[(customer * 4 + cell) as usize];
                *total = total.wrapping_add(amount);
            }
            blocks.add(&all, |customer| customer);
            let mut block = Vec::new();
            for customer in 0..3 {
                blocks.of(customer, &mut block);
                prop_assert_eq!(&block, &expected[4 * customer..4 * customer + 4]);
            }
        }
    }
}
