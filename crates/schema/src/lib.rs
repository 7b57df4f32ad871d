//! Schema contracts, evolution policies and schema fingerprints over Arrow schemas.
