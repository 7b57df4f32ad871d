//! What each setting can change: one reviewed table over all of them.

use crate::SettingClass;
use crate::SettingClass::{Determinism, Performance, Semantic};

/// The class of a setting, by its full key; `None` for a key that is not in the table.
///
/// The table covers every entry of the engine's `ConfigOptions`, its `datafusion.runtime.*`
/// settings and this crate's own `session.*` ones. A setting is [`Semantic`](SettingClass) unless it
/// is certain that no value of it changes what an accepted query answers.
///
/// # Example: does the batch size change the rows?
///
/// ```
/// use codeanatomy_session::{SettingClass, classify};
///
/// assert_eq!(classify("datafusion.execution.batch_size"), Some(SettingClass::Determinism));
/// assert_eq!(classify("datafusion.execution.time_zone"), Some(SettingClass::Semantic));
/// ```
pub fn classify(key: &str) -> Option<SettingClass> {
    TABLE
        .binary_search_by_key(&key, |(key, _, _)| key)
        .ok()
        .map(|index| TABLE[index].1)
}

/// Why a setting has its class, where the class does not speak for itself.
pub fn classification_reason(key: &str) -> Option<&'static str> {
    TABLE
        .binary_search_by_key(&key, |(key, _, _)| key)
        .ok()
        .map(|index| TABLE[index].2)
        .filter(|reason| !reason.is_empty())
}

const ACCEPTANCE: &str = "decides whether a query is accepted, not what it answers";
const CHOICE: &str = "chooses between plans of equal meaning that emit rows in other orders";
const EXPLAIN: &str = "shapes the text of EXPLAIN, which a view cannot hold";
const FEEDBACK: &str = "prunes rows that cannot reach the result; which ties survive may differ";
const FILE_LAYOUT: &str = "shapes written files; the same rows are read back";
const PRINTING: &str = "prints batches; in doubt, because functions may come to use it";
const SPREAD: &str = "spreads rows over other partitions";
const WRITTEN_ORDER: &str =
    "cuts written rows into other files, which are read back in other orders";

/// Sorted by key.
#[rustfmt::skip]
pub(crate) const TABLE: &[(&str, SettingClass, &str)] = &[
    ("datafusion.catalog.create_default_catalog_and_schema", Semantic, "decides which names resolve"),
    ("datafusion.catalog.default_catalog", Semantic, "decides which names resolve"),
    ("datafusion.catalog.default_schema", Semantic, "decides which names resolve"),
    ("datafusion.catalog.format", Semantic, ""),
    ("datafusion.catalog.has_header", Semantic, ""),
    ("datafusion.catalog.information_schema", Semantic, "a query can read it"),
    ("datafusion.catalog.location", Semantic, ""),
    ("datafusion.catalog.newlines_in_values", Semantic, ""),
    ("datafusion.execution.batch_size", Determinism, "moves the borders between batches"),
    ("datafusion.execution.coalesce_batches", Determinism, "moves the borders between batches"),
    ("datafusion.execution.collect_statistics", Determinism, CHOICE),
    ("datafusion.execution.enable_ansi_mode", Semantic, ""),
    ("datafusion.execution.enable_file_stream_work_stealing", Determinism, "partitions take each other's files as they race"),
    ("datafusion.execution.enable_migration_aggregate", Semantic, "in doubt: swaps the implementation of GROUP BY"),
    ("datafusion.execution.enable_recursive_ctes", Performance, ACCEPTANCE),
    ("datafusion.execution.enforce_batch_size_in_joins", Determinism, "moves the borders between batches"),
    ("datafusion.execution.hash_join_buffering_capacity", Determinism, "changes which rows dynamic filters see in time"),
    ("datafusion.execution.keep_partition_by_columns", Semantic, "adds columns to written files"),
    ("datafusion.execution.listing_table_factory_infer_partitions", Semantic, ""),
    ("datafusion.execution.listing_table_ignore_subdirectory", Semantic, ""),
    ("datafusion.execution.max_buffered_batches_per_output_file", Performance, ""),
    ("datafusion.execution.max_spill_file_size_bytes", Performance, ""),
    ("datafusion.execution.meta_fetch_concurrency", Determinism, "files may be listed in another order"),
    ("datafusion.execution.minimum_parallel_output_files", Determinism, WRITTEN_ORDER),
    ("datafusion.execution.objectstore_writer_buffer_size", Performance, ""),
    ("datafusion.execution.parquet.allow_single_file_parallelism", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.binary_as_string", Semantic, ""),
    ("datafusion.execution.parquet.bloom_filter_fpp", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.bloom_filter_ndv", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.bloom_filter_on_read", Performance, ""),
    ("datafusion.execution.parquet.bloom_filter_on_write", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.coerce_int96", Semantic, ""),
    ("datafusion.execution.parquet.coerce_int96_tz", Semantic, ""),
    ("datafusion.execution.parquet.column_index_truncate_length", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.compression", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.content_defined_chunking.enabled", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.content_defined_chunking.max_chunk_size", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.content_defined_chunking.min_chunk_size", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.content_defined_chunking.norm_level", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.created_by", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.data_page_row_count_limit", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.data_pagesize_limit", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.dictionary_enabled", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.dictionary_page_size_limit", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.enable_page_index", Performance, ""),
    ("datafusion.execution.parquet.encoding", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.force_filter_selections", Performance, ""),
    ("datafusion.execution.parquet.max_in_list_size", Performance, ""),
    ("datafusion.execution.parquet.max_predicate_cache_size", Performance, ""),
    ("datafusion.execution.parquet.max_row_group_bytes", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.max_row_group_size", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.maximum_buffered_record_batches_per_stream", Performance, ""),
    ("datafusion.execution.parquet.maximum_parallel_row_group_writers", Performance, ""),
    ("datafusion.execution.parquet.metadata_size_hint", Performance, ""),
    ("datafusion.execution.parquet.pruning", Performance, ""),
    ("datafusion.execution.parquet.pushdown_filters", Semantic, "in doubt: a filter that can fail is evaluated over other rows"),
    ("datafusion.execution.parquet.reorder_filters", Semantic, "in doubt: a filter that can fail is evaluated over other rows"),
    ("datafusion.execution.parquet.schema_force_view_types", Semantic, "changes the types of columns"),
    ("datafusion.execution.parquet.skip_arrow_metadata", Semantic, "written files are read back with other types"),
    ("datafusion.execution.parquet.skip_metadata", Semantic, "changes the metadata of schemas"),
    ("datafusion.execution.parquet.statistics_enabled", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.statistics_truncate_length", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.write_batch_size", Performance, FILE_LAYOUT),
    ("datafusion.execution.parquet.writer_version", Performance, FILE_LAYOUT),
    ("datafusion.execution.perfect_hash_join_min_key_density", Determinism, CHOICE),
    ("datafusion.execution.perfect_hash_join_small_build_threshold", Determinism, CHOICE),
    ("datafusion.execution.planning_concurrency", Performance, "plans the inputs of one query side by side; the plan is the same"),
    ("datafusion.execution.skip_partial_aggregation_probe_ratio_threshold", Determinism, CHOICE),
    ("datafusion.execution.skip_partial_aggregation_probe_rows_threshold", Determinism, CHOICE),
    ("datafusion.execution.skip_physical_aggregate_schema_check", Semantic, "lets plans run whose types do not agree"),
    ("datafusion.execution.soft_max_rows_per_output_file", Determinism, WRITTEN_ORDER),
    ("datafusion.execution.sort_in_place_threshold_bytes", Determinism, "orders equal sort keys differently"),
    ("datafusion.execution.sort_pushdown_buffer_capacity", Performance, ""),
    ("datafusion.execution.sort_spill_reservation_bytes", Determinism, "orders equal sort keys differently"),
    ("datafusion.execution.spill_compression", Performance, ""),
    ("datafusion.execution.split_file_groups_by_statistics", Determinism, SPREAD),
    ("datafusion.execution.target_partitions", Determinism, SPREAD),
    ("datafusion.execution.time_zone", Semantic, ""),
    ("datafusion.execution.use_row_number_estimates_to_optimize_partitioning", Determinism, SPREAD),
    ("datafusion.explain.analyze_categories", Performance, EXPLAIN),
    ("datafusion.explain.analyze_level", Performance, EXPLAIN),
    ("datafusion.explain.format", Performance, EXPLAIN),
    ("datafusion.explain.logical_plan_only", Performance, EXPLAIN),
    ("datafusion.explain.physical_plan_only", Performance, EXPLAIN),
    ("datafusion.explain.show_schema", Performance, EXPLAIN),
    ("datafusion.explain.show_sizes", Performance, EXPLAIN),
    ("datafusion.explain.show_statistics", Performance, EXPLAIN),
    ("datafusion.explain.tree_maximum_render_width", Performance, EXPLAIN),
    ("datafusion.format.date_format", Semantic, PRINTING),
    ("datafusion.format.datetime_format", Semantic, PRINTING),
    ("datafusion.format.duration_format", Semantic, PRINTING),
    ("datafusion.format.null", Semantic, PRINTING),
    ("datafusion.format.safe", Semantic, PRINTING),
    ("datafusion.format.time_format", Semantic, PRINTING),
    ("datafusion.format.timestamp_format", Semantic, PRINTING),
    ("datafusion.format.timestamp_tz_format", Semantic, PRINTING),
    ("datafusion.format.types_info", Semantic, PRINTING),
    ("datafusion.optimizer.allow_symmetric_joins_without_pruning", Determinism, CHOICE),
    ("datafusion.optimizer.default_filter_selectivity", Determinism, CHOICE),
    ("datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown", Semantic, "returns wrong minima and maxima in this version of the engine"),
    ("datafusion.optimizer.enable_distinct_aggregation_soft_limit", Determinism, FEEDBACK),
    ("datafusion.optimizer.enable_dynamic_filter_pushdown", Semantic, "switches the setting for aggregates with it"),
    ("datafusion.optimizer.enable_join_dynamic_filter_pushdown", Determinism, FEEDBACK),
    ("datafusion.optimizer.enable_leaf_expression_pushdown", Determinism, CHOICE),
    ("datafusion.optimizer.enable_physical_uncorrelated_scalar_subquery", Semantic, "off, a subquery of many rows is not refused"),
    ("datafusion.optimizer.enable_piecewise_merge_join", Semantic, "in doubt: experimental"),
    ("datafusion.optimizer.enable_round_robin_repartition", Determinism, SPREAD),
    ("datafusion.optimizer.enable_sort_pushdown", Determinism, CHOICE),
    ("datafusion.optimizer.enable_topk_aggregation", Determinism, FEEDBACK),
    ("datafusion.optimizer.enable_topk_dynamic_filter_pushdown", Determinism, FEEDBACK),
    ("datafusion.optimizer.enable_topk_repartition", Determinism, FEEDBACK),
    ("datafusion.optimizer.enable_unions_to_filter", Determinism, CHOICE),
    ("datafusion.optimizer.enable_window_limits", Determinism, FEEDBACK),
    ("datafusion.optimizer.enable_window_topn", Determinism, FEEDBACK),
    ("datafusion.optimizer.expand_views_at_output", Semantic, "changes the types of columns"),
    ("datafusion.optimizer.filter_null_join_keys", Determinism, CHOICE),
    ("datafusion.optimizer.hash_join_inlist_pushdown_max_distinct_values", Performance, "the form of a dynamic filter, not what passes it"),
    ("datafusion.optimizer.hash_join_inlist_pushdown_max_size", Performance, "the form of a dynamic filter, not what passes it"),
    ("datafusion.optimizer.hash_join_single_partition_threshold", Determinism, CHOICE),
    ("datafusion.optimizer.hash_join_single_partition_threshold_rows", Determinism, CHOICE),
    ("datafusion.optimizer.join_reordering", Determinism, CHOICE),
    ("datafusion.optimizer.max_passes", Determinism, CHOICE),
    ("datafusion.optimizer.prefer_existing_sort", Determinism, CHOICE),
    ("datafusion.optimizer.prefer_existing_union", Determinism, CHOICE),
    ("datafusion.optimizer.prefer_hash_join", Determinism, CHOICE),
    ("datafusion.optimizer.preserve_file_partitions", Determinism, SPREAD),
    ("datafusion.optimizer.repartition_aggregations", Determinism, SPREAD),
    ("datafusion.optimizer.repartition_file_min_size", Determinism, SPREAD),
    ("datafusion.optimizer.repartition_file_scans", Determinism, SPREAD),
    ("datafusion.optimizer.repartition_joins", Determinism, SPREAD),
    ("datafusion.optimizer.repartition_sorts", Determinism, SPREAD),
    ("datafusion.optimizer.repartition_windows", Determinism, SPREAD),
    ("datafusion.optimizer.skip_failed_rules", Semantic, "in doubt: runs plans on which a rule failed"),
    ("datafusion.optimizer.subset_repartition_threshold", Determinism, SPREAD),
    ("datafusion.optimizer.top_down_join_key_reordering", Determinism, CHOICE),
    ("datafusion.optimizer.use_statistics_registry", Determinism, CHOICE),
    ("datafusion.runtime.file_statistics_cache_limit", Performance, ""),
    ("datafusion.runtime.list_files_cache_limit", Performance, "inputs are pinned before they are listed"),
    ("datafusion.runtime.list_files_cache_ttl", Performance, "inputs are pinned before they are listed"),
    ("datafusion.runtime.max_spill_merge_fan_in", Determinism, "orders equal sort keys differently"),
    ("datafusion.runtime.max_temp_directory_size", Performance, ""),
    ("datafusion.runtime.memory_limit", Determinism, "what spills is merged in another order"),
    ("datafusion.runtime.metadata_cache_limit", Performance, ""),
    ("datafusion.runtime.temp_directory", Performance, ""),
    ("datafusion.spark.map_key_dedup_policy", Semantic, ""),
    ("datafusion.sql_parser.collect_spans", Performance, "keeps places for messages; plans compare equal without them"),
    ("datafusion.sql_parser.default_null_ordering", Semantic, ""),
    ("datafusion.sql_parser.dialect", Semantic, ""),
    ("datafusion.sql_parser.enable_ident_normalization", Semantic, ""),
    ("datafusion.sql_parser.enable_options_value_normalization", Performance, "the engine ignores it"),
    ("datafusion.sql_parser.enable_subquery_sort_elimination", Semantic, "in doubt: drops orders that an aggregate could have seen"),
    ("datafusion.sql_parser.map_string_types_to_utf8view", Semantic, "changes the types of columns"),
    ("datafusion.sql_parser.parse_float_as_decimal", Semantic, ""),
    ("datafusion.sql_parser.recursion_limit", Performance, ACCEPTANCE),
    ("datafusion.sql_parser.support_varchar_with_length", Performance, ACCEPTANCE),
    ("session.async_udf_batch_size", Performance, "a function gets the same rows in smaller or larger parts"),
    ("session.async_udf_timeout_ms", Performance, "decides whether a call fails, not what it answers"),
    ("session.concurrency", Performance, "views that run side by side do not see each other"),
    ("session.deterministic", Determinism, "stands for settings that are listed themselves"),
    ("session.enable_async_udfs", Performance, ACCEPTANCE),
    ("session.enable_expr_planners", Performance, "operators become calls, which plans show"),
    ("session.enable_function_factory", Performance, ACCEPTANCE),
    ("session.enable_udfs", Performance, ACCEPTANCE),
    ("session.expr_planner_names", Performance, "operators become calls, which plans show"),
    ("session.memory_pool", Determinism, "what spills is merged in another order"),
    ("session.preset", Performance, "stands for settings that are listed themselves"),
    ("session.strict_udfs", Performance, "each function that is called has a digest of its own"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use datafusion::common::config::ConfigOptions;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;

    use super::*;

    #[test]
    fn every_setting_of_the_engine_is_classified_and_no_entry_is_stale() {
        let engine: BTreeSet<String> = ConfigOptions::default()
            .entries()
            .into_iter()
            .chain(RuntimeEnvBuilder::new().entries())
            .map(|entry| entry.key)
            .collect();
        let table: BTreeSet<String> = TABLE
            .iter()
            .map(|(key, _, _)| (*key).to_owned())
            .filter(|key| !key.starts_with("session."))
            .collect();
        let unclassified: Vec<_> = engine.difference(&table).collect();
        let stale: Vec<_> = table.difference(&engine).collect();
        assert!(
            unclassified.is_empty() && stale.is_empty(),
            "classify these settings: {unclassified:?}; remove these: {stale:?}"
        );
    }

    #[test]
    fn the_table_is_sorted_and_without_duplicates() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn an_unknown_key_has_no_class() {
        assert_eq!(classify("datafusion.execution.batchsize"), None);
        assert_eq!(
            classification_reason("datafusion.execution.batchsize"),
            None
        );
    }
}
