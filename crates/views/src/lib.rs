//! View specifications, the dependency graph inferred from plans, and registration.
