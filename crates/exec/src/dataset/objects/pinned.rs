//! A store that shows objects as they were when they were pinned.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};

/// Some objects of another store, under other names; nothing can be written.
///
/// An object is read on the condition that its content still has the tag that it had. So rows of two
/// states never meet, whoever writes meanwhile.
#[derive(Debug)]
pub(super) struct PinnedStore {
    inner: Arc<dyn ObjectStore>,
    /// By the names here, the objects as the other store has them.
    objects: BTreeMap<Path, ObjectMeta>,
}

impl PinnedStore {
    pub(super) fn new(
        inner: Arc<dyn ObjectStore>,
        objects: impl IntoIterator<Item = (Path, ObjectMeta)>,
    ) -> Self {
        Self {
            inner,
            objects: objects.into_iter().collect(),
        }
    }

    fn shown(name: &Path, object: &ObjectMeta) -> ObjectMeta {
        ObjectMeta {
            location: name.clone(),
            ..object.clone()
        }
    }

    fn below(&self, prefix: Option<&Path>) -> Vec<ObjectMeta> {
        self.objects
            .iter()
            .filter(|(name, _)| prefix.is_none_or(|prefix| name.prefix_matches(prefix)))
            .map(|(name, object)| Self::shown(name, object))
            .collect()
    }
}

impl fmt::Display for PinnedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinnedStore({} objects)", self.objects.len())
    }
}

#[async_trait]
impl ObjectStore for PinnedStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let object = self.objects.get(location).ok_or_else(|| Error::NotFound {
            path: location.to_string(),
            source: "it does not belong to the dataset".into(),
        })?;
        let options = GetOptions {
            if_match: object.e_tag.clone(),
            ..options
        };
        let found = self.inner.get_opts(&object.location, options).await;
        let mut found = found.map_err(|error| match error {
            Error::Precondition { path, source } => Error::Precondition {
                source: format!("it changed while the view was built: {source}").into(),
                path,
            },
            other => other,
        })?;
        found.meta.location = location.clone();
        Ok(found)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter(self.below(prefix).into_iter().map(Ok)).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let root = Path::default();
        let prefix = prefix.unwrap_or(&root);
        let mut common_prefixes: Vec<Path> = Vec::new();
        let mut objects = Vec::new();
        for object in self.below(Some(prefix)) {
            let rest = object.location.prefix_match(prefix).into_iter().flatten();
            let parts: Vec<_> = rest.collect();
            match parts.as_slice() {
                [] | [_] => objects.push(object),
                [first, ..] => {
                    let folder: Path = prefix.parts().chain([first.clone()]).collect();
                    if common_prefixes.last() != Some(&folder) {
                        common_prefixes.push(folder);
                    }
                }
            }
        }
        Ok(ListResult {
            common_prefixes,
            objects,
        })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        locations.map(|_| Err(read_only())).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}

fn read_only() -> Error {
    Error::NotSupported {
        source: "a dataset is only read".into(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::object_store::ObjectStoreExt;
    use datafusion::object_store::memory::InMemory;
    use futures::TryStreamExt;

    use super::*;

    async fn pinned() -> (Arc<InMemory>, PinnedStore) {
        let store = Arc::new(InMemory::new());
        for (path, content) in [("raw/a/1.csv", "one"), ("raw/2.csv", "two"), ("else", "x")] {
            store.put(&Path::from(path), content.into()).await.unwrap();
        }
        let objects: Vec<ObjectMeta> = store
            .list(Some(&Path::from("raw")))
            .try_collect()
            .await
            .unwrap();
        let objects = objects.into_iter().map(|object| {
            let name: Path = Path::from("n")
                .parts()
                .chain(object.location.parts().skip(1))
                .collect();
            (name, object)
        });
        let pinned = PinnedStore::new(Arc::clone(&store) as _, objects.collect::<Vec<_>>());
        (store, pinned)
    }

    #[tokio::test]
    async fn only_what_was_pinned_is_there() {
        let (store, pinned) = pinned().await;
        store
            .put(&Path::from("raw/3.csv"), "three".into())
            .await
            .unwrap();
        let listed: Vec<ObjectMeta> = pinned.list(None).try_collect().await.unwrap();
        let names: Vec<&str> = listed
            .iter()
            .map(|object| object.location.as_ref())
            .collect();
        assert_eq!(names, ["n/2.csv", "n/a/1.csv"]);
        let here = pinned
            .list_with_delimiter(Some(&Path::from("n")))
            .await
            .unwrap();
        assert_eq!(here.common_prefixes, [Path::from("n/a")]);
        assert_eq!(here.objects[0].location, Path::from("n/2.csv"));
        let read = pinned.get(&Path::from("n/a/1.csv")).await.unwrap();
        assert_eq!(read.bytes().await.unwrap().as_ref(), b"one");
        assert!(pinned.get(&Path::from("n/3.csv")).await.is_err());
        assert!(
            pinned
                .put(&Path::from("n/2.csv"), "x".into())
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn an_object_that_changed_is_not_read() {
        let (store, pinned) = pinned().await;
        store
            .put(&Path::from("raw/2.csv"), "new".into())
            .await
            .unwrap();
        let error = pinned.get(&Path::from("n/2.csv")).await.unwrap_err();
        assert!(error.to_string().contains("it changed"), "{error}");
    }
}
