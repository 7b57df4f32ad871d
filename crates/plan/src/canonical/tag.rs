//! The tags of the canonical encoding. A number, once released, keeps its meaning for ever.

/// Plan nodes, in the domain `codeanatomy.plan.node`.
pub(super) mod node {
    pub(in crate::canonical) const PROJECTION: u8 = 1;
    pub(in crate::canonical) const FILTER: u8 = 2;
    pub(in crate::canonical) const WINDOW: u8 = 3;
    pub(in crate::canonical) const AGGREGATE: u8 = 4;
    pub(in crate::canonical) const SORT: u8 = 5;
    pub(in crate::canonical) const JOIN: u8 = 6;
    pub(in crate::canonical) const REPARTITION: u8 = 7;
    pub(in crate::canonical) const UNION: u8 = 8;
    pub(in crate::canonical) const TABLE_SCAN: u8 = 9;
    pub(in crate::canonical) const WORK_TABLE: u8 = 10;
    pub(in crate::canonical) const EMPTY_RELATION: u8 = 11;
    pub(in crate::canonical) const LATERAL: u8 = 12;
    pub(in crate::canonical) const LIMIT: u8 = 13;
    pub(in crate::canonical) const VALUES: u8 = 14;
    pub(in crate::canonical) const EXTENSION: u8 = 15;
    pub(in crate::canonical) const DISTINCT_ALL: u8 = 16;
    pub(in crate::canonical) const DISTINCT_ON: u8 = 17;
    pub(in crate::canonical) const UNNEST: u8 = 18;
    pub(in crate::canonical) const RECURSIVE_QUERY: u8 = 19;
}

/// Expressions, in the domain `codeanatomy.plan.expr`.
pub(super) mod expr {
    pub(in crate::canonical) const COLUMN: u8 = 1;
    pub(in crate::canonical) const SPELLED_COLUMN: u8 = 2;
    pub(in crate::canonical) const SOURCE_COLUMN: u8 = 3;
    pub(in crate::canonical) const OUTER_COLUMN: u8 = 4;
    pub(in crate::canonical) const ALIAS_METADATA: u8 = 5;
    pub(in crate::canonical) const SPELLED_ALIAS: u8 = 6;
    pub(in crate::canonical) const SCALAR_VARIABLE: u8 = 7;
    pub(in crate::canonical) const LITERAL: u8 = 8;
    pub(in crate::canonical) const BINARY: u8 = 9;
    pub(in crate::canonical) const ALL_OF: u8 = 10;
    pub(in crate::canonical) const ANY_OF: u8 = 11;
    pub(in crate::canonical) const LIKE: u8 = 12;
    pub(in crate::canonical) const SIMILAR_TO: u8 = 13;
    pub(in crate::canonical) const NOT: u8 = 14;
    pub(in crate::canonical) const IS_NOT_NULL: u8 = 15;
    pub(in crate::canonical) const IS_NULL: u8 = 16;
    pub(in crate::canonical) const IS_TRUE: u8 = 17;
    pub(in crate::canonical) const IS_FALSE: u8 = 18;
    pub(in crate::canonical) const IS_UNKNOWN: u8 = 19;
    pub(in crate::canonical) const IS_NOT_TRUE: u8 = 20;
    pub(in crate::canonical) const IS_NOT_FALSE: u8 = 21;
    pub(in crate::canonical) const IS_NOT_UNKNOWN: u8 = 22;
    pub(in crate::canonical) const NEGATIVE: u8 = 23;
    pub(in crate::canonical) const BETWEEN: u8 = 24;
    pub(in crate::canonical) const CASE: u8 = 25;
    pub(in crate::canonical) const CAST: u8 = 26;
    pub(in crate::canonical) const TRY_CAST: u8 = 27;
    pub(in crate::canonical) const SCALAR_FUNCTION: u8 = 28;
    pub(in crate::canonical) const AGGREGATE_FUNCTION: u8 = 29;
    pub(in crate::canonical) const WINDOW_FUNCTION: u8 = 30;
    pub(in crate::canonical) const IN_LIST: u8 = 31;
    pub(in crate::canonical) const EXISTS: u8 = 32;
    pub(in crate::canonical) const IN_SUBQUERY: u8 = 33;
    pub(in crate::canonical) const SET_COMPARISON: u8 = 34;
    pub(in crate::canonical) const SCALAR_SUBQUERY: u8 = 35;
    pub(in crate::canonical) const ROLLUP: u8 = 36;
    pub(in crate::canonical) const CUBE: u8 = 37;
    pub(in crate::canonical) const GROUPING_SETS: u8 = 38;
    pub(in crate::canonical) const PLACEHOLDER: u8 = 39;
    pub(in crate::canonical) const UNNEST: u8 = 40;
    pub(in crate::canonical) const HIGHER_ORDER_FUNCTION: u8 = 41;
    pub(in crate::canonical) const LAMBDA: u8 = 42;
    pub(in crate::canonical) const LAMBDA_VARIABLE: u8 = 43;
    pub(in crate::canonical) const SPELLED_SUBQUERY: u8 = 44;
}

/// Scalar values, inside an expression.
pub(super) mod scalar {
    pub(in crate::canonical) const NULL: u8 = 0;
    pub(in crate::canonical) const BOOLEAN: u8 = 1;
    pub(in crate::canonical) const FLOAT16: u8 = 2;
    pub(in crate::canonical) const FLOAT32: u8 = 3;
    pub(in crate::canonical) const FLOAT64: u8 = 4;
    pub(in crate::canonical) const DECIMAL32: u8 = 5;
    pub(in crate::canonical) const DECIMAL64: u8 = 6;
    pub(in crate::canonical) const DECIMAL128: u8 = 7;
    pub(in crate::canonical) const DECIMAL256: u8 = 8;
    pub(in crate::canonical) const INT8: u8 = 9;
    pub(in crate::canonical) const INT16: u8 = 10;
    pub(in crate::canonical) const INT32: u8 = 11;
    pub(in crate::canonical) const INT64: u8 = 12;
    pub(in crate::canonical) const UINT8: u8 = 13;
    pub(in crate::canonical) const UINT16: u8 = 14;
    pub(in crate::canonical) const UINT32: u8 = 15;
    pub(in crate::canonical) const UINT64: u8 = 16;
    pub(in crate::canonical) const UTF8: u8 = 17;
    pub(in crate::canonical) const UTF8_VIEW: u8 = 18;
    pub(in crate::canonical) const LARGE_UTF8: u8 = 19;
    pub(in crate::canonical) const BINARY: u8 = 20;
    pub(in crate::canonical) const BINARY_VIEW: u8 = 21;
    pub(in crate::canonical) const FIXED_SIZE_BINARY: u8 = 22;
    pub(in crate::canonical) const LARGE_BINARY: u8 = 23;
    pub(in crate::canonical) const FIXED_SIZE_LIST: u8 = 24;
    pub(in crate::canonical) const LIST: u8 = 25;
    pub(in crate::canonical) const LARGE_LIST: u8 = 26;
    pub(in crate::canonical) const LIST_VIEW: u8 = 27;
    pub(in crate::canonical) const LARGE_LIST_VIEW: u8 = 28;
    pub(in crate::canonical) const STRUCT: u8 = 29;
    pub(in crate::canonical) const MAP: u8 = 30;
    pub(in crate::canonical) const DATE32: u8 = 31;
    pub(in crate::canonical) const DATE64: u8 = 32;
    pub(in crate::canonical) const TIME32_SECOND: u8 = 33;
    pub(in crate::canonical) const TIME32_MILLISECOND: u8 = 34;
    pub(in crate::canonical) const TIME64_MICROSECOND: u8 = 35;
    pub(in crate::canonical) const TIME64_NANOSECOND: u8 = 36;
    pub(in crate::canonical) const TIMESTAMP_SECOND: u8 = 37;
    pub(in crate::canonical) const TIMESTAMP_MILLISECOND: u8 = 38;
    pub(in crate::canonical) const TIMESTAMP_MICROSECOND: u8 = 39;
    pub(in crate::canonical) const TIMESTAMP_NANOSECOND: u8 = 40;
    pub(in crate::canonical) const INTERVAL_YEAR_MONTH: u8 = 41;
    pub(in crate::canonical) const INTERVAL_DAY_TIME: u8 = 42;
    pub(in crate::canonical) const INTERVAL_MONTH_DAY_NANO: u8 = 43;
    pub(in crate::canonical) const DURATION_SECOND: u8 = 44;
    pub(in crate::canonical) const DURATION_MILLISECOND: u8 = 45;
    pub(in crate::canonical) const DURATION_MICROSECOND: u8 = 46;
    pub(in crate::canonical) const DURATION_NANOSECOND: u8 = 47;
    pub(in crate::canonical) const UNION: u8 = 48;
    pub(in crate::canonical) const DICTIONARY: u8 = 49;
    pub(in crate::canonical) const RUN_END_ENCODED: u8 = 50;
}
