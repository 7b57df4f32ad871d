//! From views and datasets to results: planning, decisions, scheduling and execution.
//!
//! Datasets are [pinned](DatasetSpec::pin), all views are [planned](PlannedViews::plan) against
//! schemas, [decisions](Decisions) compare each view's key with the one in its output's own commit,
//! and a [`Run`] builds what must be built, concurrently, each output in one atomic commit.
//!
//! The crate takes values and gives values: reading the project folder is the business of
//! `codeanatomy-project`, and wiring both together that of the facade `codeanatomy`, whose
//! documentation has a complete example.

// What goes in.
mod dataset;
mod delta_reader;
mod inputs;
mod platform;
mod view;

// Planning.
mod compile;
mod context;
mod footprint;
mod inline;
mod planned;
mod reads;

// What plans tell of columns.
mod lineage;

// Contracts.
mod validate;

// Decisions.
mod decide;

// Execution.
mod bind;
mod bound;
mod bundle;
mod reading;
mod result_hash;
mod run;
mod scan_unit;
mod schedule;

// What was: recorded, compared with what is, and run again.
mod recorded;
mod replay;
mod why;

// What comes out.
pub mod codes;
mod openlineage;
mod quality;
mod report;

pub use self::bound::BoundViews;
pub use self::bundle::BundleSink;
pub use self::dataset::{DatasetSpec, DeltaSettings, PinnedDataset};
pub use self::decide::{Action, Decision, Decisions, Reason, output_states};
pub use self::delta_reader::DeltaReader;
pub use self::footprint::{FootprintSource, InputChange, InputFootprint, PinnedFootprints};
pub use self::inline::ExecutedPlan;
pub use self::inputs::{Environment, TableInput, sql_dialect};
pub use self::lineage::{
    ALL_ROWS, Direction, LineageAnswer, LineageEdge, LineageFinding, LineageImpact, LineageTarget,
    ProjectLineage, RowSource, ViewReport, unknown_table,
};
pub use self::openlineage::OpenLineageEvents;
pub use self::planned::{DatasetInputs, PlannedView, PlannedViews};
pub use self::platform::{open_session, open_session_with};
pub use self::quality::{quality_schema, write_quality};
pub use self::reads::DatasetRead;
pub use self::recorded::{
    RUN_INPUTS_FORMAT, RecordedDataset, RecordedOutput, RecordedParameter, RecordedRead,
    RecordedView, RunInputs,
};
pub use self::replay::{Replay, ReplayOutcome, ReplayedView};
pub use self::report::{
    BuildReport, FingerprintsReport, PlanReport, ViewFingerprints, ViewPlan, ViewResult,
};
pub use self::run::{Run, RunOptions, RunResult};
pub use self::scan_unit::{PlannedScan, ScanResult};
pub use self::validate::{
    CheckReport, ColumnNumbers, ContractCheck, ContractReport, ContractSubject, ContractViolation,
    InvalidRow, RecordedColumn, RecordedContract, RowError, RowsOptions, RowsReport,
    ViewValidation, ViolationReport, check_dataset, proposed_contract,
};
pub use self::view::{DeclaredContract, OutputDefinition, Parameter, ViewDefinition, parameter};
pub use self::why::{Cause, ChangingCommit, Comparison, Why};
