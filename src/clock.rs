//! Time as other modules need it: the wall clock for watermarks and HTTP dates.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 by the wall clock.
#[must_use]
pub fn unix_now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// Seconds since 1970 of an HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`).
#[must_use]
pub fn unix_of_http_date(text: &str) -> Option<f64> {
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "whole seconds of a date fit")]
    let at = date.timestamp().as_second() as f64;
    Some(at)
}

/// Seconds until an HTTP date; 0 if it has passed.
#[must_use]
pub fn seconds_until_http_date(text: &str) -> Option<f64> {
    unix_of_http_date(text).map(|at| (at - unix_now()).max(0.0))
}
