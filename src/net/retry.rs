//! What is repeated, and when: full jitter, the CRM's own Retry-After, and never a write that may have been processed.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::clock;
use crate::error::{Error, Kind, Reason};

/// Requests of one call at most.
pub const MAX_ATTEMPTS: u32 = 4;
const FIRST_BACKOFF_MS: u64 = 200;

/// Which failures of a request may be followed by the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Reads, and writes that carry an idempotency key or have the same effect twice.
    AfterAnyTransientFailure,
    /// Other writes: only what cannot have been processed.
    OnlyIfUnprocessed,
}

/// How long to wait before the same request is sent again; `None`: not again. `chance`, from 0 to 1, is which share is taken of a
/// pause that the CRM has not named, so that many workers do not come back at once.
#[must_use]
pub fn pause(repeat: Repeat, error: &Error, attempt: u32, chance: f64) -> Option<Duration> {
    if attempt >= MAX_ATTEMPTS {
        return None;
    }
    let transient = match error.kind {
        // No request left this machine, or the CRM refused to look at it.
        Kind::Connect => true,
        // A quota of the day does not come back while anybody waits.
        Kind::RateLimited => error.reason != Some(Reason::Quota),
        Kind::Transport => repeat == Repeat::AfterAnyTransientFailure,
        Kind::Http => match error.reason {
            Some(Reason::Busy) => true,
            Some(Reason::Transient) => repeat == Repeat::AfterAnyTransientFailure,
            _ => false,
        },
        _ => false,
    };
    if !transient {
        return None;
    }
    Some(match error.retry_after {
        Some(seconds) => Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
        None => Duration::from_millis(FIRST_BACKOFF_MS << attempt.min(6)).mul_f64(chance.clamp(0.0, 1.0)),
    })
}

/// Seconds that an answer asks to wait, in either form of the header.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<f64> {
    seconds_in(headers, RETRY_AFTER.as_str())
}

/// The same in another header.
#[must_use]
pub fn seconds_in(headers: &HeaderMap, name: &str) -> Option<f64> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    match value.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => Some(seconds),
        Ok(_) => None,
        Err(_) => clock::seconds_until_http_date(value),
    }
}
