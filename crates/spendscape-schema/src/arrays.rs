//! Between Arrow columns and ndarray.
//!
//! A function makes a column of each kind from values; the method of [`Rows`] of the same name gives the values back:
//!
//! ```
//! use arrow::array::{ArrayRef, RecordBatch};
//! use ndarray::array;
//! use spendscape_schema::arrays::{self, Rows};
//!
//! let (singles, doubles) = (array![[0.5_f32, 1.0], [1.5, 2.0]], array![[0.5], [1.5]]);
//! let columns: [(&str, ArrayRef); 18] = [
//!     ("text", arrays::text(["a", "b"])),
//!     ("optional text", arrays::optional_text([Some("a"), None])),
//!     ("category", arrays::category(["x", "x"])),
//!     ("optional category", arrays::optional_category([None, Some("x")])),
//!     ("flag", arrays::flag([true, false])),
//!     ("date", arrays::date([0, 365])),
//!     ("optional date", arrays::optional_date([None, Some(365)])),
//!     ("index", arrays::index([0, 7])),
//!     ("optional index", arrays::optional_index([Some(7), None])),
//!     ("time", arrays::time([0, 86_400_000])),
//!     ("integer", arrays::integer([-1250, 750])),
//!     ("optional integer", arrays::optional_integer([None, Some(750)])),
//!     ("float", arrays::float([0.25, 0.75])),
//!     ("optional float", arrays::optional_float([Some(0.25), None])),
//!     ("vectors of 32 bits", arrays::vectors32(singles.view())?),
//!     ("vectors of 64 bits", arrays::vectors64(doubles.view())?),
//!     ("sizes", arrays::sizes(&[vec![3, 4], vec![]])?),
//!     ("lists of 32 bits", arrays::values32(&[vec![], vec![0.5, 1.5]])?),
//! ];
//! let batch = RecordBatch::try_from_iter(columns)?;
//! let rows = Rows::new(&batch.schema(), &[batch])?;
//! assert_eq!(rows.text("category")?, ["x", "x"]);
//! assert_eq!(rows.optional_text("optional category")?, [None, Some("x".to_owned())]);
//! assert_eq!((rows.date("date")?, rows.optional_date("optional date")?), (vec![0, 365], vec![None, Some(365)]));
//! assert_eq!((rows.vectors32("vectors of 32 bits")?, rows.vectors64("vectors of 64 bits")?), (singles, doubles));
//! assert_eq!(rows.sizes("sizes")?, [vec![3, 4], vec![]]);
//! assert!(rows.float("optional float").unwrap_err().to_string().contains("optional float"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Date32Array, DictionaryArray, FixedSizeListArray,
        Float64Array, Int64Array, ListArray, PrimitiveArray, RecordBatch, StringArray,
        TimestampMillisecondArray, UInt16Array,
    },
    buffer::OffsetBuffer,
    compute::concat_batches,
    datatypes::{
        ArrowPrimitiveType, DataType, Date32Type, Field, Float32Type, Float64Type, Int32Type, Int64Type,
        SchemaRef, TimestampMillisecondType, UInt16Type, UInt32Type,
    },
};
use ndarray::{Array2, ArrayView2};

use crate::Error;

/// The table's name in the metadata of a schema.
pub(crate) const TABLE_KEY: &str = "spendscape.table";

/// A text column.
pub fn text<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// A dictionary-encoded text column.
pub fn category<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> ArrayRef {
    let values: Vec<S> = values.into_iter().collect();
    Arc::new(values.iter().map(AsRef::as_ref).collect::<DictionaryArray<Int32Type>>())
}

/// A dictionary-encoded text column with nulls.
pub fn optional_category<S: AsRef<str>>(values: impl IntoIterator<Item = Option<S>>) -> ArrayRef {
    let values: Vec<Option<S>> = values.into_iter().collect();
    let text = values.iter().map(|value| value.as_ref().map(AsRef::as_ref));
    Arc::new(text.collect::<DictionaryArray<Int32Type>>())
}

/// A column of true and false.
pub fn flag(values: impl IntoIterator<Item = bool>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<BooleanArray>())
}

/// A column of days since 1970-01-01.
pub fn date(values: impl IntoIterator<Item = i32>) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(values))
}

/// A column of days since 1970-01-01 with nulls.
pub fn optional_date(values: impl IntoIterator<Item = Option<i32>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Date32Array>())
}

/// A column of 16-bit indices.
pub fn index(values: impl IntoIterator<Item = u16>) -> ArrayRef {
    Arc::new(UInt16Array::from_iter_values(values))
}

/// A column of 16-bit indices with nulls.
pub fn optional_index(values: impl IntoIterator<Item = Option<u16>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<UInt16Array>())
}

/// A text column with nulls.
pub fn optional_text<S: AsRef<str>>(values: impl IntoIterator<Item = Option<S>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}

/// A column of local times, in milliseconds since 1970.
pub fn time(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from_iter_values(values))
}

/// A column of 64-bit integers with nulls.
pub fn optional_integer(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Int64Array>())
}

/// A column of 64-bit integers.
pub fn integer(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// A column of 64-bit floats.
pub fn float(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

/// A column of 64-bit floats with nulls.
pub fn optional_float(values: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Float64Array>())
}

fn vectors<T: ArrowPrimitiveType>(rows: ArrayView2<'_, T::Native>) -> Result<ArrayRef, Error> {
    let values = match rows.as_slice() {
        Some(values) => PrimitiveArray::<T>::new(values.to_vec().into(), None),
        None => PrimitiveArray::<T>::from_iter_values(rows.iter().copied()),
    };
    let field = Arc::new(Field::new_list_field(T::DATA_TYPE, false));
    let width = i32::try_from(rows.ncols()).map_err(|_| Error::WrongWidth {
        column: String::new(),
        axis: "any",
        expected: i32::MAX as usize,
        found: rows.ncols(),
    })?;
    Ok(Arc::new(FixedSizeListArray::try_new_with_length(field, width, Arc::new(values), None, rows.nrows())?))
}

/// A column of 32-bit vectors, one per row of `rows`.
///
/// # Errors
/// [`Error::Arrow`] if Arrow refuses the shape.
pub fn vectors32(rows: ArrayView2<'_, f32>) -> Result<ArrayRef, Error> {
    vectors::<Float32Type>(rows)
}

/// A column of 64-bit vectors, one per row of `rows`.
///
/// # Errors
/// [`Error::Arrow`] if Arrow refuses the shape.
pub fn vectors64(rows: ArrayView2<'_, f64>) -> Result<ArrayRef, Error> {
    vectors::<Float64Type>(rows)
}

fn lists<T: ArrowPrimitiveType>(rows: &[Vec<T::Native>]) -> Result<ArrayRef, Error> {
    let values = PrimitiveArray::<T>::from_iter_values(rows.iter().flatten().copied());
    let field = Arc::new(Field::new_list_field(T::DATA_TYPE, false));
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(Vec::len));
    Ok(Arc::new(ListArray::try_new(field, offsets, Arc::new(values), None)?))
}

/// A column of lists of sizes.
///
/// # Errors
/// [`Error::Arrow`] if Arrow refuses the lists.
pub fn sizes(rows: &[Vec<u32>]) -> Result<ArrayRef, Error> {
    lists::<UInt32Type>(rows)
}

/// A column of lists of 32-bit floats.
///
/// # Errors
/// [`Error::Arrow`] if Arrow refuses the lists.
pub fn values32(rows: &[Vec<f32>]) -> Result<ArrayRef, Error> {
    lists::<Float32Type>(rows)
}

/// All rows of a table that was read, with checked access to its columns.
#[derive(Debug, Clone)]
pub struct Rows {
    batch: RecordBatch,
}

impl Rows {
    /// Joins the batches of one table.
    ///
    /// # Errors
    /// [`Error::Arrow`] if a batch does not have the schema.
    pub fn new(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Self, Error> {
        Ok(Self { batch: concat_batches(schema, batches)? })
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows as one batch.
    #[must_use]
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    fn table(&self) -> String {
        self.batch.schema_ref().metadata().get(TABLE_KEY).cloned().unwrap_or_else(|| "unnamed".to_owned())
    }

    fn wrong(&self, column: &str, expected: &str, found: &DataType) -> Error {
        Error::WrongType {
            table: self.table(),
            column: column.to_owned(),
            expected: expected.to_owned(),
            found: found.to_string(),
        }
    }

    fn nullable(&self, column: &str) -> Result<&ArrayRef, Error> {
        self.batch
            .column_by_name(column)
            .ok_or_else(|| Error::MissingColumn { table: self.table(), column: column.to_owned() })
    }

    fn column(&self, column: &str) -> Result<&ArrayRef, Error> {
        let array = self.nullable(column)?;
        match array.nulls().and_then(|nulls| (0..nulls.len()).find(|row| nulls.is_null(*row))) {
            Some(row) => Err(Error::Null { table: self.table(), column: column.to_owned(), row }),
            None => Ok(array),
        }
    }

    fn numbers<'a, T: ArrowPrimitiveType>(
        &self,
        column: &str,
        array: &'a ArrayRef,
    ) -> Result<&'a PrimitiveArray<T>, Error> {
        array
            .as_primitive_opt::<T>()
            .ok_or_else(|| self.wrong(column, &T::DATA_TYPE.to_string(), array.data_type()))
    }

    fn primitive<T: ArrowPrimitiveType>(&self, column: &str) -> Result<Vec<T::Native>, Error> {
        Ok(self.numbers::<T>(column, self.column(column)?)?.values().to_vec())
    }

    fn optional<T: ArrowPrimitiveType>(&self, column: &str) -> Result<Vec<Option<T::Native>>, Error> {
        Ok(self.numbers::<T>(column, self.nullable(column)?)?.iter().collect())
    }

    fn texts(&self, column: &str, array: &ArrayRef) -> Result<Vec<Option<String>>, Error> {
        let owned = |value: Option<&str>| value.map(str::to_owned);
        if let Some(text) = array.as_string_opt::<i32>() {
            return Ok(text.iter().map(owned).collect());
        }
        let wrong = || self.wrong(column, "text", array.data_type());
        let dictionary = array.as_dictionary_opt::<Int32Type>().ok_or_else(wrong)?;
        let text = dictionary.downcast_dict::<StringArray>().ok_or_else(wrong)?;
        Ok(text.into_iter().map(owned).collect())
    }

    /// A text column, dictionary-encoded or not.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn text(&self, column: &str) -> Result<Vec<String>, Error> {
        Ok(self.texts(column, self.column(column)?)?.into_iter().flatten().collect())
    }

    /// A text column that may be null, dictionary-encoded or not.
    ///
    /// # Errors
    /// If the column is missing or of another type.
    pub fn optional_text(&self, column: &str) -> Result<Vec<Option<String>>, Error> {
        self.texts(column, self.nullable(column)?)
    }

    /// A dictionary-encoded text column as the number of each row's text, and the texts; one may stand there twice.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn category(&self, column: &str) -> Result<(Vec<usize>, Vec<String>), Error> {
        let array = self.column(column)?;
        let wrong = || self.wrong(column, "text of a dictionary", array.data_type());
        let dictionary = array.as_dictionary_opt::<Int32Type>().ok_or_else(wrong)?;
        let values = dictionary.values().as_string_opt::<i32>().ok_or_else(wrong)?;
        let keys = dictionary.keys().values().iter().map(|key| *key as usize).collect();
        Ok((keys, values.iter().map(|value| value.unwrap_or_default().to_owned()).collect()))
    }

    /// A column of true and false.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn flag(&self, column: &str) -> Result<Vec<bool>, Error> {
        let array = self.column(column)?;
        let flags = array.as_boolean_opt().ok_or_else(|| self.wrong(column, "Boolean", array.data_type()))?;
        Ok(flags.values().iter().collect())
    }

    /// A column of days since 1970-01-01.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn date(&self, column: &str) -> Result<Vec<i32>, Error> {
        self.primitive::<Date32Type>(column)
    }

    /// A column of days since 1970-01-01 with nulls.
    ///
    /// # Errors
    /// If the column is missing or of another type.
    pub fn optional_date(&self, column: &str) -> Result<Vec<Option<i32>>, Error> {
        self.optional::<Date32Type>(column)
    }

    /// A column of 16-bit indices.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn index(&self, column: &str) -> Result<Vec<u16>, Error> {
        self.primitive::<UInt16Type>(column)
    }

    /// A column of 16-bit indices with nulls.
    ///
    /// # Errors
    /// If the column is missing or of another type.
    pub fn optional_index(&self, column: &str) -> Result<Vec<Option<u16>>, Error> {
        self.optional::<UInt16Type>(column)
    }

    /// A column of local times, in milliseconds since 1970.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn time(&self, column: &str) -> Result<Vec<i64>, Error> {
        self.primitive::<TimestampMillisecondType>(column)
    }

    /// A column of 64-bit integers.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn integer(&self, column: &str) -> Result<Vec<i64>, Error> {
        self.primitive::<Int64Type>(column)
    }

    /// A column of 64-bit integers with nulls.
    ///
    /// # Errors
    /// If the column is missing or of another type.
    pub fn optional_integer(&self, column: &str) -> Result<Vec<Option<i64>>, Error> {
        self.optional::<Int64Type>(column)
    }

    /// A column of 64-bit floats.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn float(&self, column: &str) -> Result<Vec<f64>, Error> {
        self.primitive::<Float64Type>(column)
    }

    /// A column of 64-bit floats with nulls.
    ///
    /// # Errors
    /// If the column is missing or of another type.
    pub fn optional_float(&self, column: &str) -> Result<Vec<Option<f64>>, Error> {
        self.optional::<Float64Type>(column)
    }

    fn vectors<T: ArrowPrimitiveType>(&self, column: &str) -> Result<Array2<T::Native>, Error> {
        let array = self.column(column)?;
        let wrong = || self.wrong(column, &format!("list of {}", T::DATA_TYPE), array.data_type());
        let list = array.as_fixed_size_list_opt().ok_or_else(wrong)?;
        let width = list.value_length() as usize;
        let mut entries = Vec::with_capacity(list.len() * width);
        for row in 0..list.len() {
            let values = list.value(row);
            let values = values.as_primitive_opt::<T>().ok_or_else(wrong)?;
            entries.extend_from_slice(values.values());
        }
        Array2::from_shape_vec((list.len(), width), entries).map_err(|_| wrong())
    }

    /// A column of 32-bit vectors as a matrix, one row each.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn vectors32(&self, column: &str) -> Result<Array2<f32>, Error> {
        self.vectors::<Float32Type>(column)
    }

    /// A column of 64-bit vectors as a matrix, one row each.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn vectors64(&self, column: &str) -> Result<Array2<f64>, Error> {
        self.vectors::<Float64Type>(column)
    }

    fn lists<T: ArrowPrimitiveType>(&self, column: &str) -> Result<Vec<Vec<T::Native>>, Error> {
        let array = self.column(column)?;
        let wrong = || self.wrong(column, &format!("list of {}", T::DATA_TYPE), array.data_type());
        let list = array.as_list_opt::<i32>().ok_or_else(wrong)?;
        (0..list.len())
            .map(|row| Ok(list.value(row).as_primitive_opt::<T>().ok_or_else(wrong)?.values().to_vec()))
            .collect()
    }

    /// A column of lists of sizes.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn sizes(&self, column: &str) -> Result<Vec<Vec<u32>>, Error> {
        self.lists::<UInt32Type>(column)
    }

    /// A column of lists of 32-bit floats.
    ///
    /// # Errors
    /// If the column is missing, null somewhere or of another type.
    pub fn values32(&self, column: &str) -> Result<Vec<Vec<f32>>, Error> {
        self.lists::<Float32Type>(column)
    }
}
