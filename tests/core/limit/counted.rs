//! Windows that look back and days, in played time.

use std::time::Duration;

use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::{Cause, Draw, Now};

use super::{Dice, HOUR, MIDNIGHT, MILLISECOND, SECOND, at, burst_at, costing, daily, most_in_a_window, rolling, take};

const DAY: u64 = 24 * HOUR;

#[test]
fn no_window_that_looks_back_sees_more_than_the_amount() {
    let mut fullest = 0.0_f64;
    for seed in 1..=100 {
        let mut dice = Dice::new(seed);
        let amount = dice.between(1, 300);
        let seconds = dice.between(1, 7200);
        let period = seconds * SECOND;
        let rule = rolling(1, amount, seconds);
        let most = if seed % 2 == 0 { 1 } else { amount };
        let local = Local::private(16);
        let (mut now, mut admitted) = (dice.between(0, DAY), Vec::new());
        for _ in 0..3000 {
            now += dice.between(0, 2 * period / amount);
            // Whole milliseconds: so the clock tells them.
            now -= now % MILLISECOND;
            let cost = dice.between(1, most);
            if take(&local, &[costing(rule, cost)], at(now)).is_ok() {
                admitted.push((now, cost));
            }
        }
        let seen = most_in_a_window(&admitted, period);
        assert!(seen <= amount, "seed {seed}: {seen} of {amount} in {seconds} s");
        fullest = fullest.max(seen as f64 / amount as f64);
    }
    assert!(fullest > 0.99, "{fullest}");
}

/// A twentieth more than the period passes before what was taken may be taken again, no more.
#[test]
fn a_window_that_looks_back_gives_back_in_portions() {
    let rule = rolling(1, 100, 3600);
    let local = Local::private(16);
    let begin = DAY;
    assert_eq!(burst_at(&local, costing(rule, 60), at(begin)), 1);
    assert_eq!(burst_at(&local, costing(rule, 40), at(begin + HOUR / 2)), 1);
    let part = HOUR / 20;
    let (wait, cause) = take(&local, &[rule], at(begin + HOUR / 2)).unwrap_err();
    assert_eq!((wait, cause), (HOUR / 2 + part, Cause::Window(0)), "the first 60 leave");
    let (wait, _) = take(&local, &[costing(rule, 61)], at(begin + HOUR / 2)).unwrap_err();
    assert_eq!(wait, HOUR + part, "both have to leave");
    assert!(take(&local, &[rule], at(begin + HOUR + part - MILLISECOND)).is_err());
    assert_eq!(burst_at(&local, rule, at(begin + HOUR + part)), 60);
}

#[test]
fn waiting_as_told_uses_nearly_all_of_it() {
    let rule = rolling(1, 1000, 3600);
    let local = Local::private(16);
    let (mut now, mut count) = (0, 0);
    while now < 10 * HOUR {
        match take(&local, &[rule], at(now)) {
            Ok(()) => count += 1,
            Err((wait, _)) => now += wait,
        }
    }
    assert!(count > 9500 && count <= 11_000, "{count}");
}

#[test]
fn a_day_begins_anew_at_its_reset() {
    // At 09:30 UTC.
    let rule = daily(1, 1000, 9 * 3600 + 1800);
    let local = Local::private(16);
    let reset = 9 * HOUR + HOUR / 2;
    assert_eq!(burst_at(&local, rule, at(0)), 1000);
    assert_eq!(take(&local, &[rule], at(0)), Err((reset, Cause::Window(0))));
    assert!(take(&local, &[rule], at(reset - MILLISECOND)).is_err());
    assert_eq!(burst_at(&local, rule, at(reset)), 1000);
    assert_eq!(take(&local, &[rule], at(reset)), Err((DAY, Cause::Window(0))));
    assert!(
        take(&local, &[rule], at(DAY + HOUR)).is_err(),
        "midnight changes nothing"
    );
    assert_eq!(burst_at(&local, rule, at(DAY + reset)), 1000);
    assert_eq!(
        burst_at(&local, rule, at(9 * DAY + reset - SECOND)),
        1000,
        "days without a request"
    );
}

#[test]
fn costs_above_the_amount_need_an_unused_window() {
    for rule in [rolling(1, 100, 3600), daily(1, 100, 0)] {
        let local = Local::private(16);
        assert!(take(&local, &[rule], at(0)).is_ok());
        let (wait, _) = take(&local, &[costing(rule, u64::MAX)], at(0)).unwrap_err();
        assert!(take(&local, &[costing(rule, u64::MAX)], at(wait)).is_ok());
        assert!(take(&local, &[rule], at(wait)).is_err());
    }
}

/// What is given back leaves the portion in which it was taken, not the one of the day.
#[test]
fn a_refund_leaves_the_portion_it_was_taken_in() {
    let rule = rolling(1, 10, 3600);
    let local = Local::private(16);
    assert!(take(&local, &[costing(rule, 4)], at(0)).is_ok());
    assert!(take(&local, &[costing(rule, 6)], at(HOUR / 2)).is_ok());
    local.refund(&[costing(rule, 4)], at(0), at(HOUR / 2));
    assert_eq!(local.usage(&rule, at(HOUR / 2)).used, 6);
    assert_eq!(
        local.usage(&rule, at(HOUR + HOUR / 4)).used,
        6,
        "the later ones are still there"
    );
    local.refund(&[costing(rule, 4)], at(0), at(4 * HOUR));
    assert!(take(&local, &[costing(rule, 10)], at(4 * HOUR)).is_ok());
    local.refund(&[costing(rule, 4)], at(0), at(4 * HOUR));
    assert!(
        take(&local, &[rule], at(4 * HOUR)).is_err(),
        "there was nothing left to give"
    );
}

/// A wall clock that is set back a little, or over a reset, makes nothing free.
#[test]
fn a_clock_set_back_makes_nothing_free() {
    let back = |rule: Draw, taken: Now, now: Now| {
        let local = Local::private(16);
        assert_eq!(burst_at(&local, rule, taken), 10);
        assert!(take(&local, &[rule], now).is_err(), "{rule:?}");
    };
    back(rolling(1, 10, 3600), at(DAY), at(DAY - HOUR / 2));
    back(daily(1, 10, 0), at(DAY + 1), at(DAY - MILLISECOND));
    back(daily(1, 10, 0), at(DAY - MILLISECOND), at(DAY - HOUR));
}

/// A clock that jumps far, either way, stops nobody for longer than a window.
#[test]
fn a_clock_that_jumps_stops_nobody_for_long() {
    for rule in [rolling(1, 10, 3600), daily(1, 10, 0)] {
        for jump in [1000 * DAY, 0] {
            let local = Local::private(16);
            assert_eq!(burst_at(&local, rule, at(500 * DAY)), 10);
            assert!(take(&local, &[rule], at(jump + DAY)).is_ok(), "{rule:?} {jump}");
        }
    }
}

#[test]
fn usage_says_what_is_left_and_when() {
    let rule = daily(1, 100, 0);
    let local = Local::private(16);
    assert!(take(&local, &[costing(rule, 97)], at(HOUR)).is_ok());
    let usage = local.usage(&costing(rule, 4), at(HOUR));
    assert_eq!((usage.used, usage.left, usage.factor), (97, 3, 1.0));
    assert_eq!(usage.free_in, Some(Duration::from_secs(23 * 3600)));
    assert_eq!(local.usage(&costing(rule, 3), at(HOUR)).free_in, None);
    assert_eq!((usage.admitted, usage.delayed, usage.limited), (1, 0, 0));
    assert_eq!(MIDNIGHT % 86_400_000, 0, "the played day begins at midnight");
}
