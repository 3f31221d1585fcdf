//! What Zoho serves and what it refuses.

use serde_json::{Value, json};

use crate::dialects;
use crate::dialects::testing::{Crm, read};
use crate::store::Object;

const BASE: u64 = 5_725_767_000_000_000_000;

fn crm(count: u64) -> Crm {
    let crm = Crm::new(dialects::Crm::Zoho);
    let row = |n: u64| {
        json!({"id": BASE + n, "name": format!("Zoë Lead{n}"), "email": format!("l{n}@a.test"), "company": "Acme", "owner": "ana@a.test",
            "status": "new", "tags": ["vip"], "updated_at": format!("2026-11-01T10:{:02}:00Z", n % 60)})
    };
    crm.rows(Object::Leads, (1..=count).map(row).collect());
    crm
}

fn ids(answer: &Value) -> Vec<u64> {
    let rows = answer["data"].as_array().unwrap();
    rows.iter()
        .map(|row| row["id"].as_str().unwrap().parse::<u64>().unwrap() - BASE)
        .collect()
}

fn since(crm: &Crm, path: &str, time: &str) -> (u16, Value) {
    read(&crm.answer("GET", path, &[("if-modified-since", time)], ""))
}

fn send(crm: &Crm, method: &str, path: &str, body: Value) -> (u16, Value) {
    crm.send(method, path, "application/json", &body.to_string())
}

const LIST: &str = "/crm/v8/Leads?fields=Last_Name,Email,Modified_Time";

#[test]
fn records() {
    let crm = crm(2);
    let (status, body) = crm.get(&format!("/crm/v8/Leads/{}", BASE + 1));
    let lead = &body["data"][0];
    assert_eq!((status, &lead["id"]), (200, &json!((BASE + 1).to_string())));
    assert_eq!(
        (&lead["First_Name"], &lead["Last_Name"]),
        (&json!("Zoë"), &json!("Lead1"))
    );
    assert_eq!(lead["Modified_Time"], "2026-11-01T15:31:00+05:30");
    assert_eq!(lead["Owner"]["email"], "ana@a.test");
    assert_eq!(lead["Tag"][0]["name"], "vip");
    assert_eq!(crm.get("/crm/v8/Leads/99"), (204, Value::Null));
    assert_eq!(crm.get("/crm/v8/Leads/x").0, 400);
    let (_, listed) = crm.get(LIST);
    assert_eq!(listed["data"][0].as_object().unwrap().len(), 4);
    assert_eq!(ids(&listed), [2, 1]);
    let (_, listed) = crm.get(&format!("{LIST}&ids={},{}", BASE + 1, BASE + 9));
    assert_eq!(ids(&listed), [1]);
}

#[test]
fn lists_refuse_what_they_do_not_know() {
    let crm = crm(2);
    let many: Vec<String> = (0..51).map(|n| format!("F{n}")).collect();
    for (path, code) in [
        ("/crm/v8/Leads".into(), "REQUIRED_PARAM_MISSING"),
        (format!("/crm/v8/Leads?fields={}", many.join(",")), "LIMIT_EXCEEDED"),
        (format!("{LIST}&per_page=201"), "LIMIT_EXCEEDED"),
        (format!("{LIST}&per_page=0"), "INVALID_DATA"),
        (format!("{LIST}&page=0"), "INVALID_DATA"),
        (format!("{LIST}&sort_by=Email"), "INVALID_DATA"),
        (format!("{LIST}&sort_order=up"), "INVALID_DATA"),
        (format!("{LIST}&limit=5"), "EXTRA_PARAM_FOUND"),
        (format!("{LIST}&page=11"), "DISCRETE_PAGINATION_LIMIT_EXCEEDED"),
        (format!("{LIST}&page_token=abc"), "TOKEN_BOUND_DATA_MISMATCH"),
        (format!("{LIST}&page=1&page_token=abc"), "AMBIGUITY_DURING_PROCESSING"),
        ("/crm/v8/Nothing?fields=id".into(), "INVALID_MODULE"),
    ] {
        let (status, body) = crm.get(&path);
        assert_eq!((status, &body["code"]), (400, &json!(code)), "{path}");
        assert_eq!(body["status"], "error");
    }
    assert_eq!(crm.get("/crm/v7/Leads").1["code"], "INVALID_URL_PATTERN");
    assert_eq!(
        send(&crm, "PATCH", "/crm/v8/Leads", json!({})).1["code"],
        "INVALID_REQUEST_METHOD"
    );
}

#[test]
fn pages_then_tokens() {
    let crm = crm(2_450);
    let path = format!("{LIST}&sort_by=id&sort_order=asc&per_page=200");
    let (_, tenth) = crm.get(&format!("{path}&page=10"));
    assert_eq!((ids(&tenth)[0], &tenth["info"]["more_records"]), (1_801, &json!(true)));
    let mut token = tenth["info"]["next_page_token"].as_str().unwrap().to_owned();
    assert!(token.len() <= 96);
    let mut seen = Vec::new();
    // A record that moves or goes meanwhile shifts nothing.
    send(&crm, "DELETE", &format!("/crm/v8/Leads/{}", BASE + 5), json!({}));
    loop {
        let (status, page) = crm.get(&format!("{path}&page_token={token}"));
        assert_eq!(status, 200, "{page}");
        seen.extend(ids(&page));
        match page["info"]["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, (2_001..=2_450).collect::<Vec<u64>>());
    // Bound to what it was made for, and to its time.
    let first = crm.get(&format!("{path}&page=1")).1["info"]["next_page_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = format!("{LIST}&sort_by=id&sort_order=desc&per_page=200&page_token={first}");
    assert_eq!(crm.get(&other).1["code"], "TOKEN_BOUND_DATA_MISMATCH");
    crm.configure(|config| drop(config.options.insert("page_token_ttl_s".into(), 0.into())));
    assert_eq!(
        crm.get(&format!("{path}&page_token={first}")).1["code"],
        "EXPIRED_VALUE"
    );
}

#[test]
fn tokens_by_time_pass_over_nothing() {
    let crm = crm(130);
    for order in ["asc", "desc"] {
        let path = format!("{LIST}&sort_by=Modified_Time&sort_order={order}&per_page=7");
        let (_, mut page) = crm.get(&path);
        let mut seen = ids(&page);
        while let Some(token) = page["info"]["next_page_token"].as_str() {
            page = crm.get(&format!("{path}&page_token={token}")).1;
            seen.extend(ids(&page));
        }
        assert_eq!(seen.len(), 130);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 130);
    }
}

#[test]
fn nothing_is_204_and_nothing_newer_304() {
    let empty = crm(0);
    assert_eq!(empty.get(LIST), (204, Value::Null));
    assert_eq!(empty.get("/crm/v8/Leads/deleted"), (204, Value::Null));
    let crm = crm(3);
    // Inclusive, and in any offset.
    for time in ["2026-11-01T10:02:00+00:00", "2026-11-01T15:32:00+05:30"] {
        assert_eq!(ids(&since(&crm, LIST, time).1), [3, 2], "{time}");
    }
    assert_eq!(since(&crm, LIST, "2026-11-01T10:03:01Z"), (304, Value::Null));
    assert_eq!(since(&crm, LIST, "2026-11-01 10:00:00").0, 400);
    assert_eq!(since(&crm, LIST, "Sun, 01 Nov 2026 10:00:00 GMT").0, 400);
}

#[test]
fn writes_tell_of_each_record() {
    let crm = crm(1);
    let (status, body) = send(
        &crm,
        "POST",
        "/crm/v8/Leads",
        json!({"data": [{"First_Name": "Ada", "Last_Name": "Love", "Email": "ada@a.test", "Tag": [{"name": "x"}]}], "trigger": []}),
    );
    assert_eq!((status, &body["data"][0]["code"]), (201, &json!("SUCCESS")));
    let id = body["data"][0]["details"]["id"].as_str().unwrap().to_owned();
    let bad = json!({"data": [
        {"Last_Name": "Fine"},
        {"First_Name": "No"},
        {"Last_Name": "a", "Email": "nowhere"},
        {"Last_Name": "a", "Colour": "red"},
        {"Last_Name": 5},
        {"Last_Name": "a", "Phone": "1".repeat(31)},
        {"Last_Name": "a", "Modified_Time": "2026-11-01T00:00:00Z"},
        7,
    ]});
    let (status, body) = send(&crm, "POST", "/crm/v8/Leads", bad);
    assert_eq!(status, 207);
    let codes: Vec<&str> = body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "SUCCESS",
            "MANDATORY_NOT_FOUND",
            "INVALID_DATA",
            "INVALID_DATA",
            "INVALID_DATA",
            "INVALID_DATA",
            "INVALID_DATA",
            "INVALID_DATA"
        ]
    );
    assert_eq!(
        body["data"][2]["details"],
        json!({"api_name": "Email", "json_path": "$.data[2].Email", "expected_data_type": "email"})
    );
    assert_eq!(body["data"][3]["details"]["api_name"], "Colour");

    let (status, _) = send(
        &crm,
        "PUT",
        &format!("/crm/v8/Leads/{id}"),
        json!({"data": [{"Last_Name": "Lace", "Phone": null}]}),
    );
    assert_eq!(status, 200);
    assert_eq!(
        crm.get(&format!("/crm/v8/Leads/{id}")).1["data"][0]["Full_Name"],
        "Ada Lace"
    );
    let (status, body) = send(
        &crm,
        "PUT",
        "/crm/v8/Leads",
        json!({"data": [{"id": id, "Email": "b@a.test"}, {"id": "99", "Email": "b@a.test"}, {"Email": "x@a.test"}]}),
    );
    assert_eq!(
        (status, &body["data"][1]["message"]),
        (207, &json!("the id given seems to be invalid"))
    );
    assert_eq!(body["data"][2]["code"], "MANDATORY_NOT_FOUND");
    assert_eq!(
        send(&crm, "PUT", "/crm/v8/Leads/99", json!({"data": [{"Phone": "1"}]})).0,
        400
    );
    let headers = [
        ("content-type", "application/json"),
        ("if-unmodified-since", "2026-11-01T00:00:00Z"),
    ];
    let stale = crm.answer(
        "PUT",
        &format!("/crm/v8/Leads/{id}"),
        &headers,
        r#"{"data":[{"Phone":"1"}]}"#,
    );
    assert_eq!(read(&stale).1["data"][0]["code"], "ALREADY_MODIFIED");
    assert_eq!(stale.status, 412);
}

#[test]
fn bodies_that_are_refused_whole() {
    let crm = crm(1);
    let many: Vec<Value> = (0..101).map(|n| json!({"Last_Name": format!("a{n}")})).collect();
    for body in [
        json!([]),
        json!({}),
        json!({"data": []}),
        json!({"data": {}}),
        json!({"data": many}),
        json!({"data": [{"Last_Name": "a"}], "colour": 1}),
    ] {
        assert_eq!(send(&crm, "POST", "/crm/v8/Leads", body).0, 400);
    }
    assert_eq!(crm.send("POST", "/crm/v8/Leads", "text/plain", "{}").0, 415);
    assert_eq!(crm.get("/crm/v8/Leads/actions/count").1, json!({"count": 1}));
}

#[test]
fn upserts() {
    let crm = crm(1);
    let body = json!({"data": [{"Last_Name": "New", "Email": "L1@A.test"}, {"Last_Name": "Other", "Email": "o@a.test"}], "duplicate_check_fields": ["Email"]});
    let (status, answer) = send(&crm, "POST", "/crm/v8/Leads/upsert", body);
    assert_eq!(status, 200);
    assert_eq!(
        (&answer["data"][0]["action"], &answer["data"][0]["duplicate_field"]),
        (&json!("update"), &json!("Email"))
    );
    assert_eq!(
        (&answer["data"][1]["action"], &answer["data"][1]["duplicate_field"]),
        (&json!("insert"), &Value::Null)
    );
    assert_eq!(
        crm.get(&format!("/crm/v8/Leads/{}", BASE + 1)).1["data"][0]["Last_Name"],
        "New"
    );
    let wrong = json!({"data": [{"Last_Name": "a"}], "duplicate_check_fields": ["Colour"]});
    assert_eq!(
        send(&crm, "POST", "/crm/v8/Leads/upsert", wrong).1["details"]["api_name"],
        "duplicate_check_fields"
    );
}

#[test]
fn deleted_records_are_told() {
    let crm = crm(3);
    let (status, body) = send(
        &crm,
        "DELETE",
        &format!("/crm/v8/Leads?ids={},{}", BASE + 1, BASE + 9),
        json!({}),
    );
    assert_eq!(
        (status, &body["data"][1]["message"]),
        (207, &json!("record not deleted"))
    );
    let path = format!("/crm/v8/Leads/{}", BASE + 2);
    assert_eq!(send(&crm, "DELETE", &path, json!({})).0, 200);
    assert_eq!(
        send(&crm, "DELETE", &path, json!({})).1["message"],
        "record not deleted"
    );
    let (_, gone) = crm.get("/crm/v8/Leads/deleted?type=all&per_page=1");
    assert_eq!((ids(&gone), &gone["info"]["more_records"]), (vec![1], &json!(true)));
    assert!(gone["data"][0]["deleted_time"].as_str().unwrap().ends_with("+05:30"));
    assert_eq!(crm.get("/crm/v8/Leads/deleted?type=permanent").0, 204);
    assert_eq!(since(&crm, "/crm/v8/Leads/deleted", "2099-01-01T00:00:00Z").0, 304);
    assert_eq!(
        ids(&since(&crm, "/crm/v8/Leads/deleted", "2026-01-01T00:00:00Z").1),
        [1, 2]
    );
}

#[test]
fn fields_and_strangers() {
    let crm = crm(1);
    let (_, fields) = crm.get("/crm/v8/settings/fields?module=Leads");
    let last = fields["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|field| field["api_name"] == "Last_Name")
        .unwrap();
    assert_eq!(
        (&last["system_mandatory"], &last["data_type"]),
        (&json!(true), &json!("text"))
    );
    assert_eq!(crm.get("/crm/v8/settings/fields").1["code"], "REQUIRED_PARAM_MISSING");
    assert_eq!(crm.get("/crm/v8/users?type=CurrentUser").0, 200);
    assert_eq!(crm.unauthorized("/crm/v8/Leads").1["code"], "AUTHENTICATION_FAILURE");
}

#[test]
fn converted_leads_are_hidden_where_the_tenant_says_so() {
    let crm = crm(2);
    crm.configure(|config| drop(config.options.insert("hide_converted".into(), true.into())));
    send(
        &crm,
        "PUT",
        &format!("/crm/v8/Leads/{}", BASE + 1),
        json!({"data": [{"Lead_Status": "converted"}]}),
    );
    assert_eq!(ids(&crm.get(LIST).1), [2]);
    assert_eq!(ids(&crm.get(&format!("{LIST}&converted=both")).1), [2, 1]);
    assert_eq!(crm.get(&format!("/crm/v8/Leads/{}", BASE + 1)).0, 200);
}

#[test]
fn channels_are_made_and_ended() {
    let crm = crm(0);
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let good = json!({ "channel_id": "1000000068001", "events": ["Leads.all"], "channel_expiry": soon.to_string(), "token": "t",
        "notify_url": "https://portal.test/hook" });
    for (name, value) in [
        ("channel_id", json!("x")),
        ("events", json!([])),
        ("events", json!(["Nothing.all"])),
        ("events", json!(["Leads.update"])),
        ("channel_expiry", json!("2020-01-01T00:00:00Z")),
        ("channel_expiry", json!("2099-01-01T00:00:00Z")),
        ("token", json!("x".repeat(51))),
        ("notify_url", json!("portal")),
        ("colour", json!("red")),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        let (status, answer) = send(&crm, "POST", "/crm/v8/actions/watch", json!({ "watch": [bad] }));
        assert_eq!((status, answer["code"].as_str()), (400, Some("INVALID_DATA")), "{name}");
    }
    let (status, made) = send(&crm, "POST", "/crm/v8/actions/watch", json!({ "watch": [good] }));
    assert_eq!(
        (status, &made["watch"][0]["details"]["events"][0]["channel_id"]),
        (201, &json!("1000000068001"))
    );
    let (status, _) = send(&crm, "DELETE", "/crm/v8/actions/watch?channel_ids=1", Value::Null);
    assert_eq!(status, 400);
    let (status, _) = send(
        &crm,
        "DELETE",
        "/crm/v8/actions/watch?channel_ids=1000000068001",
        Value::Null,
    );
    assert_eq!((status, crm.tenant.webhooks.lock().len()), (200, 0));
}
