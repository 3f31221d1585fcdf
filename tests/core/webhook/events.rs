//! What a verified webhook is about, for each CRM's body as its connector describes it.

use serde_json::{Value, json};
use tenant_crm_sync::crm::webhook::{Action, Event, MAX_EVENTS, Reason, Webhooks};

use super::{Signed, block, load};

/// The block's events, behind a proof that always holds.
fn open(name: &str) -> Webhooks {
    let mut webhooks = block(name);
    webhooks.verify = load(&json!({ "verify": [{ "opaque_url": {} }] })).unwrap().verify;
    webhooks
}

fn events(name: &str, body: &str) -> Vec<Event> {
    Signed::new(body).check(&open(name)).unwrap().events
}

fn event(object: &str, action: Action, ids: &[&str]) -> Event {
    Event {
        object: Some(object.to_owned()),
        action,
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        event_id: None,
        account: None,
        occurred_at_ms: None,
        fields: Vec::new(),
    }
}

fn custom(events: &Value) -> Webhooks {
    load(&json!({ "verify": [{ "opaque_url": {} }], "events": events })).unwrap()
}

#[test]
fn hubspot() {
    let found = events(
        "hubspot",
        r#"[
        {"eventId":1,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","objectId":123},
        {"eventId":2,"portalId":62515,"occurredAt":1564113600001,"subscriptionType":"deal.privacyDeletion","objectId":"9007199254740993"},
        {"eventId":3,"portalId":62515,"occurredAt":1,"subscriptionType":"object.propertyChange","objectTypeId":"0-5","objectId":7},
        {"eventId":4,"portalId":62516,"occurredAt":1,"subscriptionType":"company.merge","objectId":8},
        {"eventId":5,"portalId":62516,"occurredAt":1,"subscriptionType":"product.creation","objectId":9},
        {"eventId":6,"portalId":62516,"subscriptionType":"conversation.newMessage"}
    ]"#,
    );
    let all = |id: &str, account: &str, at, event| Event {
        event_id: Some(id.to_owned()),
        account: Some(account.to_owned()),
        occurred_at_ms: Some(at),
        ..event
    };
    let mut product = event("", Action::Create, &["9"]);
    product.object = None;
    assert_eq!(
        found,
        [
            all(
                "1",
                "62515",
                1_564_113_600_000,
                event("contacts", Action::Create, &["123"])
            ),
            all(
                "2",
                "62515",
                1_564_113_600_001,
                event("deals", Action::Delete, &["9007199254740993"])
            ),
            all("3", "62515", 1000, event("tickets", Action::Update, &["7"])),
            all("4", "62516", 1000, event("companies", Action::Other, &["8"])),
            all("5", "62516", 1000, product),
        ]
    );
}

#[test]
fn pipedrive() {
    let found = events(
        "pipedrive",
        r#"{"data":{"id":1,"meta":{"entity":"deal"}},"previous":{},"meta":{"action":"change","entity":"person","entity_id":99,
        "id":"7bf2","company_id":123,"timestamp":"2026-11-23T10:00:00.250Z","version":"2.0"}}"#,
    );
    let expected = Event {
        event_id: Some("7bf2".to_owned()),
        account: Some("123".to_owned()),
        occurred_at_ms: Some(1_795_428_000_250),
        ..event("contacts", Action::Update, &["99"])
    };
    assert_eq!(found, [expected]);
}

#[test]
fn what_changed_is_one_name_a_list_or_the_members_of_an_object() {
    let fields = |name: &str, body: &str| events(name, body).remove(0).fields;
    let hubspot = r#"[{"eventId":1,"subscriptionType":"contact.propertyChange","objectId":1,"propertyName":"email"}]"#;
    assert_eq!(fields("hubspot", hubspot), ["email"]);
    let pipedrive =
        r#"{"previous":{"name":"a","email":null},"meta":{"action":"change","entity":"person","entity_id":9}}"#;
    assert_eq!(fields("pipedrive", pipedrive), ["name", "email"]);
    let created = r#"{"previous":null,"meta":{"action":"create","entity":"person","entity_id":9}}"#;
    assert!(fields("pipedrive", created).is_empty());
    let own = custom(&json!({ "id": ["id"], "fields": ["changed"] }));
    let found = Signed::new(r#"{"id":1,"changed":["a",2,null]}"#)
        .check(&own)
        .unwrap()
        .events;
    assert_eq!(found.first().unwrap().fields, ["a", "2"]);
    let many: Vec<String> = (0..=MAX_EVENTS).map(|number| format!("\"f{number}\":0")).collect();
    let body = format!("{{\"id\":1,\"changed\":{{{}}}}}", many.join(","));
    assert_eq!(Signed::new(&body).check(&own).unwrap_err(), Reason::TooLarge);
}

#[test]
fn zoho_names_many_records() {
    let found = events(
        "zoho",
        r#"{"module":"Leads","ids":["4150868000003194003","",4150868000003194004,null],"operation":"insert","token":"t"}"#,
    );
    assert_eq!(
        found,
        [event(
            "leads",
            Action::Create,
            &["4150868000003194003", "4150868000003194004"]
        )]
    );
}

#[test]
fn dynamics() {
    let found = events(
        "dynamics",
        r#"{"InputParameters":[{"key":"Target","value":{"PrimaryEntityId":"no"}}],"MessageName":"Delete","PrimaryEntityName":"incident",
        "PrimaryEntityId":"6d81597f-0f9f-e711-8122-000d3aa2331c","OrganizationId":"4ef5","OperationCreatedOn":"\/Date(1506409448000-0700)\/"}"#,
    );
    let expected = Event {
        account: Some("4ef5".to_owned()),
        occurred_at_ms: Some(1_506_409_448_000),
        ..event("tickets", Action::Delete, &["6d81597f-0f9f-e711-8122-000d3aa2331c"])
    };
    assert_eq!(found, [expected]);
}

#[test]
fn espocrm_says_what_happened_in_its_address_only() {
    let body = r#"[{"id":"a","name":"x"},{"id":"b"},{"name":"without id"}]"#;
    let at = |query: &str| {
        let signed = Signed::new(body).url(&format!("https://portal.example/webhook?{query}"));
        let events = signed.check(&open("espocrm")).unwrap().events;
        events
            .into_iter()
            .map(|event| (event.object, event.action, event.ids.join(",")))
            .collect::<Vec<_>>()
    };
    let leads = Some("leads".to_owned());
    let expected = |action| {
        vec![
            (leads.clone(), action, "a".to_owned()),
            (leads.clone(), action, "b".to_owned()),
        ]
    };
    assert_eq!(at("event=Lead.delete"), expected(Action::Delete));
    assert_eq!(at("event=Lead.fieldUpdate.status"), expected(Action::Other));
    let unknown = |id: &str| (None, Action::Other, id.to_owned());
    assert_eq!(at(""), [unknown("a"), unknown("b")]);
}

#[test]
fn standard_webhooks_and_dolibarr() {
    let found = events(
        "rest",
        r#"{"type":"company.deleted","timestamp":"2026-11-23 10:00:00","data":{"id":"c-1"}}"#,
    );
    let mut expected = event("companies", Action::Delete, &["c-1"]);
    expected.occurred_at_ms = Some(1_795_428_000_000);
    assert_eq!(found, [expected]);
    let found = events("dolibarr", r#"{"triggercode":"CONTACT_MODIFY","object":{"id":"5"}}"#);
    assert_eq!(found, [event("contacts", Action::Update, &["5"])]);
}

#[test]
fn lists_stand_where_the_connector_says() {
    let nested = custom(&json!({
        "list": ["payload", "events"], "id": [], "object": [{ "from": { "header": "X-Object" }, "map": { "l": "leads" } }]
    }));
    let read = |body: &str| {
        let verified = Signed::new(body).header("x-object", "l").check(&nested);
        verified.map(|verified| verified.events)
    };
    let body = r#"{"payload":{"events":["old"],"events":[1,"b",[3,4]]},"events":[9]}"#;
    let expected = [
        event("leads", Action::Other, &["1"]),
        event("leads", Action::Other, &["b"]),
        event("leads", Action::Other, &["3", "4"]),
    ];
    assert_eq!(
        read(body),
        Ok(expected.to_vec()),
        "the last of two members counts, as in PHP"
    );
    assert_eq!(read(r#"{"payload":{"events":[]}}"#), Ok(vec![]));
    assert_eq!(read(""), Ok(vec![]), "nothing is said");
    for body in [
        "{}",
        "[]",
        "7",
        r#"{"payload":[]}"#,
        r#"{"payload":{"events":7}}"#,
        "{\"payload\"",
        "{} {}",
    ] {
        assert_eq!(read(body), Err(Reason::Unreadable), "{body}");
    }
}

#[test]
fn ids_keep_all_their_digits() {
    let plain = custom(&json!({ "id": ["id"] }));
    let body = r#"[{"id":12345678901234567890123},{"id":1.50},{"id":"00QAbC"},{"id":true},{"id":{}},{"id":""}]"#;
    let ids: Vec<_> = Signed::new(body)
        .check(&plain)
        .unwrap()
        .events
        .into_iter()
        .flat_map(|event| event.ids)
        .collect();
    assert_eq!(ids, ["12345678901234567890123", "1.50", "00QAbC"]);
}

#[test]
fn events_are_counted() {
    let plain = custom(&json!({ "id": ["id"] }));
    let check = |body: String| Signed::new(&body).check(&plain).map(|verified| verified.events.len());
    let list = |count: usize| format!("[{}]", vec![r#"{"id":1}"#; count].join(","));
    assert_eq!(check(list(MAX_EVENTS)), Ok(MAX_EVENTS));
    assert_eq!(check(list(MAX_EVENTS + 1)), Err(Reason::TooLarge));
    assert_eq!(
        check(format!("[{}]", vec!["{}"; MAX_EVENTS + 1].join(","))),
        Err(Reason::TooLarge)
    );
    let ids = |count: usize| format!("{{\"id\":[{}]}}", vec!["1"; count].join(","));
    assert_eq!(check(ids(MAX_EVENTS)), Ok(1));
    assert_eq!(check(ids(MAX_EVENTS + 1)), Err(Reason::TooLarge));
    assert_eq!(check(format!("[{},{}]", ids(600), ids(600))), Err(Reason::TooLarge));
    assert_eq!(check("[".repeat(600)), Err(Reason::Unreadable));
}
