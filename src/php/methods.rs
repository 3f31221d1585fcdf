//! The methods of `TenantCRMSync`: arguments in, one request of the client, PHP values out.

use std::sync::Arc;

use ext_php_rs::convert::{IntoZval, IntoZvalDyn};
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::{ZendCallable, ZendHashTable, Zval};
use ext_php_rs::zend::{ExecutorGlobals, ce};
use reqwest::Method;

use crate::crm::connector::Object;
use crate::crm::request::{self, query_pair};
use crate::error::{Error, Kind, Result};
use crate::json::Refusal;
use crate::net::send::Reply;
use crate::php::batch::Pull;
use crate::php::client::{Client, Verb, boolean};
use crate::php::exception::{describe, exception};
use crate::php::ini;
use crate::php::json::Arrays;
use crate::php::settings::{Settings, tenant_name};
use crate::php::zend::{Call, PhpClass, is_true, new_object, pending, to_bytes, to_text, wrong_type};
use crate::sync::pull::Plan;
use crate::sync::watermark::Watermark;

const PHP_QUERY_RFC3986: i64 = 2;
const LEADS: &str = "leads";

fn decoded(reply: &Reply) -> Result<Zval> {
    Arrays::new()
        .decode(&reply.body)
        .map_err(|refusal| not_json(reply, refusal))
}

fn not_json(reply: &Reply, refusal: Refusal) -> Error {
    let mut error = match refusal {
        Refusal::Stopped => Error::new(
            Kind::TooLarge,
            format!(
                "the answer has {} bytes and does not fit into PHP's memory_limit: use pull(), which goes page by page",
                reply.body.len()
            ),
        ),
        refusal => Error::new(Kind::Decode, format!("the answer is not JSON: {refusal}")),
    };
    error.status = Some(reply.status.as_u16());
    error.attempts = reply.attempts;
    error.during(&reply.operation)
}

/// The filter as the article's class sends it. PHP's own function encodes what is not plain text.
fn since_query(parameter: &str, since: &Zval) -> PhpResult<Option<String>> {
    if !is_true(since) {
        return Ok(None);
    }
    if since.is_string() || since.is_long() {
        return Ok(Some(query_pair(parameter, &to_bytes(since)?)));
    }
    let mut table = ZendHashTable::new();
    table.insert(parameter, since.shallow_clone())?;
    let table = table.into_zval(false)?;
    let query = call_php("http_build_query", vec![&table, &"", &"&", &PHP_QUERY_RFC3986])?;
    to_text(&query).map(Some)
}

fn call_php(name: &str, arguments: Vec<&dyn IntoZvalDyn>) -> PhpResult<Zval> {
    let result = ZendCallable::try_from_name(name)?.try_call(arguments);
    if ExecutorGlobals::has_exception() {
        return Err(pending());
    }
    Ok(result?)
}

/// `json_encode( $data )`, as Guzzle writes bodies. An exception of the data's own is a failure like any other, an error passes.
fn encoded(data: &ZendHashTable) -> PhpResult<Result<Vec<u8>>> {
    let data = data.to_owned().into_zval(false)?;
    let failed = |reason: String| {
        Ok(Err(Error::new(
            Kind::Encode,
            format!("the data cannot be written as JSON: {reason}"),
        )))
    };
    match call_php("json_encode", vec![&data]) {
        Ok(json) => match json.zend_str() {
            Some(json) => Ok(Ok(json.as_bytes().to_vec())),
            None => failed(to_text(&call_php("json_last_error_msg", vec![])?)?),
        },
        Err(thrown) => {
            let is_exception = ExecutorGlobals::get()
                .exception()
                .is_some_and(|thrown| thrown.instance_of(ce::exception()));
            if !is_exception {
                return Err(thrown);
            }
            let class = ExecutorGlobals::take_exception()
                .and_then(|thrown| thrown.get_class_name().ok())
                .unwrap_or_default();
            failed(format!("{class} was thrown"))
        }
    }
}

// ----------------------------------------------------------------------------------------- methods, one delegation each

/// `__construct( $tenant_id )`
pub fn construct(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    let tenant = call.arg(0).map_or_else(Zval::null, Zval::shallow_clone);
    let settings = Settings::look_up(&tenant)?;
    call.construct(Client::new(settings))
}

/// `with_settings( $tenant_id, array $settings ): static`
pub fn with_settings(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 2)?;
    // The settings hold the key: whatever goes wrong from here on, no trace shows them.
    let given = call.take(1);
    let tenant = call.arg(0).map(tenant_name).transpose()?.unwrap_or_default();
    let settings = given.array().ok_or_else(|| wrong_type(1, c"array", &given))?;
    let id = call.arg(0).map_or_else(Zval::null, Zval::shallow_clone);
    let settings = Settings::read(&id, settings).map_err(|error| exception(&tenant, &error))?;
    let class = call.called_class().ok_or_else(pending)?;
    new_object(class, Client::new(settings))
}

/// `fetch_leads( $last_sync_timestamp = null )`
pub fn fetch_leads(call: &mut Call<'_>) -> PhpResult<Zval> {
    fetch(call, LEADS, 0)
}

/// `fetch_records( string $object, $since = null )`
pub fn fetch_records(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 2)?;
    let object = call.utf8(0, "object")?;
    fetch(call, &object, 1)
}

fn fetch(call: &mut Call<'_>, object: &str, since: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let mut verb = Verb::new(Method::GET);
    let rows = match this.settings.connector.object(object) {
        Ok(Object {
            since: parameter, rows, ..
        }) => {
            if let Some(since) = call.arg(since) {
                verb.query = since_query(&parameter.query, since)?;
            }
            rows
        }
        Err(error) => return this.settle(Err(error)),
    };
    let result = this.request(object, verb).and_then(|reply| {
        Arrays::new()
            .decode_member(&reply.body, rows)
            .map_err(|refusal| not_json(&reply, refusal))
    });
    this.settle(result)
}

/// `create_lead( array $lead_data )`
pub fn create_lead(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    write(call, LEADS, Method::POST, None, 0)
}

/// `create_record( string $object, array $data )`
pub fn create_record(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 2)?;
    let object = call.utf8(0, "object")?;
    write(call, &object, Method::POST, None, 1)
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

fn update(call: &mut Call<'_>, object: &str, id: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let method = this
        .settings
        .connector
        .object(object)
        .map(|known| Method::from_bytes(known.update.as_bytes()).unwrap_or(Method::PATCH));
    match method {
        Ok(method) => {
            let id_text = match identifier(call, id)? {
                Ok(id) => id,
                Err(error) => return this.settle(Err(error)),
            };
            write(call, object, method, Some(id_text), id + 1)
        }
        Err(error) => this.settle(Err(error)),
    }
}

/// A record's id; what is not UTF-8 would be another record's.
fn identifier(call: &Call<'_>, position: usize) -> PhpResult<Result<String>> {
    let bytes = call.arg(position).map(to_bytes).transpose()?.unwrap_or_default();
    Ok(String::from_utf8(bytes).map_err(|_| Error::new(Kind::Config, "the id of the record is not UTF-8")))
}

fn write(call: &mut Call<'_>, object: &str, method: Method, id: Option<String>, data: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let body = match encoded(call.array(data)?)? {
        Ok(body) => body,
        Err(error) => return this.settle(Err(error)),
    };
    let is_update = id.is_some();
    let verb = Verb {
        id,
        body: Some(body),
        ..Verb::new(method)
    };
    let result = this.request(object, verb).and_then(|reply| {
        if is_update && reply.body.is_empty() {
            return Ok(boolean(true));
        }
        decoded(&reply)
    });
    this.settle(result)
}

/// `get_lead( $lead_id )`
pub fn get_lead(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    get(call, LEADS, 0)
}

/// `get_record( string $object, $id )`
pub fn get_record(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 2)?;
    let object = call.utf8(0, "object")?;
    get(call, &object, 1)
}

fn get(call: &mut Call<'_>, object: &str, id: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let result = identifier(call, id)?
        .and_then(|id| this.request(object, Verb::of(Method::GET, id)))
        .and_then(|reply| decoded(&reply));
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

fn delete(call: &mut Call<'_>, object: &str, id: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let reply = identifier(call, id)?.and_then(|id| this.request(object, Verb::of(Method::DELETE, id)));
    let result = match reply {
        // Gone before: what was asked for is so.
        Err(error) if matches!(error.status, Some(404 | 410)) => Ok(boolean(true)),
        result => result.map(|_| boolean(true)),
    };
    this.settle(result)
}

/// `pull( string $object, ?string $watermark = null, array $options = [] ): Pull`
pub fn pull(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 3)?;
    let this = call.this::<Client>()?;
    let object = call.utf8(0, "object")?;
    let watermark = match call.arg(1).filter(|value| !value.is_null()) {
        Some(_) => Some(call.utf8(1, "watermark")?),
        None => None,
    };
    let options = if call.count() > 2 { Some(call.array(2)?) } else { None };
    let tenant = &this.settings.tenant;
    let plan = plan(&this, &object, watermark.as_deref(), options).map_err(|error| exception(tenant, &error))?;
    let class = Pull::class().entry().ok_or_else(pending)?;
    new_object(class, plan)
}

fn plan(client: &Client, object: &str, watermark: Option<&str>, options: Option<&ZendHashTable>) -> Result<Pull> {
    let wrong = |message: &str| Error::new(Kind::Config, message);
    let option = |name: &str| {
        options
            .and_then(|options| options.get(name))
            .filter(|value| !value.is_null())
    };
    let fields = match option("fields") {
        None => None,
        Some(list) => {
            let list = list
                .array()
                .ok_or_else(|| wrong("the option fields must be a list of field names"))?;
            let names: Option<Vec<String>> = list.values().map(|name| name.str().map(str::to_owned)).collect();
            Some(names.ok_or_else(|| wrong("the option fields must hold names only"))?)
        }
    };
    let page_size = match option("page_size") {
        None => None,
        Some(size) => {
            let size = size.long().filter(|size| (1..=1000).contains(size));
            Some(
                size.and_then(|size| u32::try_from(size).ok())
                    .ok_or_else(|| wrong("the option page_size must be a number from 1 to 1000"))?,
            )
        }
    };
    let from = Watermark::parse(watermark)?;
    let known = client.settings.connector.object(object)?;
    let prepared = client.prepare()?;
    let plan = Plan {
        object: known,
        address: request::address(&prepared.endpoint, &known.path, object, None)?,
        headers: prepared.headers,
        fields: fields.map(Arc::from),
        page_size,
        parallel: client.settings.parallel.min(ini::max_parallel()),
        config: prepared.config,
        timeout: prepared.timeout,
        from,
    };
    Ok(Pull::new(client.settings.tenant.clone(), plan, prepared.secret))
}

/// `last_error(): ?array`
pub fn last_error(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let error = this.last_error.borrow();
    Ok(match &*error {
        Some(error) => describe(&this.settings.tenant, error)?,
        None => Zval::null(),
    })
}

/// `throw_errors( bool $on = true ): static`
pub fn throw_errors(call: &mut Call<'_>) -> PhpResult<Zval> {
    let on = if call.count() > 0 { call.boolean(0)? } else { true };
    call.this::<Client>()?.throws.set(on);
    Ok(call.this_value())
}
