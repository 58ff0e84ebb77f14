//! Coefficients that link transaction classes to traits.

use arrow::array::RecordBatch;
use ndarray::Array2;

use crate::{Axes, Axis, CsvTable, Error, Table, Tabular, arrays, csv::Record, tables};

/// The coefficient table B: one row per class, one column per trait.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficients {
    /// Transaction classes (C).
    pub classes: Vec<String>,
    /// Traits (P), in column order.
    pub traits: Vec<String>,
    /// Coefficients, C x P.
    pub weights: Array2<f64>,
    /// Share of the population's spending per class, normalized to sum 1, where the table gives it.
    pub population_share: Option<Vec<f64>>,
}

/// Name of the optional column of population shares.
const SHARE_COLUMN: &str = "pi";

impl Coefficients {
    /// Reads a comma-separated table with a header: `class`, optionally `pi` (population share), then one column per
    /// trait. Shares are normalized to sum 1.
    ///
    /// ```
    /// use spendscape_schema::Coefficients;
    ///
    /// let table = Coefficients::from_csv("class,pi,E,N\nfood,3,0.5,-1\nrent,1,0,2\n")?;
    /// assert_eq!((table.classes[1].as_str(), table.weights[[1, 1]]), ("rent", 2.0));
    /// assert_eq!(table.population_share, Some(vec![0.75, 0.25]));
    /// # Ok::<(), spendscape_schema::Error>(())
    /// ```
    ///
    /// # Errors
    /// Names the line and column of the first value that cannot be read, and any class that stands twice.
    pub fn from_csv(text: &str) -> Result<Self, Error> {
        let table = CsvTable::parse(text)?;
        let header = &table.names;
        if header[0] != "class" {
            return Err(Error::Line {
                line: 1,
                problem: "the first column must be named `class`".to_owned(),
            });
        }
        table.unique()?;
        let first_trait = if header.get(1).is_some_and(|name| name == SHARE_COLUMN) { 2 } else { 1 };
        let traits = header[first_trait..].to_vec();
        if traits.is_empty() {
            return Err(Error::Line { line: 1, problem: "the table has no trait column".to_owned() });
        }
        let (mut classes, mut shares, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for Record { line, cells } in table.rows {
            let number = |k: usize| {
                cells[k].parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(|| Error::Value {
                    line,
                    column: header[k].clone(),
                    value: cells[k].clone(),
                    expected: "a finite number",
                })
            };
            if classes.contains(&cells[0]) {
                return Err(Error::Duplicate { what: "class", label: cells[0].clone() });
            }
            classes.push(cells[0].clone());
            if first_trait == 2 {
                let share = number(1)?;
                if share < 0.0 {
                    let (column, value) = (SHARE_COLUMN.to_owned(), cells[1].clone());
                    return Err(Error::Value { line, column, value, expected: "a share of at least 0" });
                }
                shares.push(share);
            }
            for k in first_trait..header.len() {
                weights.push(number(k)?);
            }
        }
        if classes.is_empty() {
            return Err(Error::Line { line: 2, problem: "the coefficient table has no class".to_owned() });
        }
        let total: f64 = shares.iter().sum();
        let population_share = match first_trait {
            2 if total > 0.0 => Some(shares.iter().map(|share| share / total).collect()),
            2 => return Err(Error::Line { line: 2, problem: "the population shares sum to 0".to_owned() }),
            _ => None,
        };
        let weights = Array2::from_shape_vec((classes.len(), traits.len()), weights)
            .map_err(|source| Error::Line { line: 1, problem: source.to_string() })?;
        Ok(Self { classes, traits, weights, population_share })
    }

    /// The coefficients of the given classes in their order, C' x P.
    ///
    /// # Errors
    /// [`Error::MissingClass`] for a class without a row.
    pub fn for_classes(&self, classes: &[String]) -> Result<Array2<f64>, Error> {
        let mut weights = Array2::zeros((classes.len(), self.traits.len()));
        for (mut row, class) in weights.rows_mut().into_iter().zip(classes) {
            let at = self.classes.iter().position(|other| other == class);
            let at = at.ok_or_else(|| Error::MissingClass { class: class.clone() })?;
            row.assign(&self.weights.row(at));
        }
        Ok(weights)
    }

    /// The table as a [`Table::Coefficients`].
    ///
    /// # Errors
    /// [`Error::Arrow`] if Arrow refuses the batch.
    pub fn to_batch(&self) -> Result<RecordBatch, Error> {
        let shares = (0..self.classes.len()).map(|k| self.population_share.as_ref().map(|shares| shares[k]));
        let table = tables::Coefficients {
            class: self.classes.clone(),
            population_share: shares.collect(),
            coefficient: self.weights.clone(),
        };
        table.to_batch(&Axes::new().with(Axis::Trait, self.traits.iter().cloned()))
    }

    /// Reads a [`Table::Coefficients`].
    ///
    /// # Errors
    /// If the table has other columns.
    pub fn from_rows(rows: &arrays::Rows) -> Result<Self, Error> {
        let axes = Table::Coefficients.check(rows.batch().schema_ref())?;
        let table = tables::Coefficients::read(rows)?;
        Ok(Self {
            classes: table.class,
            traits: axes.labels(Axis::Trait)?.to_vec(),
            weights: table.coefficient,
            population_share: table.population_share.into_iter().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "class,pi,E,N\nfood,3,0.5,-1\nrent,1,0,2\n";

    #[test]
    fn shares_are_normalized_and_rows_found_by_name() {
        let table = Coefficients::from_csv(TABLE).unwrap();
        assert_eq!(table.population_share, Some(vec![0.75, 0.25]));
        let swapped = table.for_classes(&["rent".to_owned(), "food".to_owned()]).unwrap();
        assert_eq!(swapped, ndarray::array![[0.0, 2.0], [0.5, -1.0]]);
        let missing = table.for_classes(&["fun".to_owned()]);
        assert!(matches!(missing, Err(Error::MissingClass { class }) if class == "fun"));
    }

    #[test]
    fn a_class_in_quotes_may_hold_a_comma() {
        let table = Coefficients::from_csv("class,E\n\"food, drink\",1\n\"rent\",\"2\"\n").unwrap();
        assert_eq!(table.classes, ["food, drink", "rent"]);
        assert_eq!(table.weights, ndarray::array![[1.0], [2.0]]);
    }

    #[test]
    fn arrow_round_trip() {
        for text in [TABLE, "class,E\nfood,1\n"] {
            let table = Coefficients::from_csv(text).unwrap();
            let batch = table.to_batch().unwrap();
            let rows = arrays::Rows::new(&batch.schema(), std::slice::from_ref(&batch)).unwrap();
            assert_eq!(Coefficients::from_rows(&rows).unwrap(), table);
        }
    }

    #[test]
    fn bad_tables_name_line_and_column() {
        let value = Coefficients::from_csv("class,E\nfood,NaN\n").unwrap_err();
        assert_eq!(value.to_string(), "line 2, column E: cannot read \"NaN\" as a finite number");
        for (text, message) in [
            ("", "line 1: the file is empty, without a header"),
            ("name,E\n", "line 1: the first column must be named `class`"),
            ("class,pi\nfood,1\n", "line 1: the table has no trait column"),
            ("class,E,E\nfood,1,2\n", "column \"E\" stands twice in the header: keep one"),
            ("class,E\nfood,1\nfood,2\n", "class \"food\" stands twice"),
            ("class,E\nfood\n", "line 2: 1 values, but line 1 has 2"),
            ("class,E\n", "line 2: the coefficient table has no class"),
            ("class,pi,E\nfood,0,1\n", "line 2: the population shares sum to 0"),
            ("class,pi,E\nfood,-1,1\n", "line 2, column pi: cannot read \"-1\" as a share of at least 0"),
        ] {
            assert_eq!(Coefficients::from_csv(text).unwrap_err().to_string(), message, "{text:?}");
        }
    }
}
