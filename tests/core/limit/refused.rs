//! What the CRM says: refusals, what it has left, and how large its windows really are.

use std::time::Duration;

use tenant_crm_sync::limit::Cause;
use tenant_crm_sync::limit::local::Local;

use super::{GATE, HOUR, SECOND, at, burst_at, costing, daily, most_in_a_window, paced, rolling, take};

const FEW: Duration = Duration::from_secs(5);

#[test]
fn after_a_refusal_nothing_goes_before_its_time() {
    let (fast, day) = (paced(1, 100, 10, 10), daily(2, 1000, 0));
    let local = Local::private(16);
    assert!(take(&local, &[fast, day], at(HOUR)).is_ok());
    local.limited(GATE, &[fast, day], at(HOUR), at(HOUR + SECOND), FEW, false);
    let late = at(HOUR + SECOND + 1);
    assert_eq!(
        take(&local, &[], late),
        Err((5 * SECOND - 1, Cause::Told)),
        "the connection waits"
    );
    let other = super::Key(99);
    let wait = match local.take(other, &[fast], late) {
        super::Decision::Wait(wait, Cause::Told) => wait,
        decision => panic!("another connection of the same account: {decision:?}"),
    };
    assert_eq!(wait, 5 * SECOND - 1);
    assert_eq!(
        local.take(other, &[day], late),
        super::Decision::Go,
        "the day's quota is not what was refused"
    );
    assert_eq!(local.gate(GATE, late).held_for, Some(Duration::from_nanos(wait)));
    assert_eq!(local.usage(&fast, late).held_for, Some(Duration::from_nanos(wait)));
    assert_eq!(local.usage(&fast, late).limited, 1);
    // A later refusal that asks for less does not shorten it.
    local.limited(GATE, &[fast], at(HOUR), late, Duration::from_secs(1), false);
    assert_eq!(take(&local, &[], at(HOUR + 6 * SECOND - 1)), Err((1, Cause::Told)));
    assert!(take(&local, &[fast, day], at(HOUR + 6 * SECOND)).is_ok());
}

#[test]
fn a_quota_holds_its_windows_and_leaves_the_pace() {
    let (fast, day) = (paced(1, 100, 10, 10), rolling(2, 1000, 86_400));
    let local = Local::private(16);
    local.limited(GATE, &[fast, day], at(HOUR), at(HOUR), Duration::from_secs(3600), true);
    let other = super::Key(99);
    assert_eq!(
        local.take(other, &[day], at(HOUR)),
        super::Decision::Wait(HOUR, Cause::Told)
    );
    assert_eq!(local.usage(&fast, at(3 * HOUR)).factor, 1.0);
}

/// What waited does not come all at once: the window that the CRM opens again is just emptying.
#[test]
fn there_is_no_burst_after_a_refusal() {
    let rule = paced(1, 100, 10, 10);
    let local = Local::private(16);
    local.limited(GATE, &[rule], at(HOUR), at(HOUR), FEW, false);
    assert_eq!(burst_at(&local, rule, at(HOUR + 5 * SECOND)), 1);
}

/// Refusals of requests that were under way together halve the amount once; the next that starts and is refused, again.
#[test]
fn the_amount_is_halved_once_for_each_event() {
    let rule = paced(1, 1600, 10, 160);
    let local = Local::private(16);
    let factor = |now| local.usage(&rule, at(now)).factor;
    let refuse = |started: u64, now: u64| {
        local.limited(GATE, &[rule], at(started), at(now), Duration::ZERO, false);
        factor(now)
    };
    assert_eq!(refuse(HOUR, HOUR + SECOND), 0.5);
    for started in [HOUR - SECOND, HOUR, HOUR + SECOND / 2, HOUR + SECOND] {
        let now = refuse(started, HOUR + SECOND + SECOND / 100);
        assert!((0.5..0.501).contains(&now), "{now}");
    }
    assert!((0.25..0.251).contains(&refuse(HOUR + SECOND + SECOND / 50, HOUR + 2 * SECOND)));
    for n in 3..12 {
        refuse(HOUR + n * SECOND - SECOND / 2, HOUR + n * SECOND);
    }
    let least = factor(HOUR + 11 * SECOND);
    assert!((0.0625..0.07).contains(&least), "not below a sixteenth: {least}");
}

/// 2 % of the whole come back in a minute.
#[test]
fn the_amount_comes_back() {
    let rule = paced(1, 10_000, 10, 1000);
    let local = Local::private(16);
    local.limited(GATE, &[rule], at(HOUR), at(HOUR), Duration::ZERO, false);
    let factor = |minutes: u64| local.usage(&rule, at(HOUR + minutes * 60 * SECOND)).factor;
    for (minutes, expected) in [(0, 0.5), (1, 0.52), (10, 0.7), (24, 0.98), (26, 1.0), (10_000, 1.0)] {
        assert!(
            (factor(minutes) - expected).abs() < 0.001,
            "{minutes}: {}",
            factor(minutes)
        );
    }
    let taken = burst_at(&local, rule, at(HOUR + 600 * SECOND));
    assert_eq!(taken, 700, "the burst is of what has come back");
}

/// The pace after a cut holds as the full one did: no window sees more than the halved amount.
#[test]
fn the_halved_amount_holds() {
    let rule = paced(1, 100, 10, 10);
    let local = Local::private(16);
    local.limited(GATE, &[rule], at(HOUR), at(HOUR), Duration::ZERO, false);
    let (mut now, mut went) = (HOUR, Vec::new());
    while now < HOUR + 30 * SECOND {
        match take(&local, &[rule], at(now)) {
            Ok(()) => went.push((now, 1)),
            Err((wait, _)) => now += wait,
        }
    }
    let most = most_in_a_window(&went, 10 * SECOND);
    assert!(
        (45..=51).contains(&most),
        "{most}: 51 where the first percent has come back"
    );
}

#[test]
fn what_is_left_is_believed() {
    let local = Local::private(16);
    let (fast, hour, day) = (paced(1, 100, 10, 10), rolling(2, 100, 3600), daily(3, 100, 0));
    for rule in [fast, hour, day] {
        local.told(&rule, 3, None, at(HOUR));
        assert_eq!(local.usage(&rule, at(HOUR)).left, 3);
        assert_eq!(burst_at(&local, rule, at(HOUR)), 3, "{rule:?}");
        // What is said of more left than we know of is older than what we have sent since.
        local.told(&rule, 90, Some(100), at(HOUR));
        assert_eq!(burst_at(&local, rule, at(HOUR)), 0);
        local.told(&rule, 0, Some(100), at(HOUR));
    }
    assert_eq!(local.usage(&hour, at(HOUR)).used, 100);
}

#[test]
fn a_smaller_limit_than_ours_counts_from_now_on() {
    let local = Local::private(16);
    let (fast, day) = (paced(1, 100, 10, 20), daily(3, 1000, 0));
    local.told(&fast, 50, Some(50), at(HOUR));
    local.told(&day, 50, Some(50), at(HOUR));
    assert_eq!(local.usage(&fast, at(HOUR)).factor, 0.5);
    assert_eq!(burst_at(&local, fast, at(HOUR)), 10);
    assert_eq!(burst_at(&local, day, at(HOUR)), 50);
    assert_eq!(local.usage(&day, at(30 * HOUR)).factor, 0.05, "until it says otherwise");
    local.told(&day, 900, Some(2000), at(HOUR));
    assert_eq!(local.usage(&day, at(HOUR)).factor, 1.0);
}

/// Part of the account is kept for others: their use of it is seen in what the CRM says is left of the whole.
#[test]
fn what_others_use_is_counted() {
    let local = Local::private(16);
    let ours = daily(1, 800, 0);
    assert!(take(&local, &[costing(ours, 100)], at(HOUR)).is_ok());
    local.told(&ours, 300, Some(1000), at(HOUR));
    let usage = local.usage(&ours, at(HOUR));
    assert_eq!((usage.used, usage.left), (700, 100));
}

/// Told by many at once, it is counted once.
#[test]
fn what_many_are_told_is_counted_once() {
    let local = Local::private(16);
    let rule = rolling(1, 100_000, 3600);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for used in 1..=2000 {
                    local.told(&rule, 100_000 - used, Some(100_000), at(HOUR));
                }
            });
        }
    });
    assert_eq!(local.usage(&rule, at(HOUR)).used, 2000);
}
