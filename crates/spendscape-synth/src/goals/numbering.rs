//! The goals and the days of bills, as vectors are numbered over them.

/// Number of goals (G).
pub const GOALS: usize = 12;
/// Names of the goals, in the order of every vector over them.
pub const GOAL_NAMES: [&str; GOALS] = [
    "housing",
    "groceries",
    "transport",
    "going_out",
    "shopping",
    "home",
    "health",
    "booking",
    "trip",
    "finance",
    "gifts",
    "other",
];
pub(crate) const HOUSING: usize = 0;
pub(crate) const GROCERIES: usize = 1;
pub(crate) const TRANSPORT: usize = 2;
pub(crate) const GOING_OUT: usize = 3;
pub(crate) const SHOPPING: usize = 4;
pub(crate) const HOME: usize = 5;
pub(crate) const HEALTH: usize = 6;
pub(crate) const BOOKING: usize = 7;
pub(crate) const TRIP: usize = 8;
pub(crate) const FINANCE: usize = 9;
pub(crate) const GIFTS: usize = 10;
pub(crate) const OTHER: usize = 11;

/// Days of the month on which the housing bill falls due.
pub(crate) const BILL_DAYS: [i8; BILLS] = [2, 6, 10, 15, 20, 27];
pub(crate) const BILLS: usize = 6;
