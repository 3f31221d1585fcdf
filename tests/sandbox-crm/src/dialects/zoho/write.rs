//! What changes records in Zoho: up to 100 at once, each with its own code. All well is 201 or 200, all refused 400, both 207.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::fields::{Module, Wrong};
use super::{Reply, allow, bad, condition, error, invalid_id, invalid_param, iso, number, offset};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{self, Fields, Record, id_text};
use crate::store::{Id, Row, Table};
use crate::tenant::Tenant;

const MOST: usize = 100;

struct Body {
    data: Vec<Value>,
    duplicate_check_fields: Option<Vec<String>>,
}

fn body(request: &Request<'_>, upsert: bool) -> Result<Body, Answer> {
    if !request.sends_json() {
        let message = "The media type of the request is not supported";
        let details = json!({});
        return Err(error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
            details,
        ));
    }
    let Ok(Value::Object(mut body)) = request.json() else {
        let details = json!({ "expected_data_type": "jsonobject" });
        return Err(bad("INVALID_DATA", "body", details));
    };
    let known = [
        "data",
        "trigger",
        "lar_id",
        "apply_feature_execution",
        "skip_feature_execution",
    ];
    let unknown = |name: &&String| !known.contains(&name.as_str()) && (!upsert || *name != "duplicate_check_fields");
    if let Some(name) = body.keys().find(unknown) {
        return Err(bad(
            "INVALID_DATA",
            "invalid data",
            json!({ "api_name": name, "json_path": format!("$.{name}") }),
        ));
    }
    let data = match body.shift_remove("data") {
        Some(Value::Array(data)) if !data.is_empty() => data,
        Some(Value::Array(_)) | None => {
            let details = json!({ "api_name": "data", "json_path": "$.data" });
            return Err(bad("MANDATORY_NOT_FOUND", "required field not found", details));
        }
        Some(_) => {
            let details = json!({ "api_name": "data", "json_path": "$.data", "expected_data_type": "jsonarray" });
            return Err(bad("INVALID_DATA", "invalid data", details));
        }
    };
    if data.len() > MOST {
        let details = json!({ "api_name": "data", "json_path": "$.data", "maximum_length": MOST });
        return Err(bad("INVALID_DATA", "invalid data", details));
    }
    let duplicate_check_fields = match body.shift_remove("duplicate_check_fields") {
        None => None,
        Some(names) => {
            let names: Option<Vec<String>> = serde_json::from_value(names).ok();
            Some(names.ok_or_else(|| invalid_param("duplicate_check_fields"))?)
        }
    };
    Ok(Body {
        data,
        duplicate_check_fields,
    })
}

/// The record, and where it stands in the body.
fn records(data: &[Value]) -> impl Iterator<Item = (Result<&Fields, Wrong>, String)> {
    data.iter().enumerate().map(|(position, value)| {
        let path = format!("$.data[{position}]");
        let fields = value.as_object().ok_or_else(|| not_an_object(&path));
        (fields, path)
    })
}

fn not_an_object(path: &str) -> Wrong {
    let mut details = Fields::new();
    details.insert("expected_data_type".into(), "jsonobject".into());
    details.insert("json_path".into(), path.into());
    Wrong {
        code: "INVALID_DATA",
        message: "invalid data",
        details,
    }
}

fn answer(all_well: StatusCode, results: Vec<Value>) -> Answer {
    let well = results.iter().filter(|result| result["status"] == "success").count();
    let status = match well {
        0 => StatusCode::BAD_REQUEST,
        well if well < results.len() => StatusCode::MULTI_STATUS,
        _ => all_well,
    };
    Answer::value(status, &json!({ "data": results }))
}

fn refused(wrong: Wrong) -> Value {
    json!({ "code": wrong.code, "details": wrong.details, "message": wrong.message, "status": "error" })
}

fn done(tenant: &Tenant, row: &Row, message: &str) -> Value {
    json!({ "code": "SUCCESS", "details": details(tenant, row), "message": message, "status": "success" })
}

fn details(tenant: &Tenant, row: &Row) -> Value {
    let record = Record::read(row, &tenant.config());
    let time = |time: Option<jiff::Timestamp>| time.map(|time| iso(time, offset(tenant)));
    let by = json!({ "name": "Portal", "id": "5725767000000411001" });
    json!({
        "Modified_Time": time(record.updated),
        "Modified_By": by,
        "Created_Time": time(record.created),
        "id": id_text(&row.id),
        "Created_By": by,
        "$approval_state": "approved",
    })
}

pub fn create(tenant: &Tenant, request: &Request<'_>, module: &'static Module) -> Reply {
    allow(request, &[])?;
    let body = body(request, false)?;
    let config = tenant.config();
    let mut table = tenant.table(module.object).write();
    let results = records(&body.data).map(|(fields, path)| {
        match fields.and_then(|fields| module.write(&config, fields, None, &path)) {
            Ok(given) => {
                let row = common::create_in(&mut table, tenant, module.object, given);
                done(tenant, &row, "record added")
            }
            Err(wrong) => refused(wrong),
        }
    });
    Ok(answer(StatusCode::CREATED, results.collect()))
}

pub fn update(tenant: &Tenant, request: &Request<'_>, module: &'static Module, in_path: Option<&str>) -> Reply {
    allow(request, &[])?;
    let body = body(request, false)?;
    let unmodified = condition(request, "if-unmodified-since")?;
    let in_path = match in_path {
        None => None,
        Some(id) => Some(number(id).ok_or_else(|| invalid_id(1))?),
    };
    if in_path.is_some() && body.data.len() > 1 {
        let details = json!({ "api_name": "data", "json_path": "$.data", "maximum_length": 1 });
        return Err(bad("INVALID_DATA", "invalid data", details));
    }
    let mut table = tenant.table(module.object).write();
    if let (Some(id), Some(unmodified)) = (&in_path, unmodified)
        && let Some(row) = table.get(id).filter(|row| row.time > Some(unmodified))
    {
        let message = "record updated time has already passed if-unmodified-since time";
        let result = json!({ "code": "ALREADY_MODIFIED", "details": details(tenant, row), "message": message, "status": "error" });
        return Ok(Answer::value(
            StatusCode::PRECONDITION_FAILED,
            &json!({ "data": [result] }),
        ));
    }
    let results = records(&body.data).map(|(fields, path)| {
        let changed = fields.and_then(|fields| {
            let id = match &in_path {
                Some(id) => id.clone(),
                None => id_of(fields, &path)?,
            };
            change(tenant, module, &mut table, &id, fields, &path)
        });
        changed.map_or_else(refused, |row| done(tenant, &row, "record updated"))
    });
    Ok(answer(StatusCode::OK, results.collect()))
}

/// Numbers are taken too: who sends one has lost digits before.
fn id_of(fields: &Fields, path: &str) -> Result<Id, Wrong> {
    match fields.get("id") {
        None => Err(Wrong::new(
            "MANDATORY_NOT_FOUND",
            "required field not found",
            "id",
            path,
        )),
        Some(Value::String(text)) => number(text).ok_or_else(|| unknown_id(path)),
        Some(Value::Number(id)) => id.as_u64().map(Id::Number).ok_or_else(|| unknown_id(path)),
        Some(_) => Err(unknown_id(path)),
    }
}

fn unknown_id(path: &str) -> Wrong {
    Wrong::new("INVALID_DATA", "the id given seems to be invalid", "id", path)
}

fn change(
    tenant: &Tenant,
    module: &'static Module,
    table: &mut Table,
    id: &Id,
    fields: &Fields,
    path: &str,
) -> Result<std::sync::Arc<Row>, Wrong> {
    let old = table.get(id).ok_or_else(|| unknown_id(path))?;
    let old = old.fields().unwrap_or_default();
    let given = module.write(&tenant.config(), fields, Some(&old), path)?;
    common::update_in(table, tenant, id, given).ok_or_else(|| unknown_id(path))
}

pub fn upsert(tenant: &Tenant, request: &Request<'_>, module: &'static Module) -> Reply {
    allow(request, &[])?;
    let body = body(request, true)?;
    let checked = body
        .duplicate_check_fields
        .unwrap_or_else(|| vec![module.unique.into()]);
    let supported = module.unique_fields();
    if let Some(position) = checked.iter().position(|name| !supported.contains(&name.as_str())) {
        let path = format!("$.duplicate_check_fields[{position}]");
        let details = json!({ "api_name": "duplicate_check_fields", "json_path": path, "supported_values": supported });
        return Err(bad("INVALID_DATA", "invalid data", details));
    }
    let mut table = tenant.table(module.object).write();
    let results = records(&body.data).map(|(fields, path)| {
        let done = fields.and_then(|fields| put(tenant, module, &mut table, fields, &path, &checked));
        done.unwrap_or_else(refused)
    });
    Ok(answer(StatusCode::OK, results.collect()))
}

fn put(
    tenant: &Tenant,
    module: &'static Module,
    table: &mut Table,
    fields: &Fields,
    path: &str,
    checked: &[String],
) -> Result<Value, Wrong> {
    let found = checked.iter().find_map(|name| {
        let text = fields.get(name)?.as_str().filter(|text| !text.is_empty())?;
        let id = common::find_by(table, module.field(name)?.row, text)?;
        Some((name, id))
    });
    let (row, field, action, message) = match found {
        Some((name, id)) => {
            let row = change(tenant, module, table, &id, fields, path)?;
            (row, Some(name), "update", "record updated")
        }
        None => {
            let given = module.write(&tenant.config(), fields, None, path)?;
            let row = common::create_in(table, tenant, module.object, given);
            (row, None, "insert", "record added")
        }
    };
    let mut result = done(tenant, &row, message);
    if let Value::Object(result) = &mut result {
        result.insert("action".into(), action.into());
        result.insert("duplicate_field".into(), json!(field));
    }
    Ok(result)
}

pub fn delete(tenant: &Tenant, request: &Request<'_>, module: &'static Module, id: &str) -> Reply {
    allow(request, &["wf_trigger"])?;
    let number = number(id).ok_or_else(|| invalid_id(1))?;
    if !common::delete(tenant, module.object, &number) {
        let details = json!({ "resource_path_index": 1 });
        return Err(bad("INVALID_DATA", "record not deleted", details));
    }
    Ok(answer(StatusCode::OK, vec![deleted(id, true)]))
}

pub fn delete_many(tenant: &Tenant, request: &Request<'_>, module: &'static Module) -> Reply {
    allow(request, &["ids", "wf_trigger"])?;
    let Some(ids) = request.param("ids") else {
        return Err(bad(
            "REQUIRED_PARAM_MISSING",
            "required param is missing",
            json!({ "param_name": "ids" }),
        ));
    };
    let ids: Vec<&str> = ids.split(',').collect();
    if ids.len() > MOST {
        return Err(bad(
            "LIMIT_EXCEEDED",
            "limit exceeded",
            json!({ "limit": MOST, "param_name": "ids" }),
        ));
    }
    if ids.iter().any(|id| number(id).is_none()) {
        return Err(invalid_param("ids"));
    }
    let results = ids.into_iter().map(|id| {
        let gone = number(id).is_some_and(|id| common::delete(tenant, module.object, &id));
        deleted(id, gone)
    });
    Ok(answer(StatusCode::OK, results.collect()))
}

fn deleted(id: &str, gone: bool) -> Value {
    let (code, message, status) = match gone {
        true => ("SUCCESS", "record deleted", "success"),
        false => ("INVALID_DATA", "record not deleted", "error"),
    };
    json!({ "code": code, "details": { "id": id }, "message": message, "status": status })
}
