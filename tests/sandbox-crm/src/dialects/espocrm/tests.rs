//! Records as EspoCRM's dialect serves, takes and refuses them. Lists: `tests_search`.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::{Map, json};

use super::*;
use crate::dialects::{Credential, Crm};
use crate::store::Row;
use crate::tenant::Config;

pub fn tenant() -> Tenant {
    let mut config = Config::new("k".into());
    config.dialect = Crm::Espocrm;
    config.timestamps = Espocrm.timestamps();
    Tenant::new("acme".into(), config)
}

pub fn send(tenant: &Tenant, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let target = target.replace(' ', "%20").replace('[', "%5B").replace(']', "%5D");
    let mut request = hyper::Request::builder().method(method).uri(target);
    for (name, value) in [("content-type", "application/json"), ("x-api-key", "k")] {
        if headers.iter().all(|(given, _)| *given != name) {
            request = request.header(name, value);
        }
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()): (Parts, ()) = request.body(()).unwrap().into_parts();
    let body = Bytes::copy_from_slice(body.as_bytes());
    let credential = Credential::all(&parts.headers, "").pop();
    let request = Request::new(&parts, &body, "http://localhost".into(), credential).unwrap();
    Espocrm.serve(tenant, &request)
}

/// The answer must have that status. An empty body is null.
pub fn ask(tenant: &Tenant, status: u16, method: &str, target: &str, body: Value) -> Value {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let answer = send(tenant, method, target, &[], &body);
    assert_eq!(answer.status, status, "{method} {target}: {answer:?}");
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

pub fn reason(answer: &Answer) -> String {
    let found = answer.headers.iter().find(|(name, _)| name == "x-status-reason");
    found.map_or_else(String::new, |(_, value)| value.to_str().unwrap().to_owned())
}

pub fn rows(tenant: &Tenant, object: Object, count: u64) {
    let rows = (1..=count).map(|n| {
        let time = jiff::Timestamp::from_second(1_767_225_600 + n as i64).unwrap();
        let id = Espocrm.ids(object).make(object, n);
        let fields = json!({ "id": id.to_value(), "name": format!("Zoë Müller {n}"), "email": format!("zoe{n}@crm.test"),
            "phone": "+49 30 1", "company": "Acme", "status": "qualified", "notes": "called", "created_at": "2020-01-01 00:00:00" });
        let fields: Map<String, Value> = serde_json::from_value(fields).unwrap();
        Row::new(id, Some(time), fields)
    });
    tenant.table(object).write().put(rows.collect());
}

#[test]
fn a_lead_is_written_read_and_deleted() {
    let tenant = tenant();
    let body = json!({ "firstName": "Jean Luc", "lastName": "van der Berg", "emailAddress": "jl@crm.test", "accountName": "Acme",
        "status": "In Process", "colour": "red", "createdAt": "1999-01-01 00:00:00", "id": "mine", "website": "" });
    let made = ask(&tenant, 200, "POST", "/api/v1/Lead", body);
    let id = made["id"].as_str().unwrap();
    assert_eq!(id.len(), 17);
    assert_eq!(
        (&made["firstName"], &made["lastName"]),
        (&json!("Jean Luc"), &json!("van der Berg"))
    );
    assert_eq!(
        (&made["name"], &made["status"]),
        (&json!("Jean Luc van der Berg"), &json!("In Process"))
    );
    assert_eq!((&made["website"], made.get("colour")), (&Value::Null, None));
    assert_ne!(made["createdAt"], "1999-01-01 00:00:00");
    assert_eq!(made["modifiedAt"].as_str().unwrap().len(), 19);
    assert_eq!(made["emailAddressData"][0]["emailAddress"], "jl@crm.test");
    let row = tenant.table(Object::Leads).read().find(id).unwrap().fields().unwrap();
    assert_eq!(
        (&row["company"], &row["email"]),
        (&json!("Acme"), &json!("jl@crm.test"))
    );
    let target = format!("/api/v1/Lead/{id}");
    for method in ["PUT", "PATCH"] {
        let changed = ask(
            &tenant,
            200,
            method,
            &target,
            json!({ "lastName": method, "phoneNumber": "+4930123" }),
        );
        assert_eq!(
            (&changed["firstName"], &changed["lastName"]),
            (&json!("Jean Luc"), &json!(method))
        );
        assert_eq!(ask(&tenant, 200, "GET", &target, Value::Null), changed);
    }
    assert_eq!(ask(&tenant, 200, "DELETE", &target, Value::Null), true);
    for method in ["GET", "DELETE", "PUT"] {
        assert_eq!(ask(&tenant, 404, method, &target, json!({})), Value::Null);
    }
}

#[test]
fn what_the_validators_refuse() {
    let tenant = tenant();
    let long = "x".repeat(101);
    for (entity, body, field, kind) in [
        ("Lead", json!({ "emailAddress": "not one" }), "emailAddress", "valid"),
        ("Lead", json!({ "firstName": long }), "firstName", "maxLength"),
        ("Lead", json!({ "firstName": 5 }), "firstName", "valid"),
        ("Lead", json!({ "status": "new" }), "status", "valid"),
        ("Lead", json!({ "status": null }), "status", "required"),
        ("Contact", json!({ "firstName": "Zoë" }), "lastName", "required"),
        ("Contact", json!({ "lastName": "" }), "lastName", "required"),
        (
            "Contact",
            json!({ "lastName": "a", "accountId": "nobody" }),
            "accountId",
            "exists",
        ),
        (
            "Contact",
            json!({ "lastName": "a", "doNotCall": "yes" }),
            "doNotCall",
            "valid",
        ),
        ("Account", json!({ "website": "x" }), "name", "required"),
        (
            "Opportunity",
            json!({ "name": "a", "amount": 5 }),
            "closeDate",
            "required",
        ),
        (
            "Opportunity",
            json!({ "name": "a", "amount": -5, "closeDate": "2026-01-01" }),
            "amount",
            "valid",
        ),
        (
            "Opportunity",
            json!({ "name": "a", "amount": 5, "closeDate": "2026-02-30" }),
            "closeDate",
            "valid",
        ),
        ("Case", json!({ "name": "a", "priority": "high" }), "priority", "valid"),
    ] {
        let answer = send(&tenant, "POST", &format!("/api/v1/{entity}"), &[], &body.to_string());
        assert_eq!(answer.status, 400, "{body}");
        let shown: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            shown["messageTranslation"]["data"],
            json!({ "field": field, "type": kind }),
            "{body}"
        );
        assert!(
            reason(&answer).contains(&format!("field: {field}, type: {kind}")),
            "{}",
            reason(&answer)
        );
    }
    for body in ["{", "[]", "5"] {
        let answer = send(&tenant, "POST", "/api/v1/Lead", &[], body);
        assert_eq!((answer.status.as_u16(), answer.body.len()), (400, 0), "{body}");
    }
    let plain = send(&tenant, "POST", "/api/v1/Lead", &[("content-type", "text/plain")], "{}");
    assert_eq!(plain.status, 400);
    assert_eq!(tenant.table(Object::Contacts).read().len(), 0);
}

#[test]
fn paths_and_methods() {
    let tenant = tenant();
    for target in [
        "/api/v1/lead",
        "/api/v1/Lead/x/y",
        "/api/v2/Lead",
        "/Lead",
        "/api/v1/",
        "/api/v1/Lead/none",
    ] {
        ask(&tenant, 404, "GET", target, Value::Null);
    }
    for (method, target) in [
        ("PUT", "/api/v1/Lead"),
        ("POST", "/api/v1/Lead/x"),
        ("POST", "/api/v1/Metadata"),
    ] {
        ask(&tenant, 405, method, target, Value::Null);
    }
    assert_eq!(
        ask(&tenant, 200, "GET", "/api/v1/App/user", Value::Null)["user"]["type"],
        "api"
    );
    let fields = ask(
        &tenant,
        200,
        "GET",
        "/api/v1/Metadata?key=entityDefs.Contact.fields",
        Value::Null,
    );
    assert_eq!(
        fields["lastName"],
        json!({ "type": "varchar", "maxLength": 100, "required": true })
    );
    assert_eq!(fields["account"]["type"], "link");
    assert_eq!(
        ask(
            &tenant,
            200,
            "GET",
            "/api/v1/Metadata?key=entityDefs.Nobody",
            Value::Null
        ),
        Value::Null
    );
    ask(&tenant, 400, "GET", "/api/v1/Metadata?entity=Lead", Value::Null);
}

#[test]
fn a_duplicate_is_a_conflict_until_the_check_is_skipped() {
    let tenant = tenant();
    rows(&tenant, Object::Contacts, 3);
    for body in [
        r#"{"lastName":"Other","emailAddress":"ZOE2@crm.test"}"#,
        r#"{"firstName":"Zoë Müller","lastName":"2"}"#,
    ] {
        let answer = send(&tenant, "POST", "/api/v1/Contact", &[], body);
        assert_eq!(answer.status, 409);
        assert_eq!(reason(&answer), r#"{"reason":"Duplicate"}"#);
        let found: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            (found.as_array().unwrap().len(), &found[0]["emailAddress"]),
            (1, &json!("zoe2@crm.test"))
        );
        let skip = [("x-skip-duplicate-check", "true")];
        assert_eq!(send(&tenant, "POST", "/api/v1/Contact", &skip, body).status, 200);
    }
    assert_eq!(tenant.table(Object::Contacts).read().len(), 5);
}

#[test]
fn linked_records_are_named() {
    let tenant = tenant();
    rows(&tenant, Object::Companies, 1);
    let id = ask(&tenant, 200, "GET", "/api/v1/Account", Value::Null)["list"][0]["id"].clone();
    let body =
        json!({ "name": "Deal", "amount": 12.5, "closeDate": "2026-03-01", "stage": "Closed Won", "accountId": id });
    let made = ask(&tenant, 200, "POST", "/api/v1/Opportunity", body);
    assert_eq!(
        (&made["accountName"], &made["amount"]),
        (&json!("Zoë Müller 1"), &json!(12.5))
    );
    assert_eq!(
        (&made["stage"], &made["amountCurrency"]),
        (&json!("Closed Won"), &json!("EUR"))
    );
    let ticket = ask(
        &tenant,
        200,
        "POST",
        "/api/v1/Case",
        json!({ "name": "Help", "status": "Pending" }),
    );
    assert_eq!(
        (&ticket["status"], &ticket["priority"]),
        (&json!("Pending"), &json!("Normal"))
    );
}

#[test]
fn a_secret_makes_the_signature_the_only_way() {
    let tenant = tenant();
    let signed = |method: &str, path: &str| {
        let tag = sign(b"s3cret", format!("{method} /{path}").as_bytes()).unwrap();
        BASE64_STANDARD.encode([b"k:".as_slice(), &tag].concat())
    };
    let call = |header: (&str, &str)| {
        let (parts, ()) = hyper::Request::get("/api/v1/Lead?maxSize=1")
            .header(header.0, header.1)
            .body(())
            .unwrap()
            .into_parts();
        let body = Bytes::new();
        let credential = Credential::all(&parts.headers, "").pop();
        Espocrm
            .serve(
                &tenant,
                &Request::new(&parts, &body, String::new(), credential).unwrap(),
            )
            .status
            .as_u16()
    };
    let good = signed("GET", "Lead");
    assert_eq!(call(("x-hmac-authorization", &good)), 401, "no secret, no signature");
    assert_eq!(call(("x-api-key", "k")), 200);
    let mut config = tenant.config();
    config.secret = Some("s3cret".into());
    tenant.configure(config);
    assert_eq!(call(("x-hmac-authorization", &good)), 200);
    assert_eq!(call(("x-api-key", "k")), 401);
    // With the query, of another method, or of another path.
    for wrong in [
        signed("GET", "Lead?maxSize=1"),
        signed("POST", "Lead"),
        signed("GET", "Contact"),
    ] {
        assert_eq!(call(("x-hmac-authorization", &wrong)), 401);
    }
    // Test case 2 of RFC 4231.
    let tag = sign(b"Jefe", b"what do ya want for nothing?").unwrap();
    assert_eq!(tag.get(..4), Some([0x5b, 0xdc, 0xc1, 0x46].as_slice()));
}
