//! What is served to Salesforce's clients, and what is refused.

use serde_json::{Value, json};

use crate::dialects::Crm as Name;
use crate::dialects::testing::Crm;
use crate::store::{IdKind, Object};

pub const BASE: &str = "/services/data/v62.0";
pub const JSON: &str = "application/json";

pub fn id(n: u64) -> String {
    let id = IdKind::Salesforce.make(Object::Leads, n);
    id.to_value().as_str().unwrap().to_owned()
}

pub fn crm(count: u64) -> Crm {
    let crm = Crm::new(Name::Salesforce);
    let rows: Vec<Value> = (1..=count)
        .map(|n| {
            json!({
                "id": id(n),
                "name": format!("Zoë Nr{n}"),
                "email": format!("z{n}@example.test"),
                "company": "Acme",
                "score": n,
                "created_at": "2026-01-01T00:00:00Z",
                // Two in each second.
                "updated_at": format!("2026-11-01T00:00:{:02}Z", n / 2),
            })
        })
        .collect();
    crm.rows(Object::Leads, json!(rows));
    crm
}

pub fn query(crm: &Crm, text: &str) -> (u16, Value) {
    let text = text
        .replace('+', "%2B")
        .replace(' ', "+")
        .replace('>', "%3E")
        .replace('<', "%3C");
    crm.get(&format!("{BASE}/query?q={text}"))
}

pub fn names(body: &Value) -> Vec<&str> {
    let records = body["records"].as_array().unwrap();
    records.iter().map(|row| row["LastName"].as_str().unwrap()).collect()
}

#[test]
fn a_record_is_as_salesforce_writes_it() {
    let crm = crm(1);
    let (status, one) = crm.get(&format!(
        "{BASE}/sobjects/Lead/{}?fields=Id,FirstName,SystemModstamp,AnnualRevenue",
        id(1)
    ));
    assert_eq!(status, 200);
    assert_eq!(
        one,
        json!({
            "attributes": { "type": "Lead", "url": format!("{BASE}/sobjects/Lead/{}", id(1)) },
            "Id": id(1),
            "FirstName": "Zoë",
            "SystemModstamp": "2026-11-01T00:00:00.000+0000",
            "AnnualRevenue": 1,
        })
    );
    // 15 characters mean the same; another case does not.
    assert_eq!(crm.get(&format!("{BASE}/sobjects/lead/{}", &id(1)[..15])).0, 200);
    assert_eq!(
        crm.get(&format!("{BASE}/sobjects/Lead/{}", id(1).to_lowercase())).0,
        404
    );
}

#[test]
fn the_deleted_are_told_by_query_all_and_deleted() {
    let crm = crm(3);
    let one = format!("{BASE}/sobjects/Lead/{}", id(2));
    assert_eq!(crm.send("DELETE", &one, "", ""), (204, Value::Null));
    let (status, again) = crm.send("DELETE", &one, "", "");
    assert_eq!((status, &again[0]["errorCode"]), (404, &json!("ENTITY_IS_DELETED")));
    assert_eq!(query(&crm, "SELECT Id FROM Lead").1["totalSize"], 2);
    let all =
        "SELECT+Id,LastName,IsDeleted+FROM+Lead+WHERE+IsDeleted+=+true+AND+SystemModstamp+%3E+2026-11-02T00:00:00Z";
    let (_, gone) = crm.get(&format!("{BASE}/queryAll?q={all}"));
    assert_eq!(
        (names(&gone), &gone["records"][0]["IsDeleted"]),
        (vec!["Nr2"], &json!(true))
    );
    let now = jiff::Timestamp::now();
    let text = |hours| {
        now.checked_add(jiff::SignedDuration::from_hours(hours))
            .unwrap()
            .to_string()
    };
    let (_, told) = crm.get(&format!(
        "{BASE}/sobjects/Lead/deleted?start={}&end={}",
        text(-1),
        text(1)
    ));
    assert_eq!(told["deletedRecords"][0]["id"], id(2));
    for (start, end) in [(text(1), text(-1)), (text(-24 * 16), text(0)), ("x".into(), text(0))] {
        let refused = crm.get(&format!("{BASE}/sobjects/Lead/deleted?start={start}&end={end}"));
        assert_eq!(refused.0, 400);
    }
}

#[test]
fn records_are_written_and_refused() {
    let crm = crm(1);
    let path = format!("{BASE}/sobjects/Lead");
    let post = |body: Value| crm.send("POST", &path, JSON, &body.to_string());
    let (status, created) = post(json!({ "LastName": "Lee", "Company": "Acme", "attributes": { "type": "Lead" } }));
    assert_eq!(
        (status, &created["success"], &created["errors"]),
        (201, &json!(true), &json!([]))
    );
    assert_eq!(created["id"].as_str().unwrap().len(), 18);
    for (body, code, fields) in [
        (
            json!({ "LastName": "Lee" }),
            "REQUIRED_FIELD_MISSING",
            json!(["Company"]),
        ),
        (
            json!({ "LastName": "L", "Company": "A", "Foo": 1 }),
            "INVALID_FIELD",
            Value::Null,
        ),
        (
            json!({ "LastName": "L", "Company": "A", "Email": "x" }),
            "INVALID_EMAIL_ADDRESS",
            json!(["Email"]),
        ),
        (
            json!({ "LastName": "L", "Company": "A", "Id": "x" }),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            json!(["Id"]),
        ),
        (
            json!({ "LastName": "L", "Company": "A", "Name": "x" }),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            json!(["Name"]),
        ),
        (
            json!({ "LastName": ["L"], "Company": "A" }),
            "JSON_PARSER_ERROR",
            Value::Null,
        ),
    ] {
        let (status, refused) = post(body);
        assert_eq!(
            (status, &refused[0]["errorCode"], &refused[0]["fields"]),
            (400, &json!(code), &fields)
        );
    }
    let one = format!("{path}/{}", id(1));
    assert_eq!(
        crm.send("PATCH", &one, JSON, "{\"FirstName\":\"Ana\"}"),
        (204, Value::Null)
    );
    assert_eq!(crm.get(&one).1["Name"], "Ana Nr1");
    let (status, refused) = crm.send("PATCH", &one, JSON, "{\"LastName\":\"\",\"FirstName\":\"\"}");
    assert_eq!(
        (status, &refused[0]["errorCode"]),
        (400, &json!("REQUIRED_FIELD_MISSING"))
    );
    for (method, path, kind, body, status) in [
        ("POST", path.as_str(), "text/plain", "{}", 415),
        ("POST", &path, JSON, "{", 400),
        ("POST", &format!("{BASE}/sobjects/Foo"), JSON, "{}", 404),
        ("PUT", &one, JSON, "{}", 405),
        ("PATCH", &format!("{path}/00Q5g000000000000"), JSON, "{}", 404),
        ("GET", &format!("{one}?fields=Foo"), "", "", 400),
        ("GET", &format!("{one}?select=Id"), "", "", 400),
        ("GET", "/services/data/v99.0/limits", "", "", 404),
    ] {
        assert_eq!(crm.send(method, path, kind, body).0, status, "{method} {path}");
    }
    crm.configure(|config| {
        config.options.insert("duplicate_rule".into(), json!(true));
    });
    let (status, refused) = post(json!({ "LastName": "L", "Company": "A", "Email": "z1@example.test" }));
    assert_eq!((status, &refused[0]["errorCode"]), (400, &json!("DUPLICATES_DETECTED")));
}

#[test]
fn upserts_by_external_id() {
    let crm = crm(1);
    crm.configure(|config| config.custom_fields.push("Portal_Id__c".into()));
    let put = |path: &str, body: Value| {
        crm.send(
            "PATCH",
            &format!("{BASE}/sobjects/Lead/{path}"),
            JSON,
            &body.to_string(),
        )
    };
    let (status, made) = put(
        "Portal_Id__c/a%2F1",
        json!({ "LastName": "New", "Company": "B", "Email": "z1@example.test" }),
    );
    assert_eq!((status, &made["created"]), (201, &json!(true)));
    let (status, changed) = put("Portal_Id__c/a%2F1", json!({ "Phone": "1" }));
    assert_eq!(
        (status, &changed["created"], &changed["id"]),
        (200, &json!(false), &made["id"])
    );
    let (status, choices) = put("Email/z1@example.test", json!({ "Phone": "2" }));
    assert_eq!((status, choices.as_array().unwrap().len()), (300, 2));
    assert_eq!(put("Email/q@example.test", json!({ "Email": "q@example.test" })).0, 400);
    assert_eq!(put("Phone/1", json!({ "LastName": "x" })).0, 404);
    let (_, one) = crm.get(&format!(
        "{BASE}/sobjects/Lead/Portal_Id__c/a%2F1?fields=Portal_Id__c,Phone"
    ));
    assert_eq!((&one["Portal_Id__c"], &one["Phone"]), (&json!("a/1"), &json!("1")));
}

#[test]
fn collections_answer_each_record_in_order() {
    let crm = crm(2);
    crm.configure(|config| config.custom_fields.push("Ext__c".into()));
    let record = |fields: Value| {
        let mut record = json!({ "attributes": { "type": "Lead" } });
        record
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        record
    };
    let send = |method: &str, path: &str, whole: bool, records: Vec<Value>| {
        let body = json!({ "allOrNone": whole, "records": records }).to_string();
        crm.send(method, &format!("{BASE}/composite/sobjects{path}"), JSON, &body)
    };
    let good = record(json!({ "LastName": "A", "Company": "C" }));
    let bad = record(json!({ "LastName": "B" }));
    let (status, made) = send("POST", "", false, vec![bad.clone(), good.clone()]);
    assert_eq!(
        (status, &made[0]["success"], &made[1]["success"]),
        (200, &json!(false), &json!(true))
    );
    assert_eq!(made[0]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
    let (_, none) = send("POST", "", true, vec![good.clone(), bad]);
    assert_eq!(none[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(crm.tenant.table(Object::Leads).read().len(), 3);

    let update = vec![
        record(json!({ "id": id(2), "Phone": "5" })),
        record(json!({ "id": "x", "Phone": "6" })),
        record(json!({})),
    ];
    let (_, changed) = send("PATCH", "", false, update);
    let codes: Vec<_> = changed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["errors"][0]["statusCode"].clone())
        .collect();
    assert_eq!(codes, [Value::Null, json!("NOT_FOUND"), json!("MISSING_ARGUMENT")]);
    let upsert = record(json!({ "Ext__c": "1", "LastName": "U", "Company": "C" }));
    let (_, upserted) = send("PATCH", "/Lead/Ext__c", false, vec![upsert.clone(), upsert]);
    assert_eq!(
        (&upserted[0]["created"], &upserted[1]["created"]),
        (&json!(true), &json!(false))
    );
    let (_, got) = crm.get(&format!("{BASE}/composite/sobjects/Lead?ids={},x&fields=Phone", id(2)));
    assert_eq!((&got[0]["Phone"], &got[1]), (&json!("5"), &Value::Null));
    let (_, gone) = crm.send(
        "DELETE",
        &format!("{BASE}/composite/sobjects?ids={},{},x", id(1), id(1)),
        "",
        "",
    );
    assert_eq!(
        (&gone[0]["success"], &gone[2]["errors"][0]["statusCode"]),
        (&json!(true), &json!("NOT_FOUND"))
    );
    assert_eq!(send("POST", "", false, vec![good; 201]).0, 400);
    assert_eq!(send("POST", "", false, vec![]).0, 400);
}

#[test]
fn metadata_limits_and_strangers() {
    let crm = crm(0);
    let (_, told) = crm.get(&format!("{BASE}/sobjects/Lead/describe"));
    let find = |name: &str| {
        told["fields"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == name)
            .cloned()
            .unwrap()
    };
    assert_eq!(
        (&find("Email")["type"], &find("Company")["nillable"]),
        (&json!("email"), &json!(false))
    );
    assert_eq!(find("SystemModstamp")["updateable"], false);
    assert_eq!(crm.get(&format!("{BASE}/limits")).1["DailyApiRequests"]["Max"], 15_000);
    let answer = crm.answer("GET", &format!("{BASE}/limits"), &[], "");
    assert!(
        answer
            .headers
            .iter()
            .any(|(name, value)| name == "sforce-limit-info" && value == "api-usage=0/15000")
    );
    let (status, stranger) = crm.unauthorized(BASE);
    assert_eq!((status, &stranger[0]["errorCode"]), (401, &json!("INVALID_SESSION_ID")));
}
