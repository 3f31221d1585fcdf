//! The same for v1: leads, and the feed of changes.

use serde_json::{Value, json};

use super::tests::{HASH, ask, get, ids, rows, tenant};
use crate::store::Object;

#[test]
fn leads_belong_to_somebody_and_are_v1() {
    let tenant = tenant();
    rows(&tenant, Object::Contacts, 1);
    for body in [
        json!({ "title": "Offer" }),
        json!({ "person_id": 1 }),
        json!({ "title": "Offer", "person_id": 2 }),
        json!({ "title": "Offer", "person_id": 1, "email": "a@crm.test" }),
        json!({ "title": "Offer", "person_id": 1, "visible_to": 3 }),
        json!({ "title": "Offer", "person_id": 1, "value": { "amount": 5 } }),
        json!({ "title": "Offer", "person_id": 1, "expected_close_date": "01.02.2026" }),
        json!({ "title": "Offer", "person_id": 1, "is_archived": true }),
    ] {
        ask(&tenant, 400, "POST", "/api/v1/leads", body);
    }
    let body = json!({ "title": "Offer", "person_id": 1, "value": { "amount": 5, "currency": "EUR" }, HASH: "x" });
    let made = ask(&tenant, 201, "POST", "/v1/leads", body)["data"].clone();
    assert_eq!(
        (&made["title"], &made["person_id"], &made[HASH]),
        (&json!("Offer"), &json!(1), &json!("x"))
    );
    assert!(made["update_time"].as_str().unwrap().ends_with(".000Z"));
    let target = format!("/api/v1/leads/{}", made["id"].as_str().unwrap());
    assert_eq!(get(&tenant, &target)["data"], made);
    ask(&tenant, 400, "PATCH", &target, json!({ "origin_id": "x" }));
    let changed = ask(
        &tenant,
        200,
        "PATCH",
        &target,
        json!({ "value": null, "is_archived": true }),
    );
    assert!(changed["data"]["value"].is_null());
    assert_eq!(get(&tenant, "/api/v1/leads")["data"], json!([]));
    assert_eq!(get(&tenant, "/api/v1/leads/archived")["data"][0]["id"], made["id"]);
    assert_eq!(
        ask(&tenant, 200, "DELETE", &target, Value::Null)["data"]["id"],
        made["id"]
    );
    assert_eq!(
        ask(&tenant, 404, "GET", &target, Value::Null)["error"],
        "requested lead not found"
    );
    ask(&tenant, 400, "GET", "/api/v1/leads/12", Value::Null);
}

#[test]
fn leads_are_paged_by_offset() {
    let tenant = tenant();
    rows(&tenant, Object::Leads, 5);
    let page = get(&tenant, "/api/v1/leads?limit=2&start=2&sort=update_time");
    let paging = json!({ "start": 2, "limit": 2, "more_items_in_collection": true, "next_start": 4 });
    assert_eq!(page["additional_data"]["pagination"], paging);
    assert_eq!(page["additional_data"]["more_items_in_collection"], true);
    let end = get(&tenant, "/api/v1/leads?limit=2&start=4");
    assert_eq!(
        end["additional_data"]["pagination"],
        json!({ "start": 4, "limit": 2, "more_items_in_collection": false })
    );
    let since = get(&tenant, "/api/v1/leads?updated_since=2026-01-01T00:00:02Z");
    assert_eq!(since["data"].as_array().unwrap().len(), 2);
    assert_eq!(
        get(&tenant, "/api/v1/leads?limit=9999")["additional_data"]["limit"],
        500
    );
    for query in [
        "sort=update_time%20ASC",
        "sort=name",
        "cursor=x",
        "updated_since=2026-01-01",
        "start=-1",
    ] {
        ask(&tenant, 400, "GET", &format!("/api/v1/leads?{query}"), Value::Null);
    }
    ask(
        &tenant,
        400,
        "GET",
        "/api/v1/leads/archived?updated_since=2026-01-01T00:00:00Z",
        Value::Null,
    );
}

#[test]
fn the_deleted_are_told_of() {
    let tenant = tenant();
    for object in [Object::Deals, Object::Contacts] {
        rows(&tenant, object, 3);
    }
    ask(&tenant, 200, "DELETE", "/api/v2/deals/2", Value::Null);
    ask(&tenant, 200, "DELETE", "/api/v2/persons/3", Value::Null);
    assert_eq!(ids(&get(&tenant, "/api/v2/deals")), [1, 3]);
    let gone = get(&tenant, "/api/v2/deals?status=deleted");
    assert_eq!(ids(&gone), [2]);
    assert_eq!(
        (&gone["data"][0]["is_deleted"], &gone["data"][0]["status"]),
        (&json!(true), &json!("deleted"))
    );
    let recent = get(
        &tenant,
        "/api/v1/recents?since_timestamp=2026-01-02%2000:00:00&items=person,deal",
    );
    let told: Vec<(&Value, &Value)> = recent["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["item"], &one["id"]))
        .collect();
    assert_eq!(told, [(&json!("deal"), &json!(2)), (&json!("person"), &json!(3))]);
    assert_eq!(recent["data"][1]["data"]["active_flag"], false);
    for query in [
        "",
        "since_timestamp=2026-01-02T00:00:00Z",
        "since_timestamp=2026-01-02%2000:00:00&items=lead",
    ] {
        ask(&tenant, 400, "GET", &format!("/api/v1/recents?{query}"), Value::Null);
    }
    let said = ask(&tenant, 200, "PATCH", "/api/v2/deals/3", json!({ "is_deleted": true }));
    assert_eq!(said["data"]["is_deleted"], true);
    assert_eq!(ids(&get(&tenant, "/api/v2/deals")), [1]);
    assert_eq!(ids(&get(&tenant, "/api/v2/deals?status=deleted")), [2, 3]);
}

#[test]
fn webhooks_are_made_and_ended() {
    let tenant = tenant();
    let good = json!({ "subscription_url": "https://portal.test/hook", "event_action": "*", "event_object": "lead", "name": "x",
        "version": "2.0", "http_auth_user": "u", "http_auth_password": "p" });
    for (name, value) in [
        ("subscription_url", json!("portal")),
        ("event_action", json!("updated")),
        ("event_object", json!("leads")),
        ("name", json!("")),
        ("version", json!("3.0")),
        ("colour", json!("red")),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        ask(&tenant, 400, "POST", "/api/v1/webhooks", bad);
    }
    let made = ask(&tenant, 201, "POST", "/api/v1/webhooks", good)["data"].clone();
    assert_eq!((&made["id"], &made["company_id"]), (&json!(1), &json!(1)));
    assert_eq!(get(&tenant, "/api/v1/webhooks")["data"], json!([made]));
    ask(&tenant, 404, "DELETE", "/api/v1/webhooks/2", Value::Null);
    ask(&tenant, 200, "DELETE", "/api/v1/webhooks/1", Value::Null);
    assert!(tenant.webhooks.lock().is_empty());
}
