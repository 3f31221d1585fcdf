//! What is repeated, and when.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use tenant_crm_sync::chance::share;
use tenant_crm_sync::crm::reply::Errors;
use tenant_crm_sync::error::{Error, Kind, Reason};
use tenant_crm_sync::net::retry::{MAX_ATTEMPTS, Repeat, pause, retry_after};
use tenant_crm_sync::net::send::{Judge, Verdict};

const READ: Repeat = Repeat::AfterAnyTransientFailure;
const WRITE: Repeat = Repeat::OnlyIfUnprocessed;

/// The failure that an answer with this status is, where the connector says nothing of it.
fn http(status: u16) -> Error {
    let status = StatusCode::from_u16(status).unwrap();
    match Errors::default().judge(status, &HeaderMap::new(), b"") {
        Verdict::Failure(error) => error,
        other => panic!("{status} is {other:?}"),
    }
}

fn because(kind: Kind, reason: Reason) -> Error {
    let mut error = Error::new(kind, "");
    error.reason = Some(reason);
    error
}

#[test]
fn a_write_is_repeated_only_if_it_cannot_have_been_processed() {
    assert!(pause(WRITE, &Error::new(Kind::Connect, ""), 1, 0.5).is_some());
    assert!(pause(WRITE, &Error::new(Kind::RateLimited, ""), 1, 0.5).is_some());
    for error in [
        Error::new(Kind::Transport, ""),
        Error::new(Kind::Timeout, ""),
        http(500),
        http(502),
        http(503),
        http(504),
    ] {
        assert_eq!(pause(WRITE, &error, 1, 0.5), None, "{error:?}");
    }
}

#[test]
fn what_the_crm_says_it_has_not_processed_is_repeated_always() {
    let busy = because(Kind::Http, Reason::Busy);
    assert!(pause(WRITE, &busy, 1, 0.5).is_some() && pause(READ, &busy, 1, 0.5).is_some());
    assert_eq!(pause(WRITE, &busy, MAX_ATTEMPTS, 0.5), None);
}

#[test]
fn a_quota_of_the_day_is_not_waited_for() {
    let mut quota = because(Kind::RateLimited, Reason::Quota);
    quota.retry_after = Some(1.0);
    assert_eq!(pause(READ, &quota, 1, 0.5), None);
    assert_eq!(pause(WRITE, &quota, 1, 0.5), None);
    assert!(pause(READ, &because(Kind::RateLimited, Reason::RateLimited), 1, 0.5).is_some());
}

#[test]
fn a_read_is_repeated_after_transient_failures_only() {
    for error in [
        Error::new(Kind::Transport, ""),
        http(408),
        http(500),
        http(502),
        http(503),
        http(504),
    ] {
        assert!(pause(READ, &error, 1, 0.5).is_some(), "{error:?}");
        assert_eq!(pause(READ, &error, MAX_ATTEMPTS, 0.5), None);
    }
    for error in [
        http(400),
        http(401),
        http(403),
        http(404),
        http(501),
        Error::new(Kind::Decode, ""),
        Error::new(Kind::TooLarge, ""),
        Error::new(Kind::Egress, ""),
        Error::new(Kind::Tls, ""),
    ] {
        assert_eq!(pause(READ, &error, 1, 0.5), None, "{error:?}");
    }
}

#[test]
fn pauses_are_bounded_and_differ() {
    let milliseconds = |attempt, chance| pause(READ, &http(503), attempt, chance).map(|pause| pause.as_millis());
    let shares = [0.0, 0.5, 1.0, 7.0].map(|chance| milliseconds(1, chance));
    assert_eq!(shares, [Some(0), Some(200), Some(400), Some(400)]);
    assert_eq!(
        [2, 3].map(|attempt| milliseconds(attempt, 1.0)),
        [Some(800), Some(1600)]
    );
    let drawn: BTreeSet<u64> = (0..100).map(|_| share().to_bits()).collect();
    assert!(drawn.iter().all(|share| (0.0..=1.0).contains(&f64::from_bits(*share))));
    assert!(drawn.len() > 50, "chance is no chance: {} of 100 differ", drawn.len());
}

#[test]
fn the_crms_own_pause_counts() {
    let mut error = http(503);
    error.retry_after = Some(2.5);
    assert_eq!(pause(READ, &error, 1, 0.5), Some(Duration::from_millis(2500)));
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let read = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        retry_after(&headers)
    };
    assert_eq!(read("7"), Some(7.0));
    assert_eq!(read(" 0.5 "), Some(0.5));
    let in_a_minute = jiff::Timestamp::now() + Duration::from_secs(60);
    let date = in_a_minute.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let seconds = read(&date).unwrap();
    assert!((58.0..=60.0).contains(&seconds), "{seconds}");
    assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0.0));
    for nonsense in ["", "soon", "-3", "NaN", "inf", "1e999"] {
        assert_eq!(read(nonsense), None, "{nonsense}");
    }
    assert_eq!(retry_after(&HeaderMap::new()), None);
}
