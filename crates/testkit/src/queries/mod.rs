//! Random queries over three small typed tables, from a grammar that reaches the plan nodes and
//! function families of the engine.
//!
//! Seed and number fix a query. Most queries run; a few are refused by the engine, and whoever
//! uses them skips those. No query reads a clock or a random number.
//!
//! # Example: what does a query look like?
//!
//! ```
//! use codeanatomy_testkit::queries::random_query;
//!
//! let query = random_query(7, 0);
//! assert_eq!(query.sql, random_query(7, 0).sql);
//! assert!(query.sql.contains("SELECT") && !query.features.is_empty());
//! ```

mod aggregate;
mod expr;
mod from;
mod rng;
mod select;
mod table;
mod temporal;
mod window;

use std::collections::BTreeSet;

use self::rng::Rng;

pub use self::table::{QueryTable, tables};

/// A random query.
#[derive(Debug, Clone)]
pub struct RandomQuery {
    /// The text.
    pub sql: String,
    /// The parts of the grammar that it uses.
    pub features: BTreeSet<&'static str>,
}

/// The query of a number, among those of a seed.
pub fn random_query(seed: u64, number: u64) -> RandomQuery {
    let mut generator = Generator {
        rng: Rng::new(seed, number),
        features: BTreeSet::new(),
        n_names: 0,
        budget: 60,
    };
    let sql = generator.statement();
    RandomQuery {
        sql,
        features: generator.features,
    }
}

/// The types of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Float,
    Decimal,
    Text,
    Bool,
    Date,
    /// A timestamp without a time zone.
    Time,
    /// A timestamp in UTC.
    Instant,
    List,
    Struct,
}

impl Type {
    const ALL: [Self; 10] = [
        Self::Int,
        Self::Float,
        Self::Decimal,
        Self::Text,
        Self::Bool,
        Self::Date,
        Self::Time,
        Self::Instant,
        Self::List,
        Self::Struct,
    ];

    /// Those that can be compared and ordered.
    const ORDERED: [Self; 8] = [
        Self::Int,
        Self::Int,
        Self::Float,
        Self::Decimal,
        Self::Text,
        Self::Date,
        Self::Time,
        Self::Instant,
    ];

    /// The name of the type in a cast.
    fn sql(self) -> &'static str {
        match self {
            Self::Int => "BIGINT",
            Self::Float => "DOUBLE",
            Self::Decimal => "DECIMAL(15, 2)",
            Self::Text => "VARCHAR",
            Self::Bool => "BOOLEAN",
            Self::Date => "DATE",
            Self::Time => "TIMESTAMP",
            Self::Instant => "TIMESTAMPTZ",
            Self::List => "BIGINT[]",
            Self::Struct => "STRUCT<x BIGINT, y VARCHAR>",
        }
    }
}

/// A column that an expression may name.
#[derive(Debug, Clone)]
struct Column {
    /// As it is written, with its table.
    sql: String,
    of: Type,
}

/// The columns around an expression.
#[derive(Debug, Clone, Default)]
struct Scope {
    columns: Vec<Column>,
    /// Those of the queries around.
    outer: Vec<Column>,
}

/// A query and the columns that it gives.
#[derive(Debug, Clone)]
struct Part {
    sql: String,
    /// Names without a table.
    columns: Vec<Column>,
}

/// The state of one query in the making.
#[derive(Debug)]
struct Generator {
    rng: Rng,
    features: BTreeSet<&'static str>,
    n_names: usize,
    /// Parts that may still be put in; keeps queries small.
    budget: i64,
}

impl Generator {
    /// A name that no other part of the query has.
    fn name(&mut self, prefix: &str) -> String {
        self.n_names += 1;
        format!("{prefix}{}", self.n_names)
    }

    fn uses(&mut self, feature: &'static str) {
        self.features.insert(feature);
    }

    /// Takes from the budget, and says whether there was something to take.
    fn spend(&mut self, cost: i64) -> bool {
        self.budget -= cost;
        self.budget > 0
    }

    fn any_type(&mut self) -> Type {
        self.rng.pick(&Type::ALL)
    }

    fn ordered_type(&mut self) -> Type {
        self.rng.pick(&Type::ORDERED)
    }
}
