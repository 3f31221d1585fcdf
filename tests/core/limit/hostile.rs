//! Any bits in the words, and tables without room: nothing breaks, nothing is free, and in time all is well again.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Barrier;
use std::time::Duration;

use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::{Decision, Draw, Key, Now};

use super::{Dice, Folder, GATE, HOUR, NO_GATE, SECOND, at, burst_at, daily, paced, rolling, take};

const UNIT: u64 = 256;
const RULES: [Draw; 3] = [paced(1, 100, 10, 10), rolling(2, 100, 3600), daily(3, 100, 0)];

/// Everything there is to call.
fn use_all(local: &Local, now: Now) {
    let _ = take(local, &RULES, now);
    for rule in RULES {
        let _ = take(local, &[rule], now);
        local.told(&rule, 50, Some(99), now);
        local.told(&rule, 50, Some(100), now);
        let _ = local.usage(&rule, now);
    }
    local.refund(&RULES, now, now);
    local.limited(GATE, &RULES, now, now, Duration::from_secs(1), true);
    local.failed(GATE, now);
    let _ = local.gate(GATE, now);
    local.succeeded(GATE, now);
    let _ = local.restore(&local.checkpoint(now), now);
    let _ = (local.used(), local.hosts());
}

fn words(dice: &mut Dice, count: u64) -> Vec<u8> {
    (0..count)
        .flat_map(|_| {
            match dice.between(0, 5) {
                0 => 0,
                1 => u64::MAX,
                2 => dice.between(0, 1 << 20),
                3 => 1 << dice.between(0, 63),
                _ => dice.throw(),
            }
            .to_ne_bytes()
        })
        .collect()
}

/// Where the slots of these keys are in the file.
fn places(file: &File, slots: u64) -> Vec<u64> {
    (1..=slots)
        .map(|slot| slot * UNIT)
        .filter(|place| {
            let mut key = [0; 8];
            file.read_exact_at(&mut key, *place).unwrap();
            key != [0; 8]
        })
        .collect()
}

/// Random bits in every word of every slot, and in what the header says of the table's life.
#[test]
fn any_bits_break_nothing() {
    for seed in 1..=300 {
        let mut dice = Dice::new(seed);
        let folder = Folder::new();
        let local = Local::shared(&folder.file(), 32).unwrap();
        let file = File::options().read(true).write(true).open(folder.file()).unwrap();
        let start = Now::read();
        use_all(&local, start);
        file.write_all_at(&words(&mut dice, 32 * 32), UNIT).unwrap();
        file.write_all_at(&words(&mut dice, 2), 40).unwrap();
        for step in 0..20 {
            let now = Now {
                mono: start.mono + step * SECOND,
                unix: start.unix + step * 1000,
            };
            use_all(&local, now);
        }
        let other = Local::shared(&folder.file(), 32).unwrap();
        use_all(&other, start);
    }
}

/// Random bits in the words of keys that are in use: never more than the amount and one burst, and all is well in time.
#[test]
fn any_bits_in_use_free_nothing_and_stop_nobody_for_long() {
    for seed in 1..=300 {
        let mut dice = Dice::new(seed);
        let folder = Folder::new();
        let local = Local::shared(&folder.file(), 32).unwrap();
        let file = File::options().read(true).write(true).open(folder.file()).unwrap();
        let start = Now::read();
        for rule in RULES {
            assert!(local.take(NO_GATE, &[rule], start) == Decision::Go);
        }
        let places = places(&file, 32);
        assert_eq!(places.len(), 3);
        for place in places {
            // All but the key.
            file.write_all_at(&words(&mut dice, 30), place + 16).unwrap();
        }
        for rule in RULES {
            let went = burst_at(&local, rule, start);
            assert!(went <= rule.rule.amount, "seed {seed}: {went} of {rule:?}");
        }
        // The longest hold that is believed is 31 days; what the CRM tells replaces what it told.
        let later = Now {
            mono: start.mono + 33 * 24 * HOUR,
            unix: start.unix + 33 * 24 * 3_600_000,
        };
        for rule in RULES {
            local.told(&rule, 100, Some(100), later);
            let after = Now {
                mono: later.mono + 26 * HOUR,
                unix: later.unix + 26 * 3_600_000,
            };
            let _ = take(&local, &RULES, later);
            let burst = burst_at(&local, rule, after);
            let whole = if rule.rule.burst > 1 {
                rule.rule.burst
            } else {
                rule.rule.amount
            };
            assert_eq!(burst, whole, "seed {seed}: {rule:?}");
        }
    }
}

/// A number that lies ahead for ever would stop a window for ever: it is put right, alone and beside others.
#[test]
fn a_number_that_cannot_be_is_put_right() {
    for draws in [vec![RULES[0]], RULES.to_vec()] {
        let folder = Folder::new();
        let local = Local::shared(&folder.file(), 32).unwrap();
        let file = File::options().read(true).write(true).open(folder.file()).unwrap();
        let start = Now::read();
        assert!(take(&local, &RULES[..1], start).is_ok());
        let place = places(&file, 32)[0];
        file.write_all_at(&u64::MAX.to_ne_bytes(), place + 24).unwrap();
        let (wait, _) = take(&local, &draws, start).unwrap_err();
        assert!((10 * SECOND..13 * SECOND).contains(&wait), "a window: {wait}");
        let later = Now {
            mono: start.mono + wait,
            ..start
        };
        assert!(take(&local, &draws, later).is_ok());
    }
}

#[test]
fn a_full_table_gives_a_sixteenth() {
    let local = Local::private(16);
    for key in 1..=16 {
        assert!(take(&local, &[paced(key, 1000, 10, 100)], at(HOUR)).is_ok());
    }
    assert_eq!(local.used(), (16, 16));
    let late = paced(99, 1600, 10, 160);
    assert_eq!(burst_at(&local, late, at(HOUR)), 10);
    assert_eq!(local.usage(&late, at(HOUR)).left, 0);
    assert_eq!(burst_at(&local, daily(98, 160, 0), at(HOUR)), 10);
    assert_eq!(burst_at(&local, paced(97, 5, 10, 2), at(HOUR)), 1, "never none");
    assert_eq!(
        burst_at(&local, paced(1, 1000, 10, 100), at(HOUR)),
        99,
        "the others keep theirs"
    );
    for _ in 0..3 {
        local.failed(GATE, at(HOUR));
    }
    assert!(
        take(&local, &[], at(HOUR)).is_err(),
        "connections are broken as elsewhere"
    );
}

#[test]
fn what_nobody_has_seen_for_a_day_is_taken_over() {
    let local = Local::private(16);
    for key in 1..=14 {
        assert_eq!(burst_at(&local, paced(key, 1000, 10, 100), at(HOUR)), 100);
        let rule = paced(key, 1000, 10, 100);
        local.limited(NO_GATE, &[rule], at(HOUR), at(HOUR), Duration::ZERO, false);
        local.told(&rule, 0, Some(10), at(HOUR));
    }
    // One that looks back for a week, and a connection that the CRM has asked to wait for two days.
    let week = rolling(15, 5, 7 * 86_400);
    assert_eq!(burst_at(&local, week, at(HOUR)), 5);
    let two_days = Duration::from_secs(2 * 86_400);
    local.limited(GATE, &[], at(HOUR), at(HOUR), two_days, false);
    let seen = paced(3, 1000, 10, 100);
    assert_eq!(local.take(NO_GATE, &[seen], at(20 * HOUR)), Decision::Go);
    let late = |key| paced(key, 1000, 10, 100);
    let burst = |rule, now| {
        (0..1000)
            .take_while(|_| local.take(NO_GATE, &[rule], at(now)) == Decision::Go)
            .count()
    };
    assert_eq!(burst(late(100), 25 * HOUR), 6, "not yet");
    for key in 101..=113 {
        assert_eq!(burst(late(key), 27 * HOUR), 100, "{key}");
        let usage = local.usage(&late(key), at(27 * HOUR));
        assert_eq!(
            (usage.admitted, usage.limited, usage.factor),
            (100, 0, 1.0),
            "it begins anew"
        );
    }
    assert_eq!(burst(late(114), 27 * HOUR), 6, "no more than those that are old");
    assert_eq!(burst(week, 27 * HOUR), 0);
    assert!(local.gate(GATE, at(27 * HOUR)).held_for.is_some());
    assert_eq!(local.usage(&seen, at(27 * HOUR)).admitted, 101);
    assert_eq!(local.used(), (16, 16));
}

/// Many come for one new key when all slots are old: it gets one slot, and one burst.
#[test]
fn those_who_take_over_together_share_one_slot() {
    for round in 0..1500 {
        let barrier = Barrier::new(8);
        let local = Local::private(16);
        for key in 1..=16 {
            assert!(take(&local, &[paced(key, 1000, 10, 100)], at(HOUR)).is_ok());
        }
        let new = paced(1000 + round, 1_000_000, 36_000, 100);
        let went: u64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        burst_at(&local, new, at(30 * HOUR))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        // A sixteenth where somebody came between.
        assert!((100..=107).contains(&went), "round {round}: {went}");
    }
}

/// Keys that look like nothing, and keys that are alike in one half.
#[test]
fn every_key_has_a_slot_of_its_own() {
    let local = Local::private(64);
    let keys = [
        1,
        2,
        1 << 64,
        2 << 64,
        1 << 64 | 1,
        1 << 64 | 2,
        2 << 64 | 1,
        u128::MAX,
        u128::from(u64::MAX),
    ];
    for (n, key) in keys.into_iter().enumerate() {
        let rule = Draw {
            key: Key(key),
            ..daily(0, 100, 0)
        };
        for _ in 0..=n {
            assert!(take(&local, &[rule], at(HOUR)).is_ok());
        }
    }
    for (n, key) in keys.into_iter().enumerate() {
        let rule = Draw {
            key: Key(key),
            ..daily(0, 100, 0)
        };
        assert_eq!(local.usage(&rule, at(HOUR)).used, n as u64 + 1);
    }
}

/// For a table that takes over from one that is away.
#[test]
fn a_table_that_takes_over_begins_empty() {
    let local = Local::private(16);
    local.unanswered(at(HOUR));
    let rule = paced(1, 100, 10, 10);
    assert_eq!(burst_at(&local, rule, at(HOUR)), 0);
    assert_eq!(burst_at(&local, rule, at(HOUR + SECOND / 9 + 1)), 1);
    assert_eq!(burst_at(&local, rule, at(HOUR + 10 * SECOND)), 10);
}
