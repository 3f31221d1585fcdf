//! What is served to Dataverse's clients, and what is refused.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::dialects::Crm as Name;
use crate::dialects::testing::{Crm, read};
use crate::store::{IdKind, Object};

const BASE: &str = "/api/data/v9.2";
const ODATA: [(&str, &str); 3] = [
    ("accept", "application/json"),
    ("odata-maxversion", "4.0"),
    ("odata-version", "4.0"),
];

fn guid(n: u64) -> String {
    let id = IdKind::Uuid.make(Object::Leads, n);
    id.to_value().as_str().unwrap().to_owned()
}

fn crm(count: u64) -> Crm {
    let crm = Crm::new(Name::Dynamics);
    let rows: Vec<Value> = (1..=count)
        .map(|n| {
            json!({
                "id": guid(n),
                "name": format!("Zoë Nr{n}"),
                "email": format!("z{n}@example.test"),
                "status": "qualified",
                "score": n,
                "created_at": "2026-01-01T00:00:00Z",
                "updated_at": format!("2026-11-01T00:00:{n:02}Z"),
            })
        })
        .collect();
    crm.rows(Object::Leads, json!(rows));
    crm
}

fn ask(crm: &Crm, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let mut headers = ODATA.to_vec();
    if !body.is_empty() {
        headers.push(("content-type", "application/json"));
    }
    headers.extend(more);
    // Next links are absolute.
    let path = path.replace("https://crm.test", "");
    let path = if path.starts_with('/') {
        path
    } else {
        format!("{BASE}/{path}")
    };
    crm.answer(method, &path, &headers, body)
}

fn get(crm: &Crm, path: &str) -> (u16, Value) {
    read(&ask(crm, "GET", path, &[], ""))
}

fn names(body: &Value) -> Vec<&str> {
    let rows = body["value"].as_array().unwrap();
    rows.iter().map(|row| row["lastname"].as_str().unwrap()).collect()
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(known, _)| known == name)?;
    found.1.to_str().ok()
}

#[test]
fn pages_follow_absolute_links_and_keep_what_was_asked() {
    let crm = crm(5);
    let prefer = [("prefer", "odata.maxpagesize=2")];
    let mut path =
        "leads?$select=lastname&$filter=modifiedon ge 2026-11-01T00:00:02Z&$orderby=modifiedon desc".to_owned();
    let mut seen = Vec::new();
    loop {
        let (status, page) = read(&ask(&crm, "GET", &path, &prefer, ""));
        assert_eq!(status, 200);
        seen.extend(names(&page).iter().map(|name| name.to_string()));
        match page["@odata.nextLink"].as_str() {
            Some(next) => {
                assert!(next.starts_with("https://crm.test/api/data/v9.2/leads?"));
                path = next.to_owned();
            }
            None => break,
        }
    }
    assert_eq!(seen, ["Nr5", "Nr4", "Nr3", "Nr2"]);
    assert_eq!(
        get(&crm, "leads?$select=lastname&$top=1&$count=true").1["@odata.count"],
        1
    );
}

#[test]
fn a_row_is_as_dataverse_writes_it() {
    let crm = crm(1);
    let (_, one) = get(
        &crm,
        &format!("leads({})?$select=firstname,modifiedon,statuscode,revenue", guid(1)),
    );
    assert!(one["@odata.etag"].as_str().unwrap().starts_with("W/\""));
    assert_eq!(
        (
            &one["leadid"],
            &one["firstname"],
            &one["modifiedon"],
            &one["statuscode"],
            &one["revenue"]
        ),
        (
            &json!(guid(1)),
            &json!("Zoë"),
            &json!("2026-11-01T00:00:01Z"),
            &json!(3),
            &json!(1)
        )
    );
    assert_eq!(
        one["@odata.context"],
        "https://crm.test/api/data/v9.2/$metadata#leads(firstname,modifiedon,statuscode,revenue)/$entity"
    );
    assert_eq!(
        get(&crm, "leads(emailaddress1='Z1@example.test')").1["fullname"],
        "Zoë Nr1"
    );
}

#[test]
fn filters() {
    let crm = crm(9);
    for (filter, expected) in [
        ("modifiedon gt 2026-11-01T00:00:07Z", "Nr8 Nr9"),
        ("modifiedon le 2026-11-01T01:00:01%2B01:00", "Nr1"),
        ("emailaddress1 eq 'Z3@example.test'", "Nr3"),
        ("revenue lt 3 and lastname ne 'Nr1'", "Nr2"),
        ("contains(emailaddress1,'9@') and statuscode eq 3", "Nr9"),
        ("startswith(lastname,'nr7')", "Nr7"),
        ("telephone1 ne null", ""),
        ("lastname eq 'O''Brien'", ""),
    ] {
        let (status, found) = get(
            &crm,
            &format!("leads?$select=lastname&$filter={filter}&$orderby=lastname"),
        );
        assert_eq!((status, names(&found).join(" ").as_str()), (200, expected), "{filter}");
    }
}

#[test]
fn requests_that_are_refused() {
    let crm = crm(1);
    for (path, status) in [
        ("leads?$filter=modifiedon ge '2026-11-01T00:00:00Z'", 400),
        ("leads?$filter=modifiedon ge 2026-11-01T00:00:00", 400),
        ("leads?$filter=emailaddress1 eq x", 400),
        ("leads?$filter=lastname eq 'O'Brien'", 400),
        ("leads?$filter=colour eq 'red'", 400),
        ("leads?$filter=lastname eq 'a' or lastname eq 'b'", 400),
        ("leads?$filter=lastname like 'a'", 400),
        ("leads?$select=colour", 400),
        ("leads?$orderby=modifiedon up", 400),
        ("leads?$skip=5", 400),
        ("leads?$top=x", 400),
        ("leads?limit=5", 400),
        ("leads?$skiptoken=9-1", 400),
        ("leads?$deltatoken=9", 400),
        ("leads(5)", 400),
        ("leads(emailaddress1=x)", 400),
        ("leads(telephone1='1')", 400),
        ("leads(00000000-0000-0000-0000-000000000000)", 404),
        ("lead", 404),
        ("/api/data/v8.2/leads", 404),
    ] {
        let (got, body) = get(&crm, path);
        assert_eq!(got, status, "{path}");
        assert!(body["error"]["code"].as_str().unwrap().starts_with("0x8"), "{body}");
    }
    for prefer in ["odata.maxpagesize=0", "odata.maxpagesize=x"] {
        assert_eq!(ask(&crm, "GET", "leads", &[("prefer", prefer)], "").status, 400);
    }
    let bare = crm.answer("GET", &format!("{BASE}/leads"), &[("accept", "application/json")], "");
    assert_eq!(bare.status, 400);
    let no_json = [
        ("odata-maxversion", "4.0"),
        ("odata-version", "4.0"),
        ("accept", "text/html"),
    ];
    assert_eq!(crm.answer("GET", &format!("{BASE}/leads"), &no_json, "").status, 406);
    let one = format!("leads({})", guid(1));
    for (method, path, body, status) in [
        ("PUT", one.as_str(), "{}", 405),
        ("PATCH", "leads", "{}", 405),
        ("POST", "leads", "{", 400),
        ("POST", "leads", "[]", 400),
        ("POST", "leads", "{\"colour\":\"red\"}", 400),
        ("POST", "leads", "{\"modifiedon\":\"2026-11-01T00:00:01Z\"}", 400),
        ("POST", "leads", "{\"emailaddress1\":\"x\"}", 400),
        ("POST", "leads", "{\"statuscode\":9}", 400),
        ("POST", "leads", "{\"revenue\":\"much\"}", 400),
        ("POST", "leads", "{\"emailaddress1\":\"z1@example.test\"}", 412),
        (
            "PATCH",
            &one,
            "{\"leadid\":\"00000000-0000-0000-0000-000000000000\"}",
            400,
        ),
    ] {
        assert_eq!(
            ask(&crm, method, path, &[], body).status,
            status,
            "{method} {path} {body}"
        );
    }
    let mut plain = ODATA.to_vec();
    plain.push(("content-type", "text/plain"));
    assert_eq!(crm.answer("POST", &format!("{BASE}/leads"), &plain, "{}").status, 415);
}

#[test]
fn a_patch_makes_what_is_not_there_unless_it_must_match() {
    let crm = crm(1);
    let fresh = format!("leads({})", guid(50));
    let body = "{\"lastname\":\"New\"}";
    assert_eq!(ask(&crm, "PATCH", &fresh, &[("if-match", "*")], body).status, 404);
    let made = ask(&crm, "PATCH", &fresh, &[], body);
    assert_eq!(made.status, 204);
    assert_eq!(
        header(&made, "odata-entityid").unwrap(),
        format!("https://crm.test/api/data/v9.2/{fresh}")
    );
    assert_eq!(get(&crm, &fresh).1["lastname"], "New");
    assert_eq!(ask(&crm, "PATCH", &fresh, &[("if-none-match", "*")], body).status, 412);

    let etag = get(&crm, &fresh).1["@odata.etag"].as_str().unwrap().to_owned();
    let change = |etag: &str, phone: &str| {
        let body = json!({ "telephone1": phone }).to_string();
        ask(&crm, "PATCH", &fresh, &[("if-match", etag)], &body).status
    };
    assert_eq!(change(&etag, "1"), 204);
    // Within the same second, and another version all the same.
    assert_eq!(change(&etag, "2"), 412);
    assert_eq!(change("*", "3"), 204);
    assert_eq!(crm.tenant.table(Object::Leads).read().len(), 2);
    assert!(crm.tenant.table(Object::Leads).read().tombstones().is_empty());
}

#[test]
fn the_alternate_key() {
    let crm = crm(1);
    let path = "leads(emailaddress1='o''brien@example.test')";
    let representation = [("prefer", "return=representation")];
    let made = ask(&crm, "PATCH", path, &representation, "{\"lastname\":\"O'Brien\"}");
    let (status, row) = read(&made);
    assert_eq!((status, &row["emailaddress1"]), (201, &json!("o'brien@example.test")));
    let (status, again) = read(&ask(&crm, "PATCH", path, &representation, "{\"telephone1\":\"1\"}"));
    assert_eq!(
        (status, &again["leadid"], &again["telephone1"]),
        (200, &row["leadid"], &json!("1"))
    );
    crm.configure(|config| {
        config.options.insert("alternate_key".into(), json!(false));
    });
    let (status, refused) = get(&crm, path);
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("0x80060891")));
}

#[test]
fn a_delta_tells_what_changed_and_what_is_gone() {
    let crm = crm(4);
    let track = [("prefer", "odata.track-changes,odata.maxpagesize=3")];
    let (_, first) = read(&ask(&crm, "GET", "leads?$select=lastname", &track, ""));
    assert!(first.get("@odata.deltaLink").is_none());
    let (_, last) = read(&ask(
        &crm,
        "GET",
        first["@odata.nextLink"].as_str().unwrap(),
        &track,
        "",
    ));
    let delta = last["@odata.deltaLink"].as_str().unwrap();
    assert_eq!(get(&crm, delta).1["value"], json!([]));

    assert_eq!(ask(&crm, "DELETE", &format!("leads({})", guid(2)), &[], "").status, 204);
    assert_eq!(ask(&crm, "DELETE", &format!("leads({})", guid(2)), &[], "").status, 404);
    let made = ask(&crm, "POST", "leads", &[], "{\"lastname\":\"New\"}");
    assert_eq!((made.status.as_u16(), made.body.is_empty()), (204, true));
    let (_, told) = get(&crm, delta);
    let value = told["value"].as_array().unwrap();
    assert_eq!((value.len(), &value[0]["lastname"]), (2, &json!("New")));
    assert_eq!(
        (&value[1]["id"], &value[1]["reason"]),
        (&json!(guid(2)), &json!("deleted"))
    );
    assert!(
        value[1]["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#leads/$deletedEntity")
    );
    assert_eq!(
        get(&crm, told["@odata.deltaLink"].as_str().unwrap()).1["value"],
        json!([])
    );
    let refused = ask(&crm, "GET", "leads?$orderby=modifiedon", &track, "");
    assert_eq!(refused.status, 400);
}

#[test]
fn metadata_and_strangers() {
    let crm = crm(0);
    let (_, told) = get(&crm, "EntityDefinitions(LogicalName='lead')/Attributes");
    let find = |name: &str| {
        let all = told["value"].as_array().unwrap();
        all.iter().find(|one| one["LogicalName"] == name).cloned().unwrap()
    };
    assert_eq!(
        (&find("leadid")["IsPrimaryId"], &find("modifiedon")["IsValidForUpdate"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(get(&crm, "EntityDefinitions(LogicalName='leads')/Attributes").0, 404);
    assert!(get(&crm, "WhoAmI").1["OrganizationId"].is_string());
    assert_eq!(crm.unauthorized(&format!("{BASE}/leads")), (401, Value::Null));
}
