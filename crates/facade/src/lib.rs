//! CodeAnatomy: reproducible query pipelines on Apache DataFusion and Delta Lake.
