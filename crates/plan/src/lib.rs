//! Canonical plan digests, plan bundles and fingerprints of DataFusion plans.
