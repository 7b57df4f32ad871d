//! Run envelopes, events and run records of CodeAnatomy, independent of the engine.
