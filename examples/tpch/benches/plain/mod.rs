//! The tables of the example as plain Parquet files, for the engine alone.

use std::path::Path;
use std::sync::Arc;

use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::prelude::SessionContext;

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// As what the text of the files is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// String views, as the engine does by default.
    Views,
    /// Text of the type that the files have, as scans of Delta tables give it.
    Plain,
}

/// Registers the data files below `folder`, without the columns that only their paths hold.
pub(crate) async fn register(
    context: &SessionContext,
    name: &str,
    folder: &Path,
    text: Text,
) -> Outcome<()> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("_delta_log") {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "parquet") {
                files.push(ListingTableUrl::parse(path.display().to_string())?);
            }
        }
    }
    files.sort_by_key(ToString::to_string);
    let format = ParquetFormat::default().with_force_view_types(text == Text::Views);
    let options = ListingOptions::new(Arc::new(format));
    let config = ListingTableConfig::new_with_multi_paths(files)
        .with_listing_options(options)
        .infer_schema(&context.state())
        .await?;
    context.register_table(name, Arc::new(ListingTable::try_new(config)?))?;
    Ok(())
}
