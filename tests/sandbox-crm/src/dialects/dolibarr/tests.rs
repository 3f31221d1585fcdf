//! What Dolibarr serves and what it refuses.

use serde_json::{Value, json};

use crate::dialects;
use crate::dialects::testing::Crm;
use crate::store::Object;

fn crm() -> Crm {
    let crm = Crm::new(dialects::Crm::Dolibarr);
    crm.rows(
        Object::Contacts,
        json!([
            {"id": 1, "name": "Zoë Ann Müller", "email": "z@a.test", "phone": "1", "company": "Acme", "notes": "n", "updated_at": "2026-11-01T10:00:00Z"},
            {"id": 2, "name": "Madonna", "updated_at": "2026-11-01T10:00:00Z"},
            {"id": 3, "name": "Bo Li", "email": "b@a.test", "updated_at": "2026-07-01T10:00:00Z"},
        ]),
    );
    crm.rows(
        Object::Leads,
        json!([{"id": 11, "name": "Prospect", "status": "qualified"}]),
    );
    crm.rows(Object::Companies, json!([{"id": 12, "name": "Customer"}]));
    crm
}

fn ids(answer: &Value) -> Vec<i64> {
    let rows = answer.as_array().unwrap_or_else(|| panic!("{answer}"));
    rows.iter()
        .map(|row| row["id"].as_str().unwrap().parse().unwrap())
        .collect()
}

const BASE: &str = "/api/index.php";
const LIST: &str = "/api/index.php/contacts";

fn send(crm: &Crm, method: &str, path: &str, body: Value) -> (u16, Value) {
    crm.send(method, path, "application/json", &body.to_string())
}

#[test]
fn a_record() {
    let crm = crm();
    let (status, contact) = crm.get(&format!("{LIST}/1"));
    assert_eq!(status, 200);
    assert_eq!(
        (&contact["firstname"], &contact["lastname"]),
        (&json!("Zoë Ann"), &json!("Müller"))
    );
    assert_eq!((&contact["id"], &contact["socname"]), (&json!("1"), &json!("Acme")));
    assert_eq!(contact["date_modification"], 1_793_527_200);
    assert_eq!(crm.get(&format!("{LIST}/email/Z@a.test")).1["id"], "1");
    assert_eq!(crm.get(&format!("{LIST}/0")).1["lastname"], "SPECIMEN");
    let (status, missing) = crm.get(&format!("{LIST}/9"));
    assert_eq!(
        (status, missing),
        (
            404,
            json!({"error": {"code": 404, "message": "Not Found: Contact not found"}})
        )
    );
    assert_eq!(crm.get(&format!("{LIST}/x")).0, 400);
    assert_eq!(crm.get(&format!("{BASE}/proposals")).0, 404);
    assert_eq!(send(&crm, "PATCH", &format!("{LIST}/1"), json!({})).0, 405);
}

#[test]
fn pages_begin_at_0_and_end_with_404() {
    let crm = crm();
    assert_eq!(ids(&crm.get(&format!("{LIST}?limit=2&page=0")).1), [1, 2]);
    assert_eq!(ids(&crm.get(&format!("{LIST}?limit=2&page=1")).1), [3]);
    let (status, empty) = crm.get(&format!("{LIST}?limit=2&page=2"));
    assert_eq!(
        (status, &empty["error"]["message"]),
        (404, &json!("Not Found: Contacts not found"))
    );
    assert_eq!(ids(&crm.get(&format!("{LIST}?limit=0&page=7")).1), [1, 2, 3]);
    assert_eq!(
        ids(&crm.get(&format!("{LIST}?sortfield=t.tms,t.rowid&sortorder=DESC,ASC")).1),
        [1, 2, 3]
    );
    assert_eq!(
        ids(&crm.get(&format!("{LIST}?sortfield=t.lastname&sortorder=DESC")).1),
        [1, 2, 3]
    );
    assert_eq!(crm.get(&format!("{LIST}?limit=x")).0, 400);
    // What is unknown is ignored, except by a strict tenant's.
    assert_eq!(ids(&crm.get(&format!("{LIST}?sqlfilter=(t.rowid:>:1)")).1), [1, 2, 3]);
    crm.configure(|config| config.strict = true);
    assert_eq!(crm.get(&format!("{LIST}?sqlfilter=(t.rowid:>:1)")).0, 400);
}

#[test]
fn filters_think_in_the_database_s_zone() {
    let crm = crm();
    let asked = |filter: &str| crm.get(&format!("{LIST}?sqlfilters={}", filter.replace('%', "%25")));
    // 10:00 UTC is 11:00 in winter and 12:00 in summer.
    assert_eq!(ids(&asked("(t.tms:>=:'2026-11-01 11:00:00')").1), [1, 2]);
    assert_eq!(asked("(t.tms:>:'2026-11-01 11:00:00')").0, 404);
    assert_eq!(ids(&asked("(t.tms:=:'2026-07-01 12:00:00')").1), [3]);
    assert_eq!(ids(&asked("(t.tms:>=:'2026-11-01 11:00:00') and (t.rowid:>:1)").1), [2]);
    assert_eq!(
        ids(&asked("(t.email:like:'%@A.test') or (t.lastname:=:'madonna')").1),
        [1, 2, 3]
    );
    assert_eq!(ids(&asked("(t.tms:>:'yesterday')").1), [1, 2, 3]);
    crm.configure(|config| drop(config.options.insert("zone".into(), "EST5".into())));
    assert_eq!(ids(&asked("(t.tms:>=:'2026-11-01 05:00:00')").1), [1, 2]);
    for (filter, status, part) in [
        ("t.rowid:>:1", 400, "sqlfilters"),
        ("(t.rowid:>:x)", 400, "sqlfilters"),
        ("(t.colour:=:'red')", 503, "SELECT"),
        ("(rowid:>:1)", 503, "SELECT"),
    ] {
        let (got, body) = asked(filter);
        assert_eq!(got, status, "{filter}");
        assert!(body["error"]["message"].as_str().unwrap().contains(part), "{body}");
    }
    assert_eq!(crm.get(&format!("{LIST}?sortfield=t.colour")).0, 503);
}

#[test]
fn rows_of_one_time_are_in_another_order_on_every_page() {
    let crm = Crm::new(dialects::Crm::Dolibarr);
    let rows = (1..=200).map(|n| json!({"id": n, "name": "a", "updated_at": "2026-11-01T10:00:00Z"}));
    crm.rows(Object::Contacts, rows.collect());
    let read = |sort: &str| {
        let pages = (0..4).flat_map(|page| ids(&crm.get(&format!("{LIST}?sortfield={sort}&limit=50&page={page}")).1));
        let mut seen: Vec<i64> = pages.collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    };
    assert!(read("t.tms") < 200);
    assert_eq!(read("t.tms,t.rowid"), 200);
}

#[test]
fn writes() {
    let crm = crm();
    let (status, id) = send(
        &crm,
        "POST",
        LIST,
        json!({"firstname": "Ada", "lastname": "Love", "email": "a@a.test", "colour": "red"}),
    );
    assert_eq!((status, id.is_u64()), (200, true));
    let path = format!("{LIST}/{id}");
    let (status, changed) = send(
        &crm,
        "PUT",
        &path,
        json!({"lastname": "Lace", "note_public": "x", "socname": "no", "caller": "portal"}),
    );
    assert_eq!(
        (status, &changed["firstname"], &changed["lastname"]),
        (200, &json!("Ada"), &json!("Lace"))
    );
    assert_eq!(
        (&changed["note_public"], &changed["socname"]),
        (&json!("x"), &Value::Null)
    );
    for (method, path, body, status, part) in [
        (
            "POST",
            LIST.to_owned(),
            json!({"firstname": "No"}),
            400,
            "lastname field missing",
        ),
        (
            "POST",
            format!("{BASE}/thirdparties"),
            json!({}),
            400,
            "name field missing",
        ),
        (
            "POST",
            format!("{BASE}/tickets"),
            json!({"subject": "a"}),
            400,
            "message field missing",
        ),
        (
            "POST",
            LIST.to_owned(),
            json!({"lastname": "a", "email": "nowhere"}),
            500,
            "Error creating contact",
        ),
        (
            "PUT",
            path.clone(),
            json!({"email": "nowhere"}),
            500,
            "Error updating contact",
        ),
        ("PUT", format!("{LIST}/99"), json!({}), 404, "Contact not found"),
    ] {
        let (got, answer) = send(&crm, method, &path, body);
        assert_eq!(got, status, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(part), "{answer}");
    }
    assert_eq!(crm.send("POST", LIST, "text/plain", "{}").0, 403);
    assert_eq!(crm.send("POST", LIST, "application/json", "{").0, 400);
    assert_eq!(
        send(&crm, "DELETE", &path, json!({})).1["success"]["message"],
        "Contact deleted"
    );
    assert_eq!(send(&crm, "DELETE", &path, json!({})).0, 404);
}

#[test]
fn prospects_and_customers_are_third_parties() {
    let crm = crm();
    let listed = |query: &str| ids(&crm.get(&format!("{BASE}/thirdparties?{query}")).1);
    assert_eq!(listed(""), [11, 12]);
    assert_eq!((listed("mode=2"), listed("mode=1")), (vec![11], vec![12]));
    assert_eq!(crm.get(&format!("{BASE}/thirdparties/11")).1["stcomm_id"], "2");
    let (_, id) = send(
        &crm,
        "POST",
        &format!("{BASE}/thirdparties"),
        json!({"name": "New", "client": 2}),
    );
    let (_, other) = send(&crm, "POST", &format!("{BASE}/thirdparties"), json!({"name": "Other"}));
    assert_eq!(listed("mode=2"), [11, id.as_i64().unwrap()]);
    assert_ne!(id, other);
    // One that becomes a customer leaves the prospects and is there all the same.
    send(&crm, "PUT", &format!("{BASE}/thirdparties/11"), json!({"client": "1"}));
    assert_eq!(listed("mode=2"), [id.as_i64().unwrap()]);
    assert_eq!(crm.get(&format!("{BASE}/thirdparties/11")).0, 200);
}

#[test]
fn strangers_and_the_status() {
    let crm = crm();
    let (status, body) = crm.unauthorized(LIST);
    assert_eq!((status, &body["error"]["code"]), (401, &json!(401)));
    assert_eq!(crm.get(&format!("{BASE}/status")).1["success"]["code"], 200);
}
