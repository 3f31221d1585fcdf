//! Windows in Redis, as two hosts see them.

use std::time::Duration;

use tenant_crm_sync::limit::{Cause, Decision};

use super::super::{GATE, NO_GATE, costing, daily, paced, rolling};
use super::{Server, wait};

#[test]
fn both_hosts_draw_from_one_window() {
    let server = Server::settled();
    // The rest comes evenly, so slowly that none comes while we look.
    let draw = paced(1, 70, 3000, 10);
    assert_eq!(server.burst(&server.one, draw, 6), 6);
    assert_eq!(server.burst(&server.two, draw, 6), 4);
    let (seconds, cause) = wait(server.take(&server.two, &[draw]));
    assert!(
        (49.0..=50.0).contains(&seconds),
        "60 in 3000 s, the next after 50: {seconds}"
    );
    assert_eq!(cause, Cause::Window(0));
    // One that is used up holds the others, and nothing of them is taken.
    let other = rolling(2, 5, 3600);
    assert_eq!(wait(server.take(&server.one, &[other, draw])).1, Cause::Window(1));
    assert_eq!(server.burst(&server.one, other, 9), 5);
    let state = server.run(server.two.usage(&other, 0, 2)).unwrap();
    assert_eq!((state.used, state.left, state.factor), (5, 0, 1.0));
    assert!(state.free_in.is_some());
}

#[test]
fn costs_above_the_burst_and_above_the_amount_wait_for_an_unused_window() {
    let server = Server::settled();
    let draw = paced(1, 10, 1, 1);
    assert_eq!(
        server.take(&server.one, &[costing(draw, 5)]),
        Decision::Go,
        "an unused one"
    );
    let (seconds, _) = wait(server.take(&server.one, &[costing(draw, 5)]));
    assert!(
        (0.9..=1.01).contains(&seconds),
        "5 ninths for what went, 4 more unused: {seconds}"
    );
    let day = daily(2, 10, 0);
    assert_eq!(server.take(&server.one, &[costing(day, 25)]), Decision::Go);
    assert_eq!(server.burst(&server.one, day, 1), 0);
    let one = paced(3, 1, 3600, 1);
    assert_eq!(server.burst(&server.one, one, 3), 1);
    assert!(wait(server.take(&server.one, &[one])).0 > 3590.0, "one in a window");
}

#[test]
fn what_never_left_is_given_back() {
    let server = Server::settled();
    let draws = [paced(1, 70, 3000, 10), rolling(2, 10, 3600), daily(3, 10, 0)];
    for _ in 0..10 {
        assert_eq!(server.take(&server.one, &draws), Decision::Go);
    }
    assert_eq!(server.burst(&server.two, draws[0], 1), 0);
    server.run(server.two.refund(&draws, Duration::from_millis(5))).unwrap();
    assert_eq!(server.take(&server.one, &draws), Decision::Go);
    assert_ne!(server.take(&server.one, &draws), Decision::Go);
    // Its time has come back by itself.
    server
        .run(server.two.refund(&draws[..1], Duration::from_secs(51)))
        .unwrap();
    assert_ne!(server.take(&server.one, &draws[..1]), Decision::Go);
}

#[test]
fn a_refusal_holds_all_hosts_and_slows_them_down() {
    let server = Server::settled();
    let draw = paced(1, 1000, 10, 10);
    let day = daily(2, 1000, 0);
    let hold = Duration::from_secs(20);
    let draws = [draw, day];
    for _ in 0..3 {
        // Of one moment, so that it counts once.
        server
            .run(server.one.limited(GATE, &draws, Duration::from_secs(1), hold, false))
            .unwrap();
    }
    let (seconds, cause) = wait(server.take(&server.two, &[draw]));
    assert!((15.0..=20.0).contains(&seconds), "{seconds}");
    assert_eq!(cause, Cause::Told);
    assert_eq!(wait(server.take(&server.two, &[])).1, Cause::Told, "the connection");
    let free = server.run(server.two.take(NO_GATE, &[day], &[], 2)).unwrap();
    assert_eq!(free.decision, Decision::Go, "nothing is said of the day");
    let state = server.run(server.two.usage(&draw, 0, 2)).unwrap();
    assert!((0.5..0.51).contains(&state.factor), "{}", state.factor);
    // A quota: the day is held, the pace stays.
    server
        .run(server.one.limited(GATE, &draws, Duration::ZERO, hold, true))
        .unwrap();
    assert_eq!(
        wait(server.run(server.two.take(NO_GATE, &[day], &[], 2)).unwrap().decision).1,
        Cause::Told
    );
    let state = server.run(server.two.usage(&draw, 0, 2)).unwrap();
    assert!((0.5..0.51).contains(&state.factor), "{}", state.factor);
}

#[test]
fn what_the_crm_says_is_taken_off_and_never_added() {
    let server = Server::settled();
    let day = daily(1, 1000, 0);
    server.run(server.one.told(&day, 300, Some(500))).unwrap();
    assert_eq!(server.burst(&server.two, day, 400), 300);
    server.run(server.one.told(&day, 900, None)).unwrap();
    assert_eq!(server.burst(&server.two, day, 1), 0);
    server.run(server.one.told(&day, 4500, Some(5000))).unwrap();
    assert_eq!(
        server.burst(&server.two, day, 1000),
        500,
        "the whole amount again, less what was used"
    );
    let paced = paced(2, 70, 3000, 10);
    server.run(server.one.told(&paced, 3, None)).unwrap();
    assert_eq!(server.burst(&server.two, paced, 9), 3);
}

#[test]
fn a_host_that_was_on_its_own_counts_afterwards() {
    let server = Server::settled();
    let (pace, day) = (paced(1, 70, 3000, 10), daily(2, 100, 0));
    server.run(server.one.was_away(&[pace, costing(day, 40)])).unwrap();
    assert!(
        wait(server.take(&server.two, &[pace])).0 > 50.0,
        "empty, and the others come back first"
    );
    assert_eq!(server.burst(&server.two, day, 100), 60);
}

/// Nothing is admitted at first; what hosts remember of hours and days holds; until both have spoken the rest counts as used.
#[test]
fn a_redis_that_has_lost_its_data_never_lets_through_more() {
    let mut server = Server::settled();
    let (pace, day) = (paced(1, 70, 3000, 10), rolling(2, 1000, 86_400));
    assert_eq!(server.burst(&server.one, day, 300), 300);
    assert_eq!(server.burst(&server.two, pace, 3), 3);
    server.restart();
    let (seconds, _) = wait(server.take(&server.one, &[paced(3, 1000, 1, 10)]));
    assert!((1.0..=3.1).contains(&seconds), "{seconds}");
    std::thread::sleep(Duration::from_millis(3050));
    assert!(wait(server.take(&server.one, &[pace])).0 > 40.0, "it begins empty");
    let (seconds, cause) = wait(server.take_knowing(&server.one, &[day], 300));
    assert_eq!(
        (seconds, cause),
        (5.0, Cause::Window(0)),
        "the other host may know of more"
    );
    let taken = server.run(server.two.take(GATE, &[day], &[250], 2)).unwrap();
    assert_eq!((taken.decision, taken.used, taken.hosts), (Decision::Go, vec![301], 2));
    assert_eq!(server.burst(&server.one, day, 1000), 699);
}

#[test]
fn a_ring_is_heard_by_everybody_once() {
    let server = Server::settled();
    let hear = |last: Option<&str>, seconds: f64| {
        let wait = Duration::from_secs_f64(seconds);
        server
            .run(server.two.wait_for_wake("jobs", last, wait))
            .unwrap()
            .map(|ring| ring.id)
    };
    assert_eq!(hear(None, 0.05), None);
    server.run(server.one.wake("jobs")).unwrap();
    server.run(server.one.wake("others")).unwrap();
    let first = hear(None, 5.0).unwrap();
    assert_eq!(hear(Some(&first), 0.05), None, "the other bell is another's");
    for _ in 0..50 {
        server.run(server.one.wake("jobs")).unwrap();
    }
    let last = hear(Some(&first), 5.0).unwrap();
    assert_eq!(hear(Some(&last), 0.05), None, "many rings are one");
    let kept: u64 = server.ask(redis::cmd("XLEN").arg("{test}:wake:jobs"));
    assert_eq!(kept, 16);
}
