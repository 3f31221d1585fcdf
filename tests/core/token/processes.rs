//! One token for many processes: every point at which the one that refreshes can be killed, fences and herds.

use std::time::Duration;

use tenant_crm_sync::auth::token::LEASE;
use tenant_crm_sync::error::Kind;

use super::process::{Fate, Process};
use super::world::{World, oauth, values};
use super::{ask, text};

// FAULTS A13: the refresher dies at each step.

#[test]
fn killed_before_sending_the_token_is_kept() {
    for rotates in [false, true] {
        let world = World::new();
        world.with(|world| world.crm.rotates = rotates);
        ask(&mut Process::of(&world), None).unwrap();
        ask(&mut Process::dying(&world, Fate::BeforeSending), Some(2)).unwrap_err();
        assert!(world.is_leased("acme"));
        let started = world.now();
        // Impatient ones get an answer in their own time, and are told when to come back.
        let busy = ask(&mut Process::of(&world), Some(2)).unwrap_err();
        assert_eq!(busy.kind, Kind::Timeout);
        assert!(busy.retry_after.is_some_and(|seconds| seconds <= LEASE.as_secs_f64()));
        assert!(world.now() - started < 11.0);
        world.pass(LEASE.as_secs_f64() - 10.0);
        assert_eq!(ask(&mut Process::of(&world), Some(2)).unwrap().version, 2);
        assert_eq!((world.refreshes(), world.refused()), (2, 0));
    }
}

#[test]
fn killed_after_the_commit_the_token_is_kept() {
    let world = World::new();
    world.with(|world| world.crm.rotates = true);
    ask(&mut Process::of(&world), None).unwrap();
    ask(&mut Process::dying(&world, Fate::AfterCommit), Some(2)).unwrap_err();
    let granted = ask(&mut Process::of(&world), Some(2)).unwrap();
    assert_eq!((granted.version, text(&granted).as_str()), (2, "access-2"));
    assert_eq!((world.refreshes(), world.refused()), (2, 0));
}

#[test]
fn killed_between_a_grace_period_recovers_the_token() {
    let world = World::new();
    world.with(|world| (world.crm.rotates, world.crm.grace) = (true, 60.0));
    ask(&mut Process::of(&world), None).unwrap();
    ask(&mut Process::dying(&world, Fate::Between), Some(2)).unwrap_err();
    world.pass(LEASE.as_secs_f64());
    let granted = ask(&mut Process::of(&world), Some(2)).unwrap();
    assert_eq!((granted.version, text(&granted).as_str()), (2, "access-2"));
    assert_eq!(ask(&mut Process::of(&world), Some(3)).unwrap().version, 3);
    assert_eq!(world.refused(), 0);
}

#[test]
fn killed_between_without_grace_that_tenant_says_reconnect_and_no_other_waits() {
    let world = World::new();
    world.with(|world| world.crm.rotates = true);
    ask(&mut Process::of(&world), None).unwrap();
    let died = world.now();
    ask(&mut Process::dying(&world, Fate::Between), Some(2)).unwrap_err();
    // Another tenant, while the lease of the first still stands.
    let before = world.now();
    Process::of(&world)
        .ask("other", &oauth("{}"), &values(&[]), None)
        .unwrap();
    assert_eq!(world.now(), before);
    world.pass(LEASE.as_secs_f64() - (world.now() - died));
    let lost = ask(&mut Process::of(&world), Some(2)).unwrap_err();
    assert_eq!(lost.kind, Kind::Credential);
    assert!(
        lost.message.contains("\"acme\" must be connected again"),
        "{}",
        lost.message
    );
    assert!(world.now() - died <= LEASE.as_secs_f64() + 1.0);
    // From now on it is said at once, and the CRM is not asked again and again.
    let asked = world.refused();
    for _ in 0..5 {
        let again = ask(&mut Process::of(&world), Some(2)).unwrap_err();
        assert!(again.message.contains("connected again"));
    }
    assert_eq!(world.refused(), asked);
    // Entering a new refresh token is the remedy.
    let fresh = world.new_refresh_token("acme");
    let remedy = values(&[("refresh_token", &fresh)]);
    Process::of(&world).ask("acme", &oauth("{}"), &remedy, Some(2)).unwrap();
}

// FAULTS A12: many processes, a token that is good for one use.

#[test]
fn sixteen_processes_refresh_once() {
    let world = World::real();
    world.with(|world| (world.crm.rotates, world.crm.latency) = (true, Duration::from_millis(150)));
    ask(&mut Process::of(&world), None).unwrap();
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| text(&ask(&mut Process::of(&world), Some(2)).unwrap())))
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(tokens.iter().all(|token| token == "access-2"), "{tokens:?}");
    assert_eq!((world.refreshes(), world.refused()), (2, 0));
}

#[test]
fn a_holder_that_was_stopped_too_long_uses_what_another_stored() {
    let world = World::new();
    ask(&mut Process::of(&world), None).unwrap();
    let mut slow = Process::dying(
        &world,
        Fate::SleepsWhile(Box::new(|world| {
            world.pass(LEASE.as_secs_f64() + 1.0);
            ask(&mut Process::of(world), Some(2)).unwrap();
        })),
    );
    let granted = ask(&mut slow, Some(2)).unwrap();
    assert_eq!(
        (granted.version, text(&granted).as_str()),
        (2, &*world.access_in("acme"))
    );
    assert_eq!(world.version("acme"), 2);
}

#[test]
fn a_holder_that_was_stopped_too_long_brings_back_a_token_that_was_given_up() {
    let world = World::new();
    world.with(|world| world.crm.rotates = true);
    ask(&mut Process::of(&world), None).unwrap();
    let mut slow = Process::dying(
        &world,
        Fate::SleepsWhile(Box::new(|world| {
            world.pass(LEASE.as_secs_f64() + 1.0);
            assert!(
                ask(&mut Process::of(world), Some(2))
                    .unwrap_err()
                    .message
                    .contains("connected again")
            );
        })),
    );
    assert_eq!(ask(&mut slow, Some(2)).unwrap().version, 2);
    // The others are well again, too.
    assert_eq!(ask(&mut Process::of(&world), Some(2)).unwrap().version, 2);
    assert_eq!(ask(&mut Process::of(&world), Some(3)).unwrap().version, 3);
}
