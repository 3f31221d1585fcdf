//! What answers mean: rules in their order, the CRM's own words, and how long it asks to wait.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tenant_crm_sync::crm::reply::{Errors, StatusPattern};
use tenant_crm_sync::error::{Error, Kind, Reason};
use tenant_crm_sync::net::send::{Judge, Verdict};

use crate::support::{built_in, headers};

fn errors(json: &str) -> Errors {
    serde_json::from_str(json).unwrap()
}

/// Rules without anything else.
fn rules(json: &str) -> Errors {
    errors(&format!("{{\"rules\":{json}}}"))
}

fn verdict(errors: &Errors, status: u16, pairs: &[(&str, &str)], body: &str) -> Verdict {
    errors.judge(StatusCode::from_u16(status).unwrap(), &headers(pairs), body.as_bytes())
}

fn failure(errors: &Errors, status: u16, pairs: &[(&str, &str)], body: &str) -> Error {
    match verdict(errors, status, pairs, body) {
        Verdict::Failure(error) => error,
        other => panic!("{status} {body} is {other:?}"),
    }
}

fn reason(errors: &Errors, status: u16, body: &str) -> Reason {
    failure(errors, status, &[], body).reason.unwrap()
}

fn succeeds(errors: &Errors, status: u16, body: &str) -> bool {
    matches!(verdict(errors, status, &[], body), Verdict::Success)
}

#[test]
fn without_rules_the_status_says_it() {
    let none = Errors::default();
    for (status, expected) in [
        (400, Reason::Invalid),
        (401, Reason::Unauthorized),
        (403, Reason::Forbidden),
        (404, Reason::Missing),
        (405, Reason::Failed),
        (408, Reason::Transient),
        (409, Reason::Conflict),
        (410, Reason::Missing),
        (412, Reason::Conflict),
        (413, Reason::Invalid),
        (422, Reason::Invalid),
        (425, Reason::Transient),
        (429, Reason::RateLimited),
        (500, Reason::Transient),
        (501, Reason::Failed),
        (503, Reason::Transient),
        (304, Reason::Failed),
    ] {
        assert_eq!(reason(&none, status, ""), expected, "{status}");
    }
    for status in [200, 201, 202, 204, 207] {
        assert!(succeeds(&none, status, ""), "{status}");
    }
    assert!(!none.concerns_success() && !none.tells_expiry());
}

#[test]
fn the_kind_follows_from_the_reason() {
    let quota = rules(r#"[{"status":[403],"is":"quota"},{"status":[503],"is":"rate_limited"}]"#);
    assert_eq!(failure(&quota, 403, &[], "").kind, Kind::RateLimited);
    assert_eq!(failure(&quota, 503, &[], "").kind, Kind::RateLimited);
    assert_eq!(failure(&quota, 429, &[], "").kind, Kind::RateLimited);
    assert_eq!(failure(&quota, 500, &[], "").kind, Kind::Http);
}

#[test]
fn the_first_rule_that_fits_counts() {
    let both = rules(
        r#"[{"status":[400],"body":{"at":"code","is":["A"]},"is":"duplicate"},
            {"status":["4xx"],"is":"forbidden"},
            {"status":[400],"is":"busy"}]"#,
    );
    assert_eq!(reason(&both, 400, r#"{"code":"A"}"#), Reason::Duplicate);
    assert_eq!(reason(&both, 400, r#"{"code":"B"}"#), Reason::Forbidden);
    assert_eq!(reason(&both, 499, ""), Reason::Forbidden);
    assert_eq!(
        reason(&both, 500, r#"{"code":"A"}"#),
        Reason::Transient,
        "no rule is of 500"
    );
}

#[test]
fn statuses_are_numbers_or_hundreds() {
    let pattern = |json: &str| serde_json::from_str::<StatusPattern>(json);
    let four = pattern("\"4xx\"").unwrap();
    assert!(four.fits(400) && four.fits(499) && !four.fits(399) && !four.fits(500));
    assert!(pattern("404").unwrap().fits(404) && !pattern("404").unwrap().fits(405));
    for wrong in [
        "\"404\"", "\"6xx\"", "\"1xx\"", "\"xx\"", "\"4XX\"", "\"44xx\"", "99", "600", "-1", "4.5", "null", "70000",
    ] {
        let message = pattern(wrong).unwrap_err().to_string();
        assert!(message.contains("4xx"), "{wrong}: {message}");
    }
}

#[test]
fn all_that_a_rule_names_must_hold() {
    let rule = rules(r#"[{"status":[400],"header":"x-limit","text":"slow down","body":{"at":"e"},"is":"busy"}]"#);
    let body = r#"{"e":"slow down"}"#;
    let limit = ("x-limit", "1");
    assert_eq!(failure(&rule, 400, &[limit], body).reason, Some(Reason::Busy));
    for (status, pairs, body) in [
        (422, &[limit][..], body),
        (400, &[], body),
        (400, &[limit], r#"{"e":"faster"}"#),
        (400, &[limit], r#"{"f":"slow down"}"#),
        (400, &[limit], "slow down"),
    ] {
        assert_eq!(
            failure(&rule, status, pairs, body).reason,
            Some(Reason::Invalid),
            "{status} {body}"
        );
    }
}

#[test]
fn conditions_tell_values_apart() {
    let holds = |condition: &str, body: &str| {
        let rule = rules(&format!(r#"[{{"body":{condition},"is":"duplicate"}}]"#));
        !succeeds(&rule, 200, body)
    };
    for (condition, yes, no) in [
        (r#"{"at":"ok","is":[false]}"#, r#"{"ok":false}"#, r#"{"ok":"false"}"#),
        (r#"{"at":"ok","is":[null]}"#, r#"{}"#, r#"{"ok":0}"#),
        (r#"{"at":"ok","is":[null]}"#, r#"{"ok":null}"#, r#"{"ok":"null"}"#),
        (r#"{"at":"code","is":["A","7"]}"#, r#"{"code":7}"#, r#"{"code":8}"#),
        (r#"{"at":"code","is":[7]}"#, r#"{"code":7}"#, r#"{"code":70}"#),
        (
            r#"{"at":"code","begins":"odoo."}"#,
            r#"{"code":"odoo.Error"}"#,
            r#"{"code":"python.odoo."}"#,
        ),
        (r#"{"at":"error"}"#, r#"{"error":"x"}"#, r#"{"error":""}"#),
        (r#"{"at":"error"}"#, r#"{"error":{"a":1}}"#, r#"{"error":{}}"#),
        (r#"{"at":"error"}"#, r#"{"error":[0]}"#, r#"{"error":[]}"#),
        (r#"{"at":"error"}"#, r#"{"error":1}"#, r#"{"error":0}"#),
        (r#"{"at":"error"}"#, r#"{"error":true}"#, r#"{"error":null}"#),
        (
            r#"{"at":"ok","is":[true],"not":true}"#,
            r#"{"ok":false}"#,
            r#"{"ok":true}"#,
        ),
        (r#"{"at":"ok","is":[true],"not":true}"#, "{}", r#"{"ok":true}"#),
        (
            r#"{"at":[0,"errorCode"],"is":["X"]}"#,
            r#"[{"errorCode":"X"}]"#,
            r#"{"0":{"errorCode":"X"}}"#,
        ),
    ] {
        assert!(holds(condition, yes), "{condition} {yes}");
        assert!(!holds(condition, no), "{condition} {no}");
    }
}

#[test]
fn a_status_of_success_can_be_a_failure() {
    let lies = rules(r#"[{"status":[200],"body":{"at":"success","is":[false]},"is":"invalid"}]"#);
    assert!(lies.concerns_success());
    assert_eq!(
        reason(&lies, 200, r#"{"success":false,"message":"no"}"#),
        Reason::Invalid
    );
    assert!(succeeds(&lies, 200, r#"{"success":true}"#));
    assert!(succeeds(&lies, 201, r#"{"success":false}"#), "the rule is of 200");
    assert!(rules(r#"[{"status":["2xx"],"is":"no_rows"}]"#).concerns_success());
    assert!(
        rules(r#"[{"text":"x","is":"failed"}]"#).concerns_success(),
        "of any status"
    );
    assert!(!rules(r#"[{"status":[404,"5xx"],"is":"failed"}]"#).concerns_success());
}

#[test]
fn a_status_of_failure_can_be_a_success() {
    let kind = rules(
        r#"[{"status":[404],"text":"Contacts not found","is":"no_rows"},
            {"status":[409],"body":{"at":"code","is":["ALREADY_SO"]},"is":"success"}]"#,
    );
    let empty = verdict(
        &kind,
        404,
        &[],
        r#"{"error":{"message":"Not Found: Contacts not found"}}"#,
    );
    assert!(matches!(empty, Verdict::NoRows), "{empty:?}");
    assert_eq!(
        reason(&kind, 404, r#"{"error":{"message":"Not Found: Contact not found"}}"#),
        Reason::Missing
    );
    assert!(succeeds(&kind, 409, r#"{"code":"ALREADY_SO"}"#));
}

#[test]
fn an_expired_token_is_told_by_a_rule() {
    let rule = rules(r#"[{"status":[401],"body":{"at":"code","is":["EXPIRED"]},"is":"expired"}]"#);
    assert!(rule.tells_expiry());
    assert_eq!(reason(&rule, 401, r#"{"code":"EXPIRED"}"#), Reason::Expired);
    assert_eq!(reason(&rule, 401, r#"{"code":"REVOKED"}"#), Reason::Unauthorized);
}

fn waits(wait: &str, pairs: &[(&str, &str)]) -> Option<f64> {
    let rule = rules(&format!(r#"[{{"status":[429],"is":"rate_limited"{wait}}}]"#));
    failure(&rule, 429, pairs, "").retry_after
}

#[test]
fn the_pause_is_read_from_each_kind_of_header() {
    let seconds = r#","wait":{"header":"x-reset","seconds":30}"#;
    assert_eq!(waits(seconds, &[("x-reset", "1.5"), ("retry-after", "7")]), Some(1.5));
    assert_eq!(waits(seconds, &[("retry-after", "7")]), Some(7.0));
    assert_eq!(waits(seconds, &[]), Some(30.0));
    let ms = r#","wait":{"header_ms":"x-hubspot-interval-ms","seconds":30}"#;
    assert_eq!(waits(ms, &[("x-hubspot-interval-ms", "2500")]), Some(2.5));
    assert_eq!(
        waits(ms, &[("x-hubspot-interval-ms", "soon"), ("retry-after", "7")]),
        Some(7.0)
    );
    assert_eq!(
        waits("", &[("retry-after", "7")]),
        Some(7.0),
        "also without a word of the connector"
    );
    assert_eq!(waits("", &[]), None);
}

#[test]
fn the_pause_can_be_a_date() {
    let date = r#","wait":{"header":"x-reset"}"#;
    let in_a_minute = jiff::Timestamp::now() + std::time::Duration::from_secs(60);
    let text = in_a_minute.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (wait, name) in [(date, "x-reset"), ("", "retry-after")] {
        let pause = waits(wait, &[(name, &text)]).unwrap();
        assert!((55.0..=60.0).contains(&pause), "{name}: {pause}");
    }
    assert_eq!(waits(date, &[("x-reset", "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(0.0));
}

#[test]
fn pauses_that_make_no_sense_are_none() {
    for (wait, name) in [
        (r#","wait":{"header":"x-reset","seconds":3}"#, "x-reset"),
        (r#","wait":{"header_ms":"x-reset","seconds":3}"#, "x-reset"),
        (r#","wait":{"seconds":3}"#, "retry-after"),
    ] {
        for nonsense in ["-5", "NaN", "inf", "1e999", "", "soon"] {
            assert_eq!(waits(wait, &[(name, nonsense)]), Some(3.0), "{wait} {nonsense}");
        }
    }
}

#[test]
fn the_crms_own_words_are_told_in_one_line_and_bounded() {
    let words = errors(r#"{"message":[["errors",0,"detail"],"message"],"message_header":"x-why"}"#);
    let message = |pairs: &[(&str, &str)], body: &str| failure(&words, 400, pairs, body).message;
    assert_eq!(
        message(&[], r#"{"message":"a\n  b\t\u00e9"}"#),
        "HTTP 400 Bad Request: a b é"
    );
    assert_eq!(
        message(&[], r#"{"message":"second","errors":[{"detail":"first"}]}"#),
        "HTTP 400 Bad Request: first"
    );
    assert_eq!(
        message(&[], r#"{"message":"second","errors":[{"detail":""}]}"#),
        "HTTP 400 Bad Request: second"
    );
    assert_eq!(
        message(&[("x-why", "header")], r#"{"message":"body"}"#),
        "HTTP 400 Bad Request: header"
    );
    assert_eq!(message(&[], r#"{"message":{"no":"text"}}"#), "HTTP 400 Bad Request");
    let long = message(&[], &format!(r#"{{"message":"{}"}}"#, "é".repeat(5_000)));
    assert_eq!(long.chars().filter(|sign| *sign == 'é').count(), 300);
}

#[test]
fn the_remedy_stands_behind_the_words() {
    let rule =
        errors(r#"{"rules":[{"status":[403],"is":"forbidden","remedy":"give the user the right"}],"message":["m"]}"#);
    assert_eq!(
        failure(&rule, 403, &[], r#"{"m":"no"}"#).message,
        "HTTP 403 Forbidden: no; give the user the right"
    );
    assert_eq!(
        failure(&rule, 403, &[], "").message,
        "HTTP 403 Forbidden; give the user the right"
    );
    assert_eq!(failure(&rule, 404, &[], "").message, "HTTP 404 Not Found");
}

#[test]
fn bodies_that_are_no_json_are_judged_by_their_text() {
    let rule = errors(
        r#"{"rules":[{"text":"You have an error in your SQL syntax","is":"invalid"},
                     {"text":"<title>Maintenance","is":"busy"},
                     {"status":[500],"body":{"at":"code","is":["X"],"not":true},"is":"conflict"}],"message":["message"]}"#,
    );
    let sql = "You have an error in your SQL syntax; check the manual near 'hunter2'";
    let error = failure(&rule, 503, &[], sql);
    assert_eq!(error.reason, Some(Reason::Invalid));
    assert_eq!(
        error.message, "HTTP 503 Service Unavailable",
        "its text is no message of the CRM"
    );
    let html = "<html><title>Maintenance</title>{\"message\":\"x\"}</html>";
    assert_eq!(reason(&rule, 200, html), Reason::Busy, "with a status of success, too");
    for body in ["<html></html>", "", " ", "code", "{\"code\":", "{\"code\""] {
        let expected = if body.starts_with('{') {
            Reason::Conflict
        } else {
            Reason::Transient
        };
        assert_eq!(reason(&rule, 500, body), expected, "{body}");
    }
}

#[test]
fn empty_answers_go_by_their_status() {
    for name in ["salesforce", "hubspot", "pipedrive", "dynamics"] {
        let errors = &built_in(name).errors;
        let bare = |status: u16| errors.judge(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), b"");
        assert!(matches!(bare(204), Verdict::Success), "{name}");
        for status in [401, 403, 404, 429, 500] {
            let Verdict::Failure(error) = bare(status) else {
                panic!("{name}: {status} is no failure");
            };
            assert!(
                error.reason.is_some() && error.message.contains(&status.to_string()),
                "{name}: {error}"
            );
        }
    }
}
