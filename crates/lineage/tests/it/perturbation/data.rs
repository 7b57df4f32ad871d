//! Small tables of random values, and how a column of them is changed.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Int64Type, Schema, SchemaRef};

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Makes as many values of a column as are asked for.
pub(crate) type MakeColumn = Arc<dyn Fn(&mut Random, usize) -> ArrayRef + Send + Sync>;

/// A table whose columns can be made anew one by one.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) rows: usize,
    pub(crate) columns: Vec<(&'static str, MakeColumn)>,
    pub(crate) values: Vec<ArrayRef>,
}

impl Table {
    pub(crate) fn new(
        random: &mut Random,
        name: &'static str,
        rows: usize,
        columns: Vec<(&'static str, MakeColumn)>,
    ) -> Self {
        let values = columns.iter().map(|(_, make)| make(random, rows)).collect();
        Self {
            name,
            rows,
            columns,
            values,
        }
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        let fields = self.columns.iter().zip(&self.values);
        let fields =
            fields.map(|((name, _), values)| Field::new(*name, values.data_type().clone(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    pub(crate) fn batch(&self) -> RecordBatch {
        RecordBatch::try_new(self.schema(), self.values.clone()).unwrap()
    }

    /// The table with other values in one column.
    pub(crate) fn with_new(&self, column: usize, random: &mut Random) -> Self {
        let mut changed = self.clone();
        changed.values[column] = (self.columns[column].1)(random, self.rows);
        changed
    }
}

pub(crate) const TEXTS: [&str; 5] = ["a", "b", "ab", "Ba", ""];

/// The tables that generated queries read.
pub(super) fn tables(random: &mut Random) -> Vec<Table> {
    vec![
        Table::new(
            random,
            "t",
            9,
            vec![
                ("id", ints(9)),
                ("a", ints(4)),
                ("b", ints(4)),
                ("s", texts()),
            ],
        ),
        Table::new(
            random,
            "u",
            7,
            vec![("k", ints(9)), ("v", ints(4)), ("s", texts())],
        ),
        Table::new(
            random,
            "w",
            6,
            vec![
                ("k", ints(4)),
                ("x", ints(9)),
                ("items", lists()),
                ("st", structs()),
            ],
        ),
    ]
}

fn int(random: &mut Random, end: usize) -> Option<i64> {
    (!random.once_in(8)).then(|| i64::try_from(random.below(end)).unwrap())
}

fn ints(end: usize) -> MakeColumn {
    Arc::new(move |random, rows| {
        let values = (0..rows).map(|_| int(random, end));
        Arc::new(values.collect::<Int64Array>())
    })
}

fn text(random: &mut Random) -> Option<&'static str> {
    (!random.once_in(8)).then(|| *random.pick(&TEXTS))
}

fn texts() -> MakeColumn {
    Arc::new(|random, rows| {
        let values = (0..rows).map(|_| text(random));
        Arc::new(values.collect::<StringArray>())
    })
}

fn lists() -> MakeColumn {
    Arc::new(|random, rows| {
        let list = |random: &mut Random| {
            let len = random.below(4);
            (!random.once_in(8)).then(|| (0..len).map(|_| int(random, 4)).collect::<Vec<_>>())
        };
        let lists = (0..rows).map(|_| list(random)).collect::<Vec<_>>();
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))
    })
}

fn structs() -> MakeColumn {
    Arc::new(|random, rows| {
        let fields = Fields::from(vec![
            Field::new("p", DataType::Int64, true),
            Field::new("q", DataType::Utf8, true),
        ]);
        let values = vec![ints(4)(random, rows), texts()(random, rows)];
        Arc::new(StructArray::new(fields, values, None))
    })
}
