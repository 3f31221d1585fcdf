//! What Odoo serves and what it refuses.

use serde_json::{Value, json};

use crate::dialects;
use crate::dialects::testing::Crm;
use crate::store::Object;

fn crm() -> Crm {
    let crm = Crm::new(dialects::Crm::Odoo);
    crm.rows(
        Object::Leads,
        json!([
            {"id": 1, "name": "Zoë", "email": "z@a.test", "company": "Acme", "owner": "ana@a.test", "status": "qualified", "updated_at": "2026-11-01T10:00:00.250000Z"},
            {"id": 2, "name": "Bo", "email": null, "status": "new", "updated_at": "2026-11-01T10:00:00.750000Z"},
            {"id": 3, "name": "Archived", "email": "old@a.test", "active": false, "updated_at": "2026-11-02T10:00:00Z"},
        ]),
    );
    crm.rows(
        Object::Deals,
        json!([{"id": 11, "name": "Deal", "amount": 12.5, "updated_at": "2026-11-03T10:00:00Z"}]),
    );
    crm.rows(Object::Contacts, json!([{"id": 21, "name": "Ada", "company": "Acme"}]));
    crm.rows(Object::Companies, json!([{"id": 31, "name": "Acme"}]));
    crm
}

fn call(crm: &Crm, method: &str, arguments: Value) -> (u16, Value) {
    let path = if method.contains('/') {
        method.to_owned()
    } else {
        format!("crm.lead/{method}")
    };
    crm.send(
        "POST",
        &format!("/json/2/{path}"),
        "application/json; charset=utf-8",
        &arguments.to_string(),
    )
}

fn found(crm: &Crm, domain: Value) -> Vec<u64> {
    let (status, body) = call(crm, "search", json!({"domain": domain, "order": "id"}));
    assert_eq!(status, 200, "{body}");
    serde_json::from_value(body).unwrap()
}

#[test]
fn a_record() {
    let crm = crm();
    let fields = [
        "name",
        "email_from",
        "phone",
        "partner_name",
        "user_id",
        "stage_id",
        "write_date",
        "type",
        "active",
    ];
    let (status, body) = call(&crm, "read", json!({"ids": [1, 99], "fields": fields}));
    assert_eq!((status, body.as_array().unwrap().len()), (200, 1));
    let lead = &body[0];
    assert_eq!(
        (&lead["id"], &lead["name"], &lead["phone"]),
        (&json!(1), &json!("Zoë"), &json!(false))
    );
    assert_eq!(
        (&lead["stage_id"], &lead["user_id"][1]),
        (&json!([3, "qualified"]), &json!("ana@a.test"))
    );
    // To the second, though stored more finely.
    assert_eq!(lead["write_date"], "2026-11-01 10:00:00");
    assert_eq!((&lead["type"], &lead["active"]), (&json!("lead"), &json!(true)));
    assert_eq!(
        call(&crm, "res.partner/read", json!({"ids": [21]})).1[0]["parent_id"][1],
        "Acme"
    );
}

#[test]
fn domains() {
    let crm = crm();
    for (domain, expected) in [
        (json!([]), vec![1, 2, 11]),
        (json!([["type", "=", "lead"]]), vec![1, 2]),
        (json!([["type", "=", "opportunity"]]), vec![11]),
        // Microseconds count, though they are not printed.
        (
            json!([["write_date", ">", "2026-11-01 10:00:00"], ["type", "=", "lead"]]),
            vec![1, 2],
        ),
        (json!([["write_date", ">=", "2026-11-01 10:00:01"]]), vec![11]),
        (
            json!([["write_date", ">=", "2026-11-01 10:00:00"], ["id", ">", 1]]),
            vec![2, 11],
        ),
        (json!(["|", ["id", "=", 1], ["id", "=", 11]]), vec![1, 11]),
        (json!(["!", ["id", "in", [1, 11]]]), vec![2]),
        (
            json!([
                "&",
                "|",
                ["name", "ilike", "ZO"],
                ["name", "=", "Bo"],
                ["email_from", "!=", false]
            ]),
            vec![1],
        ),
        (json!([["email_from", "=", false], ["type", "=", "lead"]]), vec![2]),
        (json!([["email_from", "=like", "z@%"]]), vec![1]),
        (json!([["stage_id", "=", 3]]), vec![1]),
        (
            json!([["active", "in", [true, false]], ["type", "=", "lead"]]),
            vec![1, 2, 3],
        ),
        (json!([["active", "=", false]]), vec![3]),
        (json!([["expected_revenue", ">", 12]]), vec![11]),
    ] {
        assert_eq!(found(&crm, domain.clone()), expected, "{domain}");
    }
    let (_, all) = call(
        &crm,
        "search_count",
        json!({"domain": [], "context": {"active_test": false}}),
    );
    assert_eq!(all, 4);
}

#[test]
fn pages_and_orders() {
    let crm = crm();
    let search = |more: Value| {
        let mut arguments =
            json!({"domain": [["type", "=", "lead"]], "fields": ["name"], "context": {"active_test": false}});
        arguments
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let (status, body) = call(&crm, "search_read", arguments);
        assert_eq!(status, 200, "{body}");
        body.as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_u64().unwrap())
            .collect::<Vec<u64>>()
    };
    assert_eq!(search(json!({})), [3, 2, 1]);
    assert_eq!(search(json!({"order": "write_date, id", "limit": 2})), [1, 2]);
    assert_eq!(
        search(json!({"order": "write_date desc", "limit": 2, "offset": 1})),
        [2, 1]
    );
    assert_eq!(search(json!({"order": "name", "limit": 0})), [3, 2, 1]);
    assert_eq!(search(json!({"offset": 9})), [0_u64; 0]);
}

#[test]
fn what_is_refused() {
    let crm = crm();
    for (method, arguments, status, name) in [
        (
            "search",
            json!({"domain": [["colour", "=", 1]]}),
            500,
            "builtins.ValueError",
        ),
        (
            "search",
            json!({"domain": [["id", "above", 1]]}),
            500,
            "builtins.ValueError",
        ),
        (
            "search",
            json!({"domain": ["|", ["id", "=", 1]]}),
            500,
            "builtins.ValueError",
        ),
        (
            "search",
            json!({"domain": [["write_date", ">", "2026-11-01T10:00:00Z"]]}),
            500,
            "builtins.ValueError",
        ),
        (
            "search",
            json!({"domain": [["id", "in", 1]]}),
            500,
            "builtins.ValueError",
        ),
        ("search", json!({"order": "id up"}), 422, "odoo.exceptions.UserError"),
        ("search_read", json!({"fields": ["colour"]}), 500, "builtins.ValueError"),
        (
            "search_read",
            json!({"ids": [1]}),
            422,
            "werkzeug.exceptions.UnprocessableEntity",
        ),
        (
            "search_read",
            json!({"where": []}),
            422,
            "werkzeug.exceptions.UnprocessableEntity",
        ),
        ("create", json!({}), 422, "werkzeug.exceptions.UnprocessableEntity"),
        (
            "create",
            json!({"values": []}),
            422,
            "werkzeug.exceptions.UnprocessableEntity",
        ),
        (
            "create",
            json!({"vals_list": [{"name": "a", "colour": 1}]}),
            500,
            "builtins.ValueError",
        ),
        (
            "create",
            json!({"vals_list": [{"name": "a", "user_id": 7}]}),
            422,
            "odoo.exceptions.ValidationError",
        ),
        (
            "write",
            json!({"ids": [99], "vals": {"phone": "1"}}),
            404,
            "odoo.exceptions.MissingError",
        ),
        (
            "write",
            json!({"ids": [1], "vals": {"name": false}}),
            422,
            "odoo.exceptions.ValidationError",
        ),
        (
            "write",
            json!({"ids": [1], "vals": {"email_from": [1]}}),
            500,
            "builtins.ValueError",
        ),
        ("unlink", json!({"ids": [99]}), 404, "odoo.exceptions.MissingError"),
        ("paint", json!({}), 404, "werkzeug.exceptions.NotFound"),
        ("no.model/search", json!({}), 404, "werkzeug.exceptions.NotFound"),
        ("search", json!([]), 400, "werkzeug.exceptions.BadRequest"),
    ] {
        let (got, body) = call(&crm, method, arguments.clone());
        assert_eq!((got, &body["name"]), (status, &json!(name)), "{method} {arguments}");
        assert!(body["debug"].as_str().unwrap().contains("Traceback"));
    }
    assert_eq!(crm.get("/json/2/crm.lead/search").0, 404);
    assert_eq!(crm.send("POST", "/json/2/crm.lead/search", "text/plain", "{}").0, 415);
    let (status, body) = crm.unauthorized("/json/2/crm.lead/search");
    assert_eq!(
        (status, &body["name"]),
        (401, &json!("werkzeug.exceptions.Unauthorized"))
    );
    assert_eq!(crm.get("/web/version").1["version"], "19.0");
}

#[test]
fn one_call_is_one_transaction() {
    let crm = crm();
    let (status, _) = call(
        &crm,
        "create",
        json!({"vals_list": [{"name": "good"}, {"email_from": "no name"}]}),
    );
    assert_eq!(status, 422);
    assert_eq!(found(&crm, json!([["name", "=", "good"]])), [0_u64; 0]);
    let (status, ids) = call(
        &crm,
        "create",
        json!({"vals_list": [{"name": "a"}, {"name": "b", "user_id": false}]}),
    );
    assert_eq!((status, ids.as_array().unwrap().len()), (200, 2));
    let id = |position: usize| crm_row(&crm, Object::Leads, ids[position].as_u64().unwrap());
    assert_eq!(id(0).time, id(1).time);
    let (status, _) = call(&crm, "write", json!({"ids": [ids[0], 99], "vals": {"phone": "1"}}));
    assert_eq!(status, 404);
    assert_eq!(
        call(&crm, "read", json!({"ids": [ids[0]], "fields": ["phone"]})).1[0]["phone"],
        false
    );
    assert_eq!(
        call(
            &crm,
            "write",
            json!({"ids": ids, "vals": {"phone": "1", "stage_id": 2}})
        ),
        (200, json!(true))
    );
    assert_eq!(found(&crm, json!([["phone", "=", "1"], ["stage_id", "=", 2]])).len(), 2);
    assert_eq!(call(&crm, "unlink", json!({"ids": [ids[0], 99]})).0, 404);
    assert_eq!(call(&crm, "unlink", json!({"ids": ids})), (200, json!(true)));
    assert_eq!(call(&crm, "read", json!({"ids": ids})), (200, json!([])));
}

fn crm_row(crm: &Crm, object: Object, id: u64) -> crate::store::Row {
    let table = crm.tenant.table(object).read();
    table.find(&id.to_string()).unwrap().as_ref().clone()
}

#[test]
fn leads_and_deals_are_one_model() {
    let crm = crm();
    let (_, lead) = call(&crm, "create", json!({"vals_list": [{"name": "L"}]}));
    let (_, deal) = call(
        &crm,
        "create",
        json!({"vals_list": [{"name": "D"}], "context": {"default_type": "opportunity"}}),
    );
    assert_ne!(lead, deal);
    assert_eq!(
        found(&crm, json!([["type", "=", "opportunity"]])),
        [11, deal[0].as_u64().unwrap()]
    );
    // A lead that becomes one keeps its id.
    call(&crm, "write", json!({"ids": lead, "vals": {"type": "opportunity"}}));
    assert_eq!(found(&crm, json!([["type", "=", "lead"]])), [1, 2]);
    let (_, company) = call(
        &crm,
        "res.partner/create",
        json!({"vals_list": [{"name": "C", "is_company": true}]}),
    );
    let (_, companies) = call(
        &crm,
        "res.partner/search",
        json!({"domain": [["is_company", "=", true]], "order": "id"}),
    );
    assert_eq!(companies, json!([31, company[0]]));
}

#[test]
fn fields_get() {
    let crm = crm();
    let (_, fields) = call(
        &crm,
        "fields_get",
        json!({"attributes": ["type", "required", "string"]}),
    );
    assert_eq!(
        fields["name"],
        json!({"type": "char", "string": "Opportunity", "required": true})
    );
    assert_eq!(fields["write_date"]["type"], "datetime");
    let (_, some) = call(&crm, "fields_get", json!({"allfields": ["phone"]}));
    assert_eq!(some.as_object().unwrap().len(), 1);
}
