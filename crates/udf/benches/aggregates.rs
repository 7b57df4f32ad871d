//! Aggregates and window functions against the built-in next to them, over the same batches.

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot run has nothing to say"
)]

use std::sync::{Arc, LazyLock};

use codeanatomy_udf::{Implementation, Library};
use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::functions_aggregate::{array_agg, count, first_last, median, string_agg};
use datafusion::logical_expr::{AggregateUDF, EmitTo};
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};
use divan::Bencher;

const BATCHES: usize = 128;
const BATCH: usize = 8_192;
const GROUPS: usize = 1_000;

fn main() {
    divan::main();
}

/// A million rows: `k` (1,000 different numbers), `f`, `t` (1,000 different texts), `l` (lists of three
/// numbers), and the group of each row.
struct Rows {
    schema: SchemaRef,
    batches: Vec<(RecordBatch, Vec<usize>)>,
}

static ROWS: LazyLock<Rows> = LazyLock::new(|| {
    let list = Arc::new(Field::new_list_field(DataType::Int64, true));
    let schema: SchemaRef = Arc::new(Schema::new(vec![
        Field::new("k", DataType::Int64, true),
        Field::new("f", DataType::Float64, true),
        Field::new("t", DataType::Utf8, true),
        Field::new("l", DataType::List(Arc::clone(&list)), true),
    ]));
    let batches = (0..BATCHES).map(|batch| {
        let numbers: Vec<u64> = (0..BATCH)
            .map(|row| ((batch * BATCH + row) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20)
            .collect();
        let small = || numbers.iter().map(|number| (number % 1_000) as i64);
        let items = small().flat_map(|number| [number, number + 1, number % 7]);
        let lists = ListArray::new(
            Arc::clone(&list),
            OffsetBuffer::from_lengths(std::iter::repeat_n(3, BATCH)),
            Arc::new(Int64Array::from_iter_values(items)),
            None,
        );
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(small())),
            Arc::new(Float64Array::from_iter_values(
                numbers.iter().map(|number| *number as f64),
            )),
            Arc::new(StringArray::from_iter_values(
                small().map(|number| format!("text {number}")),
            )),
            Arc::new(lists),
        ];
        let groups = numbers
            .iter()
            .map(|number| (*number >> 10) as usize % GROUPS);
        let rows = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns fit");
        (rows, groups.collect())
    });
    Rows {
        batches: batches.collect(),
        schema: Arc::clone(&schema),
    }
});

fn ours(name: &str) -> Arc<AggregateUDF> {
    let library = Library::builtin();
    let entry = library.get(name).expect("the library has it");
    match entry.implementation() {
        Implementation::Aggregate(function) => Arc::clone(function),
        _ => unreachable!("{name} is an aggregate"),
    }
}

struct Call {
    function: Arc<AggregateUDF>,
    columns: &'static [&'static str],
    order_by: Option<&'static str>,
    distinct: bool,
}

fn call(function: Arc<AggregateUDF>, columns: &'static [&'static str]) -> Call {
    Call {
        function,
        columns,
        order_by: None,
        distinct: false,
    }
}

impl Call {
    fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }

    fn by(mut self, key: &'static str) -> Self {
        self.order_by = Some(key);
        self
    }

    fn expr(&self) -> AggregateFunctionExpr {
        let column = |name: &&str| col(name, &ROWS.schema).expect("the rows have it");
        let args: Vec<Arc<dyn PhysicalExpr>> = self.columns.iter().map(column).collect();
        let order_by = self.order_by.iter().map(|name| PhysicalSortExpr {
            expr: column(name),
            options: SortOptions {
                descending: true,
                nulls_first: false,
            },
        });
        AggregateExprBuilder::new(Arc::clone(&self.function), args)
            .schema(Arc::clone(&ROWS.schema))
            .alias("result")
            .with_distinct(self.distinct)
            .order_by(order_by.collect())
            .build()
            .expect("the call is right")
    }

    fn values(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let columns = self.columns.iter().copied().chain(self.order_by);
        columns
            .map(|name| Arc::clone(batch.column_by_name(name).expect("the rows have it")))
            .collect()
    }

    /// One group of all rows.
    fn alone(&self, bencher: Bencher<'_, '_>) {
        let expr = self.expr();
        bencher.bench_local(|| {
            let mut accumulator = expr.create_accumulator().expect("it has one");
            for (batch, _) in &ROWS.batches {
                accumulator
                    .update_batch(&self.values(batch))
                    .expect("rows fit");
            }
            accumulator.evaluate().expect("there is a result")
        });
    }

    /// A thousand groups of about a thousand rows.
    fn grouped(&self, bencher: Bencher<'_, '_>) {
        let expr = self.expr();
        bencher.bench_local(|| {
            let mut accumulator = expr.create_groups_accumulator().expect("it has one");
            for (batch, groups) in &ROWS.batches {
                accumulator
                    .update_batch(&self.values(batch), groups, None, GROUPS)
                    .expect("rows fit");
            }
            accumulator
                .evaluate(EmitTo::All)
                .expect("there is a result")
        });
    }
}

#[divan::bench]
fn mode_1m_rows(bencher: Bencher<'_, '_>) {
    call(ours("mode"), &["k"]).alone(bencher);
}

#[divan::bench]
fn mode_1m_rows_built_in_count_distinct(bencher: Bencher<'_, '_>) {
    call(count::count_udaf(), &["k"]).distinct().alone(bencher);
}

#[divan::bench]
fn median_absolute_deviation_1m_rows_1k_groups(bencher: Bencher<'_, '_>) {
    call(ours("median_absolute_deviation"), &["f"]).grouped(bencher);
}

/// Half of what the deviation needs: it is two medians.
#[divan::bench]
fn median_absolute_deviation_1m_rows_1k_groups_built_in_one_median(bencher: Bencher<'_, '_>) {
    call(median::median_udaf(), &["f"]).grouped(bencher);
}

#[divan::bench]
fn array_union_agg_1m_lists(bencher: Bencher<'_, '_>) {
    call(ours("array_union_agg"), &["l"]).alone(bencher);
}

#[divan::bench]
fn array_union_agg_1m_lists_built_in_array_agg_distinct(bencher: Bencher<'_, '_>) {
    call(array_agg::array_agg_udaf(), &["l"])
        .distinct()
        .alone(bencher);
}

#[divan::bench]
fn utf8_join_agg_1m_rows(bencher: Bencher<'_, '_>) {
    call(ours("utf8_join_agg"), &["t"]).alone(bencher);
}

#[divan::bench]
fn utf8_join_agg_1m_rows_built_in_string_agg_ordered(bencher: Bencher<'_, '_>) {
    call(string_agg::string_agg_udaf(), &["t"])
        .by("t")
        .alone(bencher);
}

#[divan::bench]
fn arg_best_1m_rows_1k_groups(bencher: Bencher<'_, '_>) {
    call(ours("arg_best"), &["k", "f"]).grouped(bencher);
}

#[divan::bench]
fn arg_best_1m_rows_1k_groups_built_in_first_value(bencher: Bencher<'_, '_>) {
    call(first_last::first_value_udaf(), &["k"])
        .by("f")
        .grouped(bencher);
}
