//! Memory, spill files and caches of a session.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use codeanatomy_vocab::{Error, Result};
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    FairSpillPool, GreedyMemoryPool, MemoryPool, TrackConsumersPool,
};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};

use crate::codes::{SETTING_LOST, SPILL_DIR};
use crate::{MemoryPoolKind, RuntimeProfile};

/// How many of the largest consumers an error about the memory limit names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::new(5).unwrap();

/// A new runtime. Its spill folder is removed when the last user of it is gone.
pub(crate) fn runtime_env(profile: &RuntimeProfile) -> Result<Arc<RuntimeEnv>> {
    let limits = profile.limits();
    let disk_manager = DiskManagerBuilder::default()
        .with_mode(match profile.spill_dir() {
            Some(folder) => DiskManagerMode::Directories(vec![usable(folder)?.to_owned()]),
            None => DiskManagerMode::OsTmpDirectory,
        })
        .with_max_temp_directory_size(limits.spill_bytes)
        .with_max_spill_merge_fan_in(limits.spill_merge_fan_in);
    RuntimeEnvBuilder::new()
        .with_memory_pool(memory_pool(limits.memory_pool, size(limits.memory_bytes)))
        .with_disk_manager_builder(disk_manager)
        .with_metadata_cache_limit(size(limits.metadata_cache_bytes))
        .with_object_list_cache_limit(size(limits.list_files_cache_bytes))
        .with_object_list_cache_ttl(limits.list_files_cache_ttl)
        .with_file_statistics_cache_limit(size(limits.file_statistics_cache_bytes))
        .build_arc()
        .map_err(|source| match (source, profile.spill_dir()) {
            (DataFusionError::IoError(source), Some(folder)) => spill_dir(folder, source),
            (source, _) => Error::new(SETTING_LOST, "the engine's runtime cannot be made")
                .with_help("report this")
                .with_source(source),
        })
}

fn memory_pool(kind: MemoryPoolKind, bytes: usize) -> Arc<dyn MemoryPool> {
    match kind {
        MemoryPoolKind::FairSpill => Arc::new(TrackConsumersPool::new(
            FairSpillPool::new(bytes),
            NAMED_CONSUMERS,
        )),
        MemoryPoolKind::Greedy => Arc::new(TrackConsumersPool::new(
            GreedyMemoryPool::new(bytes),
            NAMED_CONSUMERS,
        )),
    }
}

/// Makes the spill folder with the folders above it.
fn usable(folder: &Path) -> Result<&Path> {
    std::fs::create_dir_all(folder)
        .map(|()| folder)
        .map_err(|source| spill_dir(folder, source))
}

fn spill_dir(folder: &Path, source: std::io::Error) -> Error {
    let folder = folder.display();
    Error::new(
        SPILL_DIR,
        format!(
            "the spill folder `{folder}` cannot be used: {}",
            source.kind()
        ),
    )
    .with("spill_dir", folder)
    .with_help("set `spill_dir` to a folder that can be written, or remove it")
    .with_source(source)
}

/// A size of this platform: more than it can address means all of it.
fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
