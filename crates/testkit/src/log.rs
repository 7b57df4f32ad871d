//! Logs of Delta tables with many files or commits. The data files are holes of the right size: they can
//! be found and measured, and not read.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The size of each data file.
const FILE_BYTES: u64 = 4_096;

/// Rows of each file, as its statistics say.
const FILE_ROWS: usize = 1_000;

/// A table with the columns `day` (text, by which it is partitioned), `n` (whole numbers that grow from
/// file to file), `price` and `note`.
///
/// # Example: how many files does a partition have?
///
/// ```
/// use codeanatomy_testkit::DeltaLog;
///
/// let folder = tempfile::tempdir().unwrap();
/// let log = DeltaLog { n_files: 100, n_partitions: 10, files_per_commit: 50 };
/// assert_eq!(log.write(folder.path()).unwrap(), 1);
/// assert_eq!(folder.path().join("day=d00003").read_dir().unwrap().count(), 10);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DeltaLog {
    /// How many data files it has; file `i` is in partition `i % n_partitions`.
    pub n_files: usize,
    /// How many values `day` has: `d00000`, `d00001`, and so on.
    pub n_partitions: usize,
    /// How many files each commit adds.
    pub files_per_commit: usize,
}

impl DeltaLog {
    /// Writes the table into a folder, and gives its newest version.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<u64> {
        fs::create_dir_all(folder.join("_delta_log"))?;
        for partition in 0..self.n_partitions {
            fs::create_dir_all(folder.join(format!("day={}", day(partition))))?;
        }
        let mut version = 0;
        let mut files = 0..self.n_files;
        loop {
            let mut commit = String::new();
            if version == 0 {
                commit.push_str(&table());
            }
            let chunk: Vec<usize> = files.by_ref().take(self.files_per_commit.max(1)).collect();
            for file in &chunk {
                commit.push_str(&self.add(folder, *file, *file % self.n_partitions.max(1))?);
            }
            write_commit(folder, version, &commit)?;
            if files.is_empty() {
                return Ok(version);
            }
            version += 1;
        }
    }

    /// Adds commits of one new file each, all in a partition that was not there before, and gives the
    /// newest version.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn append_elsewhere(
        &self,
        folder: &Path,
        newest: u64,
        n_commits: usize,
    ) -> io::Result<u64> {
        let partition = self.n_partitions;
        fs::create_dir_all(folder.join(format!("day={}", day(partition))))?;
        let mut version = newest;
        for commit in 0..n_commits {
            version += 1;
            let add = self.add(folder, self.n_files + commit, partition)?;
            write_commit(folder, version, &add)?;
        }
        Ok(version)
    }

    /// The action that adds a file, and the file itself.
    fn add(&self, folder: &Path, file: usize, partition: usize) -> io::Result<String> {
        let day = day(partition);
        let path = format!("day={day}/part-{file:06}.parquet");
        File::create(folder.join(&path))?.set_len(FILE_BYTES)?;
        let first = file * FILE_ROWS;
        let last = first + FILE_ROWS - 1;
        let stats = format!(
            "{{\\\"numRecords\\\":{FILE_ROWS},\
             \\\"minValues\\\":{{\\\"n\\\":{first},\\\"price\\\":0.5,\\\"note\\\":\\\"note {first:09}\\\"}},\
             \\\"maxValues\\\":{{\\\"n\\\":{last},\\\"price\\\":99.5,\\\"note\\\":\\\"note {last:09}\\\"}},\
             \\\"nullCount\\\":{{\\\"n\\\":0,\\\"price\\\":0,\\\"note\\\":0}}}}"
        );
        Ok(format!(
            "{{\"add\":{{\"path\":\"{path}\",\"partitionValues\":{{\"day\":\"{day}\"}},\
             \"size\":{FILE_BYTES},\"modificationTime\":1700000000000,\"dataChange\":true,\
             \"stats\":\"{stats}\"}}}}\n"
        ))
    }
}

fn day(partition: usize) -> String {
    format!("d{partition:05}")
}

fn write_commit(folder: &Path, version: u64, actions: &str) -> io::Result<()> {
    let time = 1_700_000_000_000_u64 + version;
    let info = format!("{{\"commitInfo\":{{\"timestamp\":{time},\"operation\":\"WRITE\"}}}}\n");
    let path = folder.join(format!("_delta_log/{version:020}.json"));
    fs::write(path, info + actions)
}

fn table() -> String {
    let mut fields = String::new();
    for (name, data_type) in [
        ("day", "string"),
        ("n", "long"),
        ("price", "double"),
        ("note", "string"),
    ] {
        let separator = if fields.is_empty() { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(
            fields,
            "{separator}{{\\\"name\\\":\\\"{name}\\\",\\\"type\\\":\\\"{data_type}\\\",\
             \\\"nullable\\\":true,\\\"metadata\\\":{{}}}}"
        );
    }
    format!(
        "{{\"protocol\":{{\"minReaderVersion\":1,\"minWriterVersion\":2}}}}\n\
         {{\"metaData\":{{\"id\":\"00000000-0000-4000-8000-000000000000\",\
         \"format\":{{\"provider\":\"parquet\",\"options\":{{}}}},\
         \"schemaString\":\"{{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{fields}]}}\",\
         \"partitionColumns\":[\"day\"],\"configuration\":{{}},\"createdTime\":1700000000000}}}}\n"
    )
}
