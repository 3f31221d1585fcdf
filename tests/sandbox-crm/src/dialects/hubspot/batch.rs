//! Batches: read, create, update, upsert, archive. A missing record fails alone (207). A record with wrong properties fails
//! alone where every input has an objectWriteTraceId, else it fails the batch; a duplicate fails the batch always.

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::write::{self, Refused};
use super::{Reply, answer, find, list, properties};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::Record;
use crate::store::{Object, Table};
use crate::tenant::Tenant;

const MOST: usize = 100;
const TRACE: &str = "objectWriteTraceId";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Create,
    Update,
    Upsert,
}

pub fn batch(tenant: &Tenant, request: &Request<'_>, object: Object, action: &str) -> Reply {
    match action {
        "read" => read(tenant, request, object),
        "archive" => archive(tenant, request, object),
        "create" => write(tenant, request, object, Action::Create),
        "update" => write(tenant, request, object, Action::Update),
        "upsert" => write(tenant, request, object, Action::Upsert),
        _ => Err(answer::error(
            StatusCode::NOT_FOUND,
            "resource not found",
            "OBJECT_NOT_FOUND",
        )),
    }
}

fn inputs(body: &Map<String, Value>, allowed: &[&str]) -> Result<Vec<Map<String, Value>>, Answer> {
    let Some(Value::Array(inputs)) = body.get("inputs") else {
        return Err(answer::invalid("Invalid input JSON: inputs must be a list."));
    };
    if inputs.is_empty() || inputs.len() > MOST {
        let message = format!("The maximum number of inputs supported in a batch request is {MOST}; the minimum is 1.");
        return Err(answer::invalid(message));
    }
    inputs
        .iter()
        .map(|input| {
            let Value::Object(input) = input else {
                return Err(answer::invalid("Invalid input JSON: an input must be an object."));
            };
            match input.keys().find(|name| !allowed.contains(&name.as_str())) {
                Some(name) => Err(answer::invalid(format!("Invalid input JSON: unknown field {name:?}"))),
                None => Ok(input.clone()),
            }
        })
        .collect()
}

fn text<'a>(input: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Answer> {
    match input.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(answer::invalid(format!("Invalid input JSON: {name} must be a string."))),
    }
}

fn id(input: &Map<String, Value>) -> Result<&str, Answer> {
    text(input, "id")?.ok_or_else(|| answer::invalid("Invalid input JSON: an input needs an id."))
}

fn strings(body: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = body.get(name).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// What became of the inputs.
#[derive(Default)]
struct Outcome {
    results: Vec<Value>,
    missing: Vec<String>,
    errors: Vec<Value>,
}

impl Outcome {
    /// 207 where some failed. The results come in an order of their own: nothing promises the inputs'.
    fn answer(mut self, status: StatusCode, started: Timestamp) -> Answer {
        if !self.missing.is_empty() {
            self.errors.push(json!({
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "message": "Could not get some objects, they may be deleted or not exist. Check that ids are valid.",
                "context": { "ids": self.missing },
            }));
        }
        self.results.reverse();
        let mut body = json!({
            "status": "COMPLETE",
            "results": self.results,
            "startedAt": properties::time_text(Some(started)),
            "completedAt": properties::time_text(Some(Timestamp::now())),
        });
        let status = if self.errors.is_empty() {
            status
        } else {
            StatusCode::MULTI_STATUS
        };
        if let (false, Value::Object(body)) = (self.errors.is_empty(), &mut body) {
            body.insert("numErrors".into(), self.errors.len().into());
            body.insert("errors".into(), self.errors.into());
        }
        Answer::value(status, &body)
    }
}

fn read(tenant: &Tenant, request: &Request<'_>, object: Object) -> Reply {
    list::refuse_unknown(request, &["archived"])?;
    let started = Timestamp::now();
    let body = write::body(
        request,
        &["inputs", "properties", "propertiesWithHistory", "idProperty"],
    )?;
    let inputs = inputs(&body, &["id"])?;
    let asked = strings(&body, "properties");
    let by = text(&body, "idProperty")?;
    let archived = find::flag(request, "archived")?;
    let config = tenant.config();
    let table = tenant.table(object).read();
    let mut outcome = Outcome::default();
    for input in &inputs {
        let id = id(input)?;
        let found = match archived {
            false => find::row(&table, object, by, id)?.map(|row| (row, None)),
            true => {
                let mut gone = table.tombstones().iter();
                let gone = gone.find(|gone| crate::dialects::common::id_text(&gone.row.id) == id);
                gone.map(|gone| (gone.row.clone(), Some(gone.at)))
            }
        };
        match found {
            Some((row, at)) => {
                let record = Record::read(&row, &config);
                outcome
                    .results
                    .push(properties::show(&record, object, &config, &asked, at));
            }
            None => outcome.missing.push(id.to_owned()),
        }
    }
    Ok(outcome.answer(StatusCode::OK, started))
}

/// 204 whatever the ids are.
fn archive(tenant: &Tenant, request: &Request<'_>, object: Object) -> Reply {
    list::refuse_unknown(request, &[])?;
    let body = write::body(request, &["inputs"])?;
    let inputs = inputs(&body, &["id"])?;
    let mut table = tenant.table(object).write();
    let mut gone = Vec::new();
    for input in &inputs {
        gone.extend(table.find(id(input)?).map(|row| row.id.clone()));
    }
    table.remove(&gone, tenant.config().now());
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn write(tenant: &Tenant, request: &Request<'_>, object: Object, action: Action) -> Reply {
    list::refuse_unknown(request, &[])?;
    let started = Timestamp::now();
    let body = write::body(request, &["inputs"])?;
    let allowed: &[&str] = match action {
        Action::Create => &["properties", "associations", TRACE],
        Action::Update | Action::Upsert => &["id", "idProperty", "properties", TRACE],
    };
    let inputs = inputs(&body, allowed)?;
    let traced = inputs.iter().all(|input| input.contains_key(TRACE));
    refuse_doubles(&inputs)?;
    let mut table = tenant.table(object).write();
    if !traced {
        // All or nothing: what is wrong with the properties is known before anything is written.
        for input in &inputs {
            write::check(tenant, object, &write::given(input)?)?;
        }
    }
    refuse_duplicates(&table, object, &inputs, action)?;
    let mut outcome = Outcome::default();
    for input in &inputs {
        let trace = text(input, TRACE)?;
        match one(&mut table, tenant, object, action, input) {
            Ok(Some(mut shown)) => {
                if let (Some(trace), Value::Object(shown)) = (trace, &mut shown) {
                    shown.insert(TRACE.into(), trace.into());
                }
                outcome.results.push(shown);
            }
            Ok(None) => outcome.missing.push(id(input)?.to_owned()),
            Err(Failed::Whole(refusal)) => return Err(refusal),
            Err(Failed::Alone(refused)) => {
                if !traced {
                    return Err(refused.into());
                }
                let refusal: Answer = refused.into();
                let mut error: Value = serde_json::from_slice(&refusal.body).unwrap_or_default();
                if let Value::Object(error) = &mut error {
                    error.shift_remove("correlationId");
                    error.insert("context".into(), json!({ TRACE: [trace] }));
                }
                outcome.errors.push(error);
            }
        }
    }
    let status = if action == Action::Create {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(outcome.answer(status, started))
}

enum Failed {
    Whole(Answer),
    Alone(Refused),
}

impl From<Answer> for Failed {
    fn from(answer: Answer) -> Self {
        Self::Whole(answer)
    }
}

/// The record as written; `None` where there is none to update.
fn one(
    table: &mut Table,
    tenant: &Tenant,
    object: Object,
    action: Action,
    input: &Map<String, Value>,
) -> Result<Option<Value>, Failed> {
    let mut given = write::given(input)?;
    let by = text(input, "idProperty")?;
    let known = match action {
        Action::Create => None,
        Action::Update | Action::Upsert => find::row(table, object, by, id(input)?)?,
    };
    if action == Action::Update && known.is_none() {
        return Ok(None);
    }
    if let (Action::Upsert, None) = (action, &known) {
        match by {
            // The id is the new record's own value of that property.
            Some(by) if by != "hs_object_id" => {
                given.insert(by.into(), id(input)?.into());
            }
            _ => return Ok(None),
        }
    }
    let new = known.is_none();
    let written = write::check(tenant, object, &given).map_err(Failed::Alone)?;
    let row = match known {
        Some(row) => write::change(table, tenant, object, &row, written),
        None => write::insert(table, tenant, object, written),
    }
    .map_err(Failed::Alone)?;
    let mut shown = write::shown(tenant, object, &row, &given);
    if let (Action::Upsert, Value::Object(shown)) = (action, &mut shown) {
        shown.insert("new".into(), new.into());
    }
    Ok(Some(shown))
}

/// One record twice in a batch is refused whole.
fn refuse_doubles(inputs: &[Map<String, Value>]) -> Result<(), Answer> {
    let key = |input: &Map<String, Value>| {
        let id = input.get("id").and_then(Value::as_str)?;
        Some((input.get("idProperty").cloned(), id.to_lowercase()))
    };
    for (position, input) in inputs.iter().enumerate() {
        let own = key(input);
        if own.is_some() && inputs.iter().take(position).any(|other| key(other) == own) {
            return Err(answer::invalid("Duplicate IDs found in batch input"));
        }
    }
    Ok(())
}

/// An address that is taken, or given twice, fails the whole creation.
fn refuse_duplicates(
    table: &Table,
    object: Object,
    inputs: &[Map<String, Value>],
    action: Action,
) -> Result<(), Answer> {
    if action != Action::Create || object != Object::Contacts {
        return Ok(());
    }
    let mut seen: Vec<String> = Vec::new();
    for input in inputs {
        let given = write::given(input)?;
        let Some(email) = given.get("email").and_then(Value::as_str) else {
            continue;
        };
        if let Some(id) = crate::dialects::common::find_by(table, "email", email) {
            return Err(Refused::Duplicate(crate::dialects::common::id_text(&id)).into());
        }
        if seen.contains(&email.to_lowercase()) {
            return Err(answer::invalid(format!("Duplicate email {email} in batch input")));
        }
        seen.push(email.to_lowercase());
    }
    Ok(())
}
