//! What tenants' settings say of limits: read strictly, and put in place of the connector's.

use std::time::Duration;

use tenant_crm_sync::limit::Count;
use tenant_crm_sync::limit::budget::windows;
use tenant_crm_sync::limit::own::TenantLimits;

use super::{NOON, connected, kind, names, of};

fn limits(json: &str) -> TenantLimits {
    TenantLimits::parse(None, Some(json), None).unwrap()
}

#[test]
fn empty_settings_say_nothing() {
    for empty in [None, Some(""), Some("  ")] {
        assert_eq!(
            TenantLimits::parse(empty, empty, empty).unwrap(),
            TenantLimits::default()
        );
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    let many = format!("[{}]", [r#"{"amount":1,"seconds":1}"#; 9].join(","));
    let long = "[".repeat(20_000);
    for (json, words) in [
        ("{", "EOF while parsing"),
        ("7", "expected a sequence"),
        (r#"{"amount":1}"#, "expected a sequence"),
        ("[7]", "[0]"),
        (r#"[{"seconds":1}]"#, "amount"),
        (r#"[{"amount":1,"secnods":1}]"#, "secnods"),
        (r#"[{"amount":1,"seconds":1},{"amount":-5,"seconds":10}]"#, "[1].amount"),
        (r#"[{"amount":"100","seconds":10}]"#, "[0].amount"),
        (r#"[{"amount":0,"seconds":10}]"#, "[0].amount"),
        (r#"[{"amount":1.5,"seconds":10}]"#, "[0].amount"),
        (r#"[{"amount":9999999999999999,"seconds":10}]"#, "[0].amount"),
        (r#"[{"amount":1}]"#, "[0].seconds"),
        (r#"[{"amount":1,"seconds":0}]"#, "[0].seconds"),
        (r#"[{"amount":1,"seconds":86401}]"#, "[0].seconds"),
        (r#"[{"amount":1,"seconds":60,"daily":true}]"#, "[0].seconds"),
        (r#"[{"amount":1,"seconds":60,"zone":"UTC"}]"#, "[0].zone"),
        (r#"[{"amount":5,"seconds":60,"burst":6}]"#, "[0].burst"),
        (r#"[{"amount":5,"seconds":60,"burst":0}]"#, "[0].burst"),
        (r#"[{"amount":5,"seconds":60},{"amount":6,"seconds":60}]"#, "[1]"),
        (r#"[{"amount":5,"seconds":60}] x"#, "trailing characters"),
        (many.as_str(), "8"),
        (long.as_str(), "bytes"),
    ] {
        let message = TenantLimits::parse(None, Some(json), None).unwrap_err().message;
        let is_named = message.starts_with("the setting limits: ") && message.contains(words);
        assert!(is_named, "{json}: {words} is not in: {message}");
    }
    for reserve in ["-0.1", "0.91", "20%", "much", "NaN", "inf"] {
        let message = TenantLimits::parse(None, None, Some(reserve)).unwrap_err().message;
        assert!(message.starts_with("the setting reserve: "), "{reserve}: {message}");
    }
}

#[test]
fn a_unit_that_the_crm_does_not_count_is_refused() {
    let connection = connected("pipedrive", "key", &[("api_key", "k")]);
    let own = limits(r#"[{"amount":5,"seconds":60,"unit":"credits"}]"#);
    let message = windows(&connection, "acme", &own, NOON).unwrap_err().message;
    for part in ["the setting limits: [0].unit", "pipedrive", "requests, tokens"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}

#[test]
fn a_tenants_own_take_the_place_of_all_of_the_connectors() {
    let connection = connected("hubspot", "key", &[("api_key", "k")]);
    let own = limits(r#"[{"amount":250,"seconds":10},{"amount":2000000,"daily":true,"zone":"Europe/Berlin"}]"#);
    assert_eq!(
        names(&connection, &own),
        ["250 requests in 10 s", "2,000,000 requests a day"]
    );
    assert!(names(&connection, &limits("[]")).is_empty());
    let rest = connected("rest", "key", &[("api_key", "k")]);
    let own = limits(r#"[{"amount":1000,"seconds":3600},{"amount":1,"seconds":1},{"amount":90,"seconds":60}]"#);
    assert_eq!(
        names(&rest, &own),
        ["1,000 requests in 1 h", "1 requests in 1 s", "90 requests in 60 s"]
    );
    let all = of(&rest, &own);
    assert_eq!((kind(&all[0]), all[0].rule.amount), ("rolling", 800));
    assert_eq!((kind(&all[1]), all[1].rule.amount, all[1].rule.burst), ("paced", 1, 1));
    assert_eq!(
        (all[2].rule.burst, all[2].rule.period),
        (9, Duration::from_millis(61_800))
    );
}

#[test]
fn what_a_tenant_does_not_say_is_as_the_connector_says() {
    let connection = connected("hubspot", "key", &[("api_key", "k"), ("zone", "America/New_York")]);
    let own = limits(r#"[{"amount":2000000,"daily":true},{"amount":7,"seconds":1,"unit":"searches"}]"#);
    let all = of(&connection, &own);
    let known = of(&connection, &TenantLimits::default());
    assert_eq!(all[0].rule.count, Count::Daily(5 * 3_600), "the account's midnight");
    assert_eq!(
        (all[0].scope, all[0].key),
        (known[2].scope, known[2].key),
        "and its counter"
    );
    assert_eq!((all[1].key, all[1].rule.amount), (known[1].key, 7));
    // Only searches cost searches.
    assert_eq!(
        all[1].draw(&tenant_crm_sync::crm::limit::Costs::default()).unwrap(),
        None
    );
    let own = limits(r#"[{"amount":2000000,"daily":true,"zone":"Nowhere"}]"#);
    let message = windows(&connection, "acme", &own, NOON).unwrap_err().message;
    assert!(message.contains("the setting limits: 'Nowhere'"), "{message}");
    let utc = of(
        &connected("rest", "key", &[]),
        &limits(r#"[{"amount":10,"daily":true}]"#),
    );
    assert_eq!(utc[0].rule.count, Count::Daily(0));
}

#[test]
fn exact_numbers_are_taken_as_they_are() {
    let rest = connected("rest", "key", &[("api_key", "k")]);
    let own =
        limits(r#"[{"amount":100,"seconds":10,"burst":20,"exact":true},{"amount":1000,"seconds":86400,"exact":true}]"#);
    let all = of(&rest, &own);
    assert_eq!((all[0].rule.period, all[0].rule.burst), (Duration::from_secs(10), 20));
    assert_eq!(all[1].rule.amount, 1_000, "nothing is left to others");
    let own = TenantLimits {
        reserve: Some(0.5),
        ..own
    };
    assert_eq!(of(&rest, &own)[1].rule.amount, 500, "but what the tenant says itself");
}

#[test]
fn a_burst_stays_below_what_may_be_used() {
    let rest = connected("rest", "key", &[("api_key", "k")]);
    let rule = |json| of(&rest, &limits(json))[0].rule;
    assert_eq!(rule(r#"[{"amount":10,"seconds":10,"burst":10}]"#).burst, 9);
    assert_eq!(rule(r#"[{"amount":2,"seconds":10}]"#).burst, 1);
    assert_eq!(rule(r#"[{"amount":1,"seconds":10,"burst":1}]"#).burst, 1);
}
