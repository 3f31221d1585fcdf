//! Evenly paced windows in played time: never above the amount wherever a window begins, and nearly all of it.

use std::time::Duration;

use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::{Cause, Count};

use super::{Dice, HOUR, MILLISECOND, NO_GATE, SECOND, at, burst_at, costing, draw, most_in_a_window, paced, take};

/// Requests at any times, of any cost: what goes is checked against every window.
#[test]
fn no_window_sees_more_than_the_amount() {
    let mut fullest = 0.0_f64;
    for seed in 1..=400 {
        let mut dice = Dice::new(seed);
        let amount = dice.between(1, 60);
        let burst = dice.between(1, amount);
        let period = dice.between(1, 20_000) * MILLISECOND;
        let most = if seed % 2 == 0 { 1 } else { amount };
        let rule = draw(1, amount, Duration::from_nanos(period), burst, Count::Paced);
        let local = Local::private(16);
        let mut now = dice.between(0, 100 * SECOND);
        let mut admitted = Vec::new();
        for _ in 0..2000 {
            now += match dice.between(0, 9) {
                0 => dice.between(0, 2 * period),
                1..=4 => dice.between(0, period / amount),
                _ => dice.between(0, 1 + period / amount / 8),
            };
            let cost = dice.between(1, most);
            if take(&local, &[costing(rule, cost)], at(now)).is_ok() {
                admitted.push((now, cost));
            }
        }
        let seen = most_in_a_window(&admitted, period);
        assert!(
            seen <= amount,
            "seed {seed}: {seen} of {amount} (burst {burst}) in {period} ns"
        );
        fullest = fullest.max(seen as f64 / amount as f64);
    }
    // Else the test would say nothing: somewhere a window was really filled.
    assert!(fullest > 0.99, "{fullest}");
}

/// Waiting exactly as long as it is told, a request goes the next time: the rate is the ideal one.
#[test]
fn the_rate_is_the_ideal_one() {
    let rule = paced(1, 110, 10, 10);
    let local = Local::private(16);
    let (mut now, mut count) = (0, 0);
    while now <= 100 * SECOND {
        match take(&local, &[rule], at(now)) {
            Ok(()) => count += 1,
            Err((wait, cause)) => {
                assert_eq!(cause, Cause::Window(0));
                now += wait;
            }
        }
    }
    // A burst of 10, then 100 in each of 10 periods.
    assert_eq!(count, 10 + 1000);
}

#[test]
fn a_burst_is_saved_up_and_no_more() {
    let rule = paced(1, 100, 10, 10);
    let local = Local::private(16);
    assert_eq!(burst_at(&local, rule, at(0)), 10);
    // One in 1/90 of the period, rounded up.
    let step = (10 * SECOND).div_ceil(90);
    assert_eq!(take(&local, &[rule], at(0)), Err((step, Cause::Window(0))));
    assert_eq!(burst_at(&local, rule, at(step - 1)), 0);
    assert_eq!(burst_at(&local, rule, at(step)), 1);
    assert_eq!(burst_at(&local, rule, at(4 * step)), 3);
    assert_eq!(burst_at(&local, rule, at(HOUR)), 10);
}

#[test]
fn one_in_a_window_waits_for_its_end() {
    let rule = paced(1, 1, 10, 1);
    let local = Local::private(16);
    assert_eq!(burst_at(&local, rule, at(SECOND)), 1);
    assert_eq!(
        burst_at(&local, rule, at(11 * SECOND)),
        0,
        "the end belongs to the window"
    );
    assert_eq!(burst_at(&local, rule, at(11 * SECOND + 1)), 1);
}

#[test]
fn costs_are_weighed() {
    let rule = paced(1, 100, 10, 20);
    let local = Local::private(16);
    assert!(take(&local, &[costing(rule, 15)], at(0)).is_ok());
    let step = 10 * SECOND / 80;
    assert_eq!(
        take(&local, &[costing(rule, 7)], at(0)),
        Err((2 * step, Cause::Window(0)))
    );
    assert_eq!(
        burst_at(&local, rule, at(0)),
        5,
        "what the larger one may not, smaller ones may"
    );
    assert!(
        take(&local, &[costing(rule, 0)], at(0)).is_ok(),
        "what costs nothing goes"
    );
}

/// Larger than the burst: it waits until as much has stayed unused, and is paid off before anything else.
#[test]
fn a_cost_above_the_burst_waits_and_is_paid_off() {
    let rule = paced(1, 100, 10, 20);
    let large = costing(rule, 50);
    let local = Local::private(16);
    let step = 10 * SECOND / 80;
    assert!(take(&local, &[large], at(HOUR)).is_ok());
    assert_eq!(take(&local, &[rule], at(HOUR)), Err((31 * step, Cause::Window(0))));
    assert_eq!(
        take(&local, &[large], at(HOUR)),
        Err((80 * step, Cause::Window(0))),
        "50 paid off, 30 more unused"
    );
    assert!(take(&local, &[large], at(HOUR + 80 * step)).is_ok());
}

#[test]
fn a_cost_above_the_amount_goes_in_a_window_of_its_own() {
    let rule = paced(1, 100, 10, 20);
    let local = Local::private(16);
    assert!(take(&local, &[rule], at(HOUR)).is_ok());
    let Err((wait, Cause::Window(0))) = take(&local, &[costing(rule, u64::MAX)], at(HOUR)) else {
        panic!("it went")
    };
    assert!(wait >= 10 * SECOND);
    assert!(take(&local, &[costing(rule, u64::MAX)], at(HOUR + wait)).is_ok());
    assert_eq!(burst_at(&local, rule, at(HOUR + wait + 10 * SECOND)), 0);
}

#[test]
fn a_refund_gives_back_what_was_taken() {
    let rule = paced(1, 100, 10, 10);
    let local = Local::private(16);
    assert_eq!(burst_at(&local, rule, at(SECOND)), 10);
    local.refund(&[costing(rule, 3)], at(SECOND), at(SECOND + 1));
    assert_eq!(burst_at(&local, rule, at(SECOND + 1)), 3);
}

/// A request that comes back late: its share has gone by unused, and giving it back would be one too many.
#[test]
fn a_late_refund_gives_nothing() {
    let rule = paced(1, 100, 10, 10);
    let local = Local::private(16);
    assert!(take(&local, &[rule], at(0)).is_ok());
    assert_eq!(burst_at(&local, rule, at(HOUR)), 10);
    local.refund(&[rule], at(0), at(HOUR));
    assert_eq!(burst_at(&local, rule, at(HOUR)), 0);
}

/// Random requests of which some are given back soon: those that really went are never more than the amount.
#[test]
fn refunds_open_no_window() {
    for seed in 1..=200 {
        let mut dice = Dice::new(seed);
        let amount = dice.between(2, 40);
        let rule = paced(1, amount, 1, dice.between(1, amount));
        let local = Local::private(16);
        let (mut now, mut went, mut open) = (HOUR, Vec::new(), Vec::new());
        for _ in 0..3000 {
            now += dice.between(0, SECOND / amount / 2);
            if take(&local, &[rule], at(now)).is_ok() {
                if dice.between(0, 3) == 0 {
                    open.push(now);
                } else {
                    went.push((now, 1));
                }
            }
            if dice.between(0, 1) == 0
                && let Some(taken) = open.pop()
            {
                local.refund(&[rule], at(taken), at(now));
            }
        }
        assert!(most_in_a_window(&went, SECOND) <= amount, "seed {seed}");
        assert!(went.len() > 20, "seed {seed}: {}", went.len());
    }
}

/// A clock that goes back (which this one never does within a boot) stops nobody for longer than a window and its burst.
#[test]
fn a_clock_that_goes_back_stops_nobody_for_long() {
    let rule = paced(1, 100, 10, 10);
    let local = Local::private(16);
    assert_eq!(burst_at(&local, rule, at(1000 * HOUR)), 10);
    let Err((wait, Cause::Window(0))) = take(&local, &[rule], at(HOUR)) else {
        panic!("a time to come was taken for a pause")
    };
    assert!(wait <= 12 * SECOND, "{wait}");
    assert_eq!(burst_at(&local, rule, at(HOUR + wait)), 1);
}

#[test]
fn no_number_is_too_large() {
    let numbers = [0, 1, 2, 3, u64::MAX / 2, u64::MAX - 1, u64::MAX];
    let local = Local::private(64);
    let mut key = 0;
    for amount in numbers {
        for burst in numbers {
            for period in numbers {
                for count in [Count::Paced, Count::Rolling, Count::Daily(0), Count::Daily(u32::MAX)] {
                    key += 1;
                    let rule = draw(key, amount, Duration::from_secs(period), burst, count);
                    for cost in numbers {
                        for mono in numbers {
                            let (rule, now) = (costing(rule, cost), at(mono / 2));
                            let _ = take(&local, &[rule, rule], now);
                            local.refund(&[rule], now, now);
                            local.told(&rule, cost, Some(amount), now);
                            local.limited(NO_GATE, &[rule], now, now, Duration::MAX, cost == 0);
                            let _ = local.usage(&rule, now);
                        }
                    }
                }
            }
        }
    }
    assert_eq!(local.used(), (64, 64));
}
