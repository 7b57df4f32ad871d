//! What a DataFusion plan reads: scans, columns, functions, as pure functions of the logical plan.
