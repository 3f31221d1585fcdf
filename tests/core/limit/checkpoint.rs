//! What was counted, kept elsewhere and brought back: all of it, and nothing that was not.

use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::{Draw, Key};

use super::{Dice, HOUR, MILLISECOND, at, burst_at, costing, daily, paced, rolling, take};

const DAY: u64 = 24 * HOUR;

fn used(local: &Local, rule: &Draw, now: u64) -> u64 {
    local.usage(rule, at(now)).used
}

#[test]
fn what_was_counted_comes_back() {
    let rules = [
        rolling(1, 1000, 3600),
        rolling(2, 1000, 86_400),
        daily(3, 1000, 0),
        daily(4, 1000, 8 * 3600),
    ];
    let local = Local::private(64);
    for (n, rule) in rules.iter().enumerate() {
        for part in 0..10 {
            let now = at(DAY + 6 * HOUR + part * HOUR / 12);
            assert!(take(&local, &[costing(*rule, 10 + n as u64)], now).is_ok());
        }
    }
    assert!(take(&local, &[paced(5, 100, 10, 10)], at(DAY)).is_ok());
    let now = DAY + 7 * HOUR;
    let checkpoint = local.checkpoint(at(now));
    let other = Local::private(64);
    assert_eq!(other.restore(&checkpoint, at(now)), 4, "an even pace needs none");
    for rule in &rules {
        for later in [now, now + HOUR / 3, now + 2 * HOUR, now + DAY] {
            assert_eq!(used(&other, rule, later), used(&local, rule, later), "{rule:?} {later}");
        }
        assert!(used(&other, rule, now) > 0);
    }
    assert_eq!(other.checkpoint(at(now)).len(), checkpoint.len());
}

#[test]
fn the_larger_count_holds() {
    let rule = daily(1, 1000, 0);
    let (more, less) = (Local::private(16), Local::private(16));
    assert!(take(&more, &[costing(rule, 70)], at(HOUR)).is_ok());
    assert!(take(&less, &[costing(rule, 30)], at(HOUR)).is_ok());
    let (of_more, of_less) = (more.checkpoint(at(HOUR)), less.checkpoint(at(HOUR)));
    for _ in 0..3 {
        more.restore(&of_less, at(HOUR));
        less.restore(&of_more, at(HOUR));
        assert_eq!((used(&more, &rule, HOUR), used(&less, &rule, HOUR)), (70, 70));
    }
}

#[test]
fn what_has_passed_is_left_out() {
    let local = Local::private(16);
    assert!(take(&local, &[rolling(1, 100, 3600)], at(DAY)).is_ok());
    assert!(take(&local, &[daily(2, 100, 0)], at(DAY)).is_ok());
    let checkpoint = local.checkpoint(at(DAY));
    let other = Local::private(16);
    assert_eq!(other.restore(&checkpoint, at(3 * DAY)), 0);
    assert_eq!(other.used(), (0, 16));
    assert!(local.checkpoint(at(3 * DAY)).len() < checkpoint.len());
}

/// Of a machine whose clock is ahead: it would hold us up for longer than a window.
#[test]
fn what_is_of_a_time_to_come_is_left_out() {
    let local = Local::private(16);
    let rules = [rolling(1, 100, 3600), daily(2, 100, 0)];
    for rule in rules {
        assert!(take(&local, &[costing(rule, 90)], at(DAY)).is_ok());
    }
    let checkpoint = local.checkpoint(at(DAY));
    let other = Local::private(16);
    other.restore(&checkpoint, at(DAY - HOUR / 2));
    for rule in rules {
        assert_eq!(used(&other, &rule, DAY - HOUR / 2), 0);
    }
}

/// What was counted before our own clock was set back holds against what is older.
#[test]
fn nothing_that_is_newer_makes_room() {
    let rule = rolling(1, 100, 3600);
    let (now, part) = (DAY, HOUR / 20);
    let local = Local::private(16);
    assert!(take(&local, &[costing(rule, 60)], at(now + 10 * part)).is_ok());
    let older = Local::private(16);
    assert!(take(&older, &[costing(rule, 5)], at(now - 11 * part)).is_ok());
    local.restore(&older.checkpoint(at(now)), at(now));
    assert_eq!(used(&local, &rule, now), 60, "both have one place");
}

/// Any bytes: nothing that is known is lowered, nothing breaks, and there is room left for others.
#[test]
fn hostile_bytes_free_nothing() {
    let now = DAY + 7 * HOUR;
    let rules = [rolling(1, 1000, 3600), daily(2, 1000, 0), rolling(3, 1000, 86_400)];
    let fill = |local: &Local, cost| {
        for rule in rules {
            assert!(take(local, &[costing(rule, cost)], at(now - HOUR / 2)).is_ok());
        }
    };
    let source = Local::private(64);
    fill(&source, 300);
    let good = source.checkpoint(at(now));
    let mut changed = 0;
    for seed in 1..=3000 {
        let mut dice = Dice::new(seed);
        let mut bytes = good.clone();
        match seed % 4 {
            0 => bytes = (0..dice.between(0, 600)).map(|_| dice.throw() as u8).collect(),
            1 => bytes.truncate(dice.between(0, good.len() as u64) as usize),
            _ => {
                for _ in 0..dice.between(1, 6) {
                    let place = dice.between(5, good.len() as u64 - 1) as usize;
                    bytes[place] = dice.throw() as u8;
                }
            }
        }
        let local = Local::private(64);
        fill(&local, 200);
        local.restore(&bytes, at(now));
        for rule in rules {
            assert!(used(&local, &rule, now) >= 200, "seed {seed}");
            changed += u64::from(used(&local, &rule, now) > 200);
        }
    }
    assert!(changed > 100, "{changed}: the bytes said something");
}

#[test]
fn a_checkpoint_of_many_keys_leaves_room() {
    let source = Local::private(4096);
    for key in 1..=3000 {
        assert!(take(&source, &[daily(key, 10, 0)], at(HOUR)).is_ok());
    }
    let local = Local::private(64);
    assert_eq!(local.restore(&source.checkpoint(at(HOUR)), at(HOUR)), 48);
    assert_eq!(local.used(), (48, 64));
    assert_eq!(burst_at(&local, daily(9999, 10, 0), at(HOUR + MILLISECOND)), 10);
    assert_eq!(local.gate(Key(5), at(HOUR)).failures, 0);
}
