//! Time as other modules need it: the wall clock for watermarks and HTTP dates, and the one that nobody sets for limits.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// Nanoseconds by `CLOCK_MONOTONIC`: the same for all processes of a host, never set, 0 when the machine came up.
#[inline]
#[must_use]
pub fn monotonic() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).ok();
    let since = time.and_then(|time| {
        let seconds = u64::try_from(time.tv_sec()).ok()?;
        Some(seconds.saturating_mul(1_000_000_000) + u64::try_from(time.tv_nsec()).ok()?)
    });
    // The system has this clock always.
    since.unwrap_or(0)
}

/// Milliseconds since 1970 by the wall clock as of the last tick, a few milliseconds ago: it costs a fourth.
#[must_use]
pub fn unix_milliseconds() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_REALTIME_COARSE).ok();
    let since = time.and_then(|time| {
        let seconds = u64::try_from(time.tv_sec()).ok()?;
        Some(seconds.saturating_mul(1000) + u64::try_from(time.tv_nsec()).ok()? / 1_000_000)
    });
    since.unwrap_or(0)
}

/// Tells one boot of the machine from another; 0 where the system does not say.
pub fn boot() -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let Ok(id) = std::fs::read("/proc/sys/kernel/random/boot_id") else {
            return 0;
        };
        let digest = ring::digest::digest(&ring::digest::SHA256, &id);
        let (words, _) = digest.as_ref().as_chunks::<8>();
        words.first().map_or(0, |word| u64::from_ne_bytes(*word))
    })
}

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

/// A moment for people: `2026-11-24 10:00:05 UTC`.
#[must_use]
pub fn utc(unix: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of a date fit")]
    let second = unix.ceil() as i64;
    jiff::Timestamp::from_second(second).map_or_else(
        |_| String::from("a time that cannot be told"),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}
