//! One record: read, created, changed, deleted, and written by an external id.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::Reply;
use super::answer::Fault;
use super::entity::Entity;
use super::write;
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{Record, id_text};
use crate::store::Id;
use crate::tenant::Tenant;

pub fn body(request: &Request<'_>) -> Result<Map<String, Value>, Fault> {
    if !request.sends_json() {
        let message = "Content-Type header specified in HTTP request is not supported: application/json is needed";
        return Err(Fault::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
        ));
    }
    match request.json() {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Fault::bad("JSON_PARSER_ERROR", "An object is needed.")),
        Err(reason) => Err(Fault::bad("JSON_PARSER_ERROR", reason)),
    }
}

pub fn success(id: &Id) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("id".into(), id_text(id).into());
    body.insert("success".into(), true.into());
    body.insert("errors".into(), json!([]));
    body
}

pub fn get(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity, id: &str) -> Reply {
    let config = tenant.config();
    let columns = match request.param("fields") {
        None => entity.columns(&config),
        Some(names) => names
            .split(',')
            .map(str::trim)
            .map(|name| entity.column(&config, name).ok_or_else(|| entity.no_such(name)))
            .collect::<Result<_, _>>()?,
    };
    let table = tenant.table(entity.object).read();
    let found = write::find(&table, id).and_then(|id| table.get(&id).cloned());
    let row = found.ok_or_else(|| write::missing(&table, id))?;
    let shown = entity.show(base, &columns, &Record::read(&row, &config), None);
    Ok(Answer::value(StatusCode::OK, &shown))
}

pub fn get_by(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity, field: &str, value: &str) -> Reply {
    let ids = {
        let table = tenant.table(entity.object).read();
        write::matching(&table, entity, &tenant.config(), field, value)?.1
    };
    match ids.as_slice() {
        [] => Err(Fault::nowhere()),
        [id] => get(tenant, request, base, entity, &id_text(id)),
        many => Ok(choices(base, entity, many)),
    }
}

/// 300: several records have that value.
fn choices(base: &str, entity: Entity, ids: &[Id]) -> Answer {
    let url = |id: &Id| format!("{base}/sobjects/{}/{}", entity.name, id_text(id));
    let urls: Vec<String> = ids.iter().map(url).collect();
    Answer::value(StatusCode::MULTIPLE_CHOICES, &json!(urls))
}

pub fn create(tenant: &Tenant, request: &Request<'_>, entity: Entity) -> Reply {
    let written = write::read(entity, &tenant.config(), &body(request)?, &["attributes"])?;
    let id = write::insert(&mut tenant.table(entity.object).write(), tenant, entity, written)?;
    Ok(Answer::value(StatusCode::CREATED, &success(&id).into()))
}

pub fn update(tenant: &Tenant, request: &Request<'_>, entity: Entity, id: &str) -> Reply {
    let written = write::read(entity, &tenant.config(), &body(request)?, &["attributes"])?;
    let mut table = tenant.table(entity.object).write();
    let id = write::find(&table, id).ok_or_else(|| write::missing(&table, id))?;
    write::change(&mut table, tenant, entity, &id, written)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

pub fn delete(tenant: &Tenant, entity: Entity, id: &str) -> Reply {
    let mut table = tenant.table(entity.object).write();
    let id = write::find(&table, id).ok_or_else(|| write::missing(&table, id))?;
    table.remove(&[id], tenant.config().now());
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

pub fn upsert(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity, field: &str, value: &str) -> Reply {
    let config = tenant.config();
    let given = body(request)?;
    let mut table = tenant.table(entity.object).write();
    let (column, ids) = write::matching(&table, entity, &config, field, value)?;
    if given.keys().any(|name| name.eq_ignore_ascii_case(&column.name)) {
        let message = format!("The {} field should not be specified in the sobject data.", column.name);
        return Err(Fault::bad("INVALID_FIELD", message));
    }
    let mut written = write::read(entity, &config, &given, &["attributes"])?;
    let (id, created) = match ids.as_slice() {
        [] => {
            write::set(&mut written, &column, &value.into())?;
            (write::insert(&mut table, tenant, entity, written)?, true)
        }
        [id] => {
            write::change(&mut table, tenant, entity, id, written)?;
            (id.clone(), false)
        }
        many => return Ok(choices(base, entity, many)),
    };
    let mut body = success(&id);
    body.insert("created".into(), created.into());
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Answer::value(status, &body.into()))
}
