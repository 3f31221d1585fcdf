//! The built-in connectors: each reads, says for every object type what it does or why it cannot, and has the neutral fields.

use std::collections::BTreeMap;

use tenant_crm_sync::crm::catalog::{Folder, find, names};
use tenant_crm_sync::crm::connector::Connector;
use tenant_crm_sync::crm::object::Object;

fn built_in() -> Vec<&'static Connector> {
    let none = Folder::default();
    let names = names(&none).unwrap();
    names.iter().map(|name| find(name, &none).unwrap()).collect()
}

/// What an object can do, by the names that `cannot` uses.
fn capabilities(object: &Object) -> BTreeMap<&'static str, bool> {
    let (read, write) = (&object.read, &object.write);
    let batch = &write.batch;
    let changes = |full: &tenant_crm_sync::crm::object::Listing| full.request.names().contains(&"since");
    BTreeMap::from([
        ("full", read.full.is_some()),
        ("since", read.since.is_some() || read.full.as_ref().is_some_and(changes)),
        ("one", read.one.is_some()),
        ("by_ids", read.by_ids.is_some()),
        ("deleted", read.deleted.is_some()),
        ("fields", read.fields.is_some()),
        ("create", write.create.is_some()),
        ("update", write.update.is_some()),
        ("upsert", write.upsert.is_some()),
        ("delete", write.delete.is_some()),
        (
            "batch",
            batch.create.is_some() && batch.update.is_some() && batch.delete.is_some(),
        ),
    ])
}

#[test]
fn every_built_in_reads_and_is_called_as_its_file() {
    let connectors = built_in();
    assert!(connectors.len() >= 6, "{}", connectors.len());
    for connector in connectors {
        assert!(find(&connector.name, &Folder::default()).is_ok());
        assert!(
            !connector.title.is_empty() && connector.probe.is_some(),
            "{}",
            connector.name
        );
    }
}

#[test]
fn what_a_crm_cannot_do_is_said_and_nothing_else_is() {
    for connector in built_in() {
        for (name, object) in &connector.objects {
            for (capability, can) in capabilities(object) {
                let reason = object.cannot.get(capability);
                let place = format!("{}: {name}: {capability}", connector.name);
                assert_eq!(can, reason.is_none(), "{place}: {reason:?}");
                assert!(reason.is_none_or(|reason| reason.len() > 10), "{place}: say why");
            }
            let verifies = connector.webhooks.is_some();
            assert!(
                verifies || object.cannot.contains_key("webhooks"),
                "{}: {name}: webhooks",
                connector.name
            );
        }
    }
}

#[test]
fn every_crm_has_the_article_s_object_types() {
    for connector in built_in() {
        for name in ["leads", "contacts", "companies", "deals", "tickets"] {
            assert!(connector.object(name).is_ok(), "{}: {name}", connector.name);
        }
    }
}

#[test]
fn mapped_leads_have_a_name_and_the_time_of_their_making() {
    for connector in built_in().into_iter().filter(|connector| connector.name != "rest") {
        let map = connector.object("leads").unwrap().map.as_ref().unwrap();
        let names: Vec<&str> = map.names().collect();
        for name in ["name", "created_at"] {
            assert!(names.contains(&name), "{}: {name} is not in {names:?}", connector.name);
        }
    }
}

#[test]
fn every_secret_is_marked_as_one() {
    for connector in built_in() {
        for (name, field) in &connector.fields {
            let looks_secret = ["secret", "api_key", "token", "password", "private_key"]
                .iter()
                .any(|part| name.contains(part));
            let is_address = name.ends_with("endpoint") || name.ends_with("path");
            assert!(
                field.secret || !looks_secret || is_address,
                "{}: {name}",
                connector.name
            );
        }
    }
}
