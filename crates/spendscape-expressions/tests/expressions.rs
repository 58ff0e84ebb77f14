//! What the planner promises beyond DataFusion.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array, RecordBatch},
    datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, SchemaRef},
};
use spendscape_expressions::{Error, Planner, Purpose};

const MONEY: Purpose = Purpose::Money { digits: 2 };

/// Columns `whole` (64-bit integers) and `Exact` (decimals of two digits).
fn batch() -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("whole", DataType::Int64, true),
        Field::new("Exact", DataType::Decimal128(12, 2), true),
    ]);
    let exact = Decimal128Array::from(vec![Some(-1_250), None, Some(99)]).with_precision_and_scale(12, 2);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(i64::MAX), Some(7), None])),
        Arc::new(exact.expect("they fit")),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).expect("the columns fit")
}

fn schema() -> SchemaRef {
    batch().schema()
}

fn refusal(sql: &str, purpose: Purpose) -> String {
    match Planner::new().plan(sql, &schema(), purpose) {
        Err(Error::Refused(problem)) => problem,
        other => panic!("{sql}: {other:?}"),
    }
}

#[test]
fn a_power_of_ten_divides_exactly() {
    let amount = Planner::new().plan("\"Exact\" / 1000", &schema(), MONEY).expect("it is exact");
    let values = amount.evaluate(&batch()).expect("every row has a value");
    let values = values.as_primitive::<Decimal128Type>();
    assert_eq!(values.scale(), 5);
    assert_eq!(values.value(0), -1_250);
    assert!(values.is_null(1));
    assert_eq!(values.value(2), 99);
}

#[test]
fn what_loses_digits_is_refused_as_money_alone() {
    assert!(refusal("whole / 100", MONEY).contains("drops the remainder"));
    assert!(refusal("coalesce(whole, 1) / 3", Purpose::Condition).contains("drops the remainder"));
    let label =
        Planner::new().plan("whole / 2", &schema(), Purpose::Label).expect("a label may be any number");
    assert_eq!(label.data_type(), &DataType::Int64);
    let values = label.evaluate(&batch()).expect("every row has a value");
    assert_eq!(values.as_primitive::<Int64Type>().value(1), 3);
}

#[test]
fn integers_fail_rather_than_wrap() {
    let sum = Planner::new().plan("whole + 1", &schema(), MONEY).expect("it can be planned");
    assert!(matches!(sum.evaluate(&batch()), Err(Error::Evaluation(_))));
    let rest = sum.evaluate(&batch().slice(1, 2)).expect("the others have values");
    assert_eq!(rest.as_primitive::<Int64Type>().value(0), 8);
    assert!(rest.is_null(1));
}

#[test]
fn columns_are_named_as_they_are_and_told() {
    let planner = Planner::new();
    let columns = planner.columns_of("CASE WHEN whole > 0 THEN Exact ELSE -Exact END", &schema());
    assert_eq!(columns.expect("both exist").into_iter().collect::<Vec<_>>(), ["Exact", "whole"]);
    assert_eq!(planner.columns_of("exact", &schema()), Err(Error::MissingColumn("exact".to_owned())));
    let product = planner.plan("Exact * whole", &schema(), MONEY).expect("it can be planned");
    assert_eq!(product.columns(), [0, 1]);
}

#[test]
fn a_value_comes_of_one_row_alone() {
    assert!(refusal("whole + random()", Purpose::Label).contains("random() depends on more than the row"));
    assert!(refusal("now()", Purpose::Label).contains("now() depends on more than the row"));
    assert!(refusal("(SELECT 1)", Purpose::Label).contains("no queries"));
    for sql in ["sum(whole)", "count(*)", "@@version"] {
        assert!(!refusal(sql, Purpose::Label).is_empty(), "{sql}");
    }
}

#[test]
fn cost_is_bounded_before_planning() {
    let nested = format!("{}whole{}", "(".repeat(60), ")".repeat(60));
    assert!(refusal(&nested, Purpose::Label).contains("nested too deeply"));
    assert!(refusal(&"whole +".repeat(4_000), Purpose::Label).contains("bytes"));
    assert!(refusal("repeat('x', 1000000)", Purpose::Label).contains("repeat may make texts"));
}
