//! The amount of a row: of one column, or of debit and credit in two.

use std::collections::HashMap;

use arrow::array::RecordBatch;

use super::{
    expression::Expression,
    map::{ColumnMap, Debits},
    money::{self, Amounts},
};
use crate::{Error, RowProblem};

/// The keys of the entries that amounts are computed of.
const DEBIT: &str = "amount.debit";
const CREDIT: &str = "amount.credit";
const AMOUNT: &str = "columns.amount";

/// Entries that are computed exactly.
pub(crate) const MONEY: [&str; 4] = [AMOUNT, DEBIT, CREDIT, "columns.balance"];

/// The entries of a map that amounts are computed of, by their keys.
pub(crate) fn entries(map: &ColumnMap) -> impl Iterator<Item = (&'static str, &String)> {
    let one = map.columns.amount.iter().map(|sql| (AMOUNT, sql));
    let two = map.amount.iter().flat_map(|two| [(DEBIT, &two.debit), (CREDIT, &two.credit)]);
    one.chain(two)
}

/// Whether a map says where amounts stand, and only once.
pub(crate) fn check(map: &ColumnMap) -> Result<(), Error> {
    let problem = match (&map.columns.amount, &map.amount) {
        (Some(_), None) | (None, Some(_)) => return Ok(()),
        (None, None) => "it is missing: write an expression, or `debit` and `credit` under `[amount]`",
        (Some(_), Some(_)) => "the amount is given by `[amount]` already: remove one of them",
    };
    Err(Error::MapEntry { key: AMOUNT, problem: problem.to_owned() })
}

/// The planned expressions of the amount.
#[derive(Debug)]
pub(crate) enum AmountPlan {
    One(Expression),
    Two { debit: Expression, credit: Expression, debits: Option<Debits> },
}

/// The amounts of a batch.
pub(crate) enum AmountValues<'a> {
    One(&'a Expression, Amounts),
    Two { debit: (&'a Expression, Amounts), credit: (&'a Expression, Amounts), debits: Option<Debits> },
}

impl AmountPlan {
    /// Takes the plans of the amount out of those of a map; none where amounts are not wanted.
    pub(crate) fn take(
        plans: &mut HashMap<&'static str, Expression>,
        map: &ColumnMap,
    ) -> Result<Option<Self>, Error> {
        let plan = match (plans.remove(AMOUNT), plans.remove(DEBIT), plans.remove(CREDIT)) {
            (Some(one), ..) => Self::One(one),
            (None, Some(debit), Some(credit)) => {
                Self::Two { debit, credit, debits: map.amount.as_ref().and_then(|two| two.debits) }
            }
            _ => return Ok(None),
        };
        match &plan {
            Self::One(one) => money::check(one, map)?,
            Self::Two { debit, credit, .. } => {
                money::check(debit, map)?;
                money::check(credit, map)?;
            }
        }
        Ok(Some(plan))
    }

    /// The amounts of a batch, with what reads those of one expression.
    pub(crate) fn values(
        &self,
        mut read: impl FnMut(&Expression) -> Result<Amounts, Error>,
    ) -> Result<AmountValues<'_>, Error> {
        Ok(match self {
            Self::One(one) => AmountValues::One(one, read(one)?),
            Self::Two { debit, credit, debits } => AmountValues::Two {
                debit: (debit, read(debit)?),
                credit: (credit, read(credit)?),
                debits: *debits,
            },
        })
    }
}

impl AmountValues<'_> {
    /// The minor units of a row whose amount is one number of just the digits that count.
    #[inline]
    pub(crate) fn usual(&self, row: usize) -> Option<i64> {
        match self {
            Self::One(_, values) => values.usual(row),
            Self::Two { .. } => None,
        }
    }

    /// The minor units of a row, negative for money spent; `batch` are the rows that the amounts were computed of.
    #[inline]
    pub(crate) fn read(&self, batch: &RecordBatch, row: usize) -> Result<i64, RowProblem> {
        let ((debit, out), (credit, income), debits) = match self {
            Self::One(plan, values) => {
                let missing = || RowProblem::Missing { empty: plan.nulls_of(batch, row) };
                return values.read(row)?.ok_or_else(missing);
            }
            Self::Two { debit, credit, debits } => (debit, credit, *debits),
        };
        let (out, income) = (out.read(row)?, income.read(row)?);
        let names = || (debit.sql.clone(), credit.sql.clone());
        let minus = |plan: &Expression| Err(RowProblem::UnclearMinus { column: plan.sql.clone() });
        match (out, income) {
            (None, None) => {
                let (debit, credit) = names();
                return Err(RowProblem::NoSide { debit, credit });
            }
            (Some(out), Some(income)) if out != 0 && income != 0 => {
                let (debit, credit) = names();
                return Err(RowProblem::BothSides { debit, credit });
            }
            (Some(..0), _) if debits.is_none() => return minus(debit),
            (_, Some(..0)) if debits.is_none() => return minus(credit),
            _ => {}
        }
        // One of them is zero.
        let (out, income) = (out.unwrap_or(0), income.unwrap_or(0));
        Ok(match debits {
            Some(Debits::Negative) => income + out,
            Some(Debits::Positive) | None => income - out,
        })
    }
}
