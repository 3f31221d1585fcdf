//! What Pipedrive's dialect serves and what it refuses, request by request. Those of v1: `tests_v1`.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::{Value, json};

use super::*;
use crate::dialects::{Credential, Crm};
use crate::store::{Id, Row};
use crate::tenant::Config;

pub const HASH: &str = "9dc80c50d78a15643bfc4ca79d76156a73a1ca0e";

pub fn tenant() -> Tenant {
    let mut config = Config::new("k".into());
    config.dialect = Crm::Pipedrive;
    config.timestamps = Pipedrive.timestamps();
    config.custom_fields = vec![HASH.into()];
    Tenant::new("acme".into(), config)
}

pub fn send(tenant: &Tenant, method: &str, target: &str, body: &str) -> Answer {
    let request = hyper::Request::builder()
        .method(method)
        .uri(target)
        .header("content-type", "application/json");
    let (parts, ()): (Parts, ()) = request.body(()).unwrap().into_parts();
    let body = Bytes::copy_from_slice(body.as_bytes());
    let credential = Credential {
        scheme: Scheme::ApiToken,
        text: "k".into(),
    };
    let request = Request::new(&parts, &body, "http://localhost".into(), Some(credential)).unwrap();
    Pipedrive.serve(tenant, &request)
}

pub fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// The answer must have that status.
pub fn ask(tenant: &Tenant, status: u16, method: &str, target: &str, body: Value) -> Value {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let answer = send(tenant, method, target, &body);
    let got = json_of(&answer);
    assert_eq!(answer.status, status, "{method} {target}: {got}");
    assert_eq!(got["success"], status < 300, "{method} {target}");
    got
}

pub fn get(tenant: &Tenant, target: &str) -> Value {
    ask(tenant, 200, "GET", target, Value::Null)
}

/// Rows 1 to `count`; row n changed n / 2 seconds after 2026-01-01, so that pairs have one time.
pub fn rows(tenant: &Tenant, object: Object, count: u64) {
    let rows = (1..=count).map(|n| {
        let time = jiff::Timestamp::from_second(1_767_225_600 + n as i64 / 2).unwrap();
        let id = Pipedrive.ids(object).make(object, n);
        let fields = json!({ "id": id.to_value(), "name": format!("Zoë Müller {n}"), "email": format!("zoe{n}@crm.test"),
            "phone": "+49 30 1", "status": "converted", "owner": "ana@crm.test", "created_at": "2020-01-01T00:00:00Z" });
        Row::new(id, Some(time), records::members(fields))
    });
    tenant.table(object).write().put(rows.collect());
}

pub fn ids(list: &Value) -> Vec<u64> {
    list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_cursor_walks_every_row_once_in_each_order() {
    let tenant = tenant();
    rows(&tenant, Object::Contacts, 25);
    for sort in ["id", "update_time", "add_time"] {
        for direction in ["asc", "desc"] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = get(
                    &tenant,
                    &format!("/api/v2/persons?limit=4&sort_by={sort}&sort_direction={direction}{cursor}"),
                );
                seen.extend(ids(&page));
                match &page["additional_data"]["next_cursor"] {
                    Value::String(next) => cursor = format!("&cursor={next}"),
                    end => {
                        assert!(end.is_null());
                        break;
                    }
                }
            }
            let mut expected: Vec<u64> = (1..=25).collect();
            if direction == "desc" {
                expected.reverse();
            }
            assert_eq!(seen, expected, "{sort} {direction}");
        }
    }
    let page = get(&tenant, "/api/v2/persons?limit=4");
    let cursor = page["additional_data"]["next_cursor"].as_str().unwrap();
    ask(
        &tenant,
        400,
        "GET",
        &format!("/api/v2/persons?sort_by=add_time&cursor={cursor}"),
        Value::Null,
    );
}

#[test]
fn updated_since_includes_its_own_second_and_updated_until_does_not() {
    let tenant = tenant();
    rows(&tenant, Object::Deals, 9);
    let since = get(
        &tenant,
        "/api/v2/deals?updated_since=2026-01-01T00:00:03Z&sort_by=update_time",
    );
    assert_eq!(ids(&since), [6, 7, 8, 9]);
    let both = "/api/v2/deals?updated_since=2026-01-01T01:00:03%2B01:00&updated_until=2026-01-01T00:00:04Z";
    assert_eq!(ids(&get(&tenant, both)), [6, 7]);
    for wrong in [
        "2026-01-01",
        "2026-01-01+00:00:00",
        "2026-01-01T00:00:00",
        "1767225600",
        "yesterday",
    ] {
        ask(
            &tenant,
            400,
            "GET",
            &format!("/api/v2/deals?updated_since={wrong}"),
            Value::Null,
        );
    }
    assert_eq!(ids(&get(&tenant, "/api/v2/deals?ids=3,1,77,3")), [1, 3]);
    assert_eq!(ids(&get(&tenant, "/api/v2/deals?status=open")), [] as [u64; 0]);
    assert_eq!(ids(&get(&tenant, "/api/v2/deals?status=won,lost&stage_id=1")).len(), 9);
}

#[test]
fn parameters_that_are_refused() {
    let tenant = tenant();
    let many = (1..=101).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let keys = ["a"; 16].join(",");
    for target in [
        "persons?limit=501",
        "persons?limit=0",
        "persons?limit=x",
        "persons?page=2",
        "persons?start=0",
        "persons?filter[updated_at_gt]=2026-01-01",
        "persons?sort_by=name",
        "persons?sort_direction=up",
        "persons?cursor=x",
        "persons?include_fields=email",
        "persons?status=open",
        "persons/1?limit=1",
        "persons/x",
        "persons/01",
        "organizations?org_id=1",
        "deals?status=new",
        "persons/search?term=x",
        "persons/search?term=xy&fields=title",
        "persons/search?term=xy&status=open",
        "deals/search?term=xy&status=new",
        "personFields?start=1",
        &format!("persons?ids={many}"),
        &format!("persons?custom_fields={keys}"),
    ] {
        ask(&tenant, 400, "GET", &format!("/api/v2/{target}"), Value::Null);
    }
    for target in [
        "/api/v1/persons",
        "/v1/deals/1",
        "/api/v2/leads",
        "/api/v2/tickets",
        "/api/v2/persons/1",
        "/x",
    ] {
        ask(&tenant, 404, "GET", target, Value::Null);
    }
    for (method, target) in [
        ("PUT", "/api/v2/persons/1"),
        ("POST", "/api/v2/persons/1"),
        ("PUT", "/v1/leads/1"),
    ] {
        ask(&tenant, 405, method, target, Value::Null);
    }
}

#[test]
fn a_person_is_written_read_and_deleted() {
    let tenant = tenant();
    let made = ask(
        &tenant,
        200,
        "POST",
        "/api/v2/persons",
        json!({ "name": "Ángel Núñez", "owner_id": 7, "custom_fields": { HASH: "x" }, "emails": [
            { "value": "b@crm.test", "primary": false, "label": "home" }, { "value": "a@crm.test", "primary": true, "label": "work" }] }),
    );
    let person = &made["data"];
    assert_eq!(
        (&person["first_name"], &person["last_name"]),
        (&json!("Ángel"), &json!("Núñez"))
    );
    assert_eq!((&person["owner_id"], &person["is_deleted"]), (&json!(7), &json!(false)));
    assert_eq!(person["emails"][0]["value"], "b@crm.test");
    assert_eq!(person["custom_fields"][HASH], "x");
    assert!(
        person["update_time"].as_str().unwrap().ends_with('Z') && person["update_time"].as_str().unwrap().len() == 20
    );
    let row = tenant
        .table(Object::Contacts)
        .read()
        .find("1")
        .unwrap()
        .fields()
        .unwrap();
    assert_eq!(row["email"], "a@crm.test");
    let target = "/api/v2/persons/1";
    let changed = ask(
        &tenant,
        200,
        "PATCH",
        target,
        json!({ "phones": [{ "value": "1" }], "custom_fields": { HASH: null } }),
    );
    assert_eq!(changed["data"]["phones"], json!([{ "value": "1" }]));
    assert_eq!(changed["data"]["custom_fields"], json!({ HASH: null }));
    assert_eq!(get(&tenant, target)["data"], changed["data"]);
    let found = get(
        &tenant,
        "/api/v2/persons/search?term=B%40crm.test&fields=email&exact_match=true",
    );
    assert_eq!(found["data"]["items"][0]["item"]["id"], 1);
    assert_eq!(
        ask(&tenant, 200, "DELETE", target, Value::Null)["data"],
        json!({ "id": 1 })
    );
    for method in ["GET", "DELETE"] {
        ask(&tenant, 404, method, target, Value::Null);
    }
    ask(&tenant, 404, "PATCH", target, json!({ "name": "x" }));
}

#[test]
fn bodies_that_are_refused() {
    let tenant = tenant();
    rows(&tenant, Object::Contacts, 1);
    for body in [
        json!({}),
        json!([]),
        json!({ "name": "" }),
        json!({ "name": null }),
        json!({ "name": "a", "email": "a@crm.test" }),
        json!({ "name": "a", "emails": ["a@crm.test"] }),
        json!({ "name": "a", "emails": [{ "value": "not one" }] }),
        json!({ "name": "a", "org_id": 5 }),
        json!({ "name": "a", "org_id": null }),
        json!({ "name": "a", "owner_id": "7" }),
        json!({ "name": "a", "marketing_status": "keen" }),
        json!({ "name": "a", "custom_fields": { "colour": "red" } }),
        json!({ "name": "a", "update_time": "2026-01-01T00:00:00Z" }),
    ] {
        ask(&tenant, 400, "POST", "/api/v2/persons", body);
    }
    ask(
        &tenant,
        400,
        "PATCH",
        "/api/v2/persons/1",
        json!({ "add_time": "2026-01-01T00:00:00Z" }),
    );
    ask(&tenant, 400, "POST", "/api/v2/deals", json!({ "value": 5 }));
    ask(&tenant, 400, "POST", "/api/v2/organizations", json!({ "website": "x" }));
    assert_eq!(send(&tenant, "POST", "/api/v2/persons", "{").status, 400);
    assert_eq!(tenant.table(Object::Contacts).read().len(), 1);
}

#[test]
fn fields_are_described_by_cursor_and_by_offset() {
    let tenant = tenant();
    let page = get(&tenant, "/api/v2/personFields?limit=10");
    let cursor = page["additional_data"]["next_cursor"].as_str().unwrap();
    let rest = get(&tenant, &format!("/api/v2/personFields?limit=10&cursor={cursor}"));
    assert_eq!(rest["data"].as_array().unwrap().last().unwrap()["field_code"], HASH);
    assert!(rest["additional_data"]["next_cursor"].is_null());
    let leads = get(&tenant, "/api/v1/leadFields");
    assert_eq!(leads["data"][0]["key"], "title");
}

#[test]
fn limits_and_strangers_are_told_in_its_own_form() {
    let tenant = tenant();
    let answer = send(&tenant, "GET", "/v1/users/me", "");
    let header = |answer: &Answer, name: &str| {
        let found = answer.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header(&answer, "x-ratelimit-limit").as_deref(), Some("100"));
    let (parts, ()) = hyper::Request::get("/api/v1/leads").body(()).unwrap().into_parts();
    let body = Bytes::new();
    let request = Request::new(&parts, &body, String::new(), None).unwrap();
    let refused = Refused {
        limit: serde_json::from_value(serde_json::json!({ "requests": 4, "per_ms": 2000 })).unwrap(),
        wait: std::time::Duration::from_millis(1500),
    };
    let limited = Pipedrive.limited(&request, &refused);
    assert_eq!(limited.status, 429);
    assert_eq!(header(&limited, "x-ratelimit-remaining").as_deref(), Some("0"));
    assert_eq!(header(&limited, "x-ratelimit-reset").as_deref(), Some("2"));
    assert_eq!(header(&limited, "retry-after"), None);
    assert_eq!(json_of(&Pipedrive.unauthorized(&request))["errorCode"], 401);
    let id = Pipedrive.ids(Object::Leads).make(Object::Leads, 1);
    assert!(matches!(id, Id::Text(text) if fields::is_uuid(&text)));
}
