//! Planning, decisions, scheduling and execution of CodeAnatomy pipelines.
