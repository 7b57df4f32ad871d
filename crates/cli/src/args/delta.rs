//! The arguments of `codeanatomy delta`.

use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use codeanatomy_vocab::{DatasetName, DeltaVersion, SecretRef, UnixMillis, ViewName};

use super::time;

#[derive(Debug, Subcommand)]
pub(crate) enum Delta {
    /// Show what a table is: columns, size, properties, protocol
    Info(DeltaTable),
    /// Show the commits of a table, newest first
    History(DeltaHistory),
    /// Show the data files of a version
    Files(DeltaFiles),
    /// Show what readers and writers of a table must know
    Protocol(DeltaTable),
    /// Make a checkpoint, or look for damaged ones
    #[command(subcommand)]
    Checkpoint(DeltaCheckpoint),
    /// Put small files together, or rows that are read together
    Optimize(DeltaOptimize),
    /// Delete data files that only old versions need
    Vacuum(DeltaVacuum),
    /// Delete commits and checkpoints that are older than the log's retention
    CleanupLog(DeltaCleanupLog),
    /// Give a table the rows of an older version again, in a new version
    Restore(DeltaRestore),
    /// Show the changes that a table recorded: its change data feed
    Cdf(DeltaCdf),
    /// Look at or move how far a view has read the changes of a dataset
    #[command(subcommand)]
    Cursor(DeltaCursor),
}

/// Which table, and how it is reached.
#[derive(Debug, Args)]
pub(crate) struct DeltaTable {
    /// A dataset, a view that is stored, a path or a URL
    #[arg(value_name = "TABLE")]
    pub(crate) table: String,
    /// An option of the store, such as `region=eu-central-1`; `KEY=env:NAME` and `KEY=file:PATH` say
    /// where a secret is
    #[arg(long = "option", value_name = "KEY=VALUE")]
    pub(crate) options: Vec<StoreOption>,
}

#[derive(Debug, Args)]
pub(crate) struct DeltaHistory {
    #[command(flatten)]
    pub(crate) table: DeltaTable,
    /// At most this many commits
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct DeltaFiles {
    #[command(flatten)]
    pub(crate) table: DeltaTable,
    /// The version [default: that of the dataset in the project, else the newest]
    #[arg(long, value_name = "VERSION", conflicts_with = "timestamp")]
    pub(crate) version: Option<DeltaVersion>,
    /// The newest version at this time, for example 2026-01-15T10:30:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timestamp: Option<UnixMillis>,
    /// Show the smallest and the largest value of each column, and how many nulls
    #[arg(long)]
    pub(crate) stats: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeltaCheckpoint {
    /// Make a checkpoint of the newest version
    Create(DeltaTable),
    /// Look at every checkpoint; exit with 5 when one is damaged
    Inspect(DeltaTable),
}

#[derive(Debug, Args)]
pub(crate) struct DeltaOptimize {
    #[command(flatten)]
    pub(crate) table: DeltaTable,
    /// Bring rows with near values of these columns together
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub(crate) z_order: Vec<String>,
    /// The size that files should have, for example 256MiB [default: that of the table]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) target_size: Option<NonZeroU64>,
}

#[derive(Debug, Args)]
pub(crate) struct DeltaVacuum {
    #[command(flatten)]
    pub(crate) table: DeltaTable,
    /// Only show what would be deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Keep files that were removed this short a time ago, for example 14d [default: the table's own]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) retention: Option<Duration>,
    /// Allow a retention below the table's own: readers of old versions may then fail
    #[arg(long)]
    pub(crate) force: bool,
    /// Delete also files that no commit names; nothing may write meanwhile
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeltaCleanupLog {
    #[command(flatten)]
    pub(crate) table: DeltaTable,
    /// Only show what would be deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeltaRestore {
    #[command(flatten)]
    pub(crate) table: DeltaTable,
    /// The version whose rows the table gets again
    #[arg(
        long,
        value_name = "VERSION",
        required_unless_present = "to_timestamp",
        conflicts_with = "to_timestamp"
    )]
    pub(crate) to_version: Option<DeltaVersion>,
    /// The newest version at this time, for example 2026-01-15T10:30:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to_timestamp: Option<UnixMillis>,
}

#[derive(Debug, Args)]
pub(crate) struct DeltaCdf {
    #[command(flatten)]
    pub(crate) table: DeltaTable,
    /// The first version
    #[arg(
        long,
        value_name = "VERSION",
        required_unless_present = "from_timestamp",
        conflicts_with = "from_timestamp"
    )]
    pub(crate) from_version: Option<DeltaVersion>,
    /// The last version, its changes included [default: the newest]
    #[arg(long, value_name = "VERSION", conflicts_with = "to_timestamp")]
    pub(crate) to_version: Option<DeltaVersion>,
    /// From the first version at or after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from_timestamp: Option<UnixMillis>,
    /// To the last version at or before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to_timestamp: Option<UnixMillis>,
    /// Show no changes, in place of an error, when the start is beyond the newest version
    #[arg(long)]
    pub(crate) allow_out_of_range: bool,
    /// Show at most this many changes; all are counted
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeltaCursor {
    /// Show how far views have read the changes of datasets
    Show(DeltaCursorShow),
    /// Move a cursor by hand: the next incremental build reads the changes after it
    Reset(DeltaCursorReset),
}

#[derive(Debug, Args)]
pub(crate) struct DeltaCursorShow {
    /// Only this view [default: all that are stored]
    #[arg(value_name = "VIEW")]
    pub(crate) view: Option<ViewName>,
}

#[derive(Debug, Args)]
pub(crate) struct DeltaCursorReset {
    /// The view
    #[arg(value_name = "VIEW")]
    pub(crate) view: ViewName,
    /// The dataset whose changes it reads
    #[arg(value_name = "DATASET")]
    pub(crate) dataset: DatasetName,
    /// The last version that counts as read [default: none, all changes are read again]
    #[arg(long, value_name = "VERSION")]
    pub(crate) to_version: Option<DeltaVersion>,
}

/// One `KEY=VALUE` of a store; the value may be a reference to a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreOption {
    pub(crate) key: String,
    pub(crate) value: StoreValue,
}

/// A value, or where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreValue {
    Plain(String),
    Reference(SecretRef),
}

impl FromStr for StoreOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.trim().is_empty())
            .ok_or_else(|| "expected KEY=VALUE, KEY=env:NAME or KEY=file:PATH".to_owned())?;
        let value = match value.split_once(':') {
            Some(("env", name)) if !name.is_empty() => {
                StoreValue::Reference(SecretRef::Env(name.to_owned()))
            }
            Some(("file", path)) if !path.is_empty() => {
                StoreValue::Reference(SecretRef::File(path.into()))
            }
            _ => StoreValue::Plain(value.to_owned()),
        };
        Ok(Self {
            key: key.trim().to_owned(),
            value,
        })
    }
}

fn size(text: &str) -> Result<NonZeroU64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("", 1),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))
        .map(|(_, factor)| *factor);
    let number: Option<u64> = number.parse().ok();
    number
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .and_then(NonZeroU64::new)
        .ok_or_else(|| "expected a size above zero, such as 256MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_of_a_store_may_say_where_its_value_is() {
        let option = |text: &str| text.parse::<StoreOption>().map(|option| option.value);
        assert_eq!(option("region=eu"), Ok(StoreValue::Plain("eu".into())));
        assert_eq!(
            option("endpoint=http://localhost:9000"),
            Ok(StoreValue::Plain("http://localhost:9000".into()))
        );
        assert_eq!(
            option("secret=env:KEY"),
            Ok(StoreValue::Reference(SecretRef::Env("KEY".into())))
        );
        assert_eq!(
            option("secret=file:/run/key"),
            Ok(StoreValue::Reference(SecretRef::File("/run/key".into())))
        );
        assert!(option("region").is_err());
        assert!(option("=x").is_err());
    }

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        assert_eq!(size("256MiB").map(NonZeroU64::get), Ok(256 << 20));
        assert_eq!(size("1000").map(NonZeroU64::get), Ok(1000));
        for wrong in ["0", "much", "-1"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
