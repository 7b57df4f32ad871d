//! The second opinion: SQLite over rows taken from the generator directly.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql, params};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

use super::rows::{Rows, Value};

/// A database in memory with all tables at a scale factor, see `sqlite/schema.sql`.
pub(crate) fn load(scale: f64) -> Connection {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(&sql("schema")).unwrap();
    database
        .execute_batch("pragma case_sensitive_like = on; begin")
        .unwrap();
    fill(
        &database,
        "region",
        2,
        RegionGenerator::new(scale, 1, 1),
        |insert, row| {
            insert(params![row.r_regionkey, row.r_name]);
        },
    );
    fill(
        &database,
        "nation",
        3,
        NationGenerator::new(scale, 1, 1),
        |insert, row| {
            insert(params![row.n_nationkey, row.n_name, row.n_regionkey]);
        },
    );
    fill(
        &database,
        "supplier",
        7,
        SupplierGenerator::new(scale, 1, 1),
        |insert, row| {
            insert(params![
                row.s_suppkey,
                row.s_name.to_string(),
                row.s_address.to_string(),
                row.s_nationkey,
                row.s_phone.to_string(),
                row.s_acctbal.into_inner(),
                row.s_comment,
            ]);
        },
    );
    fill(
        &database,
        "customer",
        8,
        CustomerGenerator::new(scale, 1, 1),
        |insert, row| {
            insert(params![
                row.c_custkey,
                row.c_name.to_string(),
                row.c_address.to_string(),
                row.c_nationkey,
                row.c_phone.to_string(),
                row.c_acctbal.into_inner(),
                row.c_mktsegment,
                row.c_comment,
            ]);
        },
    );
    fill(
        &database,
        "part",
        7,
        PartGenerator::new(scale, 1, 1),
        |insert, row| {
            insert(params![
                row.p_partkey,
                row.p_name.to_string(),
                row.p_mfgr.to_string(),
                row.p_brand.to_string(),
                row.p_type,
                row.p_size,
                row.p_container,
            ]);
        },
    );
    fill(
        &database,
        "partsupp",
        4,
        PartSuppGenerator::new(scale, 1, 1),
        |insert, row| {
            insert(params![
                row.ps_partkey,
                row.ps_suppkey,
                row.ps_availqty,
                row.ps_supplycost.into_inner(),
            ]);
        },
    );
    fill(
        &database,
        "orders",
        8,
        OrderGenerator::new(scale, 1, 1),
        |insert, row| {
            insert(params![
                row.o_orderkey,
                row.o_custkey,
                row.o_orderstatus.to_string(),
                row.o_totalprice.into_inner(),
                row.o_orderdate.to_string(),
                row.o_orderpriority,
                row.o_shippriority,
                row.o_comment,
            ]);
        },
    );
    fill(
        &database,
        "lineitem",
        14,
        LineItemGenerator::new(scale, 1, 1),
        |insert, row| {
            insert(params![
                row.l_orderkey,
                row.l_partkey,
                row.l_suppkey,
                row.l_quantity,
                row.l_extendedprice.into_inner(),
                row.l_discount.into_inner(),
                row.l_tax.into_inner(),
                row.l_returnflag,
                row.l_linestatus,
                row.l_shipdate.to_string(),
                row.l_commitdate.to_string(),
                row.l_receiptdate.to_string(),
                row.l_shipinstruct,
                row.l_shipmode,
            ]);
        },
    );
    database.execute_batch("commit").unwrap();
    database.execute_batch(&sql("indexes")).unwrap();
    database
}

/// The answer to a query. A column whose name ends in `_e` and a digit holds whole numbers of that many
/// decimal places; the ending is no part of its name.
pub(crate) fn answer(database: &Connection, number: u32, scale: f64) -> Rows {
    let mut statement = database.prepare(&sql(&format!("q{number:02}"))).unwrap();
    if let Some(parameter) = statement.parameter_index(":scale_factor").unwrap() {
        statement.raw_bind_parameter(parameter, scale).unwrap();
    }
    let (columns, scales): (Vec<String>, Vec<u32>) = statement
        .column_names()
        .map(|name| match name.rsplit_once("_e") {
            Some((name, digit)) if digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit() => {
                (name.to_owned(), digit.parse().unwrap())
            }
            _ => (name.to_owned(), 0),
        })
        .unzip();
    let mut rows = Vec::new();
    let mut found = statement.raw_query();
    while let Some(row) = found.next().unwrap() {
        let cells =
            scales
                .iter()
                .enumerate()
                .map(|(column, &scale)| match row.get_ref(column).unwrap() {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(units) => Value::Exact {
                        units: i128::from(units),
                        scale,
                    },
                    ValueRef::Real(value) => Value::Approximate(value),
                    ValueRef::Text(text) => Value::Text(String::from_utf8(text.to_vec()).unwrap()),
                    ValueRef::Blob(_) => panic!("no query returns bytes"),
                });
        rows.push(cells.collect());
    }
    Rows { columns, rows }
}

/// Inserts every row of a generator.
fn fill<R>(
    database: &Connection,
    table: &str,
    columns: usize,
    rows: impl IntoIterator<Item = R>,
    insert_row: impl Fn(&mut dyn FnMut(&[&dyn ToSql]), R),
) {
    let places = vec!["?"; columns].join(", ");
    let mut statement = database
        .prepare(&format!("insert into {table} values ({places})"))
        .unwrap();
    for row in rows {
        insert_row(
            &mut |values| {
                statement.execute(values).unwrap();
            },
            row,
        );
    }
}

fn sql(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("sqlite/{name}.sql"));
    std::fs::read_to_string(path).unwrap()
}
