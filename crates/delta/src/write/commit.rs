//! The commit itself, and what the log says when the store does not.

use std::time::Duration;

use arrow_schema::{Schema, SchemaRef};
use codeanatomy_vocab::{DeltaVersion, Error, Result};
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake_core::kernel::{Action, Add, Metadata, Protocol, StructType, Transaction};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use serde_json::{Value, json};

use super::target::{Existing, Target, conflict};
use super::{OverwriteSpec, WriteMode};
use crate::codes;
use crate::error::{Chain, internal};
use crate::feed::cursor_transactions;
use crate::output::{OutputStamp, app_id, stamp_entry, stamp_of, txn_version};
use crate::schema::logical_schema;
use crate::store::Store;

/// How often a commit that lets others go first is tried.
const ATTEMPTS: u32 = 12;

/// The first pause between two attempts; each one is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(4);

/// Commits new files, and gives the version that holds them.
pub(super) async fn commit(
    store: &Store,
    spec: &OverwriteSpec,
    mode: WriteMode,
    schema: &SchemaRef,
    mut target: Target,
    adds: Vec<Add>,
    stamp: &OutputStamp,
) -> Result<DeltaVersion> {
    if let Some(expected) = spec.expected {
        target
            .check_partitions(store, mode, &adds, expected)
            .await?;
    }
    for attempt in 0..ATTEMPTS {
        let lost = match try_commit(store, spec, mode, schema, &target, &adds, stamp).await? {
            Outcome::Landed(version) => return Ok(version),
            Outcome::Lost { newest, error } => {
                conflict(store, target.version(), Some(newest)).with_source(Chain::from(error))
            }
        };
        if mode == WriteMode::Overwrite || attempt + 1 == ATTEMPTS {
            return Err(lost);
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(attempt.min(8))).await;
        target = target.rebased(store, spec, mode, schema, &adds).await?;
    }
    Err(conflict(store, target.version(), None))
}

/// What became of an attempt.
enum Outcome {
    /// The commit is there.
    Landed(DeltaVersion),
    /// Others came first.
    Lost {
        newest: DeltaVersion,
        error: DeltaTableError,
    },
}

async fn try_commit(
    store: &Store,
    spec: &OverwriteSpec,
    mode: WriteMode,
    schema: &SchemaRef,
    target: &Target,
    adds: &[Add],
    stamp: &OutputStamp,
) -> Result<Outcome> {
    let now_ms = spec.clock.now().0;
    let operation = DeltaOperation::Write {
        mode: match mode {
            WriteMode::Overwrite | WriteMode::OverwritePartitions => SaveMode::Overwrite,
            WriteMode::Append => SaveMode::Append,
        },
        partition_by: (!spec.partition_by.is_empty()).then(|| spec.partition_by.clone()),
        predicate: None,
    };
    let mut info = operation.get_commit_info();
    info.timestamp = Some(now_ms);
    info.read_version = target.version();
    info.is_blind_append = Some(false);
    info.engine_info = Some(concat!("codeanatomy/", env!("CARGO_PKG_VERSION")).to_owned());
    let (key, value) = stamp_entry(stamp)?;
    info.info.insert(key, value);

    let mut actions = vec![Action::CommitInfo(info)];
    let mut txn = 1;
    match target {
        Target::New => {
            actions.push(Action::Protocol(protocol(spec, schema)?));
            actions.push(Action::Metadata(new_metadata(spec, schema, now_ms)?));
        }
        Target::Existing(existing) => {
            txn = existing.txn_version.unwrap_or(0) + 1;
            actions.extend(changed_metadata(store, spec, schema, existing)?);
            let removes = existing.removes(store, mode, adds, now_ms).await?;
            actions.extend(removes.into_iter().map(Action::Remove));
        }
    }
    actions.extend(adds.iter().cloned().map(Action::Add));

    let mut transactions = cursor_transactions(&spec.view, &spec.provenance.cursors);
    transactions.push(Transaction::new_with_last_update(
        app_id(&spec.view),
        txn,
        Some(now_ms),
    ));
    // The library is not to try again: it knows less of what may come in between.
    let builder: CommitBuilder = CommitProperties::default()
        .with_application_transactions(transactions)
        .with_max_retries(0)
        .with_create_checkpoint(true)
        .with_cleanup_expired_logs(Some(false))
        .into();
    let table: Option<&dyn TableReference> = match target {
        Target::New => None,
        Target::Existing(existing) => Some(&existing.eager),
    };
    let prepared = builder
        .with_actions(actions)
        .build(table, std::sync::Arc::clone(store.log_store()), operation)
        .into_prepared_commit_future()
        .await
        .map_err(|error| not_allowed(store, error))?;
    match prepared.await {
        Ok(committed) => {
            let version = committed.version;
            // The rows are there; a checkpoint is for speed.
            if version > 0
                && let Err(error) = committed.await
            {
                tracing::warn!(version, error = %Chain::from(error), "no checkpoint was made");
            }
            Ok(Outcome::Landed(version))
        }
        Err(error) => recover(store, spec, target.version(), txn, error).await,
    }
}

/// Asks the log whether a commit that failed is there all the same.
async fn recover(
    store: &Store,
    spec: &OverwriteSpec,
    base: Option<DeltaVersion>,
    txn: i64,
    error: DeltaTableError,
) -> Result<Outcome> {
    let unknown = |cause: Error| {
        Error::new(
            codes::COMMIT_UNKNOWN,
            format!(
                "the store failed in the middle of a commit to {}, and cannot say whether it is there",
                store.location()
            ),
        )
        .with_source(cause)
        .with_help("build again when the store answers: the new state is then looked at first")
    };
    let newest = store.log().await.map_err(unknown)?.newest();
    let first = base.map_or(0, |base| base + 1);
    if let Some(newest) = newest {
        for version in first..=newest {
            let Some(commit) = store.commit(version).await.map_err(unknown)? else {
                continue;
            };
            let is_ours = txn_version(&commit, &spec.view) == Some(txn)
                && matches!(stamp_of(&commit), Some(Ok(stamp)) if stamp.run_id == spec.run_id);
            if is_ours {
                tracing::warn!(
                    version, error = %Chain::from(error),
                    "the store reported a failed commit that is there"
                );
                return Ok(Outcome::Landed(version));
            }
        }
        if newest >= first {
            return Ok(Outcome::Lost { newest, error });
        }
    }
    Err(Error::new(
        codes::UNWRITABLE,
        format!("the commit to {} failed", store.location()),
    )
    .with_source(Chain::from(error))
    .with_help("check that you may write the folder `_delta_log` and that the disk is not full"))
}

fn not_allowed(store: &Store, error: DeltaTableError) -> Error {
    Error::new(
        codes::UNSUPPORTED_OUTPUT,
        format!(
            "the table at {} was given features that a rewrite cannot keep",
            store.location()
        ),
    )
    .with_source(Chain::from(error))
    .with_help("remove the table; the view is then written anew")
}

/// Protocol and metadata actions, as far as the new rows need other ones.
fn changed_metadata(
    store: &Store,
    spec: &OverwriteSpec,
    schema: &SchemaRef,
    existing: &Existing,
) -> Result<Vec<Action>> {
    let old = existing.snapshot.metadata();
    let columns = logical_schema(&existing.snapshot.schema(), store.location())?;
    let configuration = spec.layout.configuration(old.configuration());
    let same_properties = configuration.len() == old.configuration().len()
        && configuration
            .iter()
            .all(|(key, value)| old.configuration().get(key) == Some(value));
    let protocol = changed_protocol(spec, existing, schema)?;
    if columns == *schema
        && old.partition_columns() == spec.partition_by.as_slice()
        && same_properties
        && protocol.is_none()
    {
        return Ok(Vec::new());
    }
    let metadata = json_of(old)?;
    let metadata = with_keys(
        metadata,
        [
            ("schemaString", json!(schema_string(schema)?)),
            ("partitionColumns", json!(spec.partition_by)),
            ("configuration", json!(configuration)),
        ],
    );
    let mut actions = vec![Action::Metadata(from_json::<Metadata>(metadata)?)];
    if let Some(protocol) = protocol {
        actions.insert(0, Action::Protocol(protocol));
    }
    Ok(actions)
}

/// The protocol of a table whose columns or properties ask for another one.
fn changed_protocol(
    spec: &OverwriteSpec,
    existing: &Existing,
    schema: &Schema,
) -> Result<Option<Protocol>> {
    let old = json_of(existing.snapshot.protocol())?;
    let with_time = match with_time_without_zone(existing, schema)? {
        Some(protocol) => json_of(&protocol)?,
        None => old.clone(),
    };
    let new = spec.layout.protocol(with_time);
    match new == old {
        true => Ok(None),
        false => from_json(new).map(Some),
    }
}

fn new_metadata(spec: &OverwriteSpec, schema: &SchemaRef, now_ms: i64) -> Result<Metadata> {
    // The id of a run is unique, but not that of a table it made; so the id is made like one.
    let id = codeanatomy_vocab::RunId::generate(spec.clock.now());
    from_json(json!({
        "id": id,
        "name": spec.view.as_str(),
        "description": Value::Null,
        "format": { "provider": "parquet", "options": {} },
        "schemaString": schema_string(schema)?,
        "partitionColumns": spec.partition_by,
        "configuration": spec.layout.properties,
        "createdTime": now_ms,
    }))
}

fn protocol(spec: &OverwriteSpec, schema: &Schema) -> Result<Protocol> {
    let protocol = if has_time_without_zone(schema) {
        json!({
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": ["timestampNtz"],
            "writerFeatures": ["timestampNtz"],
        })
    } else {
        json!({ "minReaderVersion": 1, "minWriterVersion": 2 })
    };
    from_json(spec.layout.protocol(protocol))
}

/// The protocol of a table that gets its first column of times without a zone.
fn with_time_without_zone(existing: &Existing, schema: &Schema) -> Result<Option<Protocol>> {
    const FEATURE: &str = "timestampNtz";
    let old = existing.snapshot.protocol();
    let reader = crate::protocol::feature_names(old.reader_features());
    let writer = crate::protocol::feature_names(old.writer_features());
    let has = |features: &[String]| features.iter().any(|feature| feature == FEATURE);
    if !has_time_without_zone(schema) || has(&reader) && has(&writer) {
        return Ok(None);
    }
    let mut writer = writer;
    if old.min_writer_version() < 7 {
        // What the older versions imply has to be said from here on.
        let implied = [
            (2, "appendOnly"),
            (2, "invariants"),
            (3, "checkConstraints"),
            (4, "changeDataFeed"),
            (4, "generatedColumns"),
            (5, "columnMapping"),
        ];
        let implied = implied
            .into_iter()
            .filter(|(since, _)| old.min_writer_version() >= *since);
        writer.extend(implied.map(|(_, feature)| feature.to_owned()));
    }
    let with = |mut features: Vec<String>| {
        features.push(FEATURE.to_owned());
        features.sort();
        features.dedup();
        features
    };
    from_json(json!({
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": with(reader),
        "writerFeatures": with(writer),
    }))
    .map(Some)
}

fn has_time_without_zone(schema: &Schema) -> bool {
    use arrow_schema::DataType;
    fn has(data_type: &DataType) -> bool {
        match data_type {
            DataType::Timestamp(_, None) => true,
            DataType::List(element) | DataType::Map(element, _) => has(element.data_type()),
            DataType::Struct(fields) => fields.iter().any(|field| has(field.data_type())),
            _ => false,
        }
    }
    schema.fields().iter().any(|field| has(field.data_type()))
}

fn schema_string(schema: &SchemaRef) -> Result<String> {
    let schema: StructType = schema
        .as_ref()
        .try_into_kernel()
        .map_err(|error| internal("converting a schema", error))?;
    serde_json::to_string(&schema).map_err(|error| internal("writing a schema as JSON", error))
}

fn json_of(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| internal("writing an action as JSON", error))
}

fn with_keys<const N: usize>(mut object: Value, entries: [(&str, Value); N]) -> Value {
    if let Value::Object(object) = &mut object {
        object.extend(entries.map(|(key, value)| (key.to_owned(), value)));
    }
    object
}

fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| internal("making an action", error))
}
