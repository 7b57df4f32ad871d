//! Tiny TPC-H tables, whose values are those that the queries ask for, so that they find something.

use std::sync::Arc;

use datafusion::arrow::array::{Date32Array, Decimal128Array, Int32Array, Int64Array, StringArray};

use crate::perturbation::{MakeColumn, Random, Table};

/// The eight tables with random values.
pub(crate) fn tables(random: &mut Random) -> Vec<Table> {
    let nations = &["FRANCE", "GERMANY", "BRAZIL", "CANADA", "SAUDI ARABIA"];
    let phones = &["13-555", "31-555", "23-555", "99-555"];
    vec![
        Table::new(
            random,
            "region",
            4,
            vec![
                ("r_regionkey", ints(3)),
                ("r_name", texts(&["EUROPE", "ASIA", "AMERICA"])),
                ("r_comment", texts(&["x", "y"])),
            ],
        ),
        Table::new(
            random,
            "nation",
            6,
            vec![
                ("n_nationkey", ints(4)),
                ("n_name", texts(nations)),
                ("n_regionkey", ints(3)),
                ("n_comment", texts(&["x", "y"])),
            ],
        ),
        Table::new(
            random,
            "supplier",
            8,
            vec![
                ("s_suppkey", ints(4)),
                ("s_name", texts(&["s1", "s2", "s3"])),
                ("s_address", texts(&["a1", "a2"])),
                ("s_nationkey", ints(4)),
                ("s_phone", texts(phones)),
                ("s_acctbal", decimals(900, 2)),
                ("s_comment", texts(&["fine", "Customer has Complaints"])),
            ],
        ),
        Table::new(
            random,
            "customer",
            8,
            vec![
                ("c_custkey", ints(6)),
                ("c_name", texts(&["c1", "c2", "c3"])),
                ("c_address", texts(&["a1", "a2"])),
                ("c_nationkey", ints(4)),
                ("c_phone", texts(phones)),
                ("c_acctbal", decimals(900, 2)),
                ("c_mktsegment", texts(&["BUILDING", "MACHINERY"])),
                ("c_comment", texts(&["x", "y"])),
            ],
        ),
        Table::new(
            random,
            "part",
            8,
            vec![
                ("p_partkey", ints(4)),
                ("p_name", texts(&["forest green", "green tea", "forest"])),
                ("p_mfgr", texts(&["m1", "m2"])),
                (
                    "p_brand",
                    texts(&["Brand#12", "Brand#23", "Brand#34", "Brand#45"]),
                ),
                (
                    "p_type",
                    texts(&["ECONOMY ANODIZED STEEL", "PROMO BRASS", "LARGE BRASS"]),
                ),
                ("p_size", values(&[3, 9, 15, 45])),
                (
                    "p_container",
                    texts(&["SM CASE", "MED BOX", "LG BOX", "MED BAG"]),
                ),
                ("p_retailprice", decimals(900, 2)),
                ("p_comment", texts(&["x", "y"])),
            ],
        ),
        Table::new(
            random,
            "partsupp",
            12,
            vec![
                ("ps_partkey", ints(4)),
                ("ps_suppkey", ints(4)),
                ("ps_availqty", values(&[5, 40, 900])),
                ("ps_supplycost", decimals(50, 2)),
                ("ps_comment", texts(&["x", "y"])),
            ],
        ),
        Table::new(
            random,
            "orders",
            16,
            vec![
                ("o_orderkey", ints(10)),
                ("o_custkey", ints(5)),
                ("o_orderstatus", texts(&["F", "F", "O"])),
                ("o_totalprice", decimals(5_000, 2)),
                (
                    "o_orderdate",
                    days(&[8_600, 8_800, 8_950, 9_140, 9_200, 9_500]),
                ),
                ("o_orderpriority", texts(&["1-URGENT", "2-HIGH", "5-LOW"])),
                ("o_clerk", texts(&["k1", "k2"])),
                ("o_shippriority", values(&[0, 1])),
                ("o_comment", texts(&["plain", "special blue requests"])),
            ],
        ),
        Table::new(
            random,
            "lineitem",
            48,
            vec![
                ("l_orderkey", ints(10)),
                ("l_partkey", ints(4)),
                ("l_suppkey", ints(4)),
                ("l_linenumber", ints(7)),
                ("l_quantity", decimal_values(&[2, 8, 15, 22, 160])),
                ("l_extendedprice", decimals(900, 2)),
                ("l_discount", decimals(0, 10)),
                ("l_tax", decimals(0, 8)),
                ("l_returnflag", texts(&["A", "N", "R"])),
                ("l_linestatus", texts(&["F", "O"])),
                (
                    "l_shipdate",
                    days(&[8_800, 8_900, 9_150, 9_215, 9_380, 9_500, 9_510]),
                ),
                ("l_commitdate", days(&[8_780, 8_880, 9_160, 9_300])),
                ("l_receiptdate", days(&[8_770, 8_810, 8_910, 9_170, 9_400])),
                (
                    "l_shipinstruct",
                    texts(&["DELIVER IN PERSON", "COLLECT COD"]),
                ),
                ("l_shipmode", texts(&["AIR", "MAIL", "SHIP", "AIR REG"])),
                ("l_comment", texts(&["x", "y"])),
            ],
        ),
    ]
}

fn texts(choices: &'static [&'static str]) -> MakeColumn {
    Arc::new(move |random, rows| {
        let values = (0..rows).map(|_| Some(*random.pick(choices)));
        Arc::new(values.collect::<StringArray>())
    })
}

fn ints(end: usize) -> MakeColumn {
    Arc::new(move |random, rows| {
        let values = (0..rows).map(|_| Some(i64::try_from(random.below(end)).unwrap()));
        Arc::new(values.collect::<Int64Array>())
    })
}

fn values(choices: &'static [i32]) -> MakeColumn {
    Arc::new(move |random, rows| {
        let values = (0..rows).map(|_| Some(*random.pick(choices)));
        Arc::new(values.collect::<Int32Array>())
    })
}

fn days(choices: &'static [i32]) -> MakeColumn {
    Arc::new(move |random, rows| {
        let values = (0..rows).map(|_| Some(*random.pick(choices)));
        Arc::new(values.collect::<Date32Array>())
    })
}

/// Amounts up to so many whole units; without whole units, so many hundredths.
fn decimals(units: usize, hundredths: usize) -> MakeColumn {
    Arc::new(move |random, rows| {
        let value = |random: &mut Random| {
            let value = if units == 0 {
                random.below(hundredths + 1)
            } else {
                100 * random.below(units) + random.below(hundredths)
            };
            i128::try_from(value).unwrap()
        };
        decimal(&(0..rows).map(|_| value(random)).collect::<Vec<_>>())
    })
}

fn decimal_values(choices: &'static [i128]) -> MakeColumn {
    Arc::new(move |random, rows| {
        decimal(
            &(0..rows)
                .map(|_| 100 * *random.pick(choices))
                .collect::<Vec<_>>(),
        )
    })
}

fn decimal(values: &[i128]) -> Arc<Decimal128Array> {
    let values = values
        .iter()
        .copied()
        .map(Some)
        .collect::<Decimal128Array>();
    Arc::new(values.with_precision_and_scale(15, 2).unwrap())
}
