//! Runtime profiles, presets and construction of DataFusion sessions.
