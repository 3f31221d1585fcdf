//! What is served to HubSpot's clients, and what is refused.

use serde_json::{Value, json};

use crate::dialects::Crm as Name;
use crate::dialects::testing::Crm;
use crate::store::{Id, Object};

const LIST: &str = "/crm/v3/objects/contacts";
const JSON: &str = "application/json";

fn crm(count: u64) -> Crm {
    let crm = Crm::new(Name::Hubspot);
    let rows: Vec<Value> = (1..=count)
        .map(|n| {
            json!({
                "id": n,
                "name": format!("Zoë M. Nr{n}"),
                "email": format!("z{n}@example.test"),
                "status": "new",
                "score": 1.5,
                "tags": ["a", "b"],
                "created_at": "2026-01-01T00:00:00Z",
                "updated_at": format!("2026-11-01T00:{:02}:{:02}.123456Z", n / 60, n % 60),
            })
        })
        .collect();
    crm.rows(Object::Contacts, json!(rows));
    crm
}

fn post(crm: &Crm, path: &str, body: Value) -> (u16, Value) {
    crm.send("POST", &format!("{LIST}{path}"), JSON, &body.to_string())
}

fn ids(body: &Value) -> Vec<&str> {
    let results = body["results"].as_array().unwrap();
    results.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn a_list_has_ten_or_a_hundred_at_most_and_ends_without_paging() {
    let crm = crm(250);
    let (_, first) = crm.get(LIST);
    assert_eq!(ids(&first).len(), 10);
    let mut after = String::new();
    let mut sizes = Vec::new();
    loop {
        let (status, page) = crm.get(&format!("{LIST}?limit=1000&properties=phone{after}"));
        assert_eq!(status, 200);
        sizes.push(ids(&page).len());
        match page["paging"]["next"]["after"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => {
                assert!(page.get("paging").is_none());
                break;
            }
        }
    }
    assert_eq!(sizes, [100, 100, 50]);
}

#[test]
fn a_record_is_strings_with_milliseconds() {
    let crm = crm(1);
    for path in ["/crm/v3/objects/contacts/1", "/crm/objects/2026-09/0-1/1"] {
        let (_, one) = crm.get(&format!("{path}?properties=hubspotscore,nonsense,phone"));
        assert_eq!(
            one,
            json!({
                "id": "1",
                "properties": {
                    "createdate": "2026-01-01T00:00:00.000Z",
                    "hs_object_id": "1",
                    "lastmodifieddate": "2026-11-01T00:00:01.123Z",
                    "hubspotscore": "1.5",
                    "phone": null,
                },
                "createdAt": "2026-01-01T00:00:00.000Z",
                "updatedAt": "2026-11-01T00:00:01.123Z",
                "archived": false,
            })
        );
    }
    let (_, usual) = crm.get(&format!("{LIST}/Z1@example.test?idProperty=email"));
    assert_eq!(usual["properties"]["firstname"], "Zoë M.");
    assert_eq!(usual["properties"]["lastname"], "Nr1");
    assert_eq!(usual["properties"].as_object().unwrap().len(), 6);
}

#[test]
fn search_compares_milliseconds_and_pages_by_number() {
    let crm = crm(100);
    let search = |value: &str, after: Value| {
        let filter = json!({ "propertyName": "lastmodifieddate", "operator": "GTE", "value": value });
        let body = json!({
            "filterGroups": [{ "filters": [filter] }], "sorts": ["-lastmodifieddate"], "properties": ["email"],
            "limit": 3, "after": after,
        });
        post(&crm, "/search", body).1
    };
    // 00:01:35.123
    let found = search("1777593695123", json!("0"));
    assert_eq!(found["total"], 100);
    let found = search("1793491295123", json!("0"));
    assert_eq!((&found["total"], ids(&found)), (&json!(6), vec!["100", "99", "98"]));
    let found = search("1793491295124", json!(3));
    assert_eq!((&found["total"], ids(&found)), (&json!(5), vec!["97", "96"]));
    assert!(found.get("paging").is_none());
    let found = search("2026-11-01T00:01:39Z", json!(""));
    assert_eq!(ids(&found), ["100", "99"]);
}

#[test]
fn search_operators() {
    let crm = crm(12);
    for (filter, expected) in [
        (
            json!({ "propertyName": "email", "operator": "EQ", "value": "Z7@EXAMPLE.test" }),
            vec!["7"],
        ),
        (
            json!({ "propertyName": "hs_object_id", "operator": "GT", "value": "10" }),
            vec!["11", "12"],
        ),
        (
            json!({ "propertyName": "hs_object_id", "operator": "LTE", "value": "1" }),
            vec!["1"],
        ),
        (
            json!({ "propertyName": "hs_object_id", "operator": "BETWEEN", "value": "2", "highValue": "3" }),
            vec!["2", "3"],
        ),
        (
            json!({ "propertyName": "lastname", "operator": "IN", "values": ["nr1", "nr9"] }),
            vec!["1", "9"],
        ),
        (json!({ "propertyName": "phone", "operator": "HAS_PROPERTY" }), vec![]),
        (
            json!({ "propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "z1*" }),
            vec!["1", "10", "11", "12"],
        ),
    ] {
        let body = json!({ "filterGroups": [{ "filters": [filter] }], "limit": 200 });
        let (status, found) = post(&crm, "/search", body);
        assert_eq!((status, ids(&found)), (200, expected), "{filter}");
    }
    let either = json!({ "filterGroups": [
        { "filters": [{ "propertyName": "hs_object_id", "operator": "EQ", "value": "3" }] },
        { "filters": [{ "propertyName": "hs_object_id", "operator": "EQ", "value": "5" }] },
    ] });
    assert_eq!(ids(&post(&crm, "/search", either).1), ["3", "5"]);
}

#[test]
fn searches_that_are_refused() {
    let crm = crm(1);
    let filter =
        |name: &str, operator: &str, value: &str| json!({ "propertyName": name, "operator": operator, "value": value });
    let seven = vec![filter("email", "EQ", "a"); 7];
    for body in [
        json!({ "limit": 201 }),
        json!({ "limit": 0 }),
        json!({ "limit": 200, "after": "9801" }),
        json!({ "after": "x" }),
        json!({ "sorts": ["email", "createdate"] }),
        json!({ "sorts": ["nonsense"] }),
        json!({ "nonsense": 1 }),
        json!({ "filterGroups": [{ "filters": [filter("nonsense", "EQ", "a")] }] }),
        json!({ "filterGroups": [{ "filters": [filter("email", "LIKE", "a")] }] }),
        json!({ "filterGroups": [{ "filters": [filter("lastmodifieddate", "GTE", "yesterday")] }] }),
        json!({ "filterGroups": [{ "filters": [{ "propertyName": "email", "operator": "EQ" }] }] }),
        json!({ "filterGroups": [{ "filters": seven }] }),
        json!({ "filterGroups": vec![json!({ "filters": [] }); 6] }),
    ] {
        let (status, refused) = post(&crm, "/search", body.clone());
        assert_eq!(
            (status, &refused["category"]),
            (400, &json!("VALIDATION_ERROR")),
            "{body}"
        );
    }
    assert_eq!(post(&crm, "/search", json!({ "limit": 200, "after": "9800" })).0, 200);
}

#[test]
fn search_lags_where_the_tenant_says_so() {
    let crm = crm(1);
    crm.configure(|config| {
        config.options.insert("search_lag_ms".into(), json!(60_000));
    });
    post(&crm, "", json!({ "properties": { "email": "new@example.test" } }));
    assert_eq!(post(&crm, "/search", json!({})).1["total"], 1);
    assert_eq!(ids(&crm.get(LIST).1).len(), 2);
}

#[test]
fn a_contact_lives_and_is_archived() {
    let crm = crm(1);
    let properties = json!({ "email": "a@example.test", "firstname": "Ana", "lastname": "Lee", "jobtitle": "CTO" });
    let (status, new) = post(&crm, "", json!({ "properties": properties, "associations": [] }));
    assert_eq!(
        (status, &new["id"], &new["properties"]["jobtitle"]),
        (201, &json!("2"), &json!("CTO"))
    );
    let patch = json!({ "properties": { "lastname": "Li" } }).to_string();
    let one = format!("{LIST}/2");
    let (status, changed) = crm.send("PATCH", &one, JSON, &patch);
    assert_eq!((status, &changed["properties"]["lastname"]), (200, &json!("Li")));
    assert!(changed["updatedAt"].as_str() > Some("2026-11-01T00:00:01.123Z"));
    let rows = crm.tenant.table(Object::Contacts).read();
    assert_eq!(rows.get(&Id::Number(2)).unwrap().fields().unwrap()["name"], "Ana Li");
    drop(rows);
    for status in [204, 204] {
        assert_eq!(crm.send("DELETE", &one, "", "").0, status);
    }
    assert_eq!(crm.send("PATCH", &one, JSON, &patch).0, 404);
    let (_, gone) = crm.get(&format!("{LIST}?archived=true"));
    assert_eq!((ids(&gone), &gone["results"][0]["archived"]), (vec!["2"], &json!(true)));
    assert!(gone["results"][0]["archivedAt"].is_string());
    assert_eq!(ids(&crm.get(LIST).1), ["1"]);
}

#[test]
fn what_is_wrong_is_refused() {
    let crm = crm(1);
    let (status, refused) = post(
        &crm,
        "",
        json!({ "properties": { "colour": "red", "email": "x", "createdate": "1" } }),
    );
    assert_eq!((status, &refused["category"]), (400, &json!("VALIDATION_ERROR")));
    let codes: Vec<_> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["code"].clone())
        .collect();
    assert_eq!(codes, ["PROPERTY_DOESNT_EXIST", "INVALID_EMAIL", "READ_ONLY_VALUE"]);
    let (status, refused) = post(&crm, "", json!({ "properties": { "email": "z1@example.test" } }));
    assert_eq!(
        (status, &refused["message"]),
        (409, &json!("Contact already exists. Existing ID: 1"))
    );
    crm.configure(|config| config.custom_fields.push("colour".into()));
    assert_eq!(post(&crm, "", json!({ "properties": { "colour": "red" } })).0, 201);

    let page = crm.answer("GET", &format!("{LIST}/99"), &[], "");
    assert_eq!(page.status, 404);
    assert_eq!(page.headers[0].1, "text/html;charset=iso-8859-1");
    let (status, kind) = crm.get("/crm/v3/objects/x");
    assert_eq!(
        (status, &kind["message"]),
        (400, &json!("Unable to infer object type from: x"))
    );
    assert!(kind.get("category").is_none());
    for (method, path, kind, body, status) in [
        ("GET", "?limit=x", "", "", 400),
        ("GET", "?limit=0", "", "", 400),
        ("GET", "?offset=5", "", "", 400),
        ("GET", "/1?idProperty=phone", "", "", 400),
        ("PUT", "/1", JSON, "{}", 405),
        ("PATCH", "/99", JSON, "{\"properties\":{}}", 404),
        ("DELETE", "/99", "", "", 404),
        ("POST", "", "text/plain", "{}", 415),
        ("POST", "", JSON, "{", 400),
        ("POST", "", JSON, "{}", 400),
        ("POST", "", JSON, "{\"properties\":{},\"id\":\"1\"}", 400),
        ("GET", "/search", "", "", 405),
    ] {
        assert_eq!(
            crm.send(method, &format!("{LIST}{path}"), kind, body).0,
            status,
            "{method} {path}"
        );
    }
    let (status, lacking) = crm.send("POST", "/crm/v3/objects/leads", JSON, "{\"properties\":{}}");
    assert_eq!(
        (status, &lacking["errors"][0]["code"]),
        (400, &json!("REQUIRED_PROPERTY"))
    );
}

#[test]
fn batches_are_partial_only_where_they_are_traced() {
    let crm = crm(3);
    let (status, read) = post(
        &crm,
        "/batch/read",
        json!({ "inputs": [{ "id": "1" }, { "id": "9" }, { "id": "3" }] }),
    );
    assert_eq!(
        (status, ids(&read), &read["numErrors"]),
        (207, vec!["3", "1"], &json!(1))
    );
    assert_eq!(read["errors"][0]["context"]["ids"], json!(["9"]));

    let input = |trace: Option<&str>, email: &str| match trace {
        Some(trace) => json!({ "properties": { "email": email }, "objectWriteTraceId": trace }),
        None => json!({ "properties": { "email": email } }),
    };
    let mixed = json!({ "inputs": [input(Some("t1"), "a@b.test"), input(Some("t2"), "bad")] });
    let (status, created) = post(&crm, "/batch/create", mixed);
    assert_eq!(
        (status, &created["results"][0]["objectWriteTraceId"]),
        (207, &json!("t1"))
    );
    assert_eq!(created["errors"][0]["context"]["objectWriteTraceId"], json!(["t2"]));
    assert_eq!(created["errors"][0]["category"], "VALIDATION_ERROR");
    let plain = json!({ "inputs": [input(None, "c@b.test"), input(None, "bad")] });
    assert_eq!(post(&crm, "/batch/create", plain).0, 400);
    let duplicate = json!({ "inputs": [input(Some("t1"), "d@b.test"), input(Some("t2"), "z1@example.test")] });
    assert_eq!(post(&crm, "/batch/create", duplicate).0, 409);
    assert_eq!(crm.tenant.table(Object::Contacts).read().len(), 4);

    let update = json!({ "inputs": [
        { "id": "1", "properties": { "phone": "1" } }, { "id": "77", "properties": { "phone": "2" } },
    ] });
    let (status, updated) = post(&crm, "/batch/update", update);
    assert_eq!((status, ids(&updated)), (207, vec!["1"]));
    let upsert = json!({ "inputs": [
        { "id": "z2@example.test", "idProperty": "email", "properties": { "phone": "2" } },
        { "id": "new@example.test", "idProperty": "email", "properties": { "phone": "3" } },
    ] });
    let (status, upserted) = post(&crm, "/batch/upsert", upsert);
    assert_eq!(status, 200);
    let new: Vec<_> = upserted["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["new"].clone())
        .collect();
    assert_eq!(new, [true, false]);
    assert_eq!(upserted["results"][0]["properties"]["email"], "new@example.test");

    let many =
        |count: usize| json!({ "inputs": (0..count).map(|n| json!({ "id": n.to_string() })).collect::<Vec<_>>() });
    assert_eq!(post(&crm, "/batch/archive", many(101)).0, 400);
    assert_eq!(post(&crm, "/batch/archive", json!({ "inputs": [] })).0, 400);
    assert_eq!(post(&crm, "/batch/archive", many(100)), (204, Value::Null));
    assert_eq!(crm.tenant.table(Object::Contacts).read().len(), 0);
    let twice = json!({ "inputs": [{ "id": "1", "properties": {} }, { "id": "1", "properties": {} }] });
    assert_eq!(post(&crm, "/batch/update", twice).0, 400);
}

#[test]
fn metadata_and_the_portal() {
    let crm = crm(0);
    crm.configure(|config| {
        config.custom_fields.push("colour".into());
        config.options.insert("portal_id".into(), json!(7));
    });
    let (_, told) = crm.get("/crm/v3/properties/contacts");
    let find = |name: &str| {
        told["results"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == name)
            .cloned()
    };
    assert_eq!(find("email").unwrap()["hasUniqueValue"], true);
    assert_eq!(
        find("createdate").unwrap()["modificationMetadata"]["readOnlyValue"],
        true
    );
    assert!(find("colour").is_some() && find("nonsense").is_none());
    assert_eq!(crm.get("/account-info/v3/details").1["portalId"], 7);
    assert_eq!(crm.get("/account-info/v9/details").0, 404);
    let (status, stranger) = crm.unauthorized(LIST);
    assert_eq!((status, &stranger["category"]), (401, &json!("INVALID_AUTHENTICATION")));
}

#[test]
fn tombstones_made_by_the_control_api_are_archived_too() {
    let crm = crm(3);
    let at = crm.tenant.config().now();
    crm.tenant.table(Object::Contacts).write().remove(&[Id::Number(2)], at);
    assert_eq!(ids(&crm.get(&format!("{LIST}?archived=true&limit=1")).1), ["2"]);
}
