//! An own write that comes back. FAULTS A8: it is no change, so nothing loops. FAULTS A9: what was changed meanwhile is one.

use serde_json::{Value as Json, json};
use tenant_crm_sync::sync::merge::{Outcome, Policy, Rules};

use super::{Sides, Told, nothing, policy};

const POLICIES: [Policy; 4] = [Policy::Crm, Policy::Portal, Policy::Newest, Policy::Ask];
const ORDER: &str = "it is not known whether the portal's value had reached the CRM before it was changed there";
const OWN: &str = "the portal changed it again while it was on its way to the CRM, which now has another value";

fn settled(base: &Json, crm: &Json, portal: &Json, sent: &Json, outcome: Outcome, rules: &Rules<'_>) -> Told {
    let sent = Some((sent.clone(), outcome));
    Sides {
        base: base.clone(),
        crm: crm.clone(),
        portal: portal.clone(),
        sent,
    }
    .merge(rules)
}

/// Of one field: base 0, sent "s". What goes where by the four policies: `crm`, `portal`, nothing or `ask`.
#[test]
fn what_came_of_a_write() {
    use Outcome::{Answered, Done, Unknown};
    const QUIET: [&str; 4] = ["", "", "", ""];
    const TO_PORTAL: [&str; 4] = ["portal", "portal", "portal", "portal"];
    const TO_CRM: [&str; 4] = ["crm", "crm", "crm", "crm"];
    // the CRM's, the portal's, the outcome; by crm, portal, newest (the CRM's is the newer one) and ask
    let cases = [
        // As it was sent.
        ("s", "s", Answered, QUIET),
        ("s", "s", Done, QUIET),
        ("s", "s", Unknown, QUIET),
        // The portal went on: that goes out, whatever the policy says.
        ("s", "p", Answered, TO_CRM),
        ("s", "p", Done, TO_CRM),
        ("s", "p", Unknown, TO_CRM),
        // The server wrote it in its own way.
        ("S!", "s", Answered, TO_PORTAL),
        ("S!", "s", Done, TO_PORTAL),
        // The same, and the portal went on.
        ("S!", "p", Answered, TO_CRM),
        // Perhaps: nobody can tell it from a change by somebody else, unless the portal counts in any case.
        ("S!", "p", Done, ["ask", "crm", "ask", "ask"]),
        ("S!", "p", Unknown, ["ask", "crm", "ask", "ask"]),
        // The write was done and then changed, or not done and changed at the same time: the portal counts only in the second case.
        ("c", "s", Unknown, ["portal", "ask", "portal", "ask"]),
        // It was not done.
        ("0", "s", Unknown, TO_CRM),
        ("0", "p", Unknown, TO_CRM),
        ("0", "0", Unknown, QUIET),
        // Done, and the portal has what it had before.
        ("s", "0", Answered, TO_CRM),
        ("s", "0", Unknown, TO_CRM),
        ("S!", "0", Answered, TO_CRM),
    ];
    for (crm, portal, outcome, expected) in cases {
        for (policy, expected) in POLICIES.into_iter().zip(expected) {
            let rules = Rules {
                policy,
                crm_updated_at: Some("2026-11-23T11:00:00Z".into()),
                portal_updated_at: Some("2026-11-23T10:00:00Z".into()),
                ..Rules::default()
            };
            let told = settled(
                &json!({"a": "0"}),
                &json!({"a": crm}),
                &json!({"a": portal}),
                &json!({"a": "s"}),
                outcome,
                &rules,
            );
            let place = match (told.to_crm.get("a"), told.to_portal.get("a"), told.conflicts.as_slice()) {
                (Some(value), None, []) if value == portal => "crm",
                (None, Some(value), []) if value == crm => "portal",
                (None, None, []) => "",
                (None, None, [(_, reason)]) if [ORDER, OWN, "both sides changed it"].contains(reason) => "ask",
                other => panic!("{other:?}"),
            };
            assert_eq!(place, expected, "{crm} {portal} {outcome:?} {policy:?}");
            let next = if place == "ask" { "0" } else { crm };
            assert_eq!(told.base, json!({"a": next}), "{crm} {portal} {outcome:?} {policy:?}");
        }
    }
}

#[test]
fn another_field_is_merged_as_ever() {
    let told = settled(
        &json!({"a": 0, "b": 0, "c": 0}),
        &json!({"a": 1, "b": 5, "c": 0}),
        &json!({"a": 1, "b": 0, "c": 6}),
        &json!({"a": 1}),
        Outcome::Answered,
        &policy(Policy::Ask),
    );
    assert_eq!(
        (told.to_crm, told.to_portal, told.conflicts),
        (json!({"c": 6}), json!({"b": 5}), vec![])
    );
}

/// What the CRM takes but does not tell must not be sent again for ever.
#[test]
fn a_field_that_the_crm_does_not_tell_is_believed() {
    for outcome in [Outcome::Answered, Outcome::Done] {
        let told = settled(
            &json!({"a": 0}),
            &json!({"a": 0}),
            &json!({"a": 0, "s": 1}),
            &json!({"s": 1}),
            outcome,
            &Rules::default(),
        );
        assert_eq!((told.to_crm, told.base), (nothing(), json!({"a": 0, "s": 1})));
    }
    let told = settled(
        &json!({}),
        &json!({}),
        &json!({"s": 1}),
        &json!({"s": 1}),
        Outcome::Unknown,
        &Rules::default(),
    );
    assert_eq!((told.to_crm, told.base), (json!({"s": 1}), json!({})));
}

type Case<'a> = (&'a [&'a str], &'a [&'a str], Outcome, &'a [&'a str]);

#[test]
fn a_set_that_was_sent() {
    let mut rules = policy(Policy::Ask);
    rules.field("t").is_set = true;
    let t = |list: &[&str]| json!({"t": list});
    // base a b; sent a c (b taken away, c added)
    // the CRM's, the portal's, the outcome, merged
    let cases: [Case<'_>; 9] = [
        (&["a", "c"], &["a", "c"], Outcome::Answered, &["a", "c"]),
        // The server adds one of its own, the portal goes on.
        (
            &["a", "c", "auto"],
            &["a", "c", "d"],
            Outcome::Answered,
            &["a", "c", "auto", "d"],
        ),
        (
            &["a", "c", "auto"],
            &["a", "c", "d"],
            Outcome::Done,
            &["a", "c", "auto", "d"],
        ),
        // The portal takes away again what was on its way, or puts it back.
        (&["a", "c"], &["a"], Outcome::Answered, &["a"]),
        (&["a", "c"], &["a"], Outcome::Unknown, &["a"]),
        (&["a", "c"], &["a", "b", "c"], Outcome::Unknown, &["a", "c", "b"]),
        // It was not done.
        (&["a", "b"], &["a", "c"], Outcome::Unknown, &["a", "c"]),
        (
            &["a", "b", "x"],
            &["a", "c", "d"],
            Outcome::Unknown,
            &["a", "x", "c", "d"],
        ),
        (&["a", "b"], &["a", "b"], Outcome::Unknown, &["a", "b"]),
    ];
    for (crm, portal, outcome, merged) in cases {
        let told = settled(&t(&["a", "b"]), &t(crm), &t(portal), &t(&["a", "c"]), outcome, &rules);
        assert_eq!(told.record, t(merged), "{crm:?} {portal:?} {outcome:?}");
        assert_eq!(told.conflicts, []);
    }
}

/// The portal's user binned a lead while it was on its way to the CRM.
#[test]
fn an_own_create_of_what_is_binned_meanwhile_is_deleted() {
    let sent = json!({"email": "ann@example.org", "name": "Ann"});
    let crm = json!({"email": "ann@example.org", "name": "Ann", "status": "new"});
    for outcome in [Outcome::Answered, Outcome::Done, Outcome::Unknown] {
        let told = settled(&Json::Null, &crm, &Json::Null, &sent, outcome, &Rules::default());
        assert_eq!(
            (told.delete, &told.base, told.to_portal),
            (Some("crm"), &crm, nothing()),
            "{outcome:?}"
        );
    }
    // Somebody else's record with the same address is not.
    let theirs = json!({"email": "ann@example.org", "name": "Ann Lee", "status": "won"});
    let told = settled(
        &Json::Null,
        &theirs,
        &Json::Null,
        &sent,
        Outcome::Unknown,
        &Rules::default(),
    );
    assert_eq!((told.delete, told.to_portal), (None, theirs));
}

#[test]
fn a_record_that_was_deleted_in_the_crm_behind_a_write() {
    let (base, sent) = (json!({"a": 0}), json!({"a": 1}));
    let rules = |delete| Rules {
        delete,
        ..Rules::default()
    };
    // It was done and seen: the delete counts.
    let done = settled(&base, &Json::Null, &sent, &sent, Outcome::Done, &rules(Policy::Portal));
    assert_eq!(done.delete, Some("portal"));
    // Nobody knows: only who lets the CRM delete in any case need not ask.
    let unknown = settled(&base, &Json::Null, &sent, &sent, Outcome::Unknown, &rules(Policy::Crm));
    assert_eq!(unknown.delete, Some("portal"));
    let unknown = settled(
        &base,
        &Json::Null,
        &sent,
        &sent,
        Outcome::Unknown,
        &rules(Policy::Portal),
    );
    assert_eq!((unknown.conflicts.len(), unknown.delete), (1, None));
    // What was changed since then is an edit for sure.
    let again = settled(
        &base,
        &Json::Null,
        &json!({"a": 2}),
        &sent,
        Outcome::Unknown,
        &rules(Policy::Portal),
    );
    assert_eq!((again.to_crm, again.delete), (json!({"a": 2}), None));
}
