//! One field, changed by one side, by both or by none.

use serde_json::{Value as Json, json};
use tenant_crm_sync::sync::merge::{Policy, Rules};

use super::{nothing, policy, told};

/// What one field of the three says, by any policy: where it goes.
#[test]
fn what_one_side_changed_goes_to_the_other_by_any_policy() {
    // base, CRM, portal, to the CRM, to the portal
    let cases = [
        (json!({"a": 1}), json!({"a": 1}), json!({"a": 1}), nothing(), nothing()),
        (
            json!({"a": 1}),
            json!({"a": 2}),
            json!({"a": 1}),
            nothing(),
            json!({"a": 2}),
        ),
        (
            json!({"a": 1}),
            json!({"a": 1}),
            json!({"a": 2}),
            json!({"a": 2}),
            nothing(),
        ),
        (json!({"a": 1}), json!({"a": 2}), json!({"a": 2}), nothing(), nothing()),
        // To clear is to change.
        (
            json!({"a": 1}),
            json!({"a": null}),
            json!({"a": 1}),
            nothing(),
            json!({"a": null}),
        ),
        (
            json!({"a": 1}),
            json!({"a": 1}),
            json!({"a": ""}),
            json!({"a": ""}),
            nothing(),
        ),
        (
            json!({"a": 1}),
            json!({"a": null}),
            json!({"a": []}),
            nothing(),
            nothing(),
        ),
        // To say nothing is not.
        (json!({"a": 1}), json!({}), json!({"a": 1}), nothing(), nothing()),
        (json!({"a": 1}), json!({"a": 1}), json!({}), nothing(), nothing()),
        (json!({"a": 1}), json!({}), json!({"a": 2}), json!({"a": 2}), nothing()),
        (json!({"a": 1}), json!({"a": 2}), json!({}), nothing(), json!({"a": 2})),
        (json!({"a": 1}), json!({}), json!({}), nothing(), nothing()),
        // Nobody ever agreed on it.
        (json!({}), json!({"a": 1}), json!({"a": 1}), nothing(), nothing()),
        (
            json!({}),
            json!({"a": 1}),
            json!({"a": null}),
            nothing(),
            json!({"a": 1}),
        ),
        (json!({}), json!({"a": ""}), json!({"a": 1}), json!({"a": 1}), nothing()),
        (json!({}), json!({"a": 1}), json!({}), nothing(), json!({"a": 1})),
        (json!({}), json!({}), json!({"a": 1}), json!({"a": 1}), nothing()),
        (json!({}), json!({}), json!({"a": null}), nothing(), nothing()),
        // Without a base at all it is the same.
        (Json::Null, json!({"a": 1}), json!({"a": 1}), nothing(), nothing()),
        (
            Json::Null,
            json!({"a": 1}),
            json!({"a": ""}),
            nothing(),
            json!({"a": 1}),
        ),
        (Json::Null, json!({}), json!({"a": 1}), json!({"a": 1}), nothing()),
        // Types count, members of objects do not by their order.
        (
            json!({"a": 1}),
            json!({"a": "1"}),
            json!({"a": 1}),
            nothing(),
            json!({"a": "1"}),
        ),
        (
            json!({"a": 1}),
            json!({"a": 1.0}),
            json!({"a": 1}),
            nothing(),
            nothing(),
        ),
        (
            json!({"a": {"x": 1, "y": 2}}),
            json!({"a": {"y": 2, "x": 1}}),
            json!({"a": {"x": 1, "y": 2, "z": null}}),
            nothing(),
            nothing(),
        ),
        (
            json!({"a": [1, 2]}),
            json!({"a": [2, 1]}),
            json!({"a": [1, 2]}),
            nothing(),
            json!({"a": [2, 1]}),
        ),
    ];
    for (base, crm, portal, to_crm, to_portal) in cases {
        for rules in [Policy::Crm, Policy::Portal, Policy::Newest, Policy::Ask].map(policy) {
            let told = told(&base, &crm, &portal, &rules);
            assert_eq!(
                (&told.to_crm, &told.to_portal),
                (&to_crm, &to_portal),
                "{base} {crm} {portal} {:?}",
                rules.policy
            );
            assert_eq!(told.conflicts, [], "{base} {crm} {portal}");
        }
    }
}

#[test]
fn what_both_changed_is_decided_by_policy_and_the_next_base_is_the_crms() {
    let (base, crm, portal) = (
        json!({"a": 1, "b": 1}),
        json!({"a": 2, "b": 1}),
        json!({"a": 3, "b": 1}),
    );
    let by_crm = told(&base, &crm, &portal, &policy(Policy::Crm));
    assert_eq!(
        (by_crm.to_crm, by_crm.to_portal, by_crm.base),
        (nothing(), json!({"a": 2}), crm.clone())
    );
    let by_portal = told(&base, &crm, &portal, &policy(Policy::Portal));
    assert_eq!(
        (by_portal.to_crm, by_portal.to_portal, by_portal.base.clone()),
        (json!({"a": 3}), nothing(), crm.clone())
    );
    // Once decided it stays decided, also by another policy, until somebody changes it again.
    let again = told(&by_portal.base, &crm, &portal, &policy(Policy::Crm));
    assert_eq!((again.to_crm, again.to_portal), (json!({"a": 3}), nothing()));
    let asked = told(&base, &crm, &portal, &policy(Policy::Ask));
    assert_eq!(
        (asked.to_crm, asked.to_portal, &asked.base),
        (nothing(), nothing(), &base)
    );
    assert_eq!(asked.conflicts, [(String::from("a"), "both sides changed it")]);
    assert_eq!(asked.record["a"], 1, "until then the base's");
    // Another field of the same record does not wait.
    let other = told(&base, &json!({"a": 2, "b": 4}), &portal, &policy(Policy::Ask));
    assert_eq!(
        (other.to_portal, other.base),
        (json!({"b": 4}), json!({"a": 1, "b": 4}))
    );
}

#[test]
fn each_field_has_its_own_policy_over_the_records() {
    let mut rules = policy(Policy::Portal);
    rules.field("b").policy = Some(Policy::Crm);
    rules.field("c").policy = Some(Policy::Ask);
    let told = told(
        &json!({"a": 0, "b": 0, "c": 0}),
        &json!({"a": 1, "b": 1, "c": 1}),
        &json!({"a": 2, "b": 2, "c": 2}),
        &rules,
    );
    assert_eq!((told.to_crm, told.to_portal), (json!({"a": 2}), json!({"b": 1})));
    assert_eq!(told.conflicts.len(), 1);
    assert_eq!(told.base, json!({"a": 1, "b": 1, "c": 0}));
}

#[test]
fn two_sides_that_never_agreed_differ() {
    for base in [Json::Null, nothing()] {
        let asked = told(&base, &json!({"a": 1}), &json!({"a": 2}), &policy(Policy::Ask));
        assert_eq!(
            asked.conflicts,
            [(String::from("a"), "the two sides differ and never agreed")]
        );
        assert_eq!((asked.base, asked.record), (nothing(), nothing()));
        let by_crm = told(&base, &json!({"a": 1}), &json!({"a": 2}), &policy(Policy::Crm));
        assert_eq!((by_crm.to_portal, by_crm.base), (json!({"a": 1}), json!({"a": 1})));
    }
}

/// The newest counts only where both times are there and far enough from each other to be believed.
#[test]
fn newest_needs_two_times_and_no_skew() {
    let (crm, portal) = (json!({"a": 2}), json!({"a": 3}));
    let crms = (nothing(), json!({"a": 2}));
    let portals = (json!({"a": 3}), nothing());
    const CRM: &str = "both sides changed it, and the CRM's time is missing or cannot be read";
    const PORTAL: &str = "both sides changed it, and the portal's time is missing or cannot be read";
    const CLOSE: &str = "both sides changed it at the same time, as far as the clocks can tell";
    // the CRM's time, the portal's, the clocks' difference, the zone of the CRM: who counts, or why nobody does
    let cases = [
        (
            Some("2026-11-23T10:00:05Z"),
            Some("2026-11-23T10:00:00Z"),
            1.0,
            None,
            Ok(&crms),
        ),
        (
            Some("2026-11-23T10:00:00Z"),
            Some("2026-11-23T10:00:05Z"),
            1.0,
            None,
            Ok(&portals),
        ),
        (
            Some("2026-11-23T10:00:05Z"),
            Some("2026-11-23T10:00:00Z"),
            5.0,
            None,
            Err(CLOSE),
        ),
        (
            Some("2026-11-23T10:00:00Z"),
            Some("2026-11-23T10:00:05Z"),
            60.0,
            None,
            Err(CLOSE),
        ),
        (
            Some("2026-11-23T10:00:00Z"),
            Some("2026-11-23T10:00:00Z"),
            0.0,
            None,
            Err(CLOSE),
        ),
        (
            Some("2026-11-23T10:00:01Z"),
            Some("2026-11-23T10:00:00Z"),
            0.0,
            None,
            Ok(&crms),
        ),
        // Offsets, epochs, milliseconds; the portal's without an offset is UTC.
        (
            Some("2026-11-23T12:00:00+02:00"),
            Some("2026-11-23 09:59:00"),
            1.0,
            None,
            Ok(&crms),
        ),
        (Some("1763892000"), Some("1763892060"), 1.0, None, Ok(&portals)),
        (Some("1763892060123"), Some("1763892000"), 1.0, None, Ok(&crms)),
        // The CRM's without an offset tells nothing, unless its zone is known.
        (
            Some("2026-11-23 12:00:00"),
            Some("2026-11-23 09:59:00"),
            1.0,
            None,
            Err(CRM),
        ),
        (
            Some("2026-11-23 12:00:00"),
            Some("2026-11-23 11:30:00"),
            1.0,
            Some("Europe/Berlin"),
            Ok(&portals),
        ),
        (None, Some("2026-11-23T10:00:00Z"), 1.0, None, Err(CRM)),
        (Some("2026-11-23T10:00:00Z"), None, 1.0, None, Err(PORTAL)),
        (Some("yesterday"), Some("2026-11-23T10:00:00Z"), 1.0, None, Err(CRM)),
        (
            Some("2026-11-23T10:00:00Z"),
            Some("0000-00-00 00:00:00"),
            1.0,
            None,
            Err(PORTAL),
        ),
        (Some(""), Some(""), 1.0, None, Err(CRM)),
    ];
    for (crm_time, portal_time, skew, zone, expected) in cases {
        let rules = Rules {
            policy: Policy::Newest,
            crm_updated_at: crm_time.map(Into::into),
            portal_updated_at: portal_time.map(Into::into),
            zone: zone.map(|zone| jiff::tz::TimeZone::get(zone).unwrap()),
            skew,
            ..Rules::default()
        };
        let told = told(&json!({"a": 1}), &crm, &portal, &rules);
        match expected {
            Ok(expected) => assert_eq!(&(told.to_crm, told.to_portal), expected, "{crm_time:?} {portal_time:?}"),
            Err(reason) => {
                assert_eq!(
                    told.conflicts,
                    [(String::from("a"), reason)],
                    "{crm_time:?} {portal_time:?}"
                );
                assert_eq!((told.to_crm, told.to_portal), (nothing(), nothing()));
            }
        }
    }
}

#[test]
fn a_fields_own_time_goes_before_the_records() {
    let mut rules = Rules {
        policy: Policy::Newest,
        crm_updated_at: Some("2026-11-23T10:00:00Z".into()),
        portal_updated_at: Some("2026-11-23T11:00:00Z".into()),
        ..Rules::default()
    };
    rules.field("old").portal_updated_at = Some("2026-11-23T09:00:00Z".into());
    let told = told(
        &json!({"old": 0, "new": 0}),
        &json!({"old": 1, "new": 1}),
        &json!({"old": 2, "new": 2}),
        &rules,
    );
    assert_eq!((told.to_crm, told.to_portal), (json!({"new": 2}), json!({"old": 1})));
}

/// FAULTS A8: what the server wrote in its own way is no change, and the portal keeps its own.
#[test]
fn another_way_to_write_it_is_no_change() {
    let mut rules = policy(Policy::Ask);
    rules.field("phone").same.add("phone:49").unwrap();
    rules.field("email").same.add("email").unwrap();
    rules.field("name").same.add("trim").unwrap();
    let portal = json!({"phone": "0171 / 23 45 678", "email": "Ann@Example.ORG", "name": " Ann "});
    let crm = json!({"phone": "+491712345678", "email": "ann@example.org", "name": "Ann"});
    for base in [&portal, &crm, &Json::Null] {
        let told = told(base, &crm, &portal, &rules);
        assert_eq!(
            (told.to_crm, told.to_portal, told.conflicts),
            (nothing(), nothing(), vec![]),
            "{base}"
        );
        assert_eq!(told.base, crm, "the one that comes again");
    }
    // What is really changed is still seen, and goes over as it was written.
    let changed = json!({"phone": "0171 / 23 45 679", "email": "Ann@Example.ORG", "name": " Ann "});
    assert_eq!(
        told(&crm, &crm, &changed, &rules).to_crm,
        json!({"phone": "0171 / 23 45 679"})
    );
}
