//! Many tenants on many hosts in virtual time: whether each is pulled within its interval, and no limit is ever crossed.
//!
//! Real are the limiter with its connection to Redis and its scripts, the lane, the breaker, the pauses between attempts, the turns, and the
//! limits of the built-in connectors. Played are time (tokio's paused clock), chance (from a seed), Redis, the CRMs, who judge by
//! counts of their own, and the workers' PHP and SQL: the queue is a model of what wp-plugin/includes/Jobs.php has the database do.
//!
//! `make simulate` prints the curve. What fails names its seed, and `make simulate SEED=…` runs that again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod crm;
mod lua;
mod outcome;
mod played;
mod queue;
mod redis;
mod run;
mod worker;
mod world;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use outcome::Outcome;
use run::{Counting, Scenario};

/// The environment's seed, or the usual one.
fn seed() -> u64 {
    let seed = std::env::var("SEED").ok().filter(|seed| !seed.is_empty());
    seed.map_or(1, |seed| seed.parse().expect("SEED is a whole number"))
}

/// What was found wrong, and how to see it again.
fn told(outcome: &Outcome) -> String {
    let Scenario {
        tenants, hosts, seed, ..
    } = outcome.scenario;
    format!(
        "{tenants} tenants, {hosts} hosts, seed {seed}:\n{}",
        outcome.words.join("\n")
    )
}

fn assert_all_is_well(outcome: &Outcome) {
    assert_eq!(outcome.refused, 0, "limits were crossed: {}", told(outcome));
    assert_eq!(outcome.out_of_bounds, 0, "some were too late: {}", told(outcome));
}

#[test]
fn ten_thousand_tenants_on_twenty_hosts_are_in_time_and_no_limit_is_crossed() {
    let outcome = Scenario::whole(10_000, 20, seed()).run();
    println!("seed {}\n{}\n{}", seed(), Outcome::TITLES, outcome.line());
    assert_all_is_well(&outcome);
    // The scenario is worth its name.
    assert!(outcome.runs > 2 * 10_000, "{} pulls", outcome.runs);
    assert!((0.6..0.9).contains(&outcome.utilisation), "{}", outcome.utilisation);
    assert!(outcome.expired > 0, "the host that died had nothing to do");
    assert!(
        outcome.lost > 100,
        "the CRM that was away was asked {} times",
        outcome.lost
    );
    assert!(
        outcome.clicks.len() > 100 && outcome.clicks.last() < Some(&5_000),
        "{:?}",
        outcome.clicks.last()
    );
}

#[test]
fn a_redis_that_comes_back_without_its_data_admits_nothing_twice() {
    let outcome = Scenario {
        forgets: true,
        ..Scenario::whole(2_500, 10, seed())
    }
    .run();
    assert_eq!(outcome.refused, 0, "limits were crossed: {}", told(&outcome));
}

#[test]
fn without_common_counts_the_judge_sees_limits_crossed() {
    let calm = Scenario::calm(5_000, 10, 900, seed());
    for counting in [Counting::Nobody, Counting::Alone] {
        let outcome = Scenario { counting, ..calm }.run();
        assert!(outcome.refused > 0, "{counting:?}: {}", told(&outcome));
    }
    let outcome = calm.run();
    assert_eq!(outcome.refused, 0, "{}", told(&outcome));
}

#[test]
fn too_much_to_do_is_seen_to_be_late() {
    let outcome = Scenario {
        load: 30,
        ..Scenario::calm(400, 1, 1_000, seed())
    }
    .run();
    assert!(
        outcome.out_of_bounds > 20,
        "{} too late: {}",
        outcome.out_of_bounds,
        told(&outcome)
    );
    assert_eq!(outcome.refused, 0, "{}", told(&outcome));
}

#[test]
fn a_seed_is_one_run() {
    let run = |seed| {
        Scenario {
            seconds: 2_000,
            ..Scenario::whole(500, 3, seed)
        }
        .run()
    };
    let figures = |outcome: &Outcome| {
        (
            outcome.digest,
            outcome.scripts,
            outcome.late.clone(),
            outcome.parts.clone(),
        )
    };
    let first = run(seed());
    assert_eq!(figures(&first), figures(&run(seed())));
    assert_ne!(first.digest, run(seed() + 1).digest);
}

#[test]
#[ignore = "takes minutes: make simulate"]
fn curve() {
    let sizes = [1_000, 2_000, 5_000, 10_000];
    let points: Vec<(usize, usize)> = sizes
        .iter()
        .flat_map(|tenants| [2, 5, 10, 20].map(|hosts| (*tenants, hosts)))
        .collect();
    println!("seed {}\n{}", seed(), Outcome::TITLES);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        while let Some(&(tenants, hosts)) = points.get(next.fetch_add(1, Relaxed)) {
            let outcome = Scenario::whole(tenants, hosts, seed()).run();
            println!("{}", outcome.line());
            outcomes.push(outcome);
        }
        outcomes
    };
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(outcomes.len(), points.len());
    outcomes.iter().for_each(assert_all_is_well);
}
