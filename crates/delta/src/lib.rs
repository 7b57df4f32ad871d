//! Delta Lake for CodeAnatomy: pins, protocol gate, scans and atomic writes.
