//! Fixtures for the tests and benchmarks of CodeAnatomy.
