//! As much of HTTP/1.1 as clients of object stores speak.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

/// A request with its whole body.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// As it came: percent-encoded, without the query.
    pub(super) path: String,
    /// Decoded.
    pub(super) query: BTreeMap<String, String>,
    /// By their names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Reads the next request; `None` at the end of the connection, or when it makes no sense.
    pub(super) fn read(from: &mut impl BufRead) -> Option<Self> {
        let line = line(from)?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = BTreeMap::new();
        loop {
            let header = self::line(from)?;
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':')?;
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = match headers.get("content-length") {
            Some(length) => length.parse().ok()?,
            None => 0,
        };
        let mut body = vec![0; length];
        from.read_exact(&mut body).ok()?;
        let query = query.split('&').filter(|pair| !pair.is_empty());
        Some(Self {
            method,
            path: path.to_owned(),
            query: query
                .map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (
                        decoded(&key.replace('+', " ")),
                        decoded(&value.replace('+', " ")),
                    )
                })
                .collect(),
            headers,
            body,
        })
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The bucket and the key.
    pub(super) fn place(&self) -> (String, String) {
        let path = self.path.trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        (decoded(bucket), decoded(key))
    }
}

impl Response {
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(super) fn xml(text: String) -> Self {
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        Self {
            status: 200,
            headers: vec![("Content-Type", "application/xml".to_owned())],
            body: format!("{head}{text}").into_bytes(),
        }
    }

    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let text = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        Self {
            status,
            ..Self::xml(text)
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn write(&self, request: &Request, to: &mut impl Write) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // A HEAD says itself how long the object is.
        let says_length = self
            .headers
            .iter()
            .any(|(name, _)| *name == "Content-Length");
        if !says_length && self.status != 204 {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let mut answer = head.into_bytes();
        if request.method != "HEAD" {
            answer.extend_from_slice(&self.body);
        }
        to.write_all(&answer)?;
        to.flush()
    }
}

fn line(from: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let n = from.read_line(&mut line).ok()?;
    (n > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Text without its percent-encoding.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| text_of(after.get(..2)?))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encoding as signatures want it: all but letters, digits and `-._~`.
pub(super) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        412 => "Precondition Failed",
        416 => "Range Not Satisfiable",
        _ => "Not Implemented",
    }
}
