//! Totals per customer and cell: exact integers, so that neither the order of rows nor the number of threads matters.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    rows::Rows,
    scan::{Counts, Scan},
    spill::Spilled,
    threads::{in_order, scan_all},
};
use crate::Error;

/// Cells of a part, about: summing its rows stays in the second-level cache.
const PART_CELLS: usize = 1 << 16;

/// Rows that a thread gathers for a part before it adds them, so that it locks seldom and writes to few places at a time.
const GATHERED: usize = 512;

/// A row of a part: the place of its cell among those of the part, and money spent in minor units.
type Row = (u32, i32);

/// The same of an amount that does not fit.
type LargeRow = (u32, i64);

/// The totals of some neighboring customers in minor units, one block of cells per customer.
///
/// Almost all totals fit 32 bits, with which the blocks take half the memory: what does not is moved to a map.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    cells: usize,
    totals: Vec<i32>,
    /// What was moved from a cell, by its position.
    moved: BTreeMap<usize, i64>,
}

impl Blocks {
    fn add(&mut self, at: usize, amount: i64) {
        let total = &mut self.totals[at];
        match i32::try_from(amount).ok().and_then(|amount| total.checked_add(amount)) {
            Some(sum) => *total = sum,
            None => {
                let moved = self.moved.entry(at).or_default();
                *moved = moved.wrapping_add(i64::from(*total)).wrapping_add(amount);
                *total = 0;
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

/// What is known of a part: its rows for as long as they take less room than its totals, which are then made of them.
#[derive(Debug, Default)]
struct Part {
    rows: Vec<Row>,
    large: Vec<LargeRow>,
    blocks: Option<Blocks>,
}

impl Part {
    fn add(&mut self, rows: &[Row], customers: usize, cells: usize) {
        match &mut self.blocks {
            Some(blocks) => {
                rows.iter().for_each(|(at, amount)| blocks.add(*at as usize, i64::from(*amount)));
            }
            None => {
                self.rows.extend_from_slice(rows);
                self.sum_up(customers, cells);
            }
        }
    }

    fn add_large(&mut self, row: LargeRow, customers: usize, cells: usize) {
        match &mut self.blocks {
            Some(blocks) => blocks.add(row.0 as usize, row.1),
            None => {
                self.large.push(row);
                self.sum_up(customers, cells);
            }
        }
    }

    /// Makes totals of the rows as soon as these take as much room.
    fn sum_up(&mut self, customers: usize, cells: usize) {
        let kept = size_of_val(self.rows.as_slice()) + size_of_val(self.large.as_slice());
        if kept >= customers * cells * size_of::<i32>() {
            self.blocks = Some(std::mem::take(self).blocks(customers, cells));
        }
    }

    /// The totals of all rows.
    fn blocks(self, customers: usize, cells: usize) -> Blocks {
        let mut blocks = self.blocks.unwrap_or_else(|| {
            let mut blocks = Blocks { cells, totals: vec![0; customers * cells], moved: BTreeMap::new() };
            self.rows.iter().for_each(|(at, amount)| blocks.add(*at as usize, i64::from(*amount)));
            blocks
        });
        self.large.iter().for_each(|(at, amount)| blocks.add(*at as usize, *amount));
        blocks
    }
}

/// The parts of some customers, to which several threads add rows.
#[derive(Debug)]
struct Parts {
    customers: Range<u32>,
    per_part: u32,
    cells: usize,
    parts: Vec<Mutex<Part>>,
}

impl Parts {
    fn new(customers: Range<u32>, cells: usize) -> Self {
        let per_part = (PART_CELLS / cells.max(1)).max(1) as u32;
        let parts = customers.len().div_ceil(per_part as usize);
        Self { customers, per_part, cells, parts: (0..parts).map(|_| Mutex::default()).collect() }
    }

    fn customers_of(&self, part: usize) -> Range<u32> {
        let first = self.customers.start + part as u32 * self.per_part;
        first..first.saturating_add(self.per_part).min(self.customers.end)
    }

    fn with<R>(&self, part: usize, work: impl FnOnce(&mut Part) -> R) -> R {
        work(&mut self.parts[part].lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn gather(&self) -> Gathered<'_> {
        Gathered { parts: self, rows: vec![Vec::new(); self.parts.len()] }
    }

    /// The totals of a part and its customers.
    fn take(&self, part: usize) -> (Blocks, Range<u32>) {
        let (rows, customers) = (self.with(part, std::mem::take), self.customers_of(part));
        (rows.blocks(customers.len(), self.cells), customers)
    }
}

/// Rows that one thread adds to parts.
struct Gathered<'p> {
    parts: &'p Parts,
    rows: Vec<Vec<Row>>,
}

impl Gathered<'_> {
    fn add(&mut self, rows: &Rows) {
        let parts = self.parts;
        for ((customer, cell), amount) in rows.customers.iter().zip(&rows.cells).zip(&rows.amounts) {
            let customer = customer - parts.customers.start;
            let part = (customer / parts.per_part) as usize;
            let at = (customer % parts.per_part) * parts.cells as u32 + cell;
            match i32::try_from(*amount) {
                Ok(amount) => {
                    self.rows[part].push((at, amount));
                    if self.rows[part].len() == GATHERED {
                        self.hand_on(part);
                    }
                }
                Err(_) => {
                    let customers = parts.customers_of(part).len();
                    parts.with(part, |part| part.add_large((at, *amount), customers, parts.cells));
                }
            }
        }
    }

    fn hand_on(&mut self, part: usize) {
        let customers = self.parts.customers_of(part).len();
        self.parts.with(part, |known| known.add(&self.rows[part], customers, self.parts.cells));
        self.rows[part].clear();
    }

    fn finish(mut self) {
        (0..self.rows.len()).for_each(|part| self.hand_on(part));
    }
}

/// Scans the whole ledger into totals in memory and hands those of neighboring customers to `finish`, and what this makes of
/// them to `take`, in the order of the customers.
pub(crate) fn in_memory<R: Send>(
    scan: &Arc<Scan>,
    customers: u32,
    threads: NonZeroUsize,
    finish: impl Fn(&Blocks, Range<u32>) -> R + Sync,
    take: impl FnMut(R) + Send,
) -> Result<Counts, Error> {
    let parts = Parts::new(0..customers, scan.cells());
    let counts = scan_all(scan, threads, |_, producer| {
        let mut gathered = parts.gather();
        while let Some(rows) = producer.next()? {
            gathered.add(&rows);
        }
        gathered.finish();
        Ok(())
    })?;
    let job = |part| {
        let (blocks, customers) = parts.take(part);
        Ok(finish(&blocks, customers))
    };
    in_order(parts.parts.len(), threads, job, take)?;
    Ok(counts)
}

/// The same from rows that were divided into files; those of `threads` files are in memory at a time.
pub(crate) fn from_files<R: Send>(
    spilled: &Spilled,
    cells: usize,
    customers: u32,
    threads: NonZeroUsize,
    finish: impl Fn(&Blocks, Range<u32>) -> R + Sync,
    mut take: impl FnMut(R) + Send,
) -> Result<(), Error> {
    let job = |file| {
        let parts = Parts::new(spilled.division.customers_of(file, customers), cells);
        let mut gathered = parts.gather();
        spilled.read(file, |rows| gathered.add(rows))?;
        gathered.finish();
        let finished = (0..parts.parts.len()).map(|part| {
            let (blocks, customers) = parts.take(part);
            finish(&blocks, customers)
        });
        Ok(finished.collect::<Vec<_>>())
    };
    in_order(spilled.division.parts as usize, threads, job, |made| made.into_iter().for_each(&mut take))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two customers are a part.
    const CELLS: u32 = PART_CELLS as u32 / 2;

    /// Ledgers in a small unit have only such amounts: they must not be kept beyond the room that totals take.
    #[test]
    fn amounts_beyond_32_bits_take_no_more_room_than_totals() {
        let amount = i64::from(i32::MAX) + 1;
        let room = 2 * CELLS as usize * size_of::<i32>();
        let parts = Parts::new(0..2, CELLS as usize);
        let mut gathered = parts.gather();
        let mut rows = Rows::default();
        (0..GATHERED).for_each(|row| rows.push(row as u32 % 2, row as u32, amount));
        let kept = |part: &mut Part| size_of_val(part.large.as_slice()) + size_of_val(part.rows.as_slice());
        let times = 4 * room / (GATHERED * size_of::<LargeRow>());
        for _ in 0..times {
            gathered.add(&rows);
            assert!(parts.with(0, kept) <= room);
        }
        gathered.finish();
        let (blocks, mut block) = (parts.take(0).0, Vec::new());
        blocks.of(1, &mut block);
        assert_eq!((block[0], block[1]), (0, times as i64 * amount));
    }

    proptest! {
        /// Totals are those of 64 bits, whatever their size.
        #[test]
        fn totals_beyond_32_bits_are_exact(
            rows in prop::collection::vec(
                (7..10_u32, 0..CELLS, prop_oneof![-100..100_i64, Just(i64::from(i32::MAX)), Just(i64::from(i32::MIN)), any::<i64>()]),
                0..60,
            ),
            times in prop_oneof![Just(1), Just(GATHERED * 50)],
        ) {
            let (parts, mut expected) = (Parts::new(7..10, CELLS as usize), vec![0_i64; 3 * CELLS as usize]);
            prop_assert_eq!(parts.parts.len(), 2);
            let mut gathered = parts.gather();
            let mut all = Rows::default();
            for (customer, cell, amount) in rows {
                all.push(customer, cell, amount);
                let total = &mut expected[((customer - 7) * CELLS + cell) as usize];
                *total = total.wrapping_add(amount.wrapping_mul(times as i64));
            }
            // So often that the rows of a part do not take less room than its totals.
            (0..times).for_each(|_| gathered.add(&all));
            gathered.finish();
            let (mut block, mut found) = (Vec::new(), Vec::new());
            for part in 0..2 {
                let (blocks, customers) = parts.take(part);
                for position in 0..customers.len() {
                    blocks.of(position, &mut block);
                    found.extend_from_slice(&block);
                }
            }
            prop_assert!(found == expected);
        }
    }
}
