//! Datasets of plain files: Parquet, CSV and JSON lines.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use codeanatomy_project::{CsvOptions, DatasetFormat};
use codeanatomy_session::Session;
use codeanatomy_vocab::{Encoder, Error, Fingerprint, Location, Result};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};

use super::parquet::ParquetFiles;
use crate::codes;

/// Endings by which a compressed text file is known.
const COMPRESSIONS: [(&str, FileCompressionType); 5] = [
    ("gz", FileCompressionType::GZIP),
    ("bz2", FileCompressionType::BZIP2),
    ("xz", FileCompressionType::XZ),
    ("zst", FileCompressionType::ZSTD),
    ("", FileCompressionType::UNCOMPRESSED),
];

/// The files of a dataset, by content.
#[derive(Debug)]
pub(super) struct PinnedFiles {
    root: PathBuf,
    format: DatasetFormat,
    ending: String,
    files: Vec<PinnedFile>,
    table: Arc<ListingTable>,
    footprint: Fingerprint,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct PinnedFile {
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
    pub(super) modified: Option<SystemTime>,
}

/// Fixes the files at `path`, a file or a folder that is searched through.
pub(super) async fn pin(
    path: &Path,
    shown: &str,
    format: Option<DatasetFormat>,
    csv: CsvOptions,
    session: &Session,
) -> Result<PinnedFiles> {
    if !path.exists() {
        return Err(Error::new(
            codes::DATASET_MISSING,
            format!("there is nothing at `{shown}`"),
        )
        .with_help("correct `location`, or put the data there"));
    }
    let found = list(path, shown)?;
    let (format, ending) = find_format(&found, format, shown)?;
    let files: Vec<PinnedFile> = found
        .into_iter()
        .filter(|file| ending_of(&file.path) == ending)
        .collect();
    if files.iter().all(|file| file.size_bytes == 0) {
        return Err(
            Error::new(codes::DATASET_EMPTY, format!("`{shown}` holds no data"))
                .with_expected(format!("at least one .{ending} file that is not empty"))
                .with_help("put the data there, or correct `location`"),
        );
    }
    let table = open(path, &files, format, csv, &ending, session)
        .await
        .map_err(|error| {
            Error::new(
                codes::DATASET_UNREADABLE,
                format!(
                    "the files at `{shown}` cannot be read: {}",
                    first_line(&error)
                ),
            )
            .with_source(error)
            .with_help("check that the files are of the format that `format` says, and readable")
        })?;
    let footprint = footprint(path, &files, format, csv, &table.schema())?;
    Ok(PinnedFiles {
        root: path.to_owned(),
        format,
        ending,
        files,
        table: Arc::new(table),
        footprint,
    })
}

impl PinnedFiles {
    pub(super) fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    pub(super) fn format(&self) -> &'static str {
        self.format.as_str()
    }

    pub(super) fn n_files(&self) -> u64 {
        self.files.len() as u64
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    pub(super) fn footprint(&self) -> Fingerprint {
        self.footprint
    }

    pub(super) fn provider(&self) -> Result<Arc<dyn TableProvider>> {
        Ok(match self.format {
            DatasetFormat::Delta | DatasetFormat::Parquet => {
                Arc::new(ParquetFiles(Arc::clone(&self.table)))
            }
            DatasetFormat::Csv | DatasetFormat::Json => Arc::clone(&self.table) as _,
        })
    }

    pub(super) fn check_unchanged(&self) -> Result<()> {
        let shown = self.root.display().to_string();
        let now: Vec<PinnedFile> = list(&self.root, &shown)?
            .into_iter()
            .filter(|file| ending_of(&file.path) == self.ending)
            .collect();
        if now == self.files {
            return Ok(());
        }
        let changed = now
            .iter()
            .find(|file| !self.files.contains(file))
            .or_else(|| self.files.iter().find(|file| !now.contains(file)));
        let place = changed.map_or(self.root.as_path(), |file| file.path.as_path());
        Err(Error::new(
            codes::DATASET_CHANGED,
            "a file changed while it was being read",
        )
        .at(Location::file(place))
        .with_help("build again once nobody writes to the dataset"))
    }
}

/// All files below `path`, sorted; names that start with `.` or `_` are not data.
fn list(path: &Path, shown: &str) -> Result<Vec<PinnedFile>> {
    let unreadable = |at: &Path, error: std::io::Error| {
        Error::new(
            codes::DATASET_UNREADABLE,
            format!("`{shown}` cannot be read: {error}"),
        )
        .at(Location::file(at))
        .with_source(error)
        .with_help("give this user the right to read it")
    };
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(at) = open.pop() {
        let metadata = fs::metadata(&at).map_err(|error| unreadable(&at, error))?;
        if metadata.is_dir() {
            for entry in fs::read_dir(&at).map_err(|error| unreadable(&at, error))? {
                let entry = entry.map_err(|error| unreadable(&at, error))?;
                let name = entry.file_name();
                if !name.to_string_lossy().starts_with(['.', '_']) {
                    open.push(entry.path());
                }
            }
        } else {
            files.push(PinnedFile {
                path: at,
                size_bytes: metadata.len(),
                modified: metadata.modified().ok(),
            });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

pub(super) fn find_format(
    files: &[PinnedFile],
    declared: Option<DatasetFormat>,
    shown: &str,
) -> Result<(DatasetFormat, String)> {
    let known: BTreeSet<(String, DatasetFormat)> = files
        .iter()
        .filter_map(|file| {
            let ending = ending_of(&file.path);
            Some((ending.clone(), format_of(&ending)?))
        })
        .filter(|(_, format)| declared.is_none_or(|declared| declared == *format))
        .collect();
    let mut known = known.into_iter();
    match (known.next(), known.next()) {
        (None, _) if files.is_empty() => Err(Error::new(
            codes::DATASET_EMPTY,
            format!("`{shown}` holds no file"),
        )
        .with_help("put the data there, or correct `location`")),
        (None, _) => Err(match declared {
            Some(format) => Error::new(
                codes::DATASET_EMPTY,
                format!("`{shown}` holds no {format} file"),
            )
            .with_help("correct `format` or `location`; files are known by their ending"),
            None => Error::new(
                codes::DATASET_FORMAT,
                format!("the format of `{shown}` cannot be told"),
            )
            .with_expected("files that end in .parquet, .csv, .json, .jsonl or .ndjson")
            .with_help("rename the files, or correct `location`"),
        }),
        (Some((ending, format)), None) => Ok((format, ending)),
        (Some((first, _)), Some((second, _))) => Err(Error::new(
            codes::DATASET_FORMAT,
            format!("`{shown}` mixes .{first} and .{second} files"),
        )
        .with_expected("files of one ending")
        .with_help("point `location` at one kind of files, or set `format`")),
    }
}

/// `csv.gz` of `a.csv.gz`, `parquet` of `a.parquet`.
pub(super) fn ending_of(path: &Path) -> String {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let mut parts = name.rsplit('.');
    let last = parts.next().unwrap_or_default();
    let is_compression = COMPRESSIONS
        .iter()
        .any(|(ending, _)| !ending.is_empty() && *ending == last);
    match parts.next() {
        Some(inner) if is_compression => format!("{inner}.{last}"),
        Some(_) => last.to_owned(),
        None => String::new(),
    }
}

fn format_of(ending: &str) -> Option<DatasetFormat> {
    match ending.split('.').next()? {
        "parquet" if ending == "parquet" => Some(DatasetFormat::Parquet),
        "csv" | "tsv" => Some(DatasetFormat::Csv),
        "json" | "jsonl" | "ndjson" => Some(DatasetFormat::Json),
        _ => None,
    }
}

/// How the engine reads files of one format and ending.
pub(super) fn listing_options(
    root: &Path,
    files: &[PinnedFile],
    format: DatasetFormat,
    csv: CsvOptions,
    ending: &str,
) -> ListingOptions {
    let compression = COMPRESSIONS
        .iter()
        .find(|(suffix, _)| ending.ends_with(&format!(".{suffix}")))
        .map_or(FileCompressionType::UNCOMPRESSED, |(_, compression)| {
            *compression
        });
    let reader: Arc<dyn FileFormat> = match format {
        DatasetFormat::Delta | DatasetFormat::Parquet => Arc::new(ParquetFormat::default()),
        DatasetFormat::Csv => Arc::new(
            CsvFormat::default()
                .with_has_header(csv.header)
                .with_delimiter(if ending.starts_with("tsv") {
                    b'\t'
                } else {
                    csv.delimiter
                })
                .with_file_compression_type(compression),
        ),
        DatasetFormat::Json => {
            Arc::new(JsonFormat::default().with_file_compression_type(compression))
        }
    };
    ListingOptions::new(reader)
        .with_file_extension(file_suffix(files, ending))
        .with_table_partition_cols(
            partition_columns(root, files)
                .into_iter()
                .map(|name| (name, DataType::Utf8))
                .collect(),
        )
}

async fn open(
    root: &Path,
    files: &[PinnedFile],
    format: DatasetFormat,
    csv: CsvOptions,
    ending: &str,
    session: &Session,
) -> datafusion::common::Result<ListingTable> {
    let options = listing_options(root, files, format, csv, ending);
    // With partition folders the engine reads the values off the paths below the root. Without, it
    // gets exactly the files that were found.
    let urls = if options.table_partition_cols.is_empty() {
        files
            .iter()
            .filter(|file| file.size_bytes > 0)
            .map(|file| ListingTableUrl::parse(file.path.to_string_lossy()))
            .collect::<Result<Vec<_>, _>>()?
    } else {
        vec![ListingTableUrl::parse(format!(
            "{}/",
            root.to_string_lossy()
        ))?]
    };
    let state = session.state();
    let mut schemas = Vec::with_capacity(urls.len());
    for url in &urls {
        schemas.push(options.infer_schema(&state, url).await?.as_ref().clone());
    }
    let schema = Schema::try_merge(schemas)?;
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(Arc::new(plain_types(&schema)));
    ListingTable::try_new(config)
}

/// The ending as the files spell it: the engine compares with regard to case.
pub(super) fn file_suffix(files: &[PinnedFile], ending: &str) -> String {
    let spelled = files
        .first()
        .map(|file| file.path.to_string_lossy().into_owned());
    let spelled = spelled.unwrap_or_default();
    spelled
        .get(spelled.len() - ending.len()..)
        .unwrap_or(ending)
        .to_owned()
}

/// The keys of `key=value` folders between the root and the files, if all files have the same.
fn partition_columns(root: &Path, files: &[PinnedFile]) -> Vec<String> {
    let keys = |file: &PinnedFile| -> Option<Vec<String>> {
        let folders = file.path.strip_prefix(root).ok()?.parent()?;
        folders
            .components()
            .map(|folder| {
                let folder = folder.as_os_str().to_str()?;
                folder.split_once('=').map(|(key, _)| key.to_owned())
            })
            .collect()
    };
    let mut all = files.iter().map(keys);
    match all.next().flatten() {
        Some(first) if all.all(|other| other.as_ref() == Some(&first)) => first,
        _ => Vec::new(),
    }
}

/// Replaces view types, which a plan must not hold while joins collect their buffers.
pub(super) fn plain_types(schema: &Schema) -> Schema {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| {
            let data_type = match field.data_type() {
                DataType::Utf8View => DataType::Utf8,
                DataType::BinaryView => DataType::Binary,
                other => other.clone(),
            };
            field.as_ref().clone().with_data_type(data_type)
        })
        .collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

/// Covers the format's options, the schema, and of each file the path below the root and the
/// content. Times do not count: two files of one time may differ, and a touched file may not.
fn footprint(
    root: &Path,
    files: &[PinnedFile],
    format: DatasetFormat,
    csv: CsvOptions,
    schema: &Schema,
) -> Result<Fingerprint> {
    let mut encoder = Encoder::new("codeanatomy.files", 1);
    encoder.str(format.as_str());
    if format == DatasetFormat::Csv {
        encoder.bool(csv.header);
        encoder.tag(csv.delimiter);
    }
    codeanatomy_schema::encode_schema(&mut encoder, schema);
    encoder.len(files.len());
    for file in files {
        let below = file.path.strip_prefix(root).unwrap_or(Path::new(""));
        encoder.str(&below.to_string_lossy());
        let mut hasher = blake3::Hasher::new();
        File::open(&file.path)
            .and_then(|opened| hasher.update_reader(opened).map(|_| ()))
            .map_err(|error| {
                Error::new(
                    codes::DATASET_UNREADABLE,
                    format!("a file cannot be read: {error}"),
                )
                .at(Location::file(&file.path))
                .with_source(error)
                .with_help("give this user the right to read it")
            })?;
        encoder.bytes(hasher.finalize().as_bytes());
    }
    Ok(encoder.finish())
}

pub(super) fn first_line(error: &datafusion::error::DataFusionError) -> String {
    let text = error.find_root().to_string();
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_keep_the_compression() {
        for (name, ending) in [
            ("a.CSV.gz", "csv.gz"),
            ("x.parquet", "parquet"),
            ("b.tar", "tar"),
            ("none", ""),
        ] {
            assert_eq!(ending_of(Path::new(name)), ending);
        }
    }

    #[test]
    fn partition_folders_must_agree() {
        let file = |path: &str| PinnedFile {
            path: Path::new("/d").join(path),
            size_bytes: 1,
            modified: None,
        };
        let columns = |paths: &[&str]| {
            let files: Vec<_> = paths.iter().map(|path| file(path)).collect();
            partition_columns(Path::new("/d"), &files)
        };
        assert_eq!(columns(&["y=1/m=2/a.csv", "y=2/m=3/b.csv"]), ["y", "m"]);
        assert_eq!(columns(&["y=1/a.csv", "b.csv"]), Vec::<String>::new());
        assert_eq!(columns(&["sub/a.csv"]), Vec::<String>::new());
    }
}
