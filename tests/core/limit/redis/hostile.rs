//! Whatever others have written where our counts are: no error, no free pass, no wait without an end.

use tenant_crm_sync::limit::{Cause, Decision, Draw};

use super::super::{daily, paced, rolling};
use super::{Server, name, wait};

const FIELDS: [&str; 12] = [
    "since", "hold", "factor", "cut", "told", "tat", "lost", "heard", "r0", "r3", "r20", "r1",
];
const VALUES: [&str; 16] = [
    "",
    "-1",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "9e15",
    "0x7fff",
    "1;2",
    "abc",
    "99999999999:5",
    "0:9e99",
    "3:-5",
    "1:1:1",
    "\0\u{1}",
    "17e",
];

fn windows() -> [Draw; 3] {
    [paced(1, 70, 3000, 10), rolling(2, 10, 3600), daily(3, 10, 0)]
}

/// At most the burst or the amount goes at once, and whoever has to wait is told an end.
fn is_bounded(server: &Server, draw: Draw, what: &str) {
    let hosts = [&server.one, &server.two, &server.one];
    let went: u64 = hosts.iter().map(|host| server.burst(host, draw, 12)).sum();
    assert!(went <= 10, "{what}: {went}");
    let (seconds, cause) = wait(server.take(&server.two, &[draw]));
    let longest = match cause {
        Cause::Told => 31.0 * 86_400.0,
        _ => 2.0 * draw.rule.period.as_secs_f64().max(86_400.0),
    };
    assert!(seconds > 0.0 && seconds <= longest, "{what}: {seconds} s");
}

#[test]
fn any_value_in_any_field() {
    let server = Server::settled();
    for draw in windows() {
        for field in FIELDS {
            for value in VALUES {
                let what = format!("{:?} {field} {value:?}", draw.rule.count);
                let key = name(draw.key);
                server.ask::<()>(redis::cmd("DEL").arg(&key));
                assert_eq!(server.take(&server.one, &[draw]), Decision::Go);
                server.ask::<()>(redis::cmd("HSET").arg(&key).arg(field).arg(value));
                is_bounded(&server, draw, &what);
                let life: i64 = server.ask(redis::cmd("TTL").arg(&key));
                assert!(life > 0, "{what}: it goes by itself");
            }
        }
    }
}

#[test]
fn any_type_in_any_place() {
    let server = Server::settled();
    for draw in windows() {
        for command in ["SET", "LPUSH", "SADD"] {
            let key = name(draw.key);
            server.ask::<()>(redis::cmd("DEL").arg(&key));
            server.ask::<()>(redis::cmd(command).arg(&key).arg("x"));
            is_bounded(&server, draw, command);
            let state = server.run(server.one.usage(&draw, 0, 2)).unwrap();
            assert!(state.left <= 10);
        }
    }
    let gate = format!("{{test}}:gate:{:032x}", super::super::GATE.0);
    let quick = paced(4, 1000, 1, 10);
    for (key, is_whole) in [
        ("{test}:hosts", true),
        (gate.as_str(), true),
        ("{test}:wake:jobs", true),
        // Nobody knows any more since when the data is whole.
        ("{test}:born", false),
    ] {
        server.ask::<()>(redis::cmd("DEL").arg(key));
        server.ask::<()>(redis::cmd("SET").arg(key).arg("x"));
        server.run(server.one.wake("jobs")).unwrap();
        match server.take(&server.one, &[quick]) {
            Decision::Go => assert!(is_whole, "{key}"),
            decision => assert!(!is_whole && wait(decision).0 > 2.9, "{key}"),
        }
    }
}

/// A hold or a time that no CRM and no clock can have meant holds nobody.
#[test]
fn times_to_come_are_cut_down() {
    let server = Server::settled();
    let [pace, rolling, _] = windows();
    let now: Vec<u64> = server.ask(&redis::cmd("TIME"));
    let ahead = (now[0] + 400 * 86_400) * 1_000_000;
    for (draw, field) in [(pace, "tat"), (pace, "hold"), (rolling, "hold")] {
        server.ask::<()>(redis::cmd("HSET").arg(name(draw.key)).arg(field).arg(ahead));
        let waited = match server.take(&server.one, &[draw]) {
            Decision::Go => 0.0,
            decision => wait(decision).0,
        };
        assert!(waited <= 2.0 * 3600.0, "{field}: {waited}");
    }
    server.ask::<()>(redis::cmd("HSET").arg("{test}:born").arg("at").arg(ahead));
    assert!(
        wait(server.take(&server.one, &[pace])).0 > 2.9,
        "the clock was set back"
    );
}
