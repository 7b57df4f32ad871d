//! Files of one format as a table.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::{Result, plan_err};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion_catalog::{Session, TableFunctionArgs, TableProvider};
use futures::TryStreamExt;

use super::arguments::Arguments;
use super::wait::wait;

/// A table of the files that the arguments of a call name.
pub(crate) fn scan(
    function: &'static str,
    format: Arc<dyn FileFormat>,
    extension: &str,
    args: &TableFunctionArgs<'_, '_>,
) -> Result<Arc<dyn TableProvider>> {
    let arguments = Arguments::read(function, args.exprs(), 1, usize::MAX)?;
    let mut urls = Vec::with_capacity(arguments.len());
    let mut named_files = true;
    for index in 0..arguments.len() {
        let url = ListingTableUrl::parse(arguments.text(index, "path")?)?;
        named_files &= !url.is_collection() && url.get_glob().is_none();
        urls.push(url);
    }
    // In a folder the name of a file says what it is; a file that is named may have any.
    let extension = if named_files { "" } else { extension };
    let options = ListingOptions::new(format).with_file_extension(extension);
    let session = args.session();
    let schema = wait(async {
        let mut schemas = Vec::with_capacity(urls.len());
        for url in &urls {
            check_found(function, url, session, extension).await?;
            schemas.push(options.infer_schema(session, url).await?.as_ref().clone());
        }
        // What one file has in every row, another may lack.
        let merged = Schema::try_merge(schemas)?;
        let fields = merged.fields().iter();
        let fields = fields.map(|field| field.as_ref().clone().with_nullable(true));
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    })?;
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// Says that there is nothing, instead of making a table without columns.
async fn check_found(
    function: &str,
    url: &ListingTableUrl,
    session: &dyn Session,
    extension: &str,
) -> Result<()> {
    let store = session.runtime_env().object_store(url)?;
    let first = url
        .list_all_files(session, store.as_ref(), extension)
        .await?
        .try_next()
        .await?;
    match first {
        Some(_) => Ok(()),
        None if extension.is_empty() => plan_err!("`{function}` finds no file at {url}"),
        None => plan_err!("`{function}` finds no file that ends with {extension} in {url}"),
    }
}
