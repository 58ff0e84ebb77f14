//! The smallest change of spending that lowers a score by a given amount.

use ndarray::{Array1, ArrayRef1, Axis};

use crate::{Error, check};

/// Moves of share from class to class, the most effective first.
///
/// A score that is linear in the shares falls fastest when share is taken from the class with the largest coefficient and
/// given to the one with the smallest. Each class gives until it is at its lower limit and takes until it is at its upper
/// one; then the next takes its turn. The amounts moved solve the linear program
///
/// ```text
/// minimize  sum |d| / 2   subject to   coefficients . d <= -fall,  sum d = 0,  lower <= shares + d <= upper
/// ```
///
/// for every `fall` at once: its solutions for growing falls are nested.
#[derive(Debug, Clone, PartialEq)]
pub struct MovePlan {
    moves: Vec<Move>,
    classes: usize,
}

/// Share moved from one class to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move {
    /// The class that gives.
    pub from: usize,
    /// The class that takes.
    pub to: usize,
    /// Share moved.
    pub amount: f64,
    /// Fall of the score per unit of share.
    pub effect: f64,
}

/// Plans moves against one score: what does not depend on the customer.
///
/// ```
/// use ndarray::array;
/// use spendscape_surrogate::explain::MovePlanner;
///
/// // Share moved from the first class to the last lowers the score by 3 per unit.
/// let planner = MovePlanner::new(&array![2.0, 0.0, -1.0])?;
/// let plan = planner.plan(&array![0.5, 0.3, 0.2], &array![0.0, 0.0, 0.0], &array![1.0, 1.0, 1.0])?;
/// assert!((plan.moved_for(0.6).expect("half of the spending may move") - 0.2).abs() < 1e-12);
/// let first = plan.moves(0.2)[0];
/// assert_eq!((first.from, first.to), (0, 2));
/// # Ok::<(), spendscape_surrogate::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MovePlanner {
    coefficients: Array1<f64>,
    /// Classes by falling coefficient.
    order: Vec<usize>,
}

impl MovePlanner {
    /// For a score with these coefficients (C).
    ///
    /// # Errors
    ///
    /// `BadInput::NotFinite`.
    pub fn new(coefficients: &ArrayRef1<f64>) -> Result<Self, Error> {
        check::finite("coefficients", &coefficients.view().insert_axis(Axis(0)))?;
        let mut order: Vec<usize> = (0..coefficients.len()).collect();
        order.sort_by(|&a, &b| coefficients[b].total_cmp(&coefficients[a]));
        Ok(Self { coefficients: coefficients.to_owned(), order })
    }

    /// Plans the moves of a customer with these shares; a class stays between its limits, where `lower <= share <= upper`.
    ///
    /// # Errors
    ///
    /// `BadInput::ShapeMismatch` unless all arguments have length C, `BadInput::NotFinite`, `BadInput::InvalidParameter`
    /// for a share outside its limits.
    pub fn plan(
        &self,
        shares: &ArrayRef1<f64>,
        lower: &ArrayRef1<f64>,
        upper: &ArrayRef1<f64>,
    ) -> Result<MovePlan, Error> {
        let Self { coefficients, order } = self;
        let classes = coefficients.len();
        for (argument, values) in [("shares", shares), ("lower", lower), ("upper", upper)] {
            check::length(argument, classes, values.len())?;
            check::finite(argument, &values.view().insert_axis(Axis(0)))?;
        }
        for ((&share, &lower), &upper) in shares.iter().zip(lower).zip(upper) {
            check::parameter(
                "share",
                share,
                lower <= share && share <= upper,
                "the range between its limits",
            )?;
        }
        let mut give = shares.to_owned() - lower;
        let mut take = upper.to_owned() - shares;
        let (mut givers, mut takers) = (order.iter().copied(), order.iter().rev().copied());
        let (mut from, mut to) = (givers.next(), takers.next());
        let mut moves = Vec::new();
        while let (Some(giver), Some(taker)) = (from, to) {
            let effect = coefficients[giver] - coefficients[taker];
            if effect <= 0.0 {
                break;
            }
            let amount = give[giver].min(take[taker]);
            if amount > 0.0 {
                moves.push(Move { from: giver, to: taker, amount, effect });
                give[giver] -= amount;
                take[taker] -= amount;
            }
            if give[giver] <= 0.0 {
                from = givers.next();
            }
            if take[taker] <= 0.0 {
                to = takers.next();
            }
        }
        Ok(MovePlan { moves, classes })
    }
}

impl MovePlan {
    /// Plans the moves of one customer against a score with these coefficients: see [`MovePlanner::plan`].
    ///
    /// # Errors
    ///
    /// Those of [`MovePlanner`].
    pub fn new(
        coefficients: &ArrayRef1<f64>,
        shares: &ArrayRef1<f64>,
        lower: &ArrayRef1<f64>,
        upper: &ArrayRef1<f64>,
    ) -> Result<Self, Error> {
        MovePlanner::new(coefficients)?.plan(shares, lower, upper)
    }

    /// Share that can be moved with effect.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        self.moves.iter().map(|step| step.amount).sum()
    }

    /// The smallest share to move for a fall of the score, or `None` if all moves together do not reach it.
    #[must_use]
    pub fn moved_for(&self, fall: f64) -> Option<f64> {
        let (mut moved, mut left) = (0.0, fall);
        for step in &self.moves {
            if left <= step.amount * step.effect {
                return Some(moved + (left / step.effect).max(0.0));
            }
            moved += step.amount;
            left -= step.amount * step.effect;
        }
        (left <= 0.0).then_some(moved)
    }

    /// The first moves, up to this share in all.
    #[must_use]
    pub fn moves(&self, moved: f64) -> Vec<Move> {
        let mut left = moved;
        let mut taken = Vec::new();
        for step in &self.moves {
            if left <= 0.0 {
                break;
            }
            taken.push(Move { amount: step.amount.min(left), ..*step });
            left -= step.amount;
        }
        taken
    }

    /// The change of each class by these moves, length C; the sum is zero up to rounding.
    #[must_use]
    pub fn difference(&self, moved: f64) -> Array1<f64> {
        let mut difference = Array1::zeros(self.classes);
        for step in self.moves(moved) {
            difference[step.from] -= step.amount;
            difference[step.to] += step.amount;
        }
        difference
    }
}
