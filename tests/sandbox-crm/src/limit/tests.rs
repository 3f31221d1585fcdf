//! Limits under a clock of the test's own.

use std::time::Instant;

use super::*;

struct Clock(Moment);

impl Clock {
    /// The calendar's milliseconds at the beginning.
    fn at(unix_ms: u64) -> Self {
        let instant = Instant::now();
        Self(Moment { instant, unix_ms })
    }

    fn after(&self, ms: u64) -> Moment {
        Moment {
            instant: self.0.instant + Duration::from_millis(ms),
            unix_ms: self.0.unix_ms + ms,
        }
    }
}

fn limits(limits: Value) -> Vec<Limit> {
    serde_json::from_value(limits).unwrap()
}

fn limiter(all: Value) -> Limiter {
    let mut limiter = Limiter::default();
    limiter.change(limits(all));
    limiter
}

fn get(limiter: &mut Limiter, now: Moment) -> Result<(), Refused> {
    limiter.admit("GET", "/api/v1/leads?page=1", now)
}

/// When requests that come each 10 ms for so long are let in.
fn admitted(limiter: &mut Limiter, clock: &Clock, ms: u64) -> Vec<u64> {
    let steps = (0..ms / 10).map(|step| step * 10);
    steps.filter(|ms| get(limiter, clock.after(*ms)).is_ok()).collect()
}

#[test]
fn no_window_of_that_length_sees_more() {
    let mut limiter = limiter(json!([{ "requests": 3, "per_ms": 1000 }]));
    let admitted = admitted(&mut limiter, &Clock::at(0), 4000);
    assert!(admitted.windows(4).all(|four| four[3] - four[0] >= 1000));
    assert_eq!(admitted.len(), 12); // and none is refused without need
}

#[test]
fn fixed_windows_begin_by_the_calendar() {
    for kind in ["fixed", "daily"] {
        let mut limiter = limiter(json!([{ "requests": 2, "per_ms": 1000, "kind": kind }]));
        let clock = Clock::at(86_400_000_700);
        let admitted = admitted(&mut limiter, &clock, 1400);
        assert_eq!(admitted, [0, 10, 300, 310, 1300, 1310], "{kind}");
        let refused = get(&mut limiter, clock.after(1450)).unwrap_err();
        assert_eq!(refused.wait, Duration::from_millis(850));
        get(&mut limiter, clock.after(1450 + 850)).unwrap();
    }
}

#[test]
fn of_several_limits_the_longest_wait_is_told_and_nothing_is_half_taken() {
    let mut limiter = limiter(json!([
        { "requests": 2, "per_ms": 1000, "retry_after": "date" },
        { "requests": 3, "per_ms": 60_000, "kind": "daily" },
    ]));
    let clock = Clock::at(0);
    get(&mut limiter, clock.after(0)).unwrap();
    get(&mut limiter, clock.after(0)).unwrap();
    let short = get(&mut limiter, clock.after(1)).unwrap_err();
    assert_eq!((short.limit.amount(), short.wait), (2, Duration::from_millis(999)));
    // The refused one took nothing of the day.
    get(&mut limiter, clock.after(1000)).unwrap();
    let long = get(&mut limiter, clock.after(1000)).unwrap_err();
    assert_eq!((long.limit.amount(), long.wait), (3, Duration::from_millis(59_000)));
    let shown = limiter.show(Some(Duration::from_millis(1000)), clock.after(1000));
    let seen = ["arrivals", "refused", "answers_429", "most"].map(|name| shown[name].as_u64().unwrap());
    assert_eq!(seen, [5, 2, 0, 3]);
    let day = &shown["limits"][1];
    let seen = ["used", "left", "most", "refused"].map(|name| day[name].as_u64().unwrap());
    assert_eq!(seen, [3, 0, 5, 1]);
    limiter.forget_counts();
    let shown = limiter.show(None, clock.after(1000));
    assert_eq!(
        (&shown["arrivals"], &shown["limits"][1]["used"]),
        (&json!(0), &json!(3))
    );
}

#[test]
fn refused_requests_count_where_the_crm_is_strict() {
    let mut limiter = limiter(json!([{ "requests": 1, "per_ms": 1000, "count_refused": true }]));
    let clock = Clock::at(0);
    get(&mut limiter, clock.after(0)).unwrap();
    let refused = get(&mut limiter, clock.after(900)).unwrap_err();
    assert_eq!(refused.wait, Duration::from_millis(1000));
    assert!(get(&mut limiter, clock.after(1100)).is_err());
    get(&mut limiter, clock.after(2100)).unwrap();
}

#[test]
fn units_are_what_requests_cost() {
    let mut limiter = limiter(json!([{ "units": 10, "per_ms": 1000,
        "costs": [{ "path_contains": "/search", "cost": 6 }] }]));
    let clock = Clock::at(0);
    limiter.admit("POST", "/leads/search", clock.after(0)).unwrap();
    limiter.admit("GET", "/leads", clock.after(100)).unwrap();
    let refused = limiter.admit("POST", "/leads/search", clock.after(200)).unwrap_err();
    assert_eq!(refused.wait, Duration::from_millis(800));
    limiter.admit("POST", "/leads/search", clock.after(1000)).unwrap();
}

#[test]
fn limits_change_behind_the_clients_back() {
    let mut limiter = limiter(json!([{ "requests": 4, "per_ms": 1000 }]));
    let clock = Clock::at(0);
    for ms in [0, 300, 600] {
        get(&mut limiter, clock.after(ms)).unwrap();
    }
    limiter.change(limits(
        json!([{ "requests": 2, "per_ms": 1000 }, { "requests": 9, "per_ms": 500 }]),
    ));
    // What was used stays used: two more have to leave.
    let refused = get(&mut limiter, clock.after(700)).unwrap_err();
    assert_eq!(refused.wait, Duration::from_millis(600));
    get(&mut limiter, clock.after(1300)).unwrap();
    limiter.set(None);
    for _ in 0..50 {
        get(&mut limiter, clock.after(1300)).unwrap();
    }
}

#[test]
fn retry_after_is_enough() {
    let mut limiter = limiter(json!([{ "requests": 1, "per_ms": 1000 }]));
    let clock = Clock::at(0);
    get(&mut limiter, clock.after(0)).unwrap();
    let refused = get(&mut limiter, clock.after(100)).unwrap_err().answer();
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        refused
            .headers
            .iter()
            .any(|(name, value)| name == RETRY_AFTER && value == "1")
    );
    get(&mut limiter, clock.after(1100)).unwrap();
}

#[test]
fn dates_are_http_dates_and_none_is_none() {
    assert_eq!(
        http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)),
        "Sun, 06 Nov 1994 08:49:37 GMT"
    );
    let mut limiter = limiter(json!([{ "requests": 0, "per_ms": 1000, "retry_after": "none" }]));
    let refused = get(&mut limiter, Moment::now()).unwrap_err().answer();
    assert!(refused.headers.iter().all(|(name, _)| name != RETRY_AFTER));
}
