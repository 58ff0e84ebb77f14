//! Rows that count, and how they are divided by customer.

use std::ops::Range;

/// Rows that count: customer code, cell of the customer's block, money spent in minor units.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) customers: Vec<u32>,
    pub(crate) cells: Vec<u32>,
    pub(crate) amounts: Vec<i64>,
}

impl Rows {
    /// Room for rows that are then written by position.
    pub(crate) fn zeroed(rows: usize) -> Self {
        Self { customers: vec![0; rows], cells: vec![0; rows], amounts: vec![0; rows] }
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.customers.truncate(rows);
        self.cells.truncate(rows);
        self.amounts.truncate(rows);
    }

    pub(crate) fn push(&mut self, customer: u32, cell: u32, amount: i64) {
        self.customers.push(customer);
        self.cells.push(cell);
        self.amounts.push(amount);
    }

    pub(crate) fn len(&self) -> usize {
        self.customers.len()
    }
}

/// How rows are divided by customer: so many neighboring customers to a part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Division {
    pub(crate) customers: u32,
    pub(crate) parts: u32,
}

impl Division {
    /// The customers of a part out of `all`.
    pub(crate) fn customers_of(self, part: usize, all: u32) -> Range<u32> {
        let first = part as u32 * self.customers;
        first..first.saturating_add(self.customers).min(all)
    }

    /// The rows of each part.
    pub(crate) fn divide(self, rows: &Rows) -> Vec<Rows> {
        let part_of = |customer: u32| (customer / self.customers) as usize;
        let mut counts = vec![0; self.parts as usize];
        for customer in &rows.customers {
            counts[part_of(*customer)] += 1;
        }
        let room = |count: usize| Rows {
            customers: Vec::with_capacity(count),
            cells: Vec::with_capacity(count),
            amounts: Vec::with_capacity(count),
        };
        let mut parts: Vec<Rows> = counts.into_iter().map(room).collect();
        for ((customer, cell), amount) in rows.customers.iter().zip(&rows.cells).zip(&rows.amounts) {
            parts[part_of(*customer)].push(*customer, *cell, *amount);
        }
        parts
    }
}
