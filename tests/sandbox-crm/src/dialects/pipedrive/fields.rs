//! Which fields each object has, which of them a client may write, and how they are described. What a written value
//! becomes in the row is `write`'s matter.

use serde_json::{Value, json};

use super::{Wrong, bad, fine, no_other, number};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{Fields, is_email};
use crate::store::Object;
use crate::tenant::{Config, Tenant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    Number,
    Bool,
    Date,
    Time,
    /// A list of whole numbers.
    Ints,
    /// A list of UUIDs.
    Uuids,
    /// A list of `{value, primary, label}`.
    Values,
    Address,
    /// `{amount, currency}`, both required.
    Money,
    OneOf(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Always,
    /// Only where null may stand for "none".
    OrNull,
    Create,
    /// Create, and null is allowed.
    CreateOrNull,
    Update,
}

pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub write: Write,
}

const fn field(name: &'static str, kind: Kind, write: Write) -> Field {
    Field { name, kind, write }
}

const SEEN_BY: Kind = Kind::OneOf(&["1", "3", "5", "7"]);
const CONSENT: Kind = Kind::OneOf(&["no_consent", "unsubscribed", "subscribed", "archived"]);

const PERSON: &[Field] = &[
    field("name", Kind::Text, Write::Always),
    field("owner_id", Kind::Int, Write::Always),
    field("org_id", Kind::Int, Write::Always),
    field("add_time", Kind::Time, Write::Create),
    field("emails", Kind::Values, Write::Always),
    field("phones", Kind::Values, Write::Always),
    field("visible_to", Kind::Int, Write::Always),
    field("label_ids", Kind::Ints, Write::Always),
    field("postal_address", Kind::Address, Write::Always),
    field("notes", Kind::Text, Write::Always),
    field("im", Kind::Values, Write::Always),
    field("birthday", Kind::Text, Write::Always),
    field("job_title", Kind::Text, Write::Always),
    field("marketing_status", CONSENT, Write::Always),
];

const ORGANIZATION: &[Field] = &[
    field("name", Kind::Text, Write::Always),
    field("owner_id", Kind::Int, Write::Always),
    field("add_time", Kind::Time, Write::Create),
    field("visible_to", Kind::Int, Write::Always),
    field("label_ids", Kind::Ints, Write::Always),
    field("address", Kind::Address, Write::Always),
    field("website", Kind::Text, Write::OrNull),
    field("linkedin", Kind::Text, Write::OrNull),
    field("industry", Kind::Int, Write::OrNull),
    field("annual_revenue", Kind::Int, Write::OrNull),
    field("employee_count", Kind::Int, Write::OrNull),
];

const DEAL: &[Field] = &[
    field("title", Kind::Text, Write::Always),
    field("owner_id", Kind::Int, Write::Always),
    field("person_id", Kind::Int, Write::Always),
    field("org_id", Kind::Int, Write::Always),
    field("pipeline_id", Kind::Int, Write::Always),
    field("stage_id", Kind::Int, Write::Always),
    field("value", Kind::Number, Write::Always),
    field("currency", Kind::Text, Write::Always),
    field("is_deleted", Kind::Bool, Write::Always),
    field("is_archived", Kind::Bool, Write::Always),
    field("archive_time", Kind::Time, Write::Always),
    field("status", Kind::OneOf(&["open", "won", "lost"]), Write::Always),
    field("probability", Kind::Number, Write::OrNull),
    field("lost_reason", Kind::Text, Write::OrNull),
    field("visible_to", Kind::Int, Write::Always),
    field("close_time", Kind::Time, Write::OrNull),
    field("won_time", Kind::Time, Write::Always),
    field("lost_time", Kind::Time, Write::Always),
    field("expected_close_date", Kind::Date, Write::Always),
    field("label_ids", Kind::Ints, Write::Always),
];

const LEAD: &[Field] = &[
    field("title", Kind::Text, Write::Always),
    field("owner_id", Kind::Int, Write::Always),
    field("label_ids", Kind::Uuids, Write::Always),
    field("person_id", Kind::Int, Write::OrNull),
    field("organization_id", Kind::Int, Write::OrNull),
    field("is_archived", Kind::Bool, Write::Update),
    field("value", Kind::Money, Write::OrNull),
    field("expected_close_date", Kind::Date, Write::OrNull),
    field("visible_to", SEEN_BY, Write::Always),
    field("was_seen", Kind::Bool, Write::Always),
    field("origin_id", Kind::Text, Write::CreateOrNull),
    field("channel", Kind::Int, Write::OrNull),
    field("channel_id", Kind::Text, Write::OrNull),
];

pub fn of(object: Object) -> &'static [Field] {
    match object {
        Object::Contacts => PERSON,
        Object::Companies => ORGANIZATION,
        Object::Deals => DEAL,
        Object::Leads => LEAD,
        Object::Tickets => &[],
    }
}

/// Every member must be one that may be written, with a value of its kind. Says the first that is not.
pub fn check(object: Object, given: &Fields, creating: bool, config: &Config) -> Result<(), Wrong> {
    for (name, value) in given {
        if name == "custom_fields" && object != Object::Leads {
            custom(value, config)?;
            continue;
        }
        if object == Object::Leads && config.custom_fields.contains(name) {
            continue;
        }
        let field = of(object).iter().find(|field| field.name == name);
        let allowed = field.filter(|field| match field.write {
            Write::Always | Write::OrNull => true,
            Write::Create | Write::CreateOrNull => creating,
            Write::Update => !creating,
        });
        let Some(field) = allowed else {
            return Err(bad(format!("Validation failed: {name}: Unrecognized key in object")));
        };
        let null = value.is_null() && matches!(field.write, Write::OrNull | Write::CreateOrNull);
        if !null && !fits(field.kind, value) {
            return Err(bad(format!("Validation failed: {name}: Invalid value")));
        }
    }
    let name = if matches!(object, Object::Deals | Object::Leads) {
        "title"
    } else {
        "name"
    };
    match given.get(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => {}
        None if !creating => {}
        _ => return Err(bad(format!("Validation failed: {name}: Required"))),
    }
    addresses(given)
}

fn addresses(given: &Fields) -> Result<(), Wrong> {
    let emails = given.get("emails").and_then(Value::as_array);
    for email in emails.into_iter().flatten() {
        let text = email.get("value").and_then(Value::as_str).unwrap_or_default();
        if !is_email(text) {
            return Err(bad("Validation failed: emails: Invalid email"));
        }
    }
    Ok(())
}

fn custom(value: &Value, config: &Config) -> Result<(), Wrong> {
    let Value::Object(given) = value else {
        return Err(bad("Validation failed: custom_fields: Expected object"));
    };
    match given.keys().find(|key| !config.custom_fields.contains(key)) {
        Some(key) => Err(bad(format!(
            "Validation failed: custom_fields.{key}: Unrecognized key in object"
        ))),
        None => Ok(()),
    }
}

fn fits(kind: Kind, value: &Value) -> bool {
    let all = |test: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(test));
    match kind {
        Kind::Text => value.is_string(),
        Kind::Int => value.is_u64(),
        Kind::Number => value.is_number(),
        Kind::Bool => value.is_boolean(),
        Kind::Date => value.as_str().is_some_and(is_date),
        Kind::Time => value
            .as_str()
            .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        Kind::Ints => all(Value::is_u64),
        Kind::Uuids => all(|one| one.as_str().is_some_and(is_uuid)),
        Kind::Values => all(|one| {
            let text = one.get("value").is_some_and(Value::is_string);
            let primary = one.get("primary").is_none_or(Value::is_boolean);
            text && primary && one.get("label").is_none_or(Value::is_string)
        }),
        Kind::Address => value.is_object(),
        Kind::Money => {
            value.get("amount").is_some_and(Value::is_number) && value.get("currency").is_some_and(Value::is_string)
        }
        Kind::OneOf(names) => value.as_str().is_some_and(|text| names.contains(&text)),
    }
}

pub fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

pub fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// v2's description of an object's fields, by cursor.
pub fn describe(tenant: &Tenant, request: &Request<'_>, object: Object) -> Result<Answer, Wrong> {
    no_other(request, &["include_fields", "limit", "cursor"])?;
    let limit = super::list::limit(request, 500)?;
    let start = match request.param("cursor") {
        None => 0,
        Some(text) => text.parse().map_err(|_| bad("Parameter 'cursor' is invalid"))?,
    };
    let describe = |name: &str, kind: &str, custom: bool| {
        json!({
            "field_name": name, "field_code": name, "field_type": kind, "options": null, "subfields": null,
            "is_custom_field": custom, "is_optional_response_field": false,
        })
    };
    let custom = tenant.config().custom_fields;
    let own = of(object)
        .iter()
        .map(|field| describe(field.name, field_type(field), false));
    let all: Vec<Value> = own
        .chain(custom.iter().map(|name| describe(name, "varchar", true)))
        .collect();
    let page: Vec<&Value> = all.iter().skip(start).take(limit).collect();
    let end = start.saturating_add(page.len());
    let next = (end < all.len()).then(|| end.to_string());
    Ok(fine(
        json!({ "success": true, "data": page, "additional_data": { "next_cursor": next } }),
    ))
}

/// v1's, by offset.
pub fn describe_leads(tenant: &Tenant, request: &Request<'_>) -> Result<Answer, Wrong> {
    no_other(request, &["start", "limit"])?;
    let limit = number(request, "limit")?.unwrap_or(100).clamp(1, 500);
    let start = number(request, "start")?.unwrap_or(0);
    let config = tenant.config();
    // v1 knows fewer types.
    let own = LEAD.iter().map(|field| {
        let kind = match field_type(field) {
            "int" => "double",
            "boolean" => "enum",
            kind => kind,
        };
        (field.name, kind, false)
    });
    let custom = config.custom_fields.iter().map(|name| (name.as_str(), "varchar", true));
    let all: Vec<Value> = own
        .chain(custom)
        .zip(1..)
        .map(|((key, kind, custom), number)| {
            json!({
                "id": number, "key": key, "name": key, "order_nr": number, "field_type": kind, "active_flag": true,
                "edit_flag": custom, "options": null, "mandatory_flag": key == "title",
                "add_time": "2024-01-01T00:00:00Z", "update_time": "2024-01-01T00:00:00Z",
            })
        })
        .collect();
    let page: Vec<&Value> = all.iter().skip(start as usize).take(limit as usize).collect();
    let more = start.saturating_add(limit) < all.len() as u64;
    Ok(fine(json!({
        "success": true,
        "data": page,
        "additional_data": super::leads::paging(start, limit, more),
    })))
}

fn field_type(field: &Field) -> &'static str {
    match (field.name, field.kind) {
        ("owner_id", _) => "user",
        ("person_id", _) => "people",
        ("org_id" | "organization_id", _) => "org",
        ("phones", _) => "phone",
        ("visible_to", _) => "visible_to",
        ("status", _) => "status",
        ("value", _) => "monetary",
        (_, Kind::Text | Kind::Values) => "varchar",
        (_, Kind::Int) => "int",
        (_, Kind::Number | Kind::Money) => "double",
        (_, Kind::Bool) => "boolean",
        (_, Kind::Date | Kind::Time) => "date",
        (_, Kind::Ints | Kind::Uuids) => "set",
        (_, Kind::Address) => "address",
        (_, Kind::OneOf(_)) => "enum",
    }
}
