//! Column paths as text: `a.b`, `a[]`, `a{key}`, `a{value}`, `a<0>`.

/// A column or field name as it stands in a path: quoted where it is no plain word.
pub(crate) fn segment(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// The path of a field of a struct.
pub(crate) fn field(parent: &str, name: &str) -> String {
    format!("{parent}.{}", segment(name))
}

/// The path of the items of a list.
pub(crate) fn item(parent: &str) -> String {
    format!("{parent}[]")
}

/// The path of the keys of a map.
pub(crate) fn key(parent: &str) -> String {
    format!("{parent}{{key}}")
}

/// The path of the values of a map.
pub(crate) fn value(parent: &str) -> String {
    format!("{parent}{{value}}")
}

/// The path of one variant of a union.
pub(crate) fn variant(parent: &str, type_id: i8) -> String {
    format!("{parent}<{type_id}>")
}
