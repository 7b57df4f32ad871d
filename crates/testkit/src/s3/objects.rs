//! Objects in memory under one lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All buckets of a server.
#[derive(Debug)]
pub(super) struct Objects(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    buckets: BTreeMap<String, BTreeMap<String, Object>>,
    uploads: BTreeMap<String, BTreeMap<i32, Vec<u8>>>,
    /// Counts writes and uploads; the time of an object is made from it.
    ticks: u64,
    ignores_conditions: bool,
}

/// One object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) content: Arc<Vec<u8>>,
    pub(super) tag: String,
    /// Seconds since 1970; each write is a second later.
    pub(super) modified_s: u64,
}

/// What must be so for a write to happen.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    None,
    /// There is no such object.
    Absent,
    /// The object has this tag.
    Tag(String),
}

/// Why a write did not happen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    NoBucket,
    NoUpload,
    Condition,
}

impl Objects {
    pub(super) fn new(buckets: &[&str]) -> Self {
        let buckets = buckets
            .iter()
            .map(|name| ((*name).to_owned(), BTreeMap::new()));
        Self(Mutex::new(State {
            buckets: buckets.collect(),
            ..State::default()
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ignore_conditions(&self) {
        self.state().ignores_conditions = true;
    }

    pub(super) fn n_uploads(&self) -> usize {
        self.state().uploads.len()
    }

    pub(super) fn has_bucket(&self, bucket: &str) -> bool {
        self.state().buckets.contains_key(bucket)
    }

    pub(super) fn get(&self, bucket: &str, key: &str) -> Option<Object> {
        self.state().buckets.get(bucket)?.get(key).cloned()
    }

    pub(super) fn keys(&self, bucket: &str) -> Vec<String> {
        let state = self.state();
        let objects = state.buckets.get(bucket).into_iter();
        objects.flat_map(BTreeMap::keys).cloned().collect()
    }

    pub(super) fn set(&self, bucket: &str, key: &str, content: Vec<u8>) {
        let mut state = self.state();
        state.buckets.entry(bucket.to_owned()).or_default();
        // There is a bucket and no condition.
        let _ = state.put(bucket, key, content, &Condition::None);
    }

    pub(super) fn remove(&self, bucket: &str, key: &str) {
        if let Some(objects) = self.state().buckets.get_mut(bucket) {
            objects.remove(key);
        }
    }

    /// Checks the condition and writes, in one step.
    pub(super) fn put(
        &self,
        bucket: &str,
        key: &str,
        content: Vec<u8>,
        condition: &Condition,
    ) -> Result<Object, Refused> {
        self.state().put(bucket, key, content, condition)
    }

    /// Objects with a prefix after a key, in order.
    pub(super) fn list(&self, bucket: &str, prefix: &str, after: &str) -> Vec<(String, Object)> {
        let state = self.state();
        let objects = state.buckets.get(bucket).into_iter().flatten();
        objects
            .filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after)
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect()
    }

    pub(super) fn begin_upload(&self) -> String {
        let mut state = self.state();
        state.ticks += 1;
        let id = format!("upload-{}", state.ticks);
        state.uploads.insert(id.clone(), BTreeMap::new());
        id
    }

    pub(super) fn add_part(
        &self,
        id: &str,
        number: i32,
        content: Vec<u8>,
    ) -> Result<String, Refused> {
        let tag = tag_of(&content);
        let mut state = self.state();
        let parts = state.uploads.get_mut(id).ok_or(Refused::NoUpload)?;
        parts.insert(number, content);
        Ok(tag)
    }

    pub(super) fn complete_upload(
        &self,
        id: &str,
        bucket: &str,
        key: &str,
        condition: &Condition,
    ) -> Result<Object, Refused> {
        let mut state = self.state();
        let parts = state.uploads.get(id).ok_or(Refused::NoUpload)?;
        let content: Vec<u8> = parts.values().flatten().copied().collect();
        let object = state.put(bucket, key, content, condition)?;
        state.uploads.remove(id);
        Ok(object)
    }

    pub(super) fn abort_upload(&self, id: &str) {
        self.state().uploads.remove(id);
    }
}

impl State {
    fn put(
        &mut self,
        bucket: &str,
        key: &str,
        content: Vec<u8>,
        condition: &Condition,
    ) -> Result<Object, Refused> {
        let objects = self.buckets.get_mut(bucket).ok_or(Refused::NoBucket)?;
        let there = objects.get(key);
        let holds = match condition {
            Condition::None => true,
            Condition::Absent => there.is_none(),
            Condition::Tag(tag) => there.is_some_and(|object| object.tag == *tag),
        };
        if !holds && !self.ignores_conditions {
            return Err(Refused::Condition);
        }
        self.ticks += 1;
        let object = Object {
            tag: tag_of(&content),
            content: Arc::new(content),
            modified_s: 1_700_000_000 + self.ticks,
        };
        objects.insert(key.to_owned(), object.clone());
        Ok(object)
    }
}

/// A tag of a content: FNV-1a, which is enough to tell the contents of tests apart.
fn tag_of(content: &[u8]) -> String {
    let hash = content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{hash:016x}-{}", content.len())
}
