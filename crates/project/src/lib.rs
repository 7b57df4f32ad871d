//! The project folder of CodeAnatomy: codeanatomy.toml, view files, layered settings with their sources.
