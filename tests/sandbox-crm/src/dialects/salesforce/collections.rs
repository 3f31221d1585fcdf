//! composite/sobjects: up to 200 records in one request. 200 whatever becomes of them; each has its own result, in order.

use std::collections::HashSet;

use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::Fault;
use super::entity::Entity;
use super::{Reply, allow, records, write};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::Record;
use crate::store::Id;
use crate::tenant::Tenant;

const MOST: usize = 200;

pub fn collections(tenant: &Tenant, request: &Request<'_>, base: &str, rest: &[&str]) -> Reply {
    match rest {
        [] => {
            let parameters: &[&str] = match *request.method {
                Method::DELETE => &["ids", "allOrNone"],
                _ => &[],
            };
            allow(request, &[Method::POST, Method::PATCH, Method::DELETE], parameters)?;
            match *request.method {
                Method::DELETE => delete(tenant, request),
                _ => {
                    let update = request.method == Method::PATCH;
                    write_all(tenant, request, |record| match update {
                        true => change(tenant, record),
                        false => create(tenant, record),
                    })
                }
            }
        }
        [name] => {
            allow(request, &[Method::GET], &["ids", "fields"])?;
            retrieve(tenant, request, base, Entity::named(name)?)
        }
        [name, field] => {
            allow(request, &[Method::PATCH], &[])?;
            let entity = Entity::named(name)?;
            write_all(tenant, request, |record| upsert(tenant, record, entity, field))
        }
        _ => Err(Fault::nowhere()),
    }
}

/// A record that would be written: made when all are known to be good.
type Job<'a> = Box<dyn FnOnce() -> Result<(Id, Option<bool>), Fault> + 'a>;

fn write_all<'a>(
    tenant: &'a Tenant,
    request: &Request<'_>,
    prepare: impl Fn(Map<String, Value>) -> Result<Job<'a>, Fault>,
) -> Reply {
    let body = records::body(request)?;
    if let Some(name) = body
        .keys()
        .find(|name| !matches!(name.as_str(), "allOrNone" | "records"))
    {
        return Err(Fault::bad(
            "JSON_PARSER_ERROR",
            format!("Unrecognized field \"{name}\""),
        ));
    }
    let whole = match body.get("allOrNone") {
        None => false,
        Some(Value::Bool(whole)) => *whole,
        Some(_) => return Err(Fault::bad("JSON_PARSER_ERROR", "allOrNone must be true or false")),
    };
    let Some(Value::Array(list)) = body.get("records") else {
        return Err(Fault::bad("JSON_PARSER_ERROR", "records must be a list"));
    };
    size(list.len())?;
    let mut jobs = Vec::new();
    for record in list {
        let Value::Object(record) = record else {
            return Err(Fault::bad("JSON_PARSER_ERROR", "a record must be an object"));
        };
        jobs.push(prepare(record.clone()));
    }
    let spoilt = whole && jobs.iter().any(Result::is_err);
    // With allOrNone the rows are as before where one fails half-way.
    let before = whole.then(|| Saved::of(tenant));
    let mut failed = spoilt;
    let mut results: Vec<Value> = jobs
        .into_iter()
        .map(|job| match job {
            Err(fault) => fault.result(),
            Ok(_) if failed && whole => rolled_back(),
            Ok(job) => match job() {
                Ok((id, created)) => {
                    let mut result = records::success(&id);
                    result.extend(created.map(|created| ("created".into(), created.into())));
                    result.into()
                }
                Err(fault) => {
                    failed = true;
                    fault.result()
                }
            },
        })
        .collect();
    if let (true, false, Some(before)) = (failed, spoilt, before) {
        before.restore(tenant);
        for result in results
            .iter_mut()
            .filter(|result| result.get("success") == Some(&true.into()))
        {
            *result = rolled_back();
        }
    }
    Ok(Answer::value(StatusCode::OK, &results.into()))
}

fn rolled_back() -> Value {
    let message = "Record rolled back because not all records were valid and the request was using AllOrNone header";
    Fault::bad("ALL_OR_NONE_OPERATION_ROLLED_BACK", message).result()
}

/// All rows as they were.
struct Saved(Vec<(crate::store::Object, Vec<crate::store::Row>)>);

impl Saved {
    fn of(tenant: &Tenant) -> Self {
        let rows = |object| {
            let table = tenant.table(object).read();
            let rows = table.view(crate::store::Order::Id, None);
            (object, rows.iter().map(|row| row.as_ref().clone()).collect())
        };
        Self(crate::store::Object::ALL.into_iter().map(rows).collect())
    }

    fn restore(self, tenant: &Tenant) {
        for (object, rows) in self.0 {
            let mut table = tenant.table(object).write();
            let known: HashSet<Id> = rows.iter().map(|row| row.id.clone()).collect();
            let view = table.view(crate::store::Order::Id, None);
            let fresh: Vec<Id> = view
                .iter()
                .map(|row| row.id.clone())
                .filter(|id| !known.contains(id))
                .collect();
            drop(view);
            table.remove(&fresh, tenant.config().now());
            table.forget(&fresh);
            table.put(rows);
        }
    }
}

fn size(number: usize) -> Result<(), Fault> {
    match number {
        0 => Err(Fault::bad("REQUIRED_FIELD_MISSING", "records or ids are needed")),
        1..=MOST => Ok(()),
        _ => Err(Fault::bad(
            "EXCEEDED_ID_LIMIT",
            format!("record limit reached. cannot submit more than {MOST} records into this call"),
        )),
    }
}

/// The type that a record says it has.
fn entity(record: &Map<String, Value>) -> Result<Entity, Fault> {
    let name = record
        .get("attributes")
        .and_then(|attributes| attributes.get("type"))
        .and_then(Value::as_str);
    let found = name.and_then(Entity::find);
    found.ok_or_else(|| Fault::bad("INVALID_TYPE", "attributes.type must name the record's sObject"))
}

fn create<'a>(tenant: &'a Tenant, record: Map<String, Value>) -> Result<Job<'a>, Fault> {
    let entity = entity(&record)?;
    let written = write::read(entity, &tenant.config(), &record, &["attributes"])?;
    Ok(Box::new(move || {
        let id = write::insert(&mut tenant.table(entity.object).write(), tenant, entity, written)?;
        Ok((id, None))
    }))
}

fn change<'a>(tenant: &'a Tenant, record: Map<String, Value>) -> Result<Job<'a>, Fault> {
    let entity = entity(&record)?;
    let given = record.get("id").or_else(|| record.get("Id")).and_then(Value::as_str);
    let missing = || Fault::bad("MISSING_ARGUMENT", "Id not specified in an update call").of("Id");
    let given = given.ok_or_else(missing)?.to_owned();
    let written = write::read(entity, &tenant.config(), &record, &["attributes", "id", "Id"])?;
    let id = {
        let table = tenant.table(entity.object).read();
        write::find(&table, &given).ok_or_else(|| write::missing(&table, &given))?
    };
    Ok(Box::new(move || {
        write::change(&mut tenant.table(entity.object).write(), tenant, entity, &id, written)?;
        Ok((id, None))
    }))
}

fn upsert<'a>(tenant: &'a Tenant, record: Map<String, Value>, entity: Entity, field: &str) -> Result<Job<'a>, Fault> {
    if self::entity(&record)? != entity {
        return Err(Fault::bad(
            "INVALID_TYPE",
            "the record is of another type than the path",
        ));
    }
    let config = tenant.config();
    let written = write::read(entity, &config, &record, &["attributes"])?;
    let key = record.iter().find(|(name, _)| name.eq_ignore_ascii_case(field));
    let value = key.and_then(|(_, value)| value.as_str()).map(str::to_owned);
    let missing = || Fault::bad("MISSING_ARGUMENT", format!("{field} not specified")).of(field);
    let value = value.ok_or_else(missing)?;
    let field = field.to_owned();
    Ok(Box::new(move || {
        let mut table = tenant.table(entity.object).write();
        // Looked up when it is written: the record before may have made it.
        let (_, ids) = write::matching(&table, entity, &config, &field, &value)?;
        match ids.as_slice() {
            [] => Ok((write::insert(&mut table, tenant, entity, written)?, Some(true))),
            [id] => {
                write::change(&mut table, tenant, entity, id, written)?;
                Ok((id.clone(), Some(false)))
            }
            _ => {
                let message = format!("{field}: more than one record found for external id field");
                Err(Fault::bad("DUPLICATE_EXTERNAL_ID", message))
            }
        }
    }))
}

fn ids<'a>(request: &'a Request<'_>) -> Result<Vec<&'a str>, Fault> {
    let ids: Vec<&str> = request
        .param("ids")
        .unwrap_or_default()
        .split(',')
        .filter(|id| !id.is_empty())
        .collect();
    size(ids.len())?;
    Ok(ids)
}

fn delete(tenant: &Tenant, request: &Request<'_>) -> Reply {
    let whole = request.param("allOrNone") == Some("true");
    let ids = ids(request)?;
    let find = |id: &str| {
        let found = crate::store::Object::ALL.into_iter().find_map(|object| {
            let table = tenant.table(object).read();
            Some((object, write::find(&table, id)?))
        });
        found.ok_or_else(|| {
            let tables = crate::store::Object::ALL.into_iter();
            let faults = tables.map(|object| write::missing(&tenant.table(object).read(), id));
            // Of the one that had it, if any.
            let fault = faults.reduce(|first, other| {
                if other.code == "ENTITY_IS_DELETED" {
                    other
                } else {
                    first
                }
            });
            fault.unwrap_or_else(Fault::nowhere)
        })
    };
    let found: Vec<_> = ids.iter().map(|id| find(id)).collect();
    let spoilt = whole && found.iter().any(Result::is_err);
    let now = tenant.config().now();
    let results: Vec<Value> = found
        .into_iter()
        .map(|found| match found {
            Err(fault) => fault.result(),
            Ok(_) if spoilt => rolled_back(),
            Ok((object, id)) => {
                tenant.table(object).write().remove(std::slice::from_ref(&id), now);
                records::success(&id).into()
            }
        })
        .collect();
    Ok(Answer::value(StatusCode::OK, &results.into()))
}

/// Null where there is no such record.
fn retrieve(tenant: &Tenant, request: &Request<'_>, base: &str, entity: Entity) -> Reply {
    let config = tenant.config();
    let columns: Vec<_> = request
        .param("fields")
        .unwrap_or_default()
        .split(',')
        .map(|name| entity.column(&config, name).ok_or_else(|| entity.no_such(name)))
        .collect::<Result<_, _>>()?;
    let table = tenant.table(entity.object).read();
    let ids = ids(request)?;
    let rows: Vec<Value> = ids
        .iter()
        .map(|id| {
            let row = write::find(&table, id).and_then(|id| table.get(&id).cloned());
            row.map_or(json!(null), |row| {
                entity.show(base, &columns, &Record::read(&row, &config), None)
            })
        })
        .collect();
    Ok(Answer::value(StatusCode::OK, &rows.into()))
}
