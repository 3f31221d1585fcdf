//! Several records written: in batches where the CRM takes them, one by one where not. What became of each is told, and
//! one bad record does not hold up the others: a batch that is refused whole is halved until the bad ones stand alone.

use crate::crm::connector::Connector;
use crate::crm::object::{Object, Operation};
use crate::crm::reply::one_line;
use crate::crm::request::{Connection, Request, no_number};
use crate::crm::write::{Batch, Results};
use crate::error::{Error, Kind, Reason, Result};
use crate::json::{self, Path, scalar};
use crate::net::send::Reply;
use crate::sync::plan::cannot;
use crate::template::{Json, Value, Values};

/// What is done with the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// New ones.
    Create,
    /// Changes of given ones.
    Update,
    /// Made or changed by a unique field.
    Upsert,
    /// Removed.
    Delete,
}

impl Verb {
    /// The capability's name in connectors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        }
    }
}

/// One record to write.
#[derive(Debug, Clone, Default)]
pub struct Item {
    /// The CRM's id, of records that have one.
    pub id: Option<String>,
    /// The CRM's fields, as a JSON object.
    pub data: String,
    /// The unique field and its value.
    pub key: Option<(String, String)>,
}

/// What became of one record.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The CRM's id, where it is known.
    pub id: Option<String>,
    /// Why it was not written.
    pub error: Option<Error>,
}

/// What is written to, and how.
#[derive(Debug)]
pub struct Push<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// Name of the object type.
    pub name: &'a str,
    /// What is known of it.
    pub object: &'static Object,
    /// What is done.
    pub verb: Verb,
}

/// Makes a request for a connection: again, where its token has run out.
pub type Build<'a> = dyn Fn(&Connection) -> Result<Request> + 'a;
/// Sends a request; the face does, because tokens are its business.
pub type Send<'a> = dyn FnMut(&Build<'_>, Verb) -> Result<Reply> + 'a;

impl Push<'_> {
    /// Writes all records; the outcomes are in their order.
    pub fn run(&self, items: &[Item], send: &mut Send<'_>) -> Result<Vec<Outcome>> {
        let batches = &self.object.write.batch;
        let batch = match self.verb {
            Verb::Create => &batches.create,
            Verb::Update => &batches.update,
            Verb::Upsert => &batches.upsert,
            Verb::Delete => &batches.delete,
        };
        let mut outcomes = Vec::with_capacity(items.len());
        let mut sent = 0;
        for chunk in items.chunks(batch.as_ref().map_or(1, |batch| batch.max.max(1))) {
            sent += chunk.len();
            let done = match (batch, chunk) {
                (Some(batch), _) => self.together(batch, chunk, send, &mut outcomes),
                (None, [item]) => self.alone(item, send).map(|outcome| outcomes.push(outcome)),
                (None, _) => Ok(()),
            };
            match done {
                Ok(()) => {}
                Err(error) if outcomes.is_empty() => return Err(error),
                Err(error) => {
                    given_up(items, sent, &error, &mut outcomes);
                    break;
                }
            }
        }
        Ok(outcomes)
    }

    fn values(&self) -> Values {
        Connector::object_values(&self.connection.values, self.name, self.object)
    }

    fn on<'c>(&'c self, connection: &'c Connection) -> Push<'c> {
        Push { connection, ..*self }
    }

    /// The request for one record.
    pub fn request(&self, item: &Item) -> Result<Request> {
        let operation = Push::find(self.object, self.name, self.verb)?;
        let mut values = self.values();
        let with = Json::Object(operation.with.clone().into_iter().collect());
        let with = with.render(&values).unwrap_or_default();
        let item = &Item {
            data: if operation.with.is_empty() {
                item.data.clone()
            } else {
                json::joined(&with, &item.data)
            },
            ..item.clone()
        };
        let without_key = self
            .object
            .write
            .upsert
            .as_ref()
            .is_some_and(|upsert| upsert.without_key);
        match item.key.as_ref().filter(|_| self.verb == Verb::Upsert && without_key) {
            Some((key, _)) => {
                let members = json::members(&item.data);
                let others = members.iter().filter(|(name, _)| name != key);
                let data = json::object(others.map(|(name, value)| (name.as_str(), *value)));
                set(&mut values, &Item { data, ..item.clone() }, "r0");
            }
            None => set(&mut values, item, "r0"),
        }
        self.connection.request(operation, &values)
    }

    /// What the connector says of one record's request.
    pub fn find<'o>(object: &'o Object, name: &str, verb: Verb) -> Result<&'o Operation> {
        let write = &object.write;
        let found = match verb {
            Verb::Create => write.create.as_ref(),
            Verb::Update => write.update.as_ref(),
            Verb::Upsert => write.upsert.as_ref().map(|upsert| &upsert.request),
            Verb::Delete => write.delete.as_ref(),
        };
        found.ok_or_else(|| cannot(object, name, verb.name(), &format!("be written by {}", verb.name())))
    }

    /// The request for several records.
    fn batch(&self, batch: &Batch, items: &[Item]) -> Result<Request> {
        let mut values = self.values();
        let mut rendered = Vec::with_capacity(items.len());
        let shared = values.clone();
        for (position, item) in items.iter().enumerate() {
            // Anew for each record: what one has not must not come from the one before.
            let mut values = shared.clone();
            set(&mut values, item, &trace(position));
            if !batch.with.is_empty() {
                let with = Json::Object(batch.with.clone().into_iter().collect());
                let with = with.render_whole(&values).ok_or_else(|| incomplete(self.verb))?;
                values.set("data", Value::Json(json::joined(&item.data, &with)));
            }
            if let Some(template) = &batch.item {
                if let Some(name) = template.misfit(&values) {
                    return Err(no_number(name, &values));
                }
                rendered.push(template.render_whole(&values).ok_or_else(|| incomplete(self.verb))?);
            }
        }
        values.set("items", Value::Json(format!("[{}]", rendered.join(","))));
        let ids = items.iter().filter_map(|item| item.id.clone()).collect();
        values.set("ids", Value::List(ids));
        self.connection.request(&batch.request, &values)
    }

    fn alone(&self, item: &Item, send: &mut Send<'_>) -> Result<Outcome> {
        let operation = Push::find(self.object, self.name, self.verb)?;
        match send(&|connection| self.on(connection).request(item), self.verb) {
            Ok(reply) => Ok(Outcome {
                id: item.id.clone().or_else(|| new_id(operation, self.object, &reply)),
                error: None,
            }),
            Err(error) if is_gone(self.verb, &error) => Ok(Outcome {
                id: item.id.clone(),
                error: None,
            }),
            Err(error) if concerns_record(&error) => Ok(Outcome {
                id: item.id.clone(),
                error: Some(error),
            }),
            Err(error) => Err(error),
        }
    }

    fn together(&self, batch: &Batch, items: &[Item], send: &mut Send<'_>, outcomes: &mut Vec<Outcome>) -> Result<()> {
        match send(&|connection| self.on(connection).batch(batch, items), self.verb) {
            Ok(reply) => {
                outcomes.extend(told(batch.results.as_ref(), self.verb, items, &reply));
                Ok(())
            }
            Err(error) if concerns_record(&error) => match items.split_at_checked(items.len().div_ceil(2)) {
                Some((first, second)) if !second.is_empty() => {
                    self.together(batch, first, send, outcomes)?;
                    self.together(batch, second, send, outcomes)
                }
                _ => {
                    outcomes.extend(items.iter().map(|item| Outcome {
                        id: item.id.clone(),
                        error: (!is_gone(self.verb, &error)).then(|| error.clone()),
                    }));
                    Ok(())
                }
            },
            Err(error) => Err(error),
        }
    }
}

/// What is said of the records that a failure left behind: of those that were sent nothing is known, the others were not.
fn given_up(items: &[Item], sent: usize, error: &Error, outcomes: &mut Vec<Outcome>) {
    for (position, item) in items.iter().enumerate().skip(outcomes.len()) {
        let mut error = error.clone();
        if position >= sent {
            error.message = format!("not sent, because records before it failed: {}", error.message);
        }
        outcomes.push(Outcome {
            id: item.id.clone(),
            error: Some(error),
        });
    }
}

fn trace(position: usize) -> String {
    format!("r{position}")
}

fn set(values: &mut Values, item: &Item, trace: &str) {
    values.set("trace", Value::text(trace));
    values.set("data", Value::Json(item.data.clone()));
    if let Some(id) = &item.id {
        values.set("id", Value::text(id));
    }
    if let Some((key, value)) = &item.key {
        values.set("key", Value::text(key));
        values.set("key_value", Value::text(value));
    }
}

fn incomplete(verb: Verb) -> Error {
    Error::new(
        Kind::Config,
        format!("a record of the {} lacks its id or key", verb.name()),
    )
}

/// Whether a refusal is about the data; of others nothing is known for any record.
fn concerns_record(error: &Error) -> bool {
    matches!(
        error.reason,
        Some(Reason::Invalid | Reason::Duplicate | Reason::Conflict | Reason::Missing)
    )
}

/// A record that was gone before: what was asked for is so.
fn is_gone(verb: Verb, error: &Error) -> bool {
    verb == Verb::Delete && error.reason == Some(Reason::Missing)
}

/// What a batch's answer says of each record.
fn told(results: Option<&Results>, verb: Verb, items: &[Item], reply: &Reply) -> Vec<Outcome> {
    let whole = |item: &Item| Outcome {
        id: item.id.clone(),
        error: None,
    };
    let Some(results) = results else {
        return items.iter().map(whole).collect();
    };
    let text = String::from_utf8_lossy(&reply.body);
    let text = &*text;
    let rows = elements(&results.rows, text);
    let refusals = results
        .refusals
        .as_ref()
        .map(|path| elements(path, text))
        .unwrap_or_default();
    let first = refusals.first().and_then(|refusal| words(&results.message, refusal));
    let refusal = |position: usize, item: &Item| {
        let own = refusals.iter().find(|refusal| {
            results.refusal_trace.iter().any(|path| {
                let text = path.text(refusal).unwrap_or_default();
                let names = if text.starts_with('[') {
                    elements(&Path::default(), text)
                } else {
                    vec![text]
                };
                names
                    .into_iter()
                    .filter_map(scalar)
                    .any(|name| name == trace(position) || Some(&name) == item.id.as_ref())
            })
        });
        own.and_then(|refusal| words(&results.message, refusal))
            .or_else(|| first.clone())
    };
    let by_name = |position: usize, item: &Item| match &results.trace {
        None => rows.get(position).copied(),
        Some(path) => rows.iter().copied().find(|row| {
            let named = path.scalar(row);
            named.is_some() && (named == Some(trace(position)) || named == item.id)
        }),
    };
    let refused = |item: &Item, message: Option<String>| {
        let mut error = Error::new(
            Kind::Http,
            message.unwrap_or_else(|| String::from("the CRM did not take this record and gave no reason")),
        );
        error.reason = Some(Reason::Invalid);
        error.status = Some(reply.status.as_u16());
        Outcome {
            id: item.id.clone(),
            error: Some(error.during(&reply.operation)),
        }
    };
    items
        .iter()
        .enumerate()
        .map(|(position, item)| match by_name(position, item) {
            None => refused(item, refusal(position, item)),
            Some(row) if verb == Verb::Delete && results.gone.as_ref().is_some_and(|gone| gone.holds(row)) => {
                whole(item)
            }
            Some(row) if results.ok.as_ref().is_some_and(|ok| !ok.holds(row)) => {
                refused(item, words(&results.message, row))
            }
            Some(row) => Outcome {
                id: item
                    .id
                    .clone()
                    .or_else(|| results.id.as_ref().map_or_else(|| scalar(row), |path| path.scalar(row))),
                error: None,
            },
        })
        .collect()
}

fn words(paths: &[Path], json: &str) -> Option<String> {
    let found = paths
        .iter()
        .find_map(|path| path.scalar(json).filter(|text| !text.is_empty()))?;
    Some(one_line(&found))
}

fn elements<'t>(path: &Path, text: &'t str) -> Vec<&'t str> {
    let Some(list) = path.text(text).filter(|list| list.starts_with('[')) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut reader = json::Reader::new(list);
    // What was read before a mistake counts; the records behind it have no result.
    let _ = reader.each_element(|reader| {
        let span = reader.span()?;
        found.extend(list.get(span));
        Ok(())
    });
    found
}

/// The id that the answer to a create gives: in its body, bare, or in a header.
#[must_use]
pub fn new_id(operation: &Operation, object: &Object, reply: &Reply) -> Option<String> {
    let header = operation
        .id_header
        .as_ref()
        .and_then(|name| reply.headers.get(name.as_str())?.to_str().ok());
    if let Some(value) = header {
        let path = value.split(['?', '#']).next()?.trim_end_matches('/');
        let last = path.rsplit('/').next()?;
        let inside = last
            .split_once('(')
            .map_or(last, |(_, inside)| inside.trim_end_matches(')'));
        return percent_encoding::percent_decode_str(inside)
            .decode_utf8()
            .ok()
            .map(|id| id.into_owned());
    }
    let text = std::str::from_utf8(&reply.body).ok()?;
    match &operation.id {
        Some(path) => path.scalar(text),
        None => object.id.scalar(operation.record.text(text)?),
    }
}
