//! What looks like a secret, and text in which no secret shows.

use std::ops::Range;

use codeanatomy_vocab::SafeUrl;
use toml_edit::{Item, Table, TableLike, Value};

/// Whether a value under `key` is a secret: a password, a token, a key that opens something.
///
/// Names that end in a place (`..._token_file`) or an id (`aws_access_key_id`) are no secrets.
pub(crate) fn looks_secret(key: &str) -> bool {
    let folded = key.to_ascii_lowercase();
    let words: Vec<&str> = folded
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let is_place = words
        .last()
        .is_some_and(|word| ["file", "path", "url", "uri", "endpoint", "ttl"].contains(word));
    let opens = |word: &&str| {
        [
            "secret",
            "password",
            "passwd",
            "passphrase",
            "token",
            "apikey",
        ]
        .iter()
        .any(|opener| word.contains(opener))
    };
    // A contract has a plain `key`.
    let holds_key = words
        .iter()
        .enumerate()
        .skip(usize::from(words.len() == 1))
        .any(|(at, word)| {
            *word == "key"
                && words
                    .get(at + 1)
                    .is_none_or(|next| ["base64", "as", "hex", "json"].contains(next))
        });
    let connection = words
        .windows(2)
        .any(|pair| pair == ["connection", "string"]);
    !is_place && (words.iter().any(opens) || holds_key || connection)
}

/// Whether `text` is a URL with a password, or with a signature or the like in its query.
pub(crate) fn url_holds_secret(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    match text.parse::<SafeUrl>() {
        Ok(url) => {
            let url = url.expose();
            url.password().is_some()
                || url.query_pairs().any(|(key, _)| {
                    let key = key.to_ascii_lowercase();
                    looks_secret(&key)
                        || key == "sig"
                        || key.contains("signature")
                        || key.contains("credential")
                })
        }
        Err(_) => rest.contains('@'),
    }
}

/// `text` with every secret of its `root` table overwritten by `*`, byte for byte, so that ranges
/// still fit.
pub(crate) fn mask(text: &str, root: &Table) -> String {
    let mut ranges = Vec::new();
    collect(root, false, &mut ranges);
    overwrite(text, &ranges)
}

/// The same for a text that is not TOML: masks what follows a `=` after a word that looks secret,
/// to the end of the line, or of the text in three quotes, and any line with a URL that holds a
/// secret.
pub(crate) fn mask_lines(text: &str) -> String {
    let mut ranges = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if let Some(value) = secret_value(line) {
            let rest = &text[start + value..];
            let block = ["\"\"\"", "'''"].iter().find_map(|quotes| {
                let body = rest.trim_start().strip_prefix(quotes)?;
                let open = rest.len() - body.len();
                Some(open + body.find(quotes).unwrap_or(body.len()))
            });
            ranges.push(start + value..block.map_or(end, |block| (start + value + block).max(end)));
        }
        if line
            .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
            .any(url_holds_secret)
        {
            ranges.push(start..end);
        }
        start = end;
    }
    overwrite(text, &ranges)
}

/// Where the value of the first key of `line` that looks secret begins.
fn secret_value(line: &str) -> Option<usize> {
    line.match_indices('=').find_map(|(at, _)| {
        let key = line[..at]
            .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
            .rsplit(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .next()?;
        looks_secret(key).then_some(at + 1)
    })
}

fn collect(table: &dyn TableLike, secret: bool, ranges: &mut Vec<Range<usize>>) {
    for (key, item) in table.iter() {
        // The name of a variable or a file says where a secret is, not what it is.
        let is_reference = matches!(key, "env" | "file");
        let secret = looks_secret(key) || (secret && !is_reference);
        match item {
            Item::None => {}
            Item::Value(value) => collect_value(value, secret, ranges),
            Item::Table(table) => collect(table, secret, ranges),
            Item::ArrayOfTables(tables) => {
                for table in tables {
                    collect(table, secret, ranges);
                }
            }
        }
    }
}

fn collect_value(value: &Value, secret: bool, ranges: &mut Vec<Range<usize>>) {
    match value {
        Value::InlineTable(table) => collect(table, secret, ranges),
        Value::Array(values) => {
            for value in values {
                collect_value(value, secret, ranges);
            }
        }
        Value::Boolean(_) => {}
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Datetime(_) => {
            if secret || value.as_str().is_some_and(url_holds_secret) {
                ranges.extend(value.span());
            }
        }
    }
}

fn overwrite(text: &str, ranges: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        if let Some(secret) = bytes.get_mut(range.clone()) {
            for byte in secret
                .iter_mut()
                .filter(|byte| !matches!(**byte, b'\n' | b'\r'))
            {
                *byte = b'*';
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_open_something_look_secret() {
        for secret in [
            "aws_secret_access_key",
            "password",
            "DB-Password",
            "azure_storage_account_key",
            "fs.s3a.secret.key",
            "aws_session_token",
            "aws_sse_customer_key_base64",
            "footer_key_as_hex",
            "apiKey",
            "connection_string",
        ] {
            assert!(looks_secret(secret), "{secret}");
        }
        for open in [
            "aws_access_key_id",
            "aws_region",
            "aws_web_identity_token_file",
            "azure_fabric_token_service_url",
            "aws_sse_kms_key_id",
            "datafusion.catalog.map_key_dedup_policy",
            "monkey",
            "key",
            "",
        ] {
            assert!(!looks_secret(open), "{open}");
        }
    }

    #[test]
    fn a_broken_file_shows_no_secret_either() {
        let text = "a = 1\npassword = \"hunter2\"\nx = { aws_token = 'abc', b = 1 }\n\
                    note = '''\nfine'''\nmy_secret = '''\nline one\nline two''' \nend = ";
        let masked = mask_lines(text);
        assert_eq!(masked.len(), text.len());
        for secret in ["hunter2", "abc", "line one", "line two"] {
            assert!(!masked.contains(secret), "{masked}");
        }
        for open in ["a = 1", "fine", "end = "] {
            assert!(masked.contains(open), "{masked}");
        }
        assert!(!mask_lines("u = \"s3://a:hunter2@b/c\"").contains("hunter2"));
    }
}
