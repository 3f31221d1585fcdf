//! Fields that are sets: what each side added and took away counts.

use serde_json::{Value as Json, json};
use tenant_crm_sync::sync::merge::{Policy, Rules};

use super::{Told, nothing, policy, told};

fn tags(base: &Json, crm: &Json, portal: &Json, change: impl FnOnce(&mut Rules<'static>)) -> Told {
    let mut rules = policy(Policy::Ask);
    rules.field("t").is_set = true;
    change(&mut rules);
    told(&json!({"t": base}), &json!({"t": crm}), &json!({"t": portal}), &rules)
}

#[test]
fn additions_and_removals_of_both_sides_are_kept() {
    // base, CRM, portal, merged, whether to the CRM, whether to the portal
    let cases = [
        (json!(["a"]), json!(["a"]), json!(["a"]), json!(["a"]), false, false),
        (
            json!(["a"]),
            json!(["a", "b"]),
            json!(["a"]),
            json!(["a", "b"]),
            false,
            true,
        ),
        (
            json!(["a"]),
            json!(["a"]),
            json!(["b", "a"]),
            json!(["a", "b"]),
            true,
            false,
        ),
        (
            json!(["a"]),
            json!(["a", "b"]),
            json!(["a", "c"]),
            json!(["a", "b", "c"]),
            true,
            true,
        ),
        (
            json!(["a", "b"]),
            json!(["a"]),
            json!(["a", "b", "c"]),
            json!(["a", "c"]),
            true,
            true,
        ),
        (json!(["a", "b"]), json!(["b"]), json!(["a"]), json!([]), true, true),
        (
            json!(["a", "b"]),
            json!(["a"]),
            json!(["a"]),
            json!(["a"]),
            false,
            false,
        ),
        (
            json!(["a", "b"]),
            json!(null),
            json!(["a", "b", "c"]),
            json!(["c"]),
            true,
            true,
        ),
        (json!(["a"]), json!([]), json!(["a"]), json!([]), false, true),
        // Order and repetitions are nothing.
        (
            json!(["a", "b"]),
            json!(["b", "a", "b"]),
            json!(["a", "a", "b"]),
            json!(["b", "a", "b"]),
            false,
            false,
        ),
        // One element may come without its list.
        (
            json!("a"),
            json!(["a"]),
            json!(["a", "b"]),
            json!(["a", "b"]),
            true,
            false,
        ),
        (json!(["a"]), json!("b"), json!("a"), json!("b"), false, true),
        (json!(null), json!("b"), json!("a"), json!(["b", "a"]), true, true),
        // Elements are anything.
        (
            json!([{"id": 1}]),
            json!([{"id": 1}, {"id": 2}]),
            json!([]),
            json!([{"id": 2}]),
            true,
            true,
        ),
        (json!([1]), json!(["1", 1]), json!([1]), json!(["1", 1]), false, true),
    ];
    for (base, crm, portal, merged, to_crm, to_portal) in cases {
        let told = tags(&base, &crm, &portal, |_| {});
        assert_eq!(told.record["t"], merged, "{base} {crm} {portal}");
        let written = |is_written: bool| if is_written { json!({"t": merged}) } else { nothing() };
        assert_eq!(
            (told.to_crm, told.to_portal),
            (written(to_crm), written(to_portal)),
            "{base} {crm} {portal}"
        );
        assert_eq!((told.conflicts, told.base), (vec![], json!({"t": crm})));
    }
}

#[test]
fn without_a_base_both_are_added() {
    let mut rules = policy(Policy::Ask);
    rules.field("t").is_set = true;
    let both = told(&Json::Null, &json!({"t": ["a"]}), &json!({"t": ["b"]}), &rules);
    assert_eq!(
        (&both.to_crm, &both.to_portal),
        (&json!({"t": ["a", "b"]}), &json!({"t": ["a", "b"]}))
    );
    let silent = told(&nothing(), &nothing(), &json!({"t": ["b"]}), &rules);
    assert_eq!(silent.to_crm, json!({"t": ["b"]}));
}

#[test]
fn elements_are_the_same_by_the_fields_equivalences() {
    let told = tags(
        &json!(["News"]),
        &json!(["news", "vip "]),
        &json!(["News", "VIP", "new"]),
        |rules| {
            rules.field("t").same.add("case").unwrap();
            rules.field("t").same.add("trim").unwrap();
        },
    );
    assert_eq!(
        told.record["t"],
        json!(["news", "vip ", "new"]),
        "as the CRM writes them"
    );
    assert_eq!(
        (told.to_crm, told.to_portal),
        (json!({"t": ["news", "vip ", "new"]}), nothing())
    );
}

/// A set is linear in its size: as large as a record may be.
#[test]
fn large_sets_are_merged_in_no_time() {
    let list = |from: usize, to: usize| Json::Array((from..to).map(|number| json!(format!("tag {number}"))).collect());
    let started = std::time::Instant::now();
    let told = tags(&list(0, 100_000), &list(10_000, 110_000), &list(0, 90_000), |_| {});
    assert_eq!(told.record["t"].as_array().unwrap().len(), 90_000);
    assert!(started.elapsed().as_secs() < 60, "it took {:?}", started.elapsed());
}
