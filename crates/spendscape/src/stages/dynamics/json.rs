//! Tables as JSON, one object per row, for programs that do not read Parquet.

use std::path::Path;

use anyhow::{Result, bail};
use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type, UInt16Type},
};
use serde_json::{Map, Value};
use spendscape_run::{File, Outputs, StageWriter};

/// Tables that are written as JSON too.
#[derive(Debug, Default)]
pub struct JsonTables {
    /// Those that the stage writes, as far as it does.
    pub written: Vec<File>,
    /// Others, with their rows.
    pub given: Vec<(File, RecordBatch)>,
}

impl Outputs for JsonTables {
    fn files() -> Vec<File> {
        Vec::new()
    }

    fn write(self, writer: &mut StageWriter<'_>) -> Result<()> {
        let mut tables = self.given;
        for file in self.written {
            let own = writer.read_back(file)?;
            tables.extend(own.map(|own| (file, own.rows.batch().clone())));
        }
        for (file, batch) in tables {
            let text = serde_json::to_vec_pretty(&rows(&batch)?)?;
            writer.write_plain(&Path::new(file.name()).with_extension("json").to_string_lossy(), &text)?;
        }
        Ok(())
    }
}

/// The rows of a table. Numbers that JSON does not know (NaN, infinities) and missing values become `null`.
///
/// # Errors
/// For a column type that no table of this stage has.
fn rows(batch: &RecordBatch) -> Result<Value> {
    let schema = batch.schema();
    let mut rows = vec![Map::new(); batch.num_rows()];
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        for (row, object) in rows.iter_mut().enumerate() {
            object.insert(field.name().clone(), cell(column.as_ref(), row)?);
        }
    }
    Ok(rows.into_iter().map(Value::Object).collect())
}

fn cell(column: &dyn Array, row: usize) -> Result<Value> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Dictionary(..) => {
            let dictionary = column.as_dictionary::<Int32Type>();
            let key = dictionary.keys().value(row) as usize;
            dictionary.values().as_string::<i32>().value(key).into()
        }
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float32 => column.as_primitive::<Float32Type>().value(row).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
        DataType::FixedSizeList(..) => list(&column.as_fixed_size_list().value(row))?,
        DataType::List(..) => list(&column.as_list::<i32>().value(row))?,
        other => bail!("a column of type {other} has no JSON form"),
    })
}

fn list(values: &ArrayRef) -> Result<Value> {
    Ok((0..values.len()).map(|k| cell(values.as_ref(), k)).collect::<Result<Vec<Value>>>()?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use spendscape_schema::{
        Axes, Axis, Tabular,
        tables::{MapJumpRow, MapJumps},
    };

    use super::*;

    #[test]
    fn vectors_categories_and_missing_numbers_are_written() {
        let axes = Axes::new().with_numbered(Axis::Unit, 2);
        let row = MapJumpRow {
            input: "a".to_owned(),
            toward: "b".to_owned(),
            passage: "survives".to_owned(),
            share: None,
            change: Some(0.5),
            smallest: true,
            before: vec![1.0, f64::NAN],
            after: vec![3.0, 4.0],
        };
        let batch = MapJumps::from_rows([row]).unwrap().to_batch(&axes).unwrap();
        let expected = json!([{"input": "a", "toward": "b", "passage": "survives", "share": null, "change": 0.5,
            "smallest": true, "before": [1.0, null], "after": [3.0, 4.0]}]);
        assert_eq!(rows(&batch).unwrap(), expected);
    }
}
