//! Several windows at once: all or nothing.

use tenant_crm_sync::limit::local::Local;
use tenant_crm_sync::limit::{Cause, Decision};

use super::{GATE, HOUR, NO_GATE, SECOND, at, burst_at, costing, daily, paced, rolling, take};

#[test]
fn the_second_refuses_and_the_first_keeps_nothing() {
    for (first, second) in [
        (paced(1, 1000, 10, 100), paced(2, 10, 10, 5)),
        (rolling(1, 1000, 3600), daily(2, 5, 0)),
        (daily(1, 1000, 0), rolling(2, 5, 3600)),
        (paced(1, 1000, 10, 100), daily(2, 5, 0)),
    ] {
        let local = Local::private(16);
        for _ in 0..5 {
            assert!(take(&local, &[first, second], at(HOUR)).is_ok());
        }
        for _ in 0..20 {
            let (_, cause) = take(&local, &[first, second], at(HOUR)).unwrap_err();
            assert_eq!(cause, Cause::Window(1));
        }
        assert_eq!(local.usage(&first, at(HOUR)).used, 5);
        assert_eq!(local.usage(&first, at(HOUR)).admitted, 5);
        assert_eq!(local.usage(&second, at(HOUR)).delayed, 20);
    }
}

/// One key twice: the second finds what the first has taken, and the first puts it back.
#[test]
fn what_was_taken_is_put_back() {
    let rule = paced(1, 100, 10, 10);
    for rule in [rule, rolling(1, 10, 3600), daily(1, 10, 0)] {
        let six = costing(rule, 6);
        let local = Local::private(16);
        let (_, cause) = take(&local, &[six, six], at(HOUR)).unwrap_err();
        assert_eq!(cause, Cause::Window(1));
        assert_eq!(local.usage(&rule, at(HOUR)).used, 0);
        assert_eq!(burst_at(&local, rule, at(HOUR)), 10);
    }
}

/// A cost above the burst needs a pause; asking for it in vain must not end the pause.
#[test]
fn putting_back_keeps_the_pause() {
    let large = costing(paced(1, 100, 10, 10), 60);
    let local = Local::private(16);
    assert!(take(&local, &[large, large], at(HOUR)).is_err());
    assert!(take(&local, &[large], at(HOUR)).is_ok());
}

/// Of several that refuse, the longest wait counts: nobody asks again in vain.
#[test]
fn the_longest_wait_is_told() {
    let draws = [paced(1, 10, 10, 1), daily(2, 1, 0), paced(3, 10, 60, 1)];
    let local = Local::private(16);
    assert!(take(&local, &draws, at(HOUR)).is_ok());
    assert_eq!(take(&local, &draws, at(HOUR)), Err((23 * HOUR, Cause::Window(1))));
}

#[test]
fn a_connection_without_draws_and_draws_without_a_connection() {
    let local = Local::private(16);
    assert_eq!(local.take(GATE, &[], at(0)), Decision::Go);
    assert_eq!(local.used(), (0, 16), "looking makes no slot");
    assert_eq!(local.take(NO_GATE, &[paced(1, 2, 1, 1)], at(0)), Decision::Go);
    assert_eq!(
        local.take(NO_GATE, &[paced(1, 2, 1, 1)], at(0)),
        Decision::Wait(SECOND, Cause::Window(0))
    );
    local.failed(NO_GATE, at(0));
    local.succeeded(NO_GATE, at(0));
    assert_eq!(local.used(), (1, 16));
}

/// Many threads, two windows of which the second is the narrow one: exactly its amount goes, and the first says so.
#[test]
fn threads_lose_nothing_and_win_nothing() {
    for (wide, narrow) in [
        (paced(1, 1_000_000, 3600, 500_000), paced(2, 3000, 3_600_000, 2000)),
        (rolling(1, 1_000_000, 3600), rolling(2, 2000, 36_000)),
        (daily(1, 1_000_000, 0), daily(2, 2000, 0)),
    ] {
        let local = Local::private(16);
        let went: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        (0..3000)
                            .filter(|_| take(&local, &[wide, narrow], at(HOUR)).is_ok())
                            .count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        // Whoever met others in the last places was told to ask again: that is done here.
        let rest = (0..100)
            .filter(|_| take(&local, &[wide, narrow], at(HOUR)).is_ok())
            .count();
        assert_eq!(went + rest, 2000);
        assert_eq!(local.usage(&wide, at(HOUR)).used, 2000);
        assert_eq!(local.usage(&narrow, at(HOUR)).admitted, 2000);
    }
}
