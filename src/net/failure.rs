//! Why a request has no answer, read from the errors of the HTTP client and of what lies below it.

use std::error::Error as _;

use crate::error::{Error, Kind};
use crate::net::egress::Refused;

/// Why a request has no answer.
pub(super) fn failed(error: &reqwest::Error) -> Error {
    if let Some(refused) = find::<Refused>(error) {
        return Error::new(Kind::Egress, refused.to_string());
    }
    let kind = if find::<rustls::Error>(error).is_some() {
        Kind::Tls
    } else if find::<std::io::Error>(error).is_some_and(is_unreadable) {
        Kind::Decode
    } else if error.is_connect() {
        Kind::Connect
    } else if error.is_timeout() {
        Kind::Timeout
    } else {
        Kind::Transport
    };
    Error::new(kind, chain(error))
}

/// What the decompression says of a body that is not what its header says.
fn is_unreadable(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput
    )
}

fn find<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(inner) = source {
        let mut at: &(dyn std::error::Error + 'static) = inner;
        loop {
            if let Some(found) = at.downcast_ref::<E>() {
                return Some(found);
            }
            // An I/O error hides what it wraps from `source`, and that may be another one.
            match at.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
                Some(wrapped) => at = wrapped,
                None => break,
            }
        }
        source = inner.source();
    }
    None
}

/// An error and its causes in one line, without the URL, whose query may hold personal data.
#[must_use]
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(inner) = source {
        let part = inner.to_string();
        if parts.last().is_none_or(|last| !last.contains(&part)) {
            parts.push(part);
        }
        source = inner.source();
    }
    if parts.is_empty() {
        // Without a cause the error itself is all there is; its text names the URL, so only its nature is told.
        parts.push(String::from("the request failed"));
    }
    parts.join(": ")
}
