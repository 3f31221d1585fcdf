//! The methods of `TenantCRMSync` that write records: one, or many at once.

use ext_php_rs::convert::IntoZval;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::{ZendHashTable, Zval};

use crate::crm::connector::Connector;
use crate::error::{Error, Kind, Reason, Result};
use crate::json;
use crate::net::send::Reply;
use crate::php::client::{Built, Client, boolean};
use crate::php::json::Arrays;
use crate::php::methods::{LEADS, decoded, identifier, not_json, record};
use crate::php::userland::json_encode;
use crate::php::zend::{Array, Call, is_true, string, to_bytes};
use crate::sync::plan;
use crate::sync::push::{self, Item, Outcome, Push, Verb};
use crate::template::Values;

/// `create_lead( array $lead_data )`
pub fn create_lead(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    create(call, LEADS, 0)
}

/// `create_record( string $object, array $data )`
pub fn create_record(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 2)?;
    let object = call.utf8(0, "object")?;
    create(call, &object, 1)
}

fn create(call: &mut Call<'_>, name: &str, data: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let json = match given(call, data)? {
        Ok(json) => json,
        Err(error) => return this.settle(Err(error)),
    };
    let result = written(&this, name, Verb::Create, Item::default(), &json);
    this.settle(result)
}

/// `update_lead( $lead_id, array $lead_data )`
pub fn update_lead(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 2)?;
    update(call, LEADS, 0)
}

/// `update_record( string $object, $id, array $data )`
pub fn update_record(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(3, 3)?;
    let object = call.utf8(0, "object")?;
    update(call, &object, 1)
}

fn update(call: &mut Call<'_>, name: &str, id: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let id_text = match identifier(call, id)? {
        Ok(id) => id,
        Err(error) => return this.settle(Err(error)),
    };
    let json = match given(call, id + 1)? {
        Ok(json) => json,
        Err(error) => return this.settle(Err(error)),
    };
    let item = Item {
        id: Some(id_text),
        ..Item::default()
    };
    let result = written(&this, name, Verb::Update, item, &json);
    this.settle(result)
}

/// `upsert_record( string $object, string $key, array $data )`
pub fn upsert_record(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(3, 3)?;
    let this = call.this::<Client>()?;
    let name = call.utf8(0, "object")?;
    let key = call.utf8(1, "key")?;
    let json = match given(call, 2)? {
        Ok(json) => json,
        Err(error) => return this.settle(Err(error)),
    };
    let result = keyed(&this, &name, &key, &json).and_then(|item| written(&this, &name, Verb::Upsert, item, &json));
    this.settle(result)
}

/// `delete_lead( $lead_id )`
pub fn delete_lead(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    delete(call, LEADS, 0)
}

/// `delete_record( string $object, $id )`
pub fn delete_record(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 2)?;
    let object = call.utf8(0, "object")?;
    delete(call, &object, 1)
}

fn delete(call: &mut Call<'_>, name: &str, id: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let reply = identifier(call, id)?.and_then(|id| {
        let item = Item {
            id: Some(id),
            ..Item::default()
        };
        sent(&this, name, Verb::Delete, &item)
    });
    let result = match reply {
        // Gone before: what was asked for is so.
        Err(error) if error.reason == Some(Reason::Missing) => Ok(boolean(true)),
        result => result.map(|_| boolean(true)),
    };
    this.settle(result)
}

/// Data as JSON text.
fn given(call: &Call<'_>, position: usize) -> PhpResult<Result<String>> {
    let data = call.array(position)?.to_owned().into_zval(false)?;
    Ok(json_encode(&data)?.and_then(text))
}

fn text(json: Vec<u8>) -> Result<String> {
    String::from_utf8(json).map_err(|_| Error::new(Kind::Encode, "the data cannot be written as JSON: it is not UTF-8"))
}

/// Data in the CRM's own fields.
fn translated(client: &Client, name: &str, verb: Verb, data: &str) -> Result<String> {
    let object = client.object(name)?;
    let Some(mapping) = client.settings.mapping(name, object) else {
        return Ok(data.to_owned());
    };
    // `[]` is how PHP writes an object without members.
    let data = if data == "[]" { "{}" } else { data };
    let zone = match &object.updated_at.zone {
        Some(_) => Some(client.settings.connection_without_token()?.zone(object)?),
        None => None,
    };
    let fields = mapping
        .write_in(data, zone.as_ref())
        .map_err(|reason| Error::new(Kind::Encode, format!("{name}: {reason}")))?;
    Ok(object.write.clear.apply(&fields, verb == Verb::Create))
}

/// The item of an upsert: its unique field in the CRM's words, and the value.
fn keyed(client: &Client, name: &str, key: &str, data: &str) -> Result<Item> {
    let wrong = |reason: String| Error::new(Kind::Config, reason);
    let object = client.object(name)?;
    let upsert = object.write.upsert.as_ref().map(|upsert| &upsert.keys);
    let upsert = upsert.ok_or_else(|| plan::cannot(object, name, "upsert", "be upserted"))?;
    let members = json::members(data);
    let value = members.iter().rev().find(|(member, _)| member == key);
    let (_, value) = value.ok_or_else(|| wrong(format!("the data has no '{key}', which is to be the key")))?;
    let one = translated(client, name, Verb::Upsert, &json::object([(key, *value)]))?;
    let found = json::members(&one);
    let (field, value) = found
        .first()
        .and_then(|(field, value)| Some((field.clone(), json::scalar(value)?)))
        .filter(|(_, value)| !value.is_empty())
        .ok_or_else(|| wrong(format!("'{key}' has no text or number to be the key")))?;
    if !upsert.is_empty() && !upsert.contains(&field) {
        return Err(wrong(format!(
            "'{field}' cannot be the key in this CRM; {} can",
            upsert.join(", ")
        )));
    }
    Ok(Item {
        key: Some((field, value)),
        ..Item::default()
    })
}

/// Writes one record and gives what the CRM answers: the record, or its id at least.
fn written(client: &Client, name: &str, verb: Verb, mut item: Item, data: &str) -> Result<Zval> {
    item.data = translated(client, name, verb, data)?;
    let reply = sent(client, name, verb, &item)?;
    let is_mapped = client.settings.mapping(name, client.object(name)?).is_some();
    match answered(client, name, verb, &reply)? {
        Some(record) => Ok(record),
        None if is_mapped => named(client, name, verb, &item, &reply),
        None => Ok(boolean(true)),
    }
}

/// The record in the answer, as PHP gets it; `None` where there is none.
fn answered(client: &Client, name: &str, verb: Verb, reply: &Reply) -> Result<Option<Zval>> {
    let object = client.object(name)?;
    let operation = Push::find(object, name, verb)?;
    let is_mapped = client.settings.mapping(name, object).is_some();
    if reply.body.is_empty() && (is_mapped || verb != Verb::Create) {
        return Ok(None);
    }
    if !is_mapped {
        return decoded(reply).map(Some);
    }
    if operation.id.is_some() || operation.id_header.is_some() {
        return Ok(None);
    }
    record(client, name, object, operation, reply)
}

/// `['id' => …]`
fn named(client: &Client, name: &str, verb: Verb, item: &Item, reply: &Reply) -> Result<Zval> {
    let object = client.object(name)?;
    let operation = Push::find(object, name, verb)?;
    let id = item.id.clone().or_else(|| push::new_id(operation, object, reply));
    match id {
        Some(id) => Arrays::new()
            .decode_text(&json::object([("id", json::quoted(&id).as_str())]))
            .map_err(|refusal| not_json(reply, refusal)),
        None => Ok(boolean(true)),
    }
}

fn sent(client: &Client, name: &str, verb: Verb, item: &Item) -> Result<Reply> {
    let object = client.object(name)?;
    client.request(&|connection| {
        let push = Push {
            connection,
            name,
            object,
            verb,
        };
        push.request(item).map(Built::write)
    })
}

/// `create_records( string $object, array $list ): array`
pub fn create_records(call: &mut Call<'_>) -> PhpResult<Zval> {
    many(call, Verb::Create, 1, 2)
}

/// `update_records( string $object, array $list ): array`, each with its id
pub fn update_records(call: &mut Call<'_>) -> PhpResult<Zval> {
    many(call, Verb::Update, 1, 2)
}

/// `upsert_records( string $object, string $key, array $list ): array`
pub fn upsert_records(call: &mut Call<'_>) -> PhpResult<Zval> {
    many(call, Verb::Upsert, 2, 3)
}

/// `delete_records( string $object, array $ids ): array`
pub fn delete_records(call: &mut Call<'_>) -> PhpResult<Zval> {
    many(call, Verb::Delete, 1, 2)
}

fn many(call: &mut Call<'_>, verb: Verb, list: usize, arguments: u32) -> PhpResult<Zval> {
    call.at_least(arguments, arguments)?;
    let this = call.this::<Client>()?;
    let name = call.utf8(0, "object")?;
    let key = if verb == Verb::Upsert {
        Some(call.utf8(1, "key")?)
    } else {
        None
    };
    let mut items = Vec::new();
    for (position, given) in call.array(list)?.values().enumerate() {
        match item(&this, &name, verb, key.as_deref(), given)? {
            Ok(item) => items.push(item),
            Err(mut error) => {
                error.message = format!("record {position} of the list: {}", error.message);
                return this.settle(Err(error));
            }
        }
    }
    let result = write_many(&this, &name, verb, &items)
        .and_then(|outcomes| listed(&outcomes).map_err(|error| Error::new(Kind::TooLarge, error.to_string())));
    this.settle(result)
}

/// One element of the list; an id alone where records are removed.
fn item(client: &Client, name: &str, verb: Verb, key: Option<&str>, given: &Zval) -> PhpResult<Result<Item>> {
    if verb == Verb::Delete {
        let id = String::from_utf8(to_bytes(given)?).ok().filter(|id| !id.is_empty());
        return Ok(id
            .map(|id| Item {
                id: Some(id),
                ..Item::default()
            })
            .ok_or_else(|| Error::new(Kind::Config, "it is not an id in UTF-8")));
    }
    if !given.is_array() {
        return Ok(Err(Error::new(Kind::Config, "it is not an array")));
    }
    let json = match json_encode(given)?.and_then(text) {
        Ok(json) => json,
        Err(error) => return Ok(Err(error)),
    };
    Ok(read_item(client, name, verb, key, &json))
}

fn read_item(client: &Client, name: &str, verb: Verb, key: Option<&str>, json: &str) -> Result<Item> {
    let mut item = match key {
        Some(key) => keyed(client, name, key, json)?,
        None => Item::default(),
    };
    let mut data = json.to_owned();
    if verb == Verb::Update {
        let members = json::members(json);
        let id = members.iter().rev().find(|(member, _)| member == "id");
        item.id = id
            .and_then(|(_, value)| json::scalar(value))
            .filter(|id| !id.is_empty());
        if item.id.is_none() {
            return Err(Error::new(Kind::Config, "it has no id"));
        }
        let others = members.iter().filter(|(member, _)| member != "id");
        data = json::object(others.map(|(member, value)| (member.as_str(), *value)));
    }
    item.data = translated(client, name, verb, &data)?;
    Ok(item)
}

fn write_many(client: &Client, name: &str, verb: Verb, items: &[Item]) -> Result<Vec<Outcome>> {
    let object = client.object(name)?;
    let connection = client.prepare(None)?.connection;
    let push = Push {
        connection: &connection,
        name,
        object,
        verb,
    };
    // A token that runs out on the way is renewed; the request is made again with what is new in the connection.
    push.run(items, &mut |build, _| {
        client.request(&|connection| build(connection).map(Built::write))
    })
}

fn listed(outcomes: &[Outcome]) -> ext_php_rs::error::Result<Zval> {
    let text = |text: Option<&str>| text.map_or_else(Zval::null, |text| string(text.as_bytes()));
    let mut list = Array::list();
    for outcome in outcomes {
        let mut entry = ZendHashTable::new();
        let error = outcome.error.as_ref();
        entry.insert("ok", error.is_none())?;
        entry.insert("id", text(outcome.id.as_deref()))?;
        entry.insert("reason", text(error.and_then(|error| error.reason).map(Reason::name)))?;
        entry.insert("message", text(error.map(|error| error.message.as_str())))?;
        list.push(entry.into_zval(false)?);
    }
    Ok(list.into_value())
}

/// `get_records( string $object, array $ids ): array`
pub fn get_records(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 2)?;
    let this = call.this::<Client>()?;
    let name = call.utf8(0, "object")?;
    let mut ids = Vec::new();
    for id in call.array(1)?.values().filter(|id| is_true(id)) {
        match String::from_utf8(to_bytes(id)?) {
            Ok(id) => ids.push(id),
            Err(_) => return this.settle(Err(Error::new(Kind::Config, "an id of the list is not UTF-8"))),
        }
    }
    let result = read_many(&this, &name, &ids);
    this.settle(result)
}

fn read_many(client: &Client, name: &str, ids: &[String]) -> Result<Zval> {
    let object = client.object(name)?;
    let by_ids = object.read.by_ids.as_ref();
    let by_ids = by_ids.ok_or_else(|| plan::cannot(object, name, "by_ids", "be read several at once"))?;
    let fields = plan::fields(object, client.settings.mapping(name, object).as_ref());
    let mut list = Array::list();
    let mut arrays = Arrays::new();
    for chunk in ids.chunks(by_ids.max.max(1)) {
        let reply = client.request(&|connection| {
            let mut values: Values = Connector::object_values(&connection.values, name, object);
            plan::set_fields(&mut values, None, &fields);
            by_ids
                .set(&mut values, chunk)
                .ok_or_else(|| Error::new(Kind::Config, "read.by_ids.item needs a value that is not there"))?;
            connection.request(&by_ids.request, &values).map(Built::read)
        })?;
        let connection = client.settings.connection_without_token()?;
        let shape = client.settings.shape(name, object, &by_ids.rows, &connection)?;
        let page = plan::read(&reply, &shape)?;
        for position in 0..page.rows.len() {
            let record = page.record(position).unwrap_or_default();
            list.push(
                arrays
                    .decode_text(&record)
                    .map_err(|refusal| not_json(&reply, refusal))?,
            );
        }
    }
    Ok(list.into_value())
}
