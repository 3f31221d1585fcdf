//! What SuiteCRM serves and what it refuses.

use serde_json::{Value, json};

use crate::dialects;
use crate::dialects::testing::Crm;
use crate::store::Object;

fn crm() -> Crm {
    let crm = Crm::new(dialects::Crm::Suitecrm);
    crm.rows(
        Object::Contacts,
        json!([
            {"id": uuid(1), "name": "Zoë Ann Müller", "email": "z@a.test", "phone": "1", "company": "Acme", "updated_at": "2026-11-01T10:00:00Z"},
            {"id": uuid(2), "name": "Madonna", "email": null, "updated_at": "2026-11-01T10:00:00Z"},
            {"id": uuid(3), "name": "Bo Li", "email": "b@a.test", "updated_at": "2026-11-02T00:00:00Z"},
        ]),
    );
    crm
}

fn uuid(n: u8) -> String {
    format!("00000000-0000-4000-8000-00000000000{n}")
}

fn ids(answer: &Value) -> Vec<String> {
    let rows = answer["data"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

const LIST: &str = "/Api/V8/module/Contacts";

#[test]
fn a_record() {
    let crm = crm();
    for base in ["/Api/V8", "/legacy/Api/V8"] {
        let (status, body) = crm.get(&format!("{base}/module/Contacts/{}", uuid(1)));
        assert_eq!(status, 200);
        assert_eq!(body["data"]["type"], "Contact");
        let attributes = &body["data"]["attributes"];
        assert_eq!(attributes["first_name"], "Zoë Ann");
        assert_eq!(attributes["last_name"], "Müller");
        assert_eq!(attributes["email1"], "z@a.test");
        // The digits are UTC, the offset is the server's.
        assert_eq!(attributes["date_modified"], "2026-11-01T10:00:00-05:00");
        assert!(attributes.get("id").is_none());
    }
}

#[test]
fn missing_and_wrong_things_are_400_with_an_object() {
    let crm = crm();
    for (path, detail) in [
        (format!("{LIST}/{}", uuid(9)), "is not found"),
        (format!("{LIST}/12"), "is invalid"),
        ("/Api/V8/module/Nothing".into(), "Module Nothing does not exist"),
        (format!("{LIST}?foo=1"), "The option \"foo\" does not exist"),
        (format!("{LIST}?page[size]=0"), "is invalid"),
        (format!("{LIST}?page[size]=x"), "is invalid"),
        (format!("{LIST}?fields[Contacts]=first_name,foo"), "not found: foo"),
        (format!("{LIST}?sort=foo"), "Sort field foo"),
        (format!("{LIST}?sort=date_modified,id"), "is invalid"),
        (format!("{LIST}?filter[foo][eq]=1"), "Filter field foo"),
        (format!("{LIST}?filter[id][above]=1"), "Filter operator above"),
        (format!("{LIST}?filter[operator]=xor"), "Filter operator xor"),
        (format!("{LIST}?filter[id]=1"), "must be an array"),
    ] {
        let (status, body) = crm.get(&path);
        assert_eq!(status, 400, "{path}");
        assert_eq!(body["errors"]["status"], 400, "{path}");
        assert!(
            body["errors"]["detail"].as_str().unwrap().contains(detail),
            "{path}: {body}"
        );
    }
    assert_eq!(crm.get("/Api/V8/nothing").0, 404);
    assert_eq!(crm.send("PUT", LIST, "", "").0, 405);
}

#[test]
fn pages_only_where_a_size_is_asked_for() {
    let crm = crm();
    let (_, all) = crm.get(LIST);
    assert_eq!(ids(&all).len(), 3);
    assert!(all.get("meta").is_none() && all.get("links").is_none());
    let (_, first) = crm.get(&format!("{LIST}?page[number]=1&page[size]=2&sort=id"));
    assert_eq!(ids(&first), [uuid(1), uuid(2)]);
    assert_eq!(first["meta"], json!({"total-pages": 2, "records-on-this-page": 2}));
    let next = first["links"]["next"].as_str().unwrap();
    assert!(
        next.starts_with("V8/module/Contacts?") && next.contains("page[number]=2"),
        "{next}"
    );
    let (_, last) = crm.get(&format!("/Api/{next}"));
    assert_eq!(ids(&last), [uuid(3)]);
    assert_eq!(last["links"]["next"], Value::Null);
    let (status, beyond) = crm.get(&format!("{LIST}?page[number]=9&page[size]=2"));
    assert_eq!((status, beyond), (200, json!({"data": []})));
}

#[test]
fn filters() {
    let crm = crm();
    for (filter, expected) in [
        ("filter[date_modified][gt]=2026-11-01 10:00:00", vec![3]),
        (
            "filter[date_modified][gte]=2026-11-01 10:00:00&filter[id][gt]=00000000-0000-4000-8000-000000000001",
            vec![2, 3],
        ),
        (
            "filter[operator]=or&filter[last_name][eq]=madonna&filter[email1][eq]=b@a.test",
            vec![2, 3],
        ),
        ("filter[email1][like]=%25@a.test", vec![1, 3]),
        // The zone is passed over, and what is no date is before every row.
        ("filter[date_modified][gt]=2026-11-01T09:59:59%2B05:00", vec![1, 2, 3]),
        ("filter[date_modified][gt]=yesterday", vec![1, 2, 3]),
        ("filter[deleted][eq]=0", vec![1, 2, 3]),
        (
            "filter[id][in]=00000000-0000-4000-8000-000000000003, 00000000-0000-4000-8000-000000000001",
            vec![1, 3],
        ),
    ] {
        let (status, body) = crm.get(&format!("{LIST}?{filter}&sort=id"));
        assert_eq!(status, 200, "{filter}: {body}");
        let expected: Vec<String> = expected.into_iter().map(uuid).collect();
        assert_eq!(ids(&body), expected, "{filter}");
    }
}

#[test]
fn rows_of_one_time_are_in_another_order_on_every_page() {
    let crm = Crm::new(dialects::Crm::Suitecrm);
    let rows = (0..200).map(|n| json!({"id": format!("{n:08}-0000-4000-8000-000000000000"), "name": "a", "updated_at": "2026-11-01T10:00:00Z"}));
    crm.rows(Object::Leads, rows.collect());
    let read = |sort: &str| {
        let mut seen: Vec<String> = (1..=4)
            .flat_map(|page| {
                ids(&crm
                    .get(&format!(
                        "/Api/V8/module/Leads?page[number]={page}&page[size]=50&sort={sort}"
                    ))
                    .1)
            })
            .collect();
        seen.sort();
        seen.dedup();
        seen.len()
    };
    assert!(read("date_modified") < 200);
    assert_eq!(read("id"), 200);
}

#[test]
fn writes() {
    let crm = crm();
    let send =
        |method: &str, body: Value| crm.send(method, "/Api/V8/module", "application/vnd.api+json", &body.to_string());
    let attributes = json!({"first_name": "Ada", "last_name": "Love", "email1": "no address", "description": "x"});
    let (status, made) = send("POST", json!({"data": {"type": "Contacts", "attributes": attributes}}));
    assert_eq!((status, &made["data"]["attributes"]["name"]), (201, &json!("Ada Love")));
    let id = made["data"]["id"].as_str().unwrap();
    let (status, changed) = send(
        "PATCH",
        json!({"data": {"type": "Contacts", "id": id, "attributes": {"last_name": "Lace"}}}),
    );
    assert_eq!(
        (status, &changed["data"]["attributes"]["name"]),
        (201, &json!("Ada Lace"))
    );
    assert_eq!(changed["data"]["attributes"]["email1"], "no address");
    // An id of the client's own, once.
    let own = json!({"data": {"type": "Contacts", "id": uuid(8), "attributes": {"last_name": "Own"}}});
    assert_eq!(send("POST", own.clone()).1["data"]["id"], uuid(8));
    assert!(
        send("POST", own).1["errors"]["detail"]
            .as_str()
            .unwrap()
            .contains("already exist")
    );
    for (method, body, detail) in [
        (
            "POST",
            json!({"data": {"type": "Contacts", "attributes": {"colour": "red"}}}),
            "Property colour in Contact module is invalid",
        ),
        ("POST", json!({"data": {"attributes": {}}}), "\"type\" is missing"),
        (
            "POST",
            json!({"data": {"type": "Contacts", "id": "1"}}),
            "\"id\" with value \"1\" is invalid",
        ),
        (
            "POST",
            json!({"data": {"type": "Contacts", "links": 1}}),
            "\"links\" does not exist",
        ),
        ("POST", json!([]), "\"data\" is missing"),
        (
            "PATCH",
            json!({"data": {"type": "Contacts", "id": uuid(9), "attributes": {}}}),
            "is not found",
        ),
        (
            "PATCH",
            json!({"data": {"type": "Contacts", "attributes": {}}}),
            "\"id\" is missing",
        ),
    ] {
        let (status, answer) = send(method, body);
        assert_eq!(status, 400);
        assert!(
            answer["errors"]["detail"].as_str().unwrap().contains(detail),
            "{answer}"
        );
    }
    let (status, _) = crm.send(
        "POST",
        "/Api/V8/module",
        "text/plain",
        r#"{"data":{"type":"Contacts"}}"#,
    );
    assert_eq!(status, 400);
}

#[test]
fn deleted_rows_are_listed_apart() {
    let crm = crm();
    let path = format!("{LIST}/{}", uuid(2));
    assert_eq!(crm.send("DELETE", &path, "", "").0, 200);
    assert_eq!(crm.send("DELETE", &path, "", "").0, 400);
    let (_, gone) = crm.get(&format!(
        "{LIST}?filter[deleted][eq]=1&filter[date_modified][gt]=2026-11-02 00:00:00"
    ));
    assert_eq!(ids(&gone), [uuid(2)]);
    assert_eq!(gone["data"][0]["attributes"]["deleted"], "1");
    assert_eq!(ids(&crm.get(LIST).1), [uuid(1), uuid(3)]);
}

#[test]
fn fields_and_strangers() {
    let crm = crm();
    let (_, fields) = crm.get("/Api/V8/meta/fields/Leads");
    assert_eq!(fields["data"]["attributes"]["last_name"]["required"], true);
    assert_eq!(fields["data"]["attributes"]["date_modified"]["type"], "datetime");
    let (status, body) = crm.unauthorized("/Api/V8/module/Leads");
    assert_eq!((status, &body["error"]), (401, &json!("access_denied")));
}
