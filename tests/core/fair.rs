//! Turns: shares by cost and weight, no savings, no starvation.

use std::collections::HashMap;
use std::time::Duration;

use tenant_crm_sync::sync::fair::Fair;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Those who always have something to do, for so many turns; gives what each has got.
fn all_busy(fair: &mut Fair<u32>, turns: usize, mut cost: impl FnMut(u32) -> Duration) -> HashMap<u32, Duration> {
    let mut got: HashMap<u32, Duration> = HashMap::new();
    for _ in 0..turns {
        let who = fair.pick().unwrap();
        let cost = cost(who);
        *got.entry(who).or_default() += cost;
        fair.charge(&who, cost);
        fair.ready(&who);
    }
    got
}

#[test]
fn a_huge_one_beside_fifty_small_ones_costs_each_of_them_one_of_its_turns_at_most() {
    let mut fair = Fair::default();
    fair.join(0, 1.0);
    fair.ready(&0);
    // The huge one has been alone for an hour.
    for _ in 0..3600 {
        assert_eq!(fair.pick(), Some(0));
        fair.charge(&0, MS(1000));
        fair.ready(&0);
    }
    for small in 1..=50 {
        fair.join(small, 1.0);
        fair.ready(&small);
    }
    // What is new begins at the present: the huge one's turn that would begin now does, or none of its turns before all have had one.
    let mut order = Vec::new();
    for _ in 0..51 {
        let who = fair.pick().unwrap();
        fair.charge(&who, if who == 0 { MS(1000) } else { MS(20) });
        fair.ready(&who);
        order.push(who);
    }
    let mut first: Vec<u32> = order.iter().copied().filter(|who| *who != 0).collect();
    assert!(order.iter().filter(|who| **who == 0).count() <= 1, "{order:?}");
    first.dedup();
    assert_eq!(
        first.iter().take(50).copied().collect::<Vec<_>>(),
        (1..=50).collect::<Vec<_>>()
    );
    // And from then on its turn of a second comes once in 51 seconds.
    let got = all_busy(&mut fair, 51 * 50 * 4, |who| if who == 0 { MS(1000) } else { MS(20) });
    let huge = got[&0].as_secs_f64();
    let small = got[&1].as_secs_f64();
    assert!((huge - small).abs() <= 1.0 + 0.02, "{huge} {small}");
}

#[test]
fn weights_share_by_cost_and_not_by_count() {
    let mut fair = Fair::default();
    fair.join(1, 1.0);
    fair.join(3, 3.0);
    fair.ready(&1);
    fair.ready(&3);
    let mut turns = HashMap::<u32, u32>::new();
    // The heavier one's turns cost five times as much.
    let got = all_busy(&mut fair, 10_000, |who| {
        *turns.entry(who).or_default() += 1;
        if who == 1 { MS(10) } else { MS(50) }
    });
    let share = got[&3].as_secs_f64() / got[&1].as_secs_f64();
    assert!((share - 3.0).abs() < 0.01, "{share}");
    let count = f64::from(turns[&3]) / f64::from(turns[&1]);
    assert!((count - 0.6).abs() < 0.01, "{count}");
}

#[test]
fn whatever_the_costs_are_nobody_starves() {
    for seed in 1..=20 {
        let mut dice = Dice(seed * 0x9E37_79B9);
        let mut fair = Fair::default();
        let mut weights = HashMap::new();
        for who in 0..30 {
            let weight = (1 + dice.below(40)) as f64 / 10.0;
            weights.insert(who, weight);
            fair.join(who, weight);
            fair.ready(&who);
        }
        let mut longest: HashMap<u32, f64> = HashMap::new();
        let mut got: HashMap<u32, f64> = HashMap::new();
        for _ in 0..20_000 {
            let who = fair.pick().unwrap();
            // Mostly small, at times nothing, at times huge.
            let cost = match dice.below(100) {
                0 => MS(dice.below(60_000)),
                1..=10 => Duration::ZERO,
                _ => MS(dice.below(200)),
            };
            let share = cost.as_secs_f64().max(1e-6) / weights[&who];
            *got.entry(who).or_default() += share;
            let longest = longest.entry(who).or_default();
            *longest = longest.max(share);
            fair.charge(&who, cost);
            fair.ready(&who);
            // The bound of the method: two that are always ready differ by one turn of each, at any time.
        }
        for (one, share) in &got {
            for (other, others) in &got {
                let bound = longest[one] + longest[other] + 1e-3;
                assert!(
                    (share - others).abs() <= bound,
                    "seed {seed}: {one} {share}, {other} {others}, {bound}"
                );
            }
        }
        assert_eq!(got.len(), 30, "seed {seed}");
    }
}

#[test]
fn equals_come_in_the_order_of_arrival() {
    let mut fair = Fair::default();
    for who in [7, 3, 9, 1] {
        fair.join(who, 1.0);
    }
    for who in [9, 1, 7, 3] {
        fair.ready(&who);
        fair.ready(&who);
    }
    let order: Vec<_> = std::iter::from_fn(|| fair.pick()).collect();
    assert_eq!(order, [9, 1, 7, 3]);
}

#[test]
fn who_had_nothing_to_do_has_saved_nothing() {
    let mut fair = Fair::default();
    fair.join(1, 1.0);
    fair.join(2, 1.0);
    fair.ready(&1);
    let _ = all_busy(&mut fair, 1000, |_| MS(100));
    fair.ready(&2);
    let got = all_busy(&mut fair, 20, |_| MS(100));
    assert_eq!(got[&1], got[&2]);
}

#[test]
fn a_turn_is_charged_though_its_next_has_arrived_meanwhile() {
    let mut fair = Fair::default();
    fair.join(1, 1.0);
    fair.join(2, 1.0);
    fair.ready(&1);
    fair.ready(&2);
    assert_eq!(fair.pick(), Some(1));
    fair.ready(&1);
    fair.charge(&1, MS(500));
    for _ in 0..5 {
        assert_eq!(fair.pick(), Some(2));
        fair.ready(&2);
        fair.charge(&2, MS(99));
    }
    assert_eq!(fair.pick(), Some(2), "at 495 ms it is still behind");
    fair.charge(&2, MS(99));
    fair.ready(&2);
    assert_eq!(fair.pick(), Some(1));
}

#[test]
fn who_leaves_has_no_turn_and_who_comes_back_no_past() {
    let mut fair = Fair::default();
    fair.join(1, 1.0);
    fair.join(2, 1.0);
    fair.ready(&1);
    fair.ready(&2);
    fair.leave(&1);
    fair.charge(&1, MS(1));
    fair.ready(&1);
    assert_eq!((fair.pick(), fair.pick(), fair.len()), (Some(2), None, 1));
    fair.charge(&2, MS(1000));
    fair.leave(&2);
    fair.join(2, f64::NAN);
    fair.join(3, f64::INFINITY);
    fair.ready(&2);
    fair.ready(&3);
    assert_eq!((fair.pick(), fair.pick()), (Some(2), Some(3)));
    fair.leave(&2);
    fair.leave(&3);
    assert!(fair.is_empty());
}
