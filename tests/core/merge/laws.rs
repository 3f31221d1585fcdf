//! What holds for every record, by many random ones.

use serde_json::{Map, Value as Json, json};
use tenant_crm_sync::sync::merge::{Outcome, Policy, Rules};

use super::{Sides, Told, nothing};

/// A row of numbers that is the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) as usize % sides
    }

    fn of<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.roll(list.len())]
    }
}

const FIELDS: [&str; 5] = ["any", "mail", "phone", "tags", "when"];
const POLICIES: [Policy; 4] = [Policy::Crm, Policy::Portal, Policy::Newest, Policy::Ask];

fn values(field: &str) -> Vec<Json> {
    match field {
        "any" => vec![
            json!(null),
            json!(""),
            json!(0),
            json!("0"),
            json!(1.5),
            json!(true),
            json!(["x", ["y"]]),
            json!({"a": {"b": 1}}),
            json!("é"),
        ],
        "mail" => vec![json!("a@x.org"), json!(" A@X.ORG"), json!("b@x.org"), json!(null)],
        "phone" => vec![json!("+491711"), json!("0171 1"), json!("0171 2"), json!("none")],
        "tags" => vec![
            json!([]),
            json!(["a"]),
            json!(["b", "a"]),
            json!(["A", "c"]),
            json!("b"),
            json!(["a", "b", "c", "d"]),
            json!(null),
        ],
        _ => vec![
            json!("2026-11-23T10:00:00Z"),
            json!("2026-11-23 10:00:00"),
            json!("2026-11-24"),
        ],
    }
}

fn record(dice: &mut Dice) -> Json {
    let mut record = Map::new();
    for field in FIELDS {
        if dice.roll(6) > 0 {
            record.insert(field.to_owned(), dice.of(&values(field)).clone());
        }
    }
    record.into()
}

fn maybe(dice: &mut Dice, rarely: usize) -> Json {
    if dice.roll(rarely) == 0 {
        Json::Null
    } else {
        record(dice)
    }
}

const TIMES: [Option<&str>; 4] = [
    None,
    Some("2026-11-23T10:00:00Z"),
    Some("2026-11-23T10:00:01Z"),
    Some("2026-11-23T12:00:00Z"),
];

fn rules(dice: &mut Dice) -> Rules<'static> {
    let mut rules = Rules {
        policy: *dice.of(&POLICIES),
        delete: *dice.of(&[Policy::Crm, Policy::Portal, Policy::Ask]),
        crm_updated_at: dice.of(&TIMES).map(Into::into),
        portal_updated_at: dice.of(&TIMES).map(Into::into),
        ..Rules::default()
    };
    for field in FIELDS {
        if dice.roll(2) == 0 {
            rules.field(field).policy = Some(*dice.of(&POLICIES));
        }
    }
    rules.field("mail").same.add("email").unwrap();
    rules.field("phone").same.add("phone:49").unwrap();
    rules.field("when").same.add("time").unwrap();
    rules.field("tags").is_set = true;
    if dice.roll(2) == 0 {
        rules.field("tags").same.add("case").unwrap();
    }
    rules
}

fn some(dice: &mut Dice) -> (Sides, Rules<'static>) {
    let sides = Sides {
        base: maybe(dice, 5),
        crm: maybe(dice, 8),
        portal: maybe(dice, 8),
        sent: None,
    };
    (sides, rules(dice))
}

/// A record with fields written over it.
fn with(record: &Json, fields: &Json) -> Json {
    let mut record = record.as_object().cloned().unwrap_or_default();
    record.extend(fields.as_object().unwrap().clone());
    record.into()
}

fn empty(fields: &Json) -> bool {
    *fields == nothing()
}

const RUNS: usize = 5_000;

/// Once all is written, merging again changes nothing; and what is not written yet is decided as before.
#[test]
fn merging_again_changes_nothing() {
    let mut dice = Dice(11);
    for _ in 0..RUNS {
        let (sides, rules) = some(&mut dice);
        let first = sides.merge(&rules);
        let shown = || format!("{} {} {} {rules:?} {first:?}", sides.base, sides.crm, sides.portal);
        // The portal is written in the same transaction as the base.
        let portal = match first.delete {
            Some("portal") => Json::Null,
            _ if empty(&first.to_portal) => sides.portal.clone(),
            _ => with(&sides.portal, &first.to_portal),
        };
        let before = Sides {
            base: first.base.clone(),
            portal,
            ..sides.clone()
        };
        let second = before.merge(&rules);
        // Without its CRM's record a base is none, so what only the base had is not told again.
        let mut decided = first.to_crm.clone();
        if sides.crm.is_null() {
            decided
                .as_object_mut()
                .unwrap()
                .retain(|name, _| sides.portal.get(name).is_some());
        }
        assert_eq!(
            (&second.to_crm, second.delete == Some("crm")),
            (&decided, first.delete == Some("crm")),
            "{} then {second:?}",
            shown()
        );
        assert!(empty(&second.to_portal), "{} then {second:?}", shown());
        assert_eq!(
            second.conflicts.iter().map(|(field, _)| field).collect::<Vec<_>>(),
            first.conflicts.iter().map(|(field, _)| field).collect::<Vec<_>>(),
            "{}",
            shown()
        );
        // Then the CRM, whose answer is settled.
        let (crm, sent) = match first.delete {
            Some("crm") => (Json::Null, None),
            _ if empty(&first.to_crm) => (before.crm.clone(), None),
            _ => (
                with(&before.crm, &first.to_crm),
                Some((first.to_crm.clone(), Outcome::Answered)),
            ),
        };
        let third = Sides { crm, sent, ..before }.clone();
        let answer = third.merge(&rules);
        assert!(
            empty(&answer.to_crm) && empty(&answer.to_portal) && answer.delete.is_none(),
            "{} then {answer:?}",
            shown()
        );
        let last = Sides {
            base: answer.base.clone(),
            sent: None,
            ..third
        }
        .merge(&rules);
        assert!(
            empty(&last.to_crm) && empty(&last.to_portal) && last.delete.is_none(),
            "{} then {last:?}",
            shown()
        );
        assert_eq!(last.base, answer.base, "{}", shown());
    }
}

/// Every value that is written anywhere was given by a side or by the base, and every element of a set by a side.
#[test]
fn no_value_is_invented() {
    let mut dice = Dice(12);
    for _ in 0..RUNS {
        let (sides, rules) = some(&mut dice);
        let told = sides.merge(&rules);
        for fields in [&told.to_crm, &told.to_portal, &told.record] {
            for (name, value) in fields.as_object().unwrap() {
                let given = |record: &Json| record.get(name).is_some_and(|given| given == value);
                let is_given = [&sides.base, &sides.crm, &sides.portal].into_iter().any(given);
                let element = |element: &Json| {
                    let has = |record: &Json| match record.get(name) {
                        Some(Json::Array(list)) => list.contains(element),
                        Some(single) => single == element,
                        None => false,
                    };
                    has(&sides.crm) || has(&sides.portal)
                };
                let is_merged = name == "tags" && value.as_array().is_some_and(|list| list.iter().all(element));
                assert!(
                    is_given || is_merged,
                    "{name}: {value} of {} {} {}",
                    sides.base,
                    sides.crm,
                    sides.portal
                );
            }
        }
    }
}

fn swapped(policy: Policy) -> Policy {
    match policy {
        Policy::Crm => Policy::Portal,
        Policy::Portal => Policy::Crm,
        other => other,
    }
}

/// The same with both sides in each other's place, but for the order of sets.
#[test]
fn neither_side_is_better_than_the_other() {
    let sorted = |fields: &Json| -> Json {
        let mut fields = fields.clone();
        if let Some(Json::Array(list)) = fields.get_mut("tags") {
            list.sort_by_key(|element| element.to_string().to_lowercase());
            *list = list
                .iter()
                .map(|element| json!(element.as_str().map(str::to_lowercase)))
                .collect();
        }
        match fields.get("tags") {
            Some(Json::String(single)) => fields["tags"] = json!([single]),
            Some(Json::Null) => fields["tags"] = json!([]),
            _ => {}
        }
        fields
    };
    let mut dice = Dice(13);
    for _ in 0..RUNS {
        let (sides, rules) = some(&mut dice);
        let mut other = rules.clone();
        other.policy = swapped(rules.policy);
        other.delete = swapped(rules.delete);
        for field in other.fields.values_mut() {
            field.policy = field.policy.map(swapped);
        }
        other.crm_updated_at.clone_from(&rules.portal_updated_at);
        other.portal_updated_at.clone_from(&rules.crm_updated_at);
        let here = sides.merge(&rules);
        let there = Sides {
            crm: sides.portal.clone(),
            portal: sides.crm.clone(),
            ..sides.clone()
        }
        .merge(&other);
        let shown = || {
            format!(
                "{} {} {} {rules:?}\n{here:?}\n{there:?}",
                sides.base, sides.crm, sides.portal
            )
        };
        let names = |told: &Told| told.conflicts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&here), names(&there), "{}", shown());
        let place = |delete: Option<&str>| match delete {
            Some("crm") => Some("portal"),
            Some(_) => Some("crm"),
            None => None,
        };
        assert_eq!(here.delete, place(there.delete), "{}", shown());
        // Only a post is told what is empty when a whole record goes over.
        if !sides.crm.is_null() && !sides.portal.is_null() {
            assert_eq!(sorted(&here.to_crm), sorted(&there.to_portal), "{}", shown());
            assert_eq!(sorted(&here.to_portal), sorted(&there.to_crm), "{}", shown());
        }
    }
}

/// Where both sides changed a field, who counts is who should; and what only one changed is never touched.
#[test]
fn the_policy_is_kept() {
    let mut dice = Dice(14);
    let (mut decided, mut asked) = (0, 0);
    for _ in 0..RUNS {
        let (sides, rules) = some(&mut dice);
        let [Json::Object(base), Json::Object(crm), Json::Object(portal)] = [&sides.base, &sides.crm, &sides.portal]
        else {
            continue;
        };
        let told = sides.merge(&rules);
        for field in ["any", "mail", "phone", "when"] {
            let (Some(base), Some(crm), Some(portal)) = (base.get(field), crm.get(field), portal.get(field)) else {
                continue;
            };
            let own = rules.fields.get(field).cloned().unwrap_or_default();
            let equal = |a: &Json, b: &Json| own.same.equal(&super::value(a), &super::value(b));
            let policy = own.policy.unwrap_or(rules.policy);
            let asks = told.conflicts.iter().any(|(name, _)| name == field);
            let (to_crm, to_portal) = (told.to_crm.get(field), told.to_portal.get(field));
            if equal(crm, portal) {
                assert_eq!((to_crm, to_portal, asks), (None, None, false));
            } else if equal(base, portal) {
                assert_eq!((to_crm, to_portal, asks), (None, Some(crm), false));
            } else if equal(base, crm) {
                assert_eq!((to_crm, to_portal, asks), (Some(portal), None, false));
            } else {
                match policy {
                    Policy::Crm => assert_eq!((to_crm, to_portal, asks), (None, Some(crm), false)),
                    Policy::Portal => assert_eq!((to_crm, to_portal, asks), (Some(portal), None, false)),
                    Policy::Ask => assert_eq!((to_crm, to_portal, asks), (None, None, true)),
                    Policy::Newest => assert_eq!(to_crm.is_some() as u8 + to_portal.is_some() as u8 + asks as u8, 1),
                }
                decided += 1;
                asked += usize::from(asks);
            }
        }
    }
    assert!(decided > RUNS / 4 && asked > RUNS / 20, "{decided} {asked}");
}

/// Deep and wide values, names of every kind, and no field at all.
#[test]
fn hostile_records_do_not_hurt() {
    let mut deep = json!("bottom");
    for level in 0..120 {
        deep = if level % 2 == 0 {
            json!([deep])
        } else {
            json!({"": deep})
        };
    }
    let wide: Json = (0..20_000)
        .map(|number| (format!("field {number}"), json!(number)))
        .collect::<Map<_, _>>()
        .into();
    let odd = json!({"": 1, "0": 2, "\u{0}": 3, "*": 4, "İ": 5, "deep": deep});
    let mut rules = Rules::default();
    for name in ["trim", "case", "number", "time", "boolean", "phone:49"] {
        rules.same.add(name).unwrap();
    }
    for record in [&wide, &odd, &nothing()] {
        let all = Sides {
            base: record.clone(),
            crm: record.clone(),
            portal: record.clone(),
            sent: None,
        };
        let told = all.merge(&rules);
        assert!(empty(&told.to_crm) && empty(&told.to_portal));
        let new = Sides {
            base: Json::Null,
            portal: Json::Null,
            ..all
        }
        .merge(&rules);
        assert_eq!(&new.to_portal, record);
    }
}
