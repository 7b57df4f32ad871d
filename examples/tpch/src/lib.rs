//! The TPC-H example of CodeAnatomy: data generator, project folder and queries.
