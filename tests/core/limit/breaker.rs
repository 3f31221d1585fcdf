//! The breaker of a connection: a dead endpoint costs one attempt a minute, of all processes together.

use std::time::Duration;

use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::{Cause, Decision};

use super::{Folder, GATE, HOUR, SECOND, at, paced, take};

const MINUTE: u64 = 60 * SECOND;

fn broken() -> Local {
    let local = Local::private(16);
    for n in 0..3 {
        local.failed(GATE, at(HOUR + n));
    }
    local
}

#[test]
fn three_failures_in_a_row_open_it() {
    let local = Local::private(16);
    local.failed(GATE, at(HOUR));
    local.failed(GATE, at(HOUR + SECOND));
    assert!(take(&local, &[], at(HOUR + SECOND)).is_ok());
    local.succeeded(GATE, at(HOUR + SECOND));
    local.failed(GATE, at(HOUR + SECOND));
    local.failed(GATE, at(HOUR + SECOND));
    assert!(take(&local, &[], at(HOUR + SECOND)).is_ok(), "a success ended the row");
    local.failed(GATE, at(HOUR + 2 * SECOND));
    let (wait, cause) = take(&local, &[], at(HOUR + 3 * SECOND)).unwrap_err();
    assert_eq!(cause, Cause::Broken);
    assert!(wait.abs_diff(59 * SECOND) < SECOND / 1000, "{wait}");
    assert_eq!(local.gate(GATE, at(HOUR + 3 * SECOND)).failures, 3);
    assert!(
        local.take(super::Key(1), &[], at(HOUR)) == Decision::Go,
        "another connection"
    );
}

#[test]
fn failures_far_apart_do_not() {
    let local = Local::private(16);
    for n in 0..10 {
        local.failed(GATE, at(HOUR + n * 6 * MINUTE));
        assert!(take(&local, &[], at(HOUR + n * 6 * MINUTE)).is_ok());
    }
    local.failed(GATE, at(HOUR + 58 * MINUTE));
    local.failed(GATE, at(HOUR + 62 * MINUTE));
    assert!(
        take(&local, &[], at(HOUR + 62 * MINUTE)).is_err(),
        "each within 5 minutes of the one before"
    );
}

#[test]
fn exactly_one_of_all_tries() {
    let folder = Folder::new();
    let first = Local::shared(&folder.file(), 16).unwrap();
    let start = super::Now::read();
    for _ in 0..3 {
        first.failed(GATE, start);
    }
    let later = |seconds| super::Now {
        mono: start.mono + seconds * SECOND,
        ..start
    };
    for round in 1..=20 {
        let now = later(round * 61);
        let tries: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        let local = Local::shared(&folder.file(), 16).unwrap();
                        (0..50).filter(|_| take(&local, &[], now).is_ok()).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(tries, 1, "round {round}");
    }
}

#[test]
fn a_try_that_fails_opens_it_again_and_one_that_succeeds_closes_it() {
    let local = broken();
    let now = HOUR + 61 * SECOND;
    assert!(take(&local, &[], at(now)).is_ok());
    local.failed(GATE, at(now + 10 * SECOND));
    assert!(
        take(&local, &[], at(now + 69 * SECOND)).is_err(),
        "a minute from the failure"
    );
    assert!(take(&local, &[], at(now + 71 * SECOND)).is_ok());
    assert!(take(&local, &[], at(now + 71 * SECOND)).is_err());
    local.succeeded(GATE, at(now + 72 * SECOND));
    assert!(take(&local, &[], at(now + 72 * SECOND)).is_ok());
    assert_eq!(local.gate(GATE, at(now + 72 * SECOND)).open_for, None);
    local.failed(GATE, at(now + 73 * SECOND));
    assert!(take(&local, &[], at(now + 73 * SECOND)).is_ok(), "the row begins anew");
}

/// Whoever tried was killed: a minute later another one may.
#[test]
fn a_try_that_never_ends_stops_nobody() {
    let local = broken();
    for minute in 1..10 {
        let now = at(HOUR + minute * 61 * SECOND);
        assert!(take(&local, &[], now).is_ok());
        assert!(take(&local, &[], now).is_err());
    }
}

/// A request that has no place in its window is no try.
#[test]
fn a_refused_request_is_no_try() {
    let local = broken();
    let rule = paced(1, 2, 600, 1);
    assert_eq!(local.take(super::Key(1), &[rule], at(HOUR)), Decision::Go);
    let now = at(HOUR + 61 * SECOND);
    let (_, cause) = take(&local, &[rule], now).unwrap_err();
    assert_eq!(cause, Cause::Window(0));
    assert!(take(&local, &[], now).is_ok());
    // And one that is no try takes nothing of its window.
    let other = paced(2, 2, 600, 1);
    assert!(take(&local, &[other], now).is_err());
    assert_eq!(local.usage(&other, now).used, 0);
    assert_eq!(
        local
            .gate(GATE, now)
            .open_for
            .map(|time| time <= Duration::from_secs(60)),
        Some(true)
    );
}
