//! The physical plan: rows in, `GROUP BY customer` with [`CellTotals`], one block per customer out.

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, UInt32Array},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::{
    common::{Result, internal_datafusion_err, tree_node::TreeNodeRecursion},
    error::DataFusionError,
    execution::{
        TaskContext,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        runtime_env::RuntimeEnvBuilder,
    },
    logical_expr::AggregateUDF,
    physical_expr::{
        EquivalenceProperties, Partitioning, PhysicalExpr, aggregate::AggregateExprBuilder,
        expressions::Column,
    },
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
        SendableRecordBatchStream,
        aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy},
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
    prelude::SessionConfig,
};
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};

use super::{aggregate::CellTotals, rows::Rows};
use crate::Error;

fn row_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("customer", DataType::UInt32, false),
        Field::new("cell", DataType::UInt32, false),
        Field::new("amount", DataType::Int64, false),
    ]))
}

impl Rows {
    fn into_batch(self, schema: &SchemaRef) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from(self.customers)),
            Arc::new(UInt32Array::from(self.cells)),
            Arc::new(Int64Array::from(self.amounts)),
        ];
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }
}

type Feed = BoxStream<'static, std::result::Result<Rows, Error>>;

/// The leaf of the plan: streams of rows, already divided by customer.
struct RowsExec {
    schema: SchemaRef,
    feeds: Vec<Mutex<Option<Feed>>>,
    properties: Arc<PlanProperties>,
}

impl RowsExec {
    fn try_new(feeds: Vec<Feed>) -> Result<Self> {
        let schema = row_schema();
        let customer: Arc<dyn PhysicalExpr> = Arc::new(Column::new_with_schema("customer", &schema)?);
        // A customer's rows are all in one partition: this is what lets each partition aggregate on its own.
        let partitioning = Partitioning::Hash(vec![customer], feeds.len());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            partitioning,
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let feeds = feeds.into_iter().map(|feed| Mutex::new(Some(feed))).collect();
        Ok(Self { schema, feeds, properties: Arc::new(properties) })
    }
}

impl fmt::Debug for RowsExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowsExec").field("partitions", &self.feeds.len()).finish_non_exhaustive()
    }
}

impl DisplayAs for RowsExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerRows: partitions={}", self.feeds.len())
    }
}

impl ExecutionPlan for RowsExec {
    fn name(&self) -> &'static str {
        "LedgerRows"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let feed = self
            .feeds
            .get(partition)
            .and_then(|feed| feed.lock().unwrap_or_else(PoisonError::into_inner).take())
            .ok_or_else(|| {
                internal_datafusion_err!("partition {partition} does not exist or was read before")
            })?;
        let schema = self.schema.clone();
        let batches = feed.map(move |rows| {
            rows.map_err(|error| DataFusionError::External(Box::new(error)))
                .and_then(|rows| rows.into_batch(&schema))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches)))
    }
}

/// The aggregation over the feeds: one partition per feed, one row (customer, block of totals) per customer.
pub(crate) fn plan(
    feeds: Vec<Feed>,
    cells: usize,
    customers_per_feed: usize,
) -> std::result::Result<Arc<dyn ExecutionPlan>, Error> {
    let build = || -> Result<Arc<dyn ExecutionPlan>> {
        let input: Arc<dyn ExecutionPlan> = Arc::new(RowsExec::try_new(feeds)?);
        let schema = input.schema();
        let column = |name: &str| -> Result<Arc<dyn PhysicalExpr>> {
            Ok(Arc::new(Column::new_with_schema(name, &schema)?))
        };
        let function = AggregateUDF::new_from_impl(CellTotals::try_new(cells, customers_per_feed)?);
        let totals = AggregateExprBuilder::new(Arc::new(function), vec![column("cell")?, column("amount")?])
            .schema(schema.clone())
            .alias("totals")
            .build()?;
        let groups = PhysicalGroupBy::new_single(vec![(column("customer")?, "customer".to_owned())]);
        let aggregate = AggregateExec::try_new(
            AggregateMode::SinglePartitioned,
            groups,
            vec![Arc::new(totals)],
            vec![None],
            input,
            schema.clone(),
        )?;
        Ok(Arc::new(aggregate))
    };
    build().map_err(Error::from_datafusion)
}

/// Runs the partitions of a plan on `threads` threads and hands each partition's batches to `finish`; results come in the
/// order of the partitions.
pub(crate) fn run<R: Send + 'static>(
    plan: &Arc<dyn ExecutionPlan>,
    threads: NonZeroUsize,
    finish: impl Fn(Vec<RecordBatch>, usize) -> std::result::Result<R, Error> + Send + Sync + 'static,
) -> std::result::Result<Vec<R>, Error> {
    let partitions = plan.properties().output_partitioning().partition_count();
    let context = context()?;
    let finish = Arc::new(finish);
    let part = |partition: usize| -> BoxFuture<'static, std::result::Result<R, Error>> {
        let (plan, context, finish) = (plan.clone(), context.clone(), finish.clone());
        Box::pin(async move {
            let batches = plan.execute(partition, context).map_err(Error::from_datafusion)?;
            let batches: Vec<RecordBatch> = batches.try_collect().await.map_err(Error::from_datafusion)?;
            finish(batches, partition)
        })
    };
    let parts: Vec<_> = (0..partitions).map(part).collect();
    // A thread of its own: a caller inside another asynchronous runtime may not block on a second one.
    std::thread::scope(|scope| {
        let runner = scope.spawn(move || {
            let mut builder = match threads.get() {
                1 => tokio::runtime::Builder::new_current_thread(),
                threads => {
                    let mut builder = tokio::runtime::Builder::new_multi_thread();
                    builder.worker_threads(threads);
                    builder
                }
            };
            builder.build().map_err(|source| Error::Threads { source })?.block_on(drive(parts, threads))
        });
        runner.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Runs `threads` parts at a time; the first failure ends the others.
async fn drive<R: Send + 'static>(
    parts: Vec<BoxFuture<'static, std::result::Result<R, Error>>>,
    threads: NonZeroUsize,
) -> std::result::Result<Vec<R>, Error> {
    let mut results = Vec::with_capacity(parts.len());
    let mut running = futures::stream::iter(parts).map(|part| tokio::spawn(part)).buffered(threads.get());
    while let Some(part) = running.next().await {
        results.push(part.map_err(|source| Error::Worker { source })??);
    }
    Ok(results)
}

/// DataFusion must not write files of its own: beyond the memory limit the rows are divided beforehand.
fn context() -> std::result::Result<Arc<TaskContext>, Error> {
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(Error::from_datafusion)?;
    let config = SessionConfig::new();
    Ok(Arc::new(TaskContext::default().with_session_config(config).with_runtime(runtime)))
}
