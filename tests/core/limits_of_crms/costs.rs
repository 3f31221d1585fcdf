//! What each kind of request costs, and what it takes of which window.

use tenant_crm_sync::crm::limit::{Cost, Costs};
use tenant_crm_sync::crm::object::Operation;
use tenant_crm_sync::error::Kind;
use tenant_crm_sync::limit::budget::draws;
use tenant_crm_sync::limit::own::TenantLimits;
use tenant_crm_sync::template::{Value, Values};

use super::{connected, of};
use crate::support::built_in;

fn costs(operation: &Operation) -> Costs {
    operation.cost(&Values::new())
}

#[test]
fn only_hubspots_search_is_a_search() {
    let hubspot = built_in("hubspot");
    let connection = connected("hubspot", "key", &[("api_key", "k")]);
    let all = of(&connection, &TenantLimits::default());
    for name in [
        "leads",
        "contacts",
        "companies",
        "deals",
        "tickets",
        "sales_leads",
        "invoices",
    ] {
        let object = hubspot.object(name).unwrap();
        let search = draws(&all, &costs(&object.read.since.as_ref().unwrap().request)).unwrap();
        let taken: Vec<_> = search.windows.iter().map(|window| window.unit.as_str()).collect();
        assert_eq!(taken, ["requests", "searches", "requests"], "{name}");
        assert!(search.draws.iter().all(|draw| draw.cost == 1));
        for operation in [
            &object.read.full.as_ref().unwrap().request,
            object.read.one.as_ref().unwrap(),
        ] {
            let plain = draws(&all, &costs(operation)).unwrap();
            assert!(plain.windows.iter().all(|window| window.unit == "requests"), "{name}");
            assert_eq!(plain.draws.len(), 2, "{name}");
            assert_eq!((plain.draws[0].key, plain.draws[0].rule), (all[0].key, all[0].rule));
        }
    }
}

#[test]
fn pipedrives_tokens_are_those_of_its_two_versions() {
    let pipedrive = built_in("pipedrive");
    let tokens = |operation: &Operation| costs(operation).of("tokens");
    for (name, list, one, write, delete) in [
        ("leads", 20, 2, 10, 6),
        ("contacts", 10, 1, 5, 3),
        ("companies", 10, 1, 5, 3),
        ("deals", 10, 1, 5, 3),
    ] {
        let object = pipedrive.object(name).unwrap();
        let (read, writes) = (&object.read, &object.write);
        assert_eq!(tokens(&read.full.as_ref().unwrap().request), Some(list), "{name}");
        assert_eq!(tokens(&read.fields.as_ref().unwrap().request), Some(list), "{name}");
        assert_eq!(tokens(read.one.as_ref().unwrap()), Some(one), "{name}");
        assert_eq!(tokens(writes.create.as_ref().unwrap()), Some(write), "{name}");
        assert_eq!(tokens(writes.update.as_ref().unwrap()), Some(write), "{name}");
        assert_eq!(tokens(writes.delete.as_ref().unwrap()), Some(delete), "{name}");
        if let Some(deleted) = &read.deleted {
            assert_eq!(tokens(&deleted.request), Some(10), "{name}");
        }
    }
    let probe = pipedrive.probe.as_ref().unwrap();
    let all = of(
        &connected("pipedrive", "key", &[("api_key", "k")]),
        &TenantLimits::default(),
    );
    let drawn = draws(&all, &costs(probe)).unwrap();
    let drawn: Vec<_> = drawn.draws.iter().map(|draw| draw.cost).collect();
    assert_eq!(drawn, [1, 2], "one of the short window, two tokens");
    let unnamed = draws(&all, &Costs::default()).unwrap();
    assert_eq!(
        unnamed.draws[1].cost, 20,
        "what names no cost is taken as a list of the dearer version"
    );
}

#[test]
fn zohos_batches_cost_a_credit_for_ten_records() {
    let zoho = built_in("zoho").object("leads").unwrap();
    let credits = |operation: &Operation, records: usize| {
        let items = vec!["{\"a\":[1,2]}"; records].join(",");
        let values = Values::new().with("items", Value::Json(format!("[{items}]")));
        operation.cost(&values).of("credits")
    };
    let batch = &zoho.write.batch;
    for batch in [&batch.create, &batch.update, &batch.upsert] {
        let request = &batch.as_ref().unwrap().request;
        for (records, cost) in [(1, 1), (10, 1), (11, 2), (100, 10)] {
            assert_eq!(credits(request, records), Some(cost), "{records}");
        }
    }
    let all = of(&connected("zoho", "oauth", &[]), &TenantLimits::default());
    let delete = &batch.delete.as_ref().unwrap().request;
    assert_eq!(
        draws(&all, &costs(delete)).unwrap().draws[0].cost,
        1,
        "all other calls cost one"
    );
}

#[test]
fn records_are_counted_by_ids_too_and_broken_lists_cost_one() {
    let cost = |values: Values| {
        let text = r#"{"method":"POST","path":"/x","costs":{"requests":{"one_for":2}}}"#;
        let operation: Operation = serde_json::from_str(text).unwrap();
        operation.cost(&values).of("requests").unwrap()
    };
    let ids = |count| Value::List((0..count).map(|id: u32| id.to_string()).collect());
    assert_eq!(cost(Values::new()), 1);
    assert_eq!(cost(Values::new().with("ids", ids(0))), 1);
    assert_eq!(cost(Values::new().with("ids", ids(5))), 3);
    assert_eq!(
        cost(Values::new().with("items", Value::Json(String::from("no list")))),
        1
    );
    assert_eq!(Cost::OneFor(1).of(u64::MAX), u64::MAX);
}

#[test]
fn what_costs_nothing_takes_nothing() {
    let all = of(
        &connected("pipedrive", "key", &[("api_key", "k")]),
        &TenantLimits::default(),
    );
    let free: Costs = [(String::from("tokens"), 0), (String::from("requests"), 0)]
        .into_iter()
        .collect();
    assert!(draws(&all, &free).unwrap().draws.is_empty());
    assert_eq!((all[1].least().cost, all[1].least().key), (1, all[1].key));
}

#[test]
fn what_costs_more_than_there_is_is_refused_in_words_and_does_not_wait_for_ever() {
    let own = TenantLimits::parse(None, Some(r#"[{"amount":12,"daily":true,"unit":"tokens"}]"#), None).unwrap();
    let all = of(&connected("pipedrive", "key", &[("api_key", "k")]), &own);
    let taken = |tokens| draws(&all, &[(String::from("tokens"), tokens)].into_iter().collect());
    assert_eq!(taken(9).unwrap().draws[0].cost, 9);
    let error = taken(10).unwrap_err();
    assert_eq!(error.kind, Kind::Config);
    for part in ["10 tokens", "9 of 12 tokens a day", "limits", "reserve"] {
        assert!(error.message.contains(part), "{part} is not in: {}", error.message);
    }
}
