//! Version 4 of the signatures of requests, checked.

use sha2::{Digest, Sha256};

use super::http::{Request, encoded};
use super::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

/// Checks who asks, and that nobody changed what is asked.
pub(super) fn check(request: &Request) -> Result<(), &'static str> {
    let header = request.header("authorization").ok_or("AccessDenied")?;
    let fields = header
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or("AccessDenied")?;
    let field = |name: &str| {
        let mut fields = fields.split(',').map(str::trim);
        fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    };
    let credential = field("Credential").ok_or("AccessDenied")?;
    let (key_id, scope) = credential.split_once('/').ok_or("AccessDenied")?;
    if key_id != ACCESS_KEY_ID {
        return Err("InvalidAccessKeyId");
    }
    let payload = request.header("x-amz-content-sha256").unwrap_or_default();
    if payload != "UNSIGNED-PAYLOAD" && payload != hex(&Sha256::digest(&request.body)) {
        return Err("XAmzContentSHA256Mismatch");
    }
    let signed = field("SignedHeaders").ok_or("AccessDenied")?;
    let canonical = canonical(request, signed, payload);
    let time = request.header("x-amz-date").ok_or("AccessDenied")?;
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let mut key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part.as_bytes());
    }
    let expected = hex(&hmac(&key, to_sign.as_bytes()));
    match field("Signature") {
        Some(signature) if signature == expected => Ok(()),
        _ => Err("SignatureDoesNotMatch"),
    }
}

/// The request in the one form that both sides sign.
fn canonical(request: &Request, signed: &str, payload: &str) -> String {
    let query: Vec<String> = request
        .query
        .iter()
        .map(|(key, value)| format!("{}={}", encoded(key), encoded(value)))
        .collect();
    let headers: String = signed
        .split(';')
        .map(|name| format!("{name}:{}\n", request.header(name).unwrap_or_default()))
        .collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{payload}",
        request.method,
        request.path,
        query.join("&")
    )
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new()
        .chain_update(padded(0x36))
        .chain_update(message)
        .finalize();
    let outer = Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner)
        .finalize();
    outer.to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_message_is_that_of_rfc_4231() {
        let code = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            hex(&code),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let long = hmac(
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
        );
        assert_eq!(
            hex(&long),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
