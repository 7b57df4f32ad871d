//! Aggregates: one result, however rows are cut, grouped, ordered and merged.

use std::sync::Arc;

use codeanatomy_udf::{Implementation, Library, span_type};
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{AggregateUDF, EmitTo};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{Literal, col};

use crate::arrays::{Random, array, dictionary_of, list_of, map_of, number_types, sortable_types};
use crate::support::{error, register, rows, session};

/// A call: columns of random values, then constants.
struct Case {
    function: Arc<AggregateUDF>,
    columns: Vec<ArrayRef>,
    constants: Vec<ScalarValue>,
    distinct: bool,
}

fn function(name: &str) -> Arc<AggregateUDF> {
    match Library::builtin().get(name).unwrap().implementation() {
        Implementation::Aggregate(function) => Arc::clone(function),
        _ => panic!("{name} is no aggregate"),
    }
}

impl Case {
    fn new(random: &mut Random, name: &str, types: &[DataType], rows: usize) -> Self {
        let function = function(name);
        let columns = types.iter().map(|data_type| array(random, data_type, rows));
        let coerced = function.coerce_types(types).unwrap();
        let columns = columns.zip(&coerced);
        Self {
            function,
            columns: columns
                .map(|(column, to)| cast(&column, to).unwrap())
                .collect(),
            constants: Vec::new(),
            distinct: false,
        }
    }

    fn with(mut self, constant: ScalarValue) -> Self {
        self.constants.push(constant);
        self
    }

    fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }

    fn rows(&self) -> usize {
        self.columns[0].len()
    }

    fn schema(&self) -> SchemaRef {
        let fields = self.columns.iter().enumerate();
        let fields = fields
            .map(|(at, column)| Field::new(format!("c{at}"), column.data_type().clone(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn expr(&self) -> AggregateFunctionExpr {
        let schema = self.schema();
        let mut args: Vec<Arc<dyn PhysicalExpr>> = (0..self.columns.len())
            .map(|at| col(&format!("c{at}"), &schema).unwrap())
            .collect();
        for constant in &self.constants {
            args.push(Arc::new(Literal::new(constant.clone())));
        }
        AggregateExprBuilder::new(Arc::clone(&self.function), args)
            .schema(schema)
            .alias("result")
            .with_distinct(self.distinct)
            .build()
            .unwrap()
    }

    /// The values of the arguments in some of the rows.
    fn values(&self, picked: &[usize]) -> Vec<ArrayRef> {
        let rows = picked.iter().map(|row| u32::try_from(*row).unwrap());
        let rows = UInt32Array::from_iter_values(rows);
        let columns = self.columns.iter();
        let columns = columns.map(|column| take(column, &rows, None).unwrap());
        let constants = self.constants.iter();
        columns
            .chain(constants.map(|value| value.to_array_of_size(picked.len()).unwrap()))
            .collect()
    }

    /// The result over some of the rows, in one go.
    fn result(&self, picked: &[usize]) -> ScalarValue {
        let mut accumulator = self.expr().create_accumulator().unwrap();
        accumulator.update_batch(&self.values(picked)).unwrap();
        let result = accumulator.evaluate().unwrap();
        assert_eq!(result, accumulator.evaluate().unwrap(), "evaluating twice");
        assert!(accumulator.size() > 0);
        result
    }
}

const ROWS: usize = 40;
const GROUPS: usize = 4;

fn cases(seed: u64) -> Vec<Case> {
    let random = &mut Random::new(seed);
    let mut cases = Vec::new();
    for data_type in sortable_types() {
        let one = std::slice::from_ref(&data_type);
        cases.push(Case::new(random, "mode", one, ROWS));
        cases.push(Case::new(random, "mode", one, ROWS).distinct());
        let list = [list_of(data_type.clone())];
        cases.push(Case::new(random, "array_union_agg", &list, ROWS));
        cases.push(Case::new(
            random,
            "map_union_agg",
            &[map_of(DataType::Utf8, data_type.clone())],
            ROWS,
        ));
        cases.push(Case::new(
            random,
            "arg_best",
            &[data_type.clone(), DataType::Int64],
            ROWS,
        ));
        cases.push(Case::new(
            random,
            "arg_best",
            &[DataType::Utf8View, data_type.clone()],
            ROWS,
        ));
        let least = ScalarValue::from("min");
        cases.push(Case::new(random, "arg_best", &[DataType::Int32, data_type], ROWS).with(least));
    }
    let field = Arc::new(Field::new_list_field(DataType::Int16, true));
    for list in [
        DataType::LargeList(Arc::clone(&field)),
        DataType::FixedSizeList(field, 2),
    ] {
        cases.push(Case::new(random, "array_union_agg", &[list], ROWS));
    }
    cases.push(Case::new(
        random,
        "map_union_agg",
        &[map_of(DataType::Utf8, DataType::Float64)],
        ROWS,
    ));
    for data_type in number_types() {
        let one = std::slice::from_ref(&data_type);
        cases.push(Case::new(random, "median_absolute_deviation", one, ROWS));
        cases.push(Case::new(random, "median_absolute_deviation", one, ROWS).distinct());
    }
    for name in ["span_union_agg", "span_intersect_agg"] {
        cases.push(Case::new(random, name, &[span_type()], ROWS));
    }
    for text in [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        dictionary_of(DataType::Utf8),
        DataType::Null,
    ] {
        let one = std::slice::from_ref(&text);
        cases.push(Case::new(random, "utf8_join_agg", one, ROWS));
        let separator = ScalarValue::from("; ");
        cases.push(
            Case::new(random, "utf8_join_agg", one, ROWS)
                .with(separator)
                .distinct(),
        );
    }
    cases
}

/// The rows of each group, in an order of its own.
fn grouped(random: &mut Random, rows: usize) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); GROUPS];
    for row in 0..rows {
        // The last group has no rows.
        groups[random.below(GROUPS - 1)].push(row);
    }
    groups
}

#[test]
fn the_result_depends_neither_on_the_order_of_rows_nor_on_that_of_merges() {
    for seed in 0..4 {
        let random = &mut Random::new(seed + 100);
        for case in cases(seed) {
            let mut rows: Vec<usize> = (0..case.rows()).collect();
            let expected = case.result(&rows);
            random.shuffle(&mut rows);
            let mut states = Vec::new();
            for part in rows.chunks(7).chain([[].as_slice()]) {
                let mut accumulator = case.expr().create_accumulator().unwrap();
                for half in part.chunks(4) {
                    accumulator.update_batch(&case.values(half)).unwrap();
                }
                states.push(accumulator.state().unwrap());
            }
            random.shuffle(&mut states);
            let mut merged = case.expr().create_accumulator().unwrap();
            for state in states {
                let state: Vec<ArrayRef> = state
                    .iter()
                    .map(|value| value.to_array().unwrap())
                    .collect();
                merged.merge_batch(&state).unwrap();
            }
            let found = merged.evaluate().unwrap();
            assert_eq!(
                found,
                expected,
                "seed {seed}: {:?} {:?}",
                case.function.name(),
                case.schema()
            );
        }
    }
}

#[test]
fn groups_give_what_each_gives_alone() {
    for seed in 0..4 {
        let random = &mut Random::new(seed + 200);
        for case in cases(seed) {
            let label = format!("seed {seed}: {} {:?}", case.function.name(), case.schema());
            let groups = grouped(random, case.rows());
            let expected: Vec<ScalarValue> = groups.iter().map(|rows| case.result(rows)).collect();
            let mut rows: Vec<(usize, usize)> = groups
                .iter()
                .enumerate()
                .flat_map(|(group, rows)| rows.iter().map(move |row| (*row, group)))
                .collect();
            random.shuffle(&mut rows);
            let expr = case.expr();
            assert!(expr.groups_accumulator_supported(), "{label}");
            let mut last = expr.create_groups_accumulator().unwrap();
            for (at, part) in rows.chunks(9).enumerate() {
                let picked: Vec<usize> = part.iter().map(|(row, _)| *row).collect();
                let owners: Vec<usize> = part.iter().map(|(_, group)| *group).collect();
                let values = case.values(&picked);
                let mut partial = expr.create_groups_accumulator().unwrap();
                match at % 3 {
                    0 => {
                        partial
                            .update_batch(&values, &owners, None, GROUPS)
                            .unwrap();
                        let state = partial.state(EmitTo::All).unwrap();
                        let all: Vec<usize> = (0..GROUPS).collect();
                        last.merge_batch(&state, &all, GROUPS).unwrap();
                    }
                    1 => {
                        let state = partial.convert_to_state(&values, None).unwrap();
                        last.merge_batch(&state, &owners, GROUPS).unwrap();
                    }
                    _ => {
                        // The first groups leave early, as they do where the input is sorted.
                        partial
                            .update_batch(&values, &owners, None, GROUPS)
                            .unwrap();
                        let first = partial.state(EmitTo::First(1)).unwrap();
                        last.merge_batch(&first, &[0], GROUPS).unwrap();
                        let rest = partial.state(EmitTo::All).unwrap();
                        let all: Vec<usize> = (1..GROUPS).collect();
                        last.merge_batch(&rest, &all, GROUPS).unwrap();
                    }
                }
            }
            let first = last.evaluate(EmitTo::First(2)).unwrap();
            assert!(last.size() > 0, "{label}");
            let rest = last.evaluate(EmitTo::All).unwrap();
            assert_eq!((first.len(), rest.len()), (2, GROUPS - 2), "{label}");
            let parts = [first, rest];
            let found: Vec<ScalarValue> = parts
                .iter()
                .flat_map(|part| {
                    (0..part.len()).map(|row| ScalarValue::try_from_array(part, row).unwrap())
                })
                .collect();
            assert_eq!(found, expected, "{label}");
        }
    }
}

#[test]
fn a_filter_keeps_rows_out_of_groups() {
    let random = &mut Random::new(7);
    for case in cases(3) {
        let rows: Vec<usize> = (0..case.rows()).collect();
        let kept: Vec<Option<bool>> = rows
            .iter()
            .map(|_| [None, Some(false), Some(true)][random.below(3)])
            .collect();
        let picked: Vec<usize> = rows
            .iter()
            .copied()
            .filter(|row| kept[*row] == Some(true))
            .collect();
        let mut accumulator = case.expr().create_groups_accumulator().unwrap();
        let mask = BooleanArray::from(kept);
        let owners = vec![0; rows.len()];
        accumulator
            .update_batch(&case.values(&rows), &owners, Some(&mask), 1)
            .unwrap();
        let found = accumulator.evaluate(EmitTo::All).unwrap();
        let found = ScalarValue::try_from_array(&found, 0).unwrap();
        assert_eq!(
            found,
            case.result(&picked),
            "{} {:?}",
            case.function.name(),
            case.schema()
        );
    }
}

#[test]
fn a_moving_window_gives_what_its_rows_give_alone() {
    for seed in 0..3 {
        for case in cases(seed) {
            let mut sliding = case.expr().create_sliding_accumulator().unwrap();
            assert!(sliding.supports_retract_batch());
            let (mut start, mut end) = (0, 0);
            for row in 0..case.rows() {
                let (from, to) = (row.saturating_sub(4), case.rows().min(row + 3));
                let entering: Vec<usize> = (end..to).collect();
                if !entering.is_empty() {
                    sliding.update_batch(&case.values(&entering)).unwrap();
                }
                let leaving: Vec<usize> = (start..from).collect();
                if !leaving.is_empty() {
                    sliding.retract_batch(&case.values(&leaving)).unwrap();
                }
                (start, end) = (from, to);
                let frame: Vec<usize> = (from..to).collect();
                assert_eq!(
                    sliding.evaluate().unwrap(),
                    case.result(&frame),
                    "seed {seed}, row {row}: {} {:?}",
                    case.function.name(),
                    case.schema()
                );
            }
        }
    }
}

#[test]
fn the_mode_is_the_least_of_the_values_that_come_most_often() {
    let context = session();
    let random = &mut Random::new(11);
    for data_type in [
        DataType::Int32,
        DataType::Utf8View,
        DataType::Date32,
        DataType::Binary,
    ] {
        let groups = array(random, &DataType::UInt64, 300);
        let values = array(random, &data_type, 300);
        register(&context, &[("g", groups), ("v", values)], &[100, 150, 50]);
        let ours = rows(&context, "select g, mode(v) from t group by g order by g");
        let naive = rows(
            &context,
            "select g, v from (
               select g, v, row_number() over (partition by g order by n desc, v) as k from (
                 select g, v, count(v) as n from t group by g, v)) where k = 1 order by g",
        );
        assert_eq!(ours, naive, "{data_type}");
    }
}

#[test]
fn the_deviation_is_what_two_medians_give() {
    let context = session();
    let random = &mut Random::new(12);
    let groups = array(random, &DataType::UInt64, 200);
    let values = array(random, &DataType::Int32, 200);
    register(&context, &[("g", groups), ("v", values)], &[200]);
    let ours = rows(
        &context,
        "select g, median_absolute_deviation(v) from t group by g order by g",
    );
    let naive = rows(
        &context,
        "with m as (select g, median(cast(v as double)) as m from t group by g)
         select t.g, median(abs(cast(v as double) - m)) from t
         join m on t.g is not distinct from m.g group by t.g order by t.g",
    );
    assert_eq!(ours, naive);
}

#[test]
fn the_greatest_numbers_have_a_median() {
    let context = session();
    let sql = "select median_absolute_deviation(v) from (values (1.7e308), (1.7e308), (1.5e308), (1.5e308)) as t(v)";
    assert_eq!(rows(&context, sql), ["9.999999999999996e306"]);
    let sql = "select median_absolute_deviation(v) from (values ('NaN'::double), (1.0)) as t(v)";
    assert_eq!(rows(&context, sql), ["NaN"]);
}

#[test]
fn joined_strings_come_in_the_order_that_the_call_says() {
    let context = session();
    let t = "(values ('b', 2, 'x'), ('a', 2, 'y'), ('c', 1, 'x'), (null, 0, 'x'), ('b', 9, 'x')) as t(v, n, g)";
    for (call, joined) in [
        ("utf8_join_agg(v)", "a,b,b,c"),
        ("utf8_join_agg(distinct v)", "a,b,c"),
        ("utf8_join_agg(v, '' order by n)", "cabb"),
        ("utf8_join_agg(v, '-' order by n desc)", "b-a-b-c"),
        ("utf8_join_agg(v, null order by n desc, v desc)", "bbac"),
        ("utf8_join_agg(distinct v, '.' order by v desc)", "c.b.a"),
        ("utf8_join_agg(v) filter (where n > 100)", "NULL"),
    ] {
        assert_eq!(
            rows(&context, &format!("select {call} from {t}")),
            [joined],
            "{call}"
        );
    }
    let sql = format!(
        "select g, utf8_join_agg(v, '' order by n desc) as j from {t} group by g order by g"
    );
    assert_eq!(rows(&context, &sql), ["x | bbc", "y | a"]);
}

#[test]
fn an_order_survives_many_partitions() {
    let context = session();
    let random = &mut Random::new(13);
    let groups = array(random, &DataType::UInt64, 500);
    let texts = array(random, &DataType::Utf8, 500);
    let keys = array(random, &DataType::Int64, 500);
    register(
        &context,
        &[("g", groups), ("v", texts), ("k", keys)],
        &[100, 200, 200],
    );
    let ours = rows(
        &context,
        "select g, utf8_join_agg(v, '|' order by k desc, v) from t group by g order by g",
    );
    let theirs = rows(
        &context,
        "select g, string_agg(v, '|' order by k desc, v) from t group by g order by g",
    );
    assert_eq!(ours, theirs);
}

#[test]
fn wrong_arguments_are_refused_with_the_name_of_the_function() {
    let context = session();
    for (call, message) in [
        ("mode()", "`mode` takes 1 argument, not 0"),
        ("mode(1, 2)", "`mode` takes 1 argument, not 2"),
        (
            "median_absolute_deviation('a')",
            "`median_absolute_deviation` takes numbers",
        ),
        (
            "array_union_agg(1)",
            "`array_union_agg` takes lists, not Int64",
        ),
        ("map_union_agg([1])", "`map_union_agg` takes maps"),
        ("span_union_agg(1)", "`span_union_agg` takes spans"),
        (
            "span_intersect_agg('a')",
            "`span_intersect_agg` takes spans",
        ),
        (
            "utf8_join_agg(1)",
            "`utf8_join_agg` joins strings, not Int64",
        ),
        (
            "utf8_join_agg('a', 1)",
            "the separator of `utf8_join_agg` is a string",
        ),
        ("utf8_join_agg('a', column1::varchar)", "must be a constant"),
        ("arg_best(1)", "`arg_best` takes 2 or 3 arguments, not 1"),
        ("arg_best(1, 2, 'best')", "'max' or 'min', not best"),
        ("arg_best(1, 2, 3)", "'max' or 'min', not Int64"),
    ] {
        let found = error(&context, &format!("select {call} from (values (1))"));
        assert!(found.contains(message), "{call}: {found}");
    }
}

#[test]
fn nothing_gives_null_and_empty_lists_give_an_empty_one() {
    let context = session();
    let calls = [
        "mode(v)",
        "median_absolute_deviation(v)",
        "array_union_agg([v])",
        "map_union_agg(map {'a': v})",
        "span_union_agg(span_make(v, v))",
        "span_intersect_agg(span_make(v, v))",
        "utf8_join_agg(v::varchar)",
        "arg_best(v, v)",
    ];
    for call in calls {
        let sql = format!("select {call} from (values (1)) as t(v) where v > 1");
        assert_eq!(rows(&context, &sql), ["NULL"], "{call}");
    }
    assert_eq!(
        rows(
            &context,
            "select array_union_agg(v) from (values (make_array()), (null)) as t(v)"
        ),
        ["[]"]
    );
    assert_eq!(
        rows(&context, "select span_union_agg(span_make(3, 3))"),
        ["[]"]
    );
    assert_eq!(
        rows(&context, "select span_intersect_agg(span_make(3, 3))"),
        ["NULL"]
    );
}

#[test]
fn batches_of_a_plan_with_every_aggregate_have_the_declared_schema() {
    let context = session();
    let sql = "select mode(v), arg_best(v, v), array_union_agg([v]), map_union_agg(map {v: v}),
                      median_absolute_deviation(v), span_union_agg(span_make(v, v + 1)),
                      span_intersect_agg(span_make(v, v + 1)), utf8_join_agg(v::varchar)
               from (values (1), (2), (null)) as t(v) where v is not null group by v % 2";
    let batches: Vec<RecordBatch> = crate::support::run(async {
        let frame = context.sql(sql).await.unwrap();
        frame.collect().await.unwrap()
    });
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
}
