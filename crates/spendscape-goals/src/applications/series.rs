//! The series of a demand forecast.

/// The goal or class of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Series {
    /// Groups with a goal.
    Goal(usize),
    /// Groups that hold a class.
    Class(usize),
}

/// The quantity counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Groups.
    Events,
    /// Their money in minor units; of a class, what was spent on the class.
    Amount,
}
