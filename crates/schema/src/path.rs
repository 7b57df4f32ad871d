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

/// The name of the column that a path begins with.
pub(crate) fn top(path: &str) -> String {
    let Some(quoted) = path.strip_prefix('"') else {
        let end = path.find(['.', '[', '{', '<']).unwrap_or(path.len());
        return path.get(..end).unwrap_or(path).to_owned();
    };
    let mut name = String::new();
    let mut letters = quoted.chars().peekable();
    while let Some(letter) = letters.next() {
        // A doubled quote is a part of the name.
        if letter == '"' && letters.next_if_eq(&'"').is_none() {
            break;
        }
        name.push(letter);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_is_found_again_in_every_path_that_begins_with_it() {
        for name in ["price", "a.b", "say \"x\"", "\"", "", "größe", "a[b{c<d"] {
            let column = segment(name);
            assert_eq!(top(&column), name);
            assert_eq!(top(&field(&column, "x.y")), name);
            assert_eq!(top(&item(&value(&column))), name);
            assert_eq!(top(&variant(&column, 3)), name);
        }
    }
}
