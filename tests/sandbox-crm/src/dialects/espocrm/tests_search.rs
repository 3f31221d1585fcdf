//! Lists of EspoCRM's dialect: pages, orders, filters in both spellings, and what is refused.

use serde_json::{Value, json};

use super::tests::{ask, reason, rows, send, tenant};
use crate::store::Object;
use crate::tenant::Tenant;

fn names(tenant: &Tenant, query: &str) -> Vec<String> {
    let page = ask(tenant, 200, "GET", &format!("/api/v1/Lead?{query}"), Value::Null);
    let last = |row: &Value| row["name"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned();
    page["list"].as_array().unwrap().iter().map(last).collect()
}

#[test]
fn pages_have_a_total_or_say_whether_there_is_more() {
    let tenant = tenant();
    rows(&tenant, Object::Leads, 5);
    let mut seen = Vec::new();
    for offset in [0, 2, 4, 6] {
        let target = format!("/api/v1/Lead?maxSize=2&offset={offset}&orderBy=modifiedAt");
        let page = ask(&tenant, 200, "GET", &target, Value::Null);
        assert_eq!(page["total"], 5);
        seen.extend(page["list"].as_array().unwrap().iter().map(|row| row["id"].to_string()));
        let answer = send(&tenant, "GET", &target, &[("x-no-total", "true")], "");
        let page: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(page["total"], if offset < 3 { -1 } else { -2 }, "{offset}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    assert_eq!(names(&tenant, "maxSize=0"), [] as [&str; 0]);
    assert_eq!(
        send(&tenant, "GET", "/api/v1/Lead", &[("x-no-total", "yes")], "").status,
        400
    );
}

#[test]
fn too_large_a_page_is_forbidden() {
    let tenant = tenant();
    let answer = send(&tenant, "GET", "/api/v1/Lead?maxSize=201", &[], "");
    assert_eq!((answer.status.as_u16(), answer.body.len()), (403, 0));
    assert_eq!(reason(&answer), "Max size should not exceed 200. Use offset and limit.");
    ask(&tenant, 200, "GET", "/api/v1/Lead?maxSize=200", Value::Null);
}

#[test]
fn time_filters_in_every_spelling() {
    let tenant = tenant();
    rows(&tenant, Object::Leads, 6);
    let time = "2026-01-01 00:00:04";
    let item = |kind: &str, attribute: &str| {
        format!("where[0][type]={kind}&where[0][{attribute}]=modifiedAt&where[0][value]={time}&orderBy=modifiedAt")
    };
    assert_eq!(names(&tenant, &item("greaterThan", "attribute")), ["5", "6"]);
    assert_eq!(names(&tenant, &item("after", "field")), ["5", "6"]);
    assert_eq!(
        names(&tenant, &item("greaterThanOrEquals", "attribute")),
        ["4", "5", "6"]
    );
    assert_eq!(
        names(
            &tenant,
            &item("greaterThanOrEquals", "attribute").replace("where", "whereGroup")
        ),
        ["4", "5", "6"]
    );
    assert_eq!(names(&tenant, &item("before", "attribute")), ["1", "2", "3"]);
    let params = json!({ "where": [{ "type": "between", "attribute": "modifiedAt", "value": ["2026-01-01 00:00:03", time] }],
        "orderBy": "modifiedAt", "order": "desc", "maxSize": 3 });
    let encoded: String = params.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(names(&tenant, &format!("searchParams={encoded}")), ["4", "3"]);
    let utc = item("after", "attribute") + "&where[0][dateTime]=true&where[0][timeZone]=UTC";
    assert_eq!(names(&tenant, &utc), ["5", "6"]);
    for wrong in ["2026-01-01T00:00:02Z", "2026-01-01", "1767225600", "yesterday", ""] {
        let target = format!("/api/v1/Lead?{}", item("after", "attribute").replace(time, wrong));
        ask(&tenant, 400, "GET", &target, Value::Null);
    }
    let target = format!("/api/v1/Lead?{}&where[0][dateTime]=true", item("after", "attribute"));
    ask(&tenant, 400, "GET", &target, Value::Null);
}

#[test]
fn other_filters_combine() {
    let tenant = tenant();
    rows(&tenant, Object::Leads, 4);
    let query = "orderBy=modifiedAt&where[0][type]=or\
        &where[0][value][0][type]=equals&where[0][value][0][attribute]=emailAddress&where[0][value][0][value]=ZOE1@crm.test\
        &where[0][value][1][type]=endsWith&where[0][value][1][attribute]=name&where[0][value][1][value]=3";
    assert_eq!(names(&tenant, query), ["1", "3"]);
    let query = "orderBy=modifiedAt&where[0][type]=in&where[0][attribute]=emailAddress\
        &where[0][value][]=zoe2@crm.test&where[0][value][]=zoe4@crm.test";
    assert_eq!(names(&tenant, query), ["2", "4"]);
    assert_eq!(
        names(&tenant, "where[0][type]=isNull&where[0][attribute]=phoneNumber"),
        [] as [&str; 0]
    );
    assert_eq!(
        names(&tenant, "where[0][type]=isNotNull&where[0][attribute]=phoneNumber").len(),
        4
    );
    assert_eq!(
        names(
            &tenant,
            "where[0][type]=contains&where[0][attribute]=name&where[0][value]=müller"
        )
        .len(),
        4
    );
    assert_eq!(
        names(
            &tenant,
            "where[0][type]=like&where[0][attribute]=name&where[0][value]=z%25r 2"
        ),
        ["2"]
    );
    assert_eq!(names(&tenant, "textFilter=zoe3"), ["3"]);
}

#[test]
fn orders_and_selections() {
    let tenant = tenant();
    rows(&tenant, Object::Leads, 4);
    assert_eq!(names(&tenant, "orderBy=name"), ["1", "2", "3", "4"]);
    assert_eq!(names(&tenant, "orderBy=name&order=desc"), ["4", "3", "2", "1"]);
    for parameter in ["select", "attributeSelect"] {
        let target = format!("/api/v1/Lead?{parameter}=modifiedAt,name&maxSize=1");
        let page = ask(&tenant, 200, "GET", &target, Value::Null);
        let mut members: Vec<&String> = page["list"][0].as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["id", "modifiedAt", "name"]);
    }
}

#[test]
fn what_is_refused() {
    let tenant = tenant();
    rows(&tenant, Object::Leads, 1);
    for query in [
        "maxSize=x",
        "maxSize=-1",
        "offset=x",
        "order=up",
        "page=2",
        "filter[updated_at_gt]=2026-01-01",
        "where=x",
        "where[0][attribute]=name",
        "where[0][type]=after",
        "where[0][type]=sounds&where[0][attribute]=name",
        "where[0][type]=between&where[0][attribute]=name&where[0][value]=a",
        "where[0]type=after",
        "searchParams=x",
        "searchParams=%7B%22filter%22%3A1%7D",
    ] {
        ask(&tenant, 400, "GET", &format!("/api/v1/Lead?{query}"), Value::Null);
    }
}
