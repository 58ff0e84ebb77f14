//! The aggregate function in DataFusion's own plans: partial and final, as on several machines.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{AsArray, Int64Array, RecordBatch, UInt32Array},
    datatypes::{DataType, Field, Int64Type, Schema},
};
use datafusion::{
    datasource::MemTable,
    logical_expr::AggregateUDF,
    prelude::{SessionConfig, SessionContext},
};
use proptest::prelude::*;
use spendscape_ledger::CellTotals;

const WIDTH: usize = 5;

/// Customer, cell, amount.
type Triple = (i64, u32, i64);

fn totals(rows: &[Triple], partitions: usize, batch: usize, skip_partial: bool) -> BTreeMap<i64, Vec<i64>> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("customer", DataType::Int64, false),
        Field::new("cell", DataType::UInt32, false),
        Field::new("amount", DataType::Int64, false),
    ]));
    let mut parts = vec![Vec::new(); partitions];
    for (at, rows) in rows.chunks(batch).enumerate() {
        let columns = vec![
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))) as _,
            Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.1))) as _,
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2))) as _,
        ];
        parts[at % partitions].push(RecordBatch::try_new(schema.clone(), columns).unwrap());
    }
    let mut config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(3);
    if skip_partial {
        // Every partial aggregation then hands its rows on as states of one row each.
        config.options_mut().execution.skip_partial_aggregation_probe_rows_threshold = 0;
        config.options_mut().execution.skip_partial_aggregation_probe_ratio_threshold = 0.0;
    }
    let context = SessionContext::new_with_config(config);
    context.register_table("rows", Arc::new(MemTable::try_new(schema, parts).unwrap())).unwrap();
    context.register_udaf(AggregateUDF::new_from_impl(CellTotals::try_new(WIDTH, 2).unwrap()));
    let sql = "SELECT customer, cell_totals(cell, amount) FROM rows WHERE amount <> 13 GROUP BY customer";
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let batches = runtime.block_on(async { context.sql(sql).await.unwrap().collect().await.unwrap() });
    let mut totals = BTreeMap::new();
    for batch in batches {
        let customers = batch.column(0).as_primitive::<Int64Type>().clone();
        for (row, customer) in customers.values().iter().enumerate() {
            let block = batch.column(1).as_fixed_size_list().value(row);
            let before = totals.insert(*customer, block.as_primitive::<Int64Type>().values().to_vec());
            assert_eq!(before, None, "customer {customer} came out twice");
        }
    }
    totals
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn partial_and_final_states_add_up(
        rows in prop::collection::vec((0_i64..9, 0_u32..WIDTH as u32, -50_i64..50), 1..80),
        partitions in 1_usize..4, batch in 1_usize..20, skip_partial in any::<bool>(),
    ) {
        let mut expected: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (customer, cell, amount) in rows.iter().filter(|row| row.2 != 13) {
            expected.entry(*customer).or_insert_with(|| vec![0; WIDTH])[*cell as usize] += amount;
        }
        prop_assert_eq!(totals(&rows, partitions, batch, skip_partial), expected);
    }
}
