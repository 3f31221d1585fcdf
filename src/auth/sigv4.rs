//! AWS's Signature Version 4: the header `Authorization` of one request. Which request that is, and with whose keys, is for others.

use ring::digest::{SHA256, digest};
use ring::hmac;
use zeroize::Zeroizing;

use crate::auth::reference::Manager;
use crate::error::{Error, Kind, Result};

/// An identity of AWS.
#[derive(Clone)]
pub struct Keys {
    /// Its name.
    pub id: String,
    /// What signs.
    pub secret: Zeroizing<String>,
    /// What comes with keys that end.
    pub session: Option<Zeroizing<String>>,
}

/// What is signed, beside the keys.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Encoded as it is sent.
    pub path: &'a str,
    /// Names in small letters, in the order of the alphabet.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// `20150830T123600Z`
pub fn date(unix: f64) -> Result<String> {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of our time")]
    let at = jiff::Timestamp::from_second(unix as i64);
    at.map(|at| at.strftime("%Y%m%dT%H%M%SZ").to_string()).map_err(|_| {
        let name = Manager::Aws.scheme();
        Error::new(Kind::Config, format!("{name}: set this host's clock"))
    })
}

/// The header's value; `date` is the one of `x-amz-date`.
#[must_use]
pub fn authorization(keys: &Keys, region: &str, service: &str, date: &str, request: Request<'_>) -> String {
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    let canonical = format!(
        "{}\n{}\n\n{lines}\n{names}\n{}",
        request.method,
        request.path,
        hash(request.body)
    );
    let day = date.get(..8).unwrap_or(date);
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(canonical.as_bytes()));
    let first = Zeroizing::new(format!("AWS4{}", keys.secret.as_str()));
    let mut key = sign(first.as_bytes(), day);
    for part in [region, service, "aws4_request"] {
        key = sign(key.as_ref(), part);
    }
    let signature = hex(sign(key.as_ref(), &text).as_ref());
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        keys.id
    )
}

fn sign(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
