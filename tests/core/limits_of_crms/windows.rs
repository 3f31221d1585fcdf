//! Which windows hold, for each CRM, plan and authorisation; what of them may be used, and how they are counted.

use std::time::Duration;

use tenant_crm_sync::limit::Count;
use tenant_crm_sync::limit::budget::windows;
use tenant_crm_sync::limit::own::TenantLimits;

use super::{NOON, connected, kind, names, of, with_plan};

fn unset() -> TenantLimits {
    TenantLimits::default()
}

#[test]
fn hubspot_by_plan_and_authorisation() {
    let key = connected("hubspot", "key", &[("api_key", "pat-1"), ("zone", "Europe/Berlin")]);
    for (plan, burst, day) in [
        ("starter", "100", "250,000"),
        ("professional", "190", "625,000"),
        ("enterprise", "190", "1,000,000"),
    ] {
        let expected = [
            format!("{burst} requests in 10 s"),
            String::from("5 searches in 1 s"),
            format!("{day} requests a day"),
        ];
        assert_eq!(names(&key, &with_plan(plan)), expected, "{plan}");
    }
    assert_eq!(
        names(&key, &unset()),
        names(&key, &with_plan("starter")),
        "the smallest is the default"
    );
    let oauth = connected("hubspot", "oauth", &[("client_id", "c"), ("client_secret", "s")]);
    let expected = ["110 requests in 10 s", "5 searches in 1 s"];
    assert_eq!(names(&oauth, &unset()), expected);
    assert_eq!(
        names(&oauth, &with_plan("enterprise")),
        expected,
        "OAuth apps have no plans, and no day"
    );
}

#[test]
fn pipedrive_by_plan_and_authorisation() {
    let key = connected("pipedrive", "key", &[("api_key", "k")]);
    let oauth = connected("pipedrive", "oauth", &[("client_id", "c"), ("client_secret", "s")]);
    for (plan, by_key, by_oauth, tokens) in [
        ("lite", 20, 80, "30,000"),
        ("growth", 40, 160, "60,000"),
        ("premium", 100, 400, "150,000"),
        ("ultimate", 120, 480, "210,000"),
    ] {
        for (connection, burst) in [(&key, by_key), (&oauth, by_oauth)] {
            let expected = [format!("{burst} requests in 2 s"), format!("{tokens} tokens in 24 h")];
            assert_eq!(names(connection, &with_plan(plan)), expected, "{plan}");
        }
    }
}

#[test]
fn the_others_by_plan() {
    let windows =
        |crm, method, plan: Option<&str>| names(&connected(crm, method, &[]), &plan.map_or_else(unset, with_plan));
    assert_eq!(windows("salesforce", "oauth", None), ["15,000 requests in 24 h"]);
    assert_eq!(
        windows("salesforce", "jwt", Some("enterprise")),
        ["100,000 requests in 24 h"]
    );
    assert_eq!(windows("zoho", "oauth", None), ["5,000 credits in 24 h"]);
    assert_eq!(windows("zoho", "oauth", Some("standard")), ["50,000 credits in 24 h"]);
    assert_eq!(windows("dynamics", "app", None), ["6,000 requests in 5 min"]);
    for (crm, method) in [
        ("espocrm", "key"),
        ("suitecrm", "client"),
        ("odoo", "key"),
        ("dolibarr", "key"),
        ("rest", "key"),
    ] {
        assert!(
            windows(crm, method, None).is_empty(),
            "{crm} has no limits that anybody knows of"
        );
    }
}

#[test]
fn an_unknown_plan_is_refused_with_those_there_are() {
    let refused = |crm, method, plan| {
        let connection = connected(crm, method, &[]);
        windows(&connection, "acme", &with_plan(plan), NOON)
            .unwrap_err()
            .message
    };
    let message = refused("pipedrive", "key", "platinum\n");
    for part in ["plan", "platinum", "lite", "growth", "premium", "ultimate"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert!(refused("rest", "key", "lite").contains("has none"));
}

#[test]
fn short_windows_are_paced_a_tenth_at_once_and_longer_than_said() {
    let hubspot = connected("hubspot", "key", &[("api_key", "k")]);
    let all = of(&hubspot, &unset());
    let (ten, search) = (&all[0].rule, &all[1].rule);
    assert_eq!((ten.amount, ten.burst, ten.count), (100, 10, Count::Paced));
    assert_eq!(ten.period, Duration::from_millis(10_300), "3 %");
    assert_eq!((search.amount, search.burst), (5, 1));
    assert_eq!(search.period, Duration::from_millis(1_150), "150 ms at least");
    let dynamics = &of(&connected("dynamics", "app", &[]), &unset())[0];
    assert_eq!(
        (kind(dynamics), dynamics.rule.period),
        ("paced", Duration::from_secs(309))
    );
    assert_eq!(
        (dynamics.rule.amount, dynamics.reserve),
        (6_000, 0.0),
        "short windows are used whole"
    );
}

#[test]
fn long_windows_leave_a_fifth_to_others_unless_the_tenant_says_else() {
    let salesforce = connected("salesforce", "oauth", &[]);
    let day = &of(&salesforce, &unset())[0];
    assert_eq!((kind(day), day.amount, day.rule.amount), ("rolling", 15_000, 12_000));
    assert_eq!(day.rule.period, Duration::from_secs(86_400), "days are not lengthened");
    let amount = |reserve| {
        let own = TenantLimits::parse(None, None, Some(reserve)).unwrap();
        let hubspot = connected("hubspot", "key", &[("api_key", "k")]);
        assert_eq!(
            of(&hubspot, &own)[0].rule.amount,
            100,
            "the reserve is of hours and days"
        );
        of(&salesforce, &own)[0].rule.amount
    };
    assert_eq!((amount("0"), amount("0.5"), amount("0.9")), (15_000, 7_500, 1_500));
}

#[test]
fn a_day_begins_at_the_accounts_midnight_and_nobody_knows_whose_without_a_zone() {
    let midnight = |zone: &str| {
        let connection = connected("hubspot", "key", &[("api_key", "k"), ("zone", zone)]);
        windows(&connection, "acme", &TenantLimits::default(), NOON).map(|all| all[2].rule.count)
    };
    assert_eq!(midnight("UTC").unwrap(), Count::Daily(0));
    assert_eq!(
        midnight("Europe/Berlin").unwrap(),
        Count::Daily(23 * 3_600),
        "an hour ahead in winter"
    );
    assert_eq!(midnight("America/New_York").unwrap(), Count::Daily(5 * 3_600));
    assert_eq!(midnight("Asia/Kolkata").unwrap(), Count::Daily(18 * 3_600 + 1_800));
    assert_eq!(midnight("").unwrap(), Count::Rolling);
    assert!(midnight("Mars/Base").unwrap_err().message.contains("Mars/Base"));
    let without = connected("hubspot", "key", &[("api_key", "k")]);
    let day = &of(&without, &unset())[2];
    assert_eq!(
        (kind(day), day.daily, day.name.as_str()),
        ("rolling", false, "250,000 requests in 24 h")
    );
    // In summer Berlin is two hours ahead.
    let berlin = connected("hubspot", "key", &[("api_key", "k"), ("zone", "Europe/Berlin")]);
    let july = NOON - 130 * 86_400_000;
    let all = windows(&berlin, "acme", &unset(), july).unwrap();
    assert_eq!(all[2].rule.count, Count::Daily(22 * 3_600));
}
