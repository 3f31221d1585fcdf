//! Whole records: new on one side, deleted on one side, deleted on both. FAULTS A11: nothing flips, nothing that was deleted comes back.

use serde_json::{Value as Json, json};
use tenant_crm_sync::sync::merge::{Policy, Rules};

use super::{nothing, told};

fn delete(delete: Policy) -> Rules<'static> {
    Rules {
        delete,
        ..Rules::default()
    }
}

#[test]
fn a_new_record_goes_to_the_other_side() {
    let record = json!({"a": 1, "b": null, "tags": ["x"]});
    let from_crm = told(&Json::Null, &record, &Json::Null, &Rules::default());
    assert_eq!(
        (&from_crm.to_portal, from_crm.to_crm, &from_crm.base),
        (&record, nothing(), &record)
    );
    let from_portal = told(&Json::Null, &Json::Null, &record, &Rules::default());
    // Nobody agreed on anything before the CRM has it.
    assert_eq!(
        (from_portal.to_crm, from_portal.to_portal, from_portal.base),
        (json!({"a": 1, "tags": ["x"]}), nothing(), Json::Null)
    );
}

#[test]
fn what_is_gone_on_both_sides_is_gone() {
    for base in [Json::Null, json!({"a": 1})] {
        let told = told(&base, &Json::Null, &Json::Null, &Rules::default());
        assert_eq!(
            (told.to_crm, told.to_portal, told.base, told.delete),
            (nothing(), nothing(), Json::Null, None)
        );
    }
}

#[test]
fn a_deleted_record_that_nobody_changed_is_deleted_on_the_other_side_by_any_policy() {
    let base = json!({"a": 1, "b": " x ", "hidden": 3});
    for policy in [Policy::Crm, Policy::Portal, Policy::Ask] {
        let mut rules = delete(policy);
        rules.field("b").same.add("trim").unwrap();
        // What a side leaves out, and what it writes differently, is no change.
        let there = json!({"a": 1, "b": "x"});
        let in_crm = told(&base, &Json::Null, &there, &rules);
        assert_eq!(
            (in_crm.delete, in_crm.base, in_crm.conflicts),
            (Some("portal"), Json::Null, vec![])
        );
        let in_portal = told(&base, &there, &Json::Null, &rules);
        assert_eq!((in_portal.delete, &in_portal.base), (Some("crm"), &there));
        // It is deleted there next; until then it is the same again.
        let again = told(&in_portal.base, &there, &Json::Null, &rules);
        assert_eq!((again.delete, &again.base), (Some("crm"), &there));
    }
}

#[test]
fn a_delete_against_an_edit_is_decided_by_policy() {
    let (base, edited) = (json!({"a": 1, "b": 1}), json!({"a": 2, "b": 1}));
    // who deleted, policy: where it is deleted, what is written where, the next base
    let cases = [
        ("crm", Policy::Crm, Some("portal"), nothing(), nothing(), Json::Null),
        ("crm", Policy::Portal, None, edited.clone(), nothing(), Json::Null),
        (
            "portal",
            Policy::Portal,
            Some("crm"),
            nothing(),
            nothing(),
            edited.clone(),
        ),
        ("portal", Policy::Crm, None, nothing(), edited.clone(), edited.clone()),
    ];
    for (by, policy, place, to_crm, to_portal, next) in cases {
        let (crm, portal) = if by == "crm" {
            (Json::Null, edited.clone())
        } else {
            (edited.clone(), Json::Null)
        };
        let told = told(&base, &crm, &portal, &delete(policy));
        assert_eq!(
            (told.delete, told.to_crm, told.to_portal, told.base),
            (place, to_crm, to_portal, next),
            "{by} {policy:?}"
        );
    }
    for (crm, portal, reason) in [
        (Json::Null, edited.clone(), "deleted in the CRM, changed in the portal"),
        (edited.clone(), Json::Null, "deleted in the portal, changed in the CRM"),
    ] {
        let asked = told(&base, &crm, &portal, &Rules::default());
        assert_eq!(asked.conflicts, [(String::new(), reason)]);
        assert_eq!(
            (asked.delete, asked.to_crm, asked.to_portal, &asked.base),
            (None, nothing(), nothing(), &base)
        );
    }
}

/// A post that comes back from the bin may still have what the CRM has cleared.
#[test]
fn a_restored_post_is_told_what_is_empty() {
    let told = told(
        &json!({"a": 1, "tags": ["x"], "silent": 7}),
        &json!({"a": 2, "tags": null}),
        &Json::Null,
        &delete(Policy::Crm),
    );
    assert_eq!(
        told.to_portal,
        json!({"a": 2, "tags": null}),
        "and keeps that of which the CRM says nothing"
    );
    assert_eq!(told.base, json!({"a": 2, "tags": null, "silent": 7}));
}
