//! What the aggregate functions of the engine and of the function library do with the order of their
//! rows.

/// How an aggregate depends on the order in which rows arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trait {
    /// Not at all.
    Exact,
    /// In the last digits, if it adds floating-point numbers.
    Sum,
    /// In its value.
    OrderSensitive,
    /// It is of neither.
    Unknown,
}

/// The trait of an aggregate function.
pub(super) fn trait_of(name: &str) -> Trait {
    match name {
        "approx_distinct"
        | "arg_best"
        | "array_union_agg"
        | "bit_and"
        | "bit_or"
        | "bit_xor"
        | "bool_and"
        | "bool_or"
        | "count"
        | "grouping"
        | "map_union_agg"
        | "max"
        | "median"
        | "median_absolute_deviation"
        | "min"
        | "mode"
        | "percentile_cont"
        | "span_intersect_agg"
        | "span_union_agg"
        | "utf8_join_agg" => Trait::Exact,
        "avg" | "corr" | "covar" | "covar_pop" | "covar_samp" | "regr_avgx" | "regr_avgy"
        | "regr_count" | "regr_intercept" | "regr_r2" | "regr_slope" | "regr_sxx" | "regr_sxy"
        | "regr_syy" | "stddev" | "stddev_pop" | "sum" | "var" | "var_pop" | "var_samp" => {
            Trait::Sum
        }
        "any_value"
        | "approx_median"
        | "approx_percentile_cont"
        | "approx_percentile_cont_with_weight"
        | "array_agg"
        | "first_value"
        | "last_value"
        | "nth_value"
        | "string_agg" => Trait::OrderSensitive,
        _ => Trait::Unknown,
    }
}
