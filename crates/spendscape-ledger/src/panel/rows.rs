//! Rows that count, and how they are divided by customer.

use std::{iter::StepBy, ops::Range};

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

/// How rows are divided by customer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Division {
    /// Neighboring customers to different parts, so that threads that read a ledger ordered by customer seldom meet in one.
    Modulo(u32),
    /// This many neighboring customers to a part, which keeps each part's customers in order.
    Ranges { customers: u32, parts: u32 },
}

impl Division {
    pub(crate) fn parts(self) -> usize {
        match self {
            Self::Modulo(parts) | Self::Ranges { parts, .. } => parts as usize,
        }
    }

    fn part_of(self, customer: u32) -> usize {
        match self {
            Self::Modulo(parts) => (customer % parts) as usize,
            Self::Ranges { customers, .. } => (customer / customers) as usize,
        }
    }

    /// The place of a customer in its part.
    pub(crate) fn position(self, customer: u32) -> u32 {
        match self {
            Self::Modulo(parts) => customer / parts,
            Self::Ranges { customers, .. } => customer % customers,
        }
    }

    /// The customers of a part out of `all`, by their place in it.
    pub(crate) fn customers_of(self, part: u32, all: u32) -> StepBy<Range<u32>> {
        match self {
            Self::Modulo(parts) => (part..all).step_by(parts as usize),
            Self::Ranges { customers, .. } => {
                let first = part * customers;
                (first..first.saturating_add(customers).min(all)).step_by(1)
            }
        }
    }

    /// The rows of each part.
    pub(crate) fn divide(self, rows: Rows) -> Vec<Rows> {
        if self.parts() == 1 {
            return vec![rows];
        }
        let mut counts = vec![0; self.parts()];
        for customer in &rows.customers {
            counts[self.part_of(*customer)] += 1;
        }
        let room = |count: usize| Rows {
            customers: Vec::with_capacity(count),
            cells: Vec::with_capacity(count),
            amounts: Vec::with_capacity(count),
        };
        let mut parts: Vec<Rows> = counts.into_iter().map(room).collect();
        for ((customer, cell), amount) in rows.customers.iter().zip(&rows.cells).zip(&rows.amounts) {
            parts[self.part_of(*customer)].push(*customer, *cell, *amount);
        }
        parts
    }
}
