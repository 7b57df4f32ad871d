//! Invalid ids that a run wrote, collected in one table.

use std::path::Path;
use std::sync::Arc;

use codeanatomy_delta::{OutputLayout, OverwriteSpec, Provenance, StoreOptions, TableLocation};
use codeanatomy_vocab::{Clock, Encoder, Error, Result, RunId, ViewName};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, cast, ident, lit};
use tokio_util::sync::CancellationToken;

use crate::{BoundViews, codes};

/// What is wrong with an id that is null or zero.
const ISSUE: &str = "invalid_id";

/// The table of invalid ids: what kind of thing an id is of, the id, what is wrong, and the view whose
/// output holds it.
pub fn quality_schema() -> Schema {
    Schema::new(vec![
        Field::new("entity_kind", DataType::Utf8, false),
        Field::new("entity_id", DataType::Utf8, true),
        Field::new("issue", DataType::Utf8, false),
        Field::new("source_table", DataType::Utf8, true),
    ])
}

/// Collects the invalid ids in the outputs of `views` as they are now, and writes them as a new Delta
/// table into the folder `table`. An id is invalid if it is null, 0 or "0". Gives the number of rows;
/// `None` where no view declares a column of ids, and then nothing is written.
///
/// # Errors
///
/// [`QUALITY_UNWRITTEN`](codes::QUALITY_UNWRITTEN), with the cause. Nobody should fail because of it.
pub async fn write_quality(
    bound: &BoundViews,
    views: &[ViewName],
    table: &Path,
    run_id: &RunId,
    clock: Arc<dyn Clock>,
) -> Result<Option<u64>> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(
            codes::QUALITY_UNWRITTEN,
            format!("the table of invalid ids cannot be written: {error}"),
        )
        .with_help("the run is not touched by that; look at the disk that holds `.codeanatomy`")
    };
    let mut all: Option<DataFrame> = None;
    for name in views {
        let view = bound.planned().view(name)?;
        for (column, (kind, _)) in &view.definition().ids {
            let provider = bound
                .open_output(name)
                .await
                .map_err(|error| failed(&error))?;
            let rows = bound
                .session()
                .context()
                .read_table(provider)
                .and_then(|rows| invalid_ids(rows, column, kind, name))
                .map_err(|error| failed(&error))?;
            all = Some(match all {
                None => rows,
                Some(before) => before.union(rows).map_err(|error| failed(&error))?,
            });
        }
    }
    let Some(all) = all else {
        return Ok(None);
    };
    let plan = all
        .create_physical_plan()
        .await
        .map_err(|error| failed(&error))?;
    let text = table.display().to_string();
    let location = TableLocation::parse(&text, table).map_err(|error| failed(&error))?;
    let identity = {
        let mut encoder = Encoder::new("codeanatomy.quality", 1);
        encoder.str(run_id.as_str());
        encoder.finish()
    };
    let spec = OverwriteSpec {
        location,
        options: StoreOptions::new(),
        view: ViewName::new("quality")?,
        schema: Arc::new(quality_schema()),
        partition_by: Vec::new(),
        layout: OutputLayout::default(),
        expected: None,
        run_id: run_id.clone(),
        result_key: identity,
        plan_fingerprint: identity,
        provenance: Provenance::default(),
        clock,
    };
    let committed = codeanatomy_delta::overwrite(
        spec,
        plan,
        bound.session().context().task_ctx(),
        Arc::new(|_, _| {}),
        None,
        CancellationToken::new(),
    )
    .await
    .map_err(|error| failed(&error))?;
    Ok(Some(committed.rows))
}

fn invalid_ids(
    rows: DataFrame,
    column: &str,
    kind: &str,
    view: &ViewName,
) -> EngineResult<DataFrame> {
    let text = || cast(ident(column), DataType::Utf8);
    let is_zero = text().eq(lit("0"));
    let known = |value: &str| -> Expr { lit(ScalarValue::Utf8(Some(value.to_owned()))) };
    rows.filter(ident(column).is_null().or(is_zero))?
        .select(vec![
            known(kind).alias("entity_kind"),
            text().alias("entity_id"),
            known(ISSUE).alias("issue"),
            known(view.as_str()).alias("source_table"),
        ])
}
