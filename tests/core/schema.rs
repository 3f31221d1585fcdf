//! The JSON Schema of connectors, by which editors complete and check, and the Rust types, which decide: both know the
//! same properties and words, and want the same ones. `schema/everything.json` has each of them, and the types' own errors
//! tell what they know: what is new in one place only fails here.

use std::collections::{BTreeMap, BTreeSet};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;
use tenant_crm_sync::crm::connector::Connector;

const EVERYTHING: &str = include_str!("schema/everything.json");
const SCHEMA: &str = include_str!("../../src/crm/catalog/schema.json");
const STRANGER: &str = "zz_unknown";
/// Known to the schema only: these are gone before the types are read.
const INHERITED: &str = "object_defaults";

type Words = BTreeSet<String>;

struct Judge {
    schemas: Schemas,
    index: SchemaIndex,
    schema: Value,
}

impl Judge {
    fn new() -> Self {
        let address = "https://schema.test/connector";
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let mut compiler = Compiler::new();
        compiler.add_resource(address, schema.clone()).unwrap();
        let mut schemas = Schemas::new();
        let index = compiler.compile(address, &mut schemas).unwrap();
        Self { schemas, index, schema }
    }

    fn check(&self, connector: &Value) -> Result<(), String> {
        let judged = self.schemas.validate(connector, self.index);
        judged.map_err(|error| format!("{error:#}"))
    }

    /// The properties and words that the schema has for the value at this place.
    fn words(&self, place: &[String]) -> Words {
        let mut here = self.whole(&self.schema);
        for step in place {
            let below = here.iter().filter_map(|schema| match step.parse::<usize>() {
                Ok(_) => schema.get("items"),
                Err(_) => schema["properties"]
                    .get(step)
                    .or_else(|| schema.get("additionalProperties")),
            });
            here = below
                .collect::<Vec<_>>()
                .into_iter()
                .flat_map(|schema| self.whole(schema))
                .collect();
        }
        let mut words = Words::new();
        for schema in here {
            words.extend(
                schema["properties"]
                    .as_object()
                    .into_iter()
                    .flat_map(|all| all.keys().cloned()),
            );
            let listed = schema["enum"]
                .as_array()
                .into_iter()
                .flatten()
                .chain(schema.get("const"));
            words.extend(listed.filter_map(Value::as_str).map(str::to_owned));
        }
        words.remove(INHERITED);
        words
    }

    /// A schema and those that it refers to.
    fn whole<'s>(&'s self, schema: &'s Value) -> Vec<&'s Value> {
        let named = schema["$ref"]
            .as_str()
            .and_then(|name| self.schema.pointer(name.trim_start_matches('#')));
        let any = ["anyOf", "oneOf"]
            .into_iter()
            .flat_map(|several| schema[several].as_array().into_iter().flatten());
        let more = named.into_iter().chain(any).flat_map(|schema| self.whole(schema));
        std::iter::once(schema).chain(more).collect()
    }
}

/// The place of every value, the root's first.
fn places(value: &Value) -> Vec<Vec<String>> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(at, element)| (at.to_string(), element))
            .collect(),
        _ => Vec::new(),
    };
    let mut all = vec![Vec::new()];
    for (step, child) in children {
        all.extend(
            places(child)
                .into_iter()
                .map(|rest| [vec![step.clone()], rest].concat()),
        );
    }
    all
}

fn at<'v>(value: &'v mut Value, place: &[String]) -> &'v mut Value {
    place.iter().fold(value, |value, step| match step.parse::<usize>() {
        Ok(position) => &mut value[position],
        Err(_) => &mut value[step.as_str()],
    })
}

fn everything() -> Value {
    serde_json::from_str(EVERYTHING).unwrap()
}

fn refusal(connector: &Value) -> Option<String> {
    Connector::parse("everything", &connector.to_string())
        .err()
        .map(|error| error.message)
}

/// The words of "unknown field `x`, expected one of `a`, `b`" or "unknown variant …".
fn expected(refusal: &str) -> Option<Words> {
    let (_, rest) = refusal.split_once(&format!("`{STRANGER}`, "))?;
    let (list, _) = rest.split_once("; see").unwrap_or((rest, ""));
    Some(list.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

/// Both judge a changed connector: what the types take, the schema takes; what they refuse for its form, it refuses.
fn agree(judge: &Judge, connector: &Value, what: &str) -> Option<String> {
    let refusal = refusal(connector);
    let checked = judge.check(connector);
    match &refusal {
        None => assert!(
            checked.is_ok(),
            "{what}: only the schema refuses it: {}",
            checked.unwrap_err()
        ),
        Some(reason) => {
            let forms = ["unknown field", "unknown variant", "missing field", "invalid type"];
            let is_form = forms.iter().any(|form| reason.contains(form));
            assert!(
                !is_form || checked.is_err(),
                "{what}: the schema takes it, but {reason}"
            );
        }
    }
    refusal
}

#[test]
fn the_catalog_is_valid() {
    let judge = Judge::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/crm/catalog");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".json") || name == "schema.json" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let connector: Value = serde_json::from_str(&text).unwrap();
        judge
            .check(&connector)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let read = Connector::parse(&name, &text).unwrap_or_else(|error| panic!("{}", error.message));
        assert_eq!(format!("{}.json", read.name), name);
        assert_eq!(connector["$schema"], "schema.json", "{name}: editors find no schema");
        checked += 1;
    }
    assert_eq!(checked, 10);
}

#[test]
fn an_unknown_property_is_refused_by_both_and_both_know_the_same() {
    let judge = Judge::new();
    assert_eq!(refusal(&everything()), None);
    judge.check(&everything()).unwrap();
    // By what a type expects: what the sample has of it.
    let mut seen: BTreeMap<Words, Words> = BTreeMap::new();
    for place in places(&everything()) {
        let mut changed = everything();
        let Some(members) = at(&mut changed, &place).as_object_mut() else {
            continue;
        };
        let own: Words = members.keys().cloned().collect();
        members.insert(STRANGER.into(), "x".into());
        let Some(refusal) = agree(&judge, &changed, &place.join(".")) else {
            continue;
        };
        if let Some(known) = expected(&refusal) {
            assert_eq!(judge.words(&place), known, "{}", place.join("."));
            seen.entry(known).or_default().extend(own);
        }
    }
    assert!(seen.len() > 40, "{}", seen.len());
    for (known, own) in seen {
        let missing: Vec<_> = known.difference(&own).collect();
        assert!(missing.is_empty(), "everything.json lacks {missing:?} of {known:?}");
    }
}

#[test]
fn words_are_the_same_in_both() {
    let judge = Judge::new();
    let mut lists = BTreeSet::new();
    for place in places(&everything()) {
        let mut changed = everything();
        let here = at(&mut changed, &place);
        // A word, or an object that is named by its only member.
        match here {
            Value::String(word) => STRANGER.clone_into(word),
            Value::Object(members) if members.len() == 1 => {
                let only = members.values().next().unwrap().clone();
                *here = serde_json::json!({ STRANGER: only });
            }
            _ => continue,
        }
        let refusal = agree(&judge, &changed, &place.join("."));
        let Some(known) = refusal
            .filter(|reason| reason.contains("unknown variant"))
            .and_then(|reason| expected(&reason))
        else {
            continue;
        };
        let said = judge.words(&place);
        assert!(said.is_subset(&known), "{}: {said:?} of {known:?}", place.join("."));
        // What the schema leaves out is refused at this place by what the types check themselves.
        for word in known.difference(&said) {
            *at(&mut changed, &place) = word.as_str().into();
            assert!(
                agree(&judge, &changed, &place.join(".")).is_some(),
                "{}: {word}",
                place.join(".")
            );
        }
        lists.insert(known);
    }
    assert!(lists.len() > 15, "{}", lists.len());
}

#[test]
fn what_is_missing_or_of_a_wrong_type_is_refused_by_both() {
    let judge = Judge::new();
    let mut missing = 0;
    for place in places(&everything()) {
        let Some((last, above)) = place.split_last() else {
            continue;
        };
        let mut changed = everything();
        *at(&mut changed, &place) = Value::from(7.5);
        agree(&judge, &changed, &format!("{} = 7.5", place.join(".")));
        let mut changed = everything();
        if let Some(members) = at(&mut changed, above).as_object_mut() {
            members.remove(last);
            let refusal = agree(&judge, &changed, &format!("{} is missing", place.join(".")));
            missing += usize::from(refusal.is_some_and(|reason| reason.contains("missing field")));
        }
    }
    assert!(missing > 50, "{missing}");
}

#[test]
fn an_object_that_inherits_need_not_say_all() {
    let judge = Judge::new();
    let mut connector = everything();
    let mut whole = connector["objects"]["leads"].take();
    connector["objects"] = serde_json::json!({
        "leads": { "read": { "full": { "request": { "query": { "kind": "lead" } } }, "deleted": null } },
        "contacts": {},
    });
    whole["remote"] = "Record".into();
    connector[INHERITED] = whole;
    assert_eq!(agree(&judge, &connector, "inherited"), None);
    connector.as_object_mut().unwrap().remove(INHERITED);
    assert!(agree(&judge, &connector, "not inherited").is_some_and(|reason| reason.contains("missing field")));
}

#[test]
fn the_readme_s_example_is_a_connector() {
    let readme = include_str!("../../src/crm/catalog/README.md");
    let (_, rest) = readme.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    Judge::new().check(&serde_json::from_str(example).unwrap()).unwrap();
    assert_eq!(Connector::parse("README.md", example).unwrap().name, "tinycrm");
}
