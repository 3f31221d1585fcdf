//! The methods of `TenantCRMSync` that make clients, read records and pull them. Writing is in `records.rs`.

use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::Zval;

use crate::crm::connector::Connector;
use crate::crm::object::{Listing, Object, Operation, TimeFormat};
use crate::crm::request::{Connection, Request, parameter_of};
use crate::crm::timestamp::Moment;
use crate::error::{Error, Kind, Reason, Result};
use crate::json::Refusal;
use crate::net::send::Reply;
use crate::php::client::{Built, Client};
use crate::php::exception::{describe, exception};
use crate::php::json::Arrays;
use crate::php::pull::Pull;
use crate::php::settings::{Settings, tenant_name};
use crate::php::userland;
use crate::php::wanted::Wanted;
use crate::php::zend::{Array, Call, PhpClass, is_true, new_object, pending, to_bytes, wrong_type};
use crate::sync::plan;
use crate::template::Value;

/// The article's object type.
pub const LEADS: &str = "leads";

/// An answer as arrays.
pub fn decoded(reply: &Reply) -> Result<Zval> {
    Arrays::new()
        .decode(&reply.body)
        .map_err(|refusal| not_json(reply, refusal))
}

/// The failure of an answer that is no JSON.
pub fn not_json(reply: &Reply, refusal: Refusal) -> Error {
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

fn fetch(call: &mut Call<'_>, name: &str, since: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let found = this.object(name).and_then(|object| {
        let list = object.read.full.as_ref().or(object.read.since.as_ref());
        list.map(|list| (object, list))
            .ok_or_else(|| plan::cannot(object, name, "full", "be listed"))
    });
    let (object, full) = match found {
        Ok(found) => found,
        Err(error) => return this.settle(Err(error)),
    };
    let given = call.arg(since).filter(|since| is_true(since));
    let listing = match (given, &object.read.since) {
        (Some(_), Some(changes)) => changes,
        _ => full,
    };
    // What PHP passes as it is, is encoded as PHP does it; what has to be understood as a time is.
    let mut query = None;
    let mut text = None;
    let as_written = listing.since.format == TimeFormat::AsWritten;
    match (given, parameter_of(&listing.request, "since").filter(|_| as_written)) {
        (Some(given), Some(parameter)) => query = userland::query(parameter, given)?,
        (Some(given), None) => text = Some(String::from_utf8_lossy(&to_bytes(given)?).into_owned()),
        (None, _) => {}
    }
    let result = this
        .request(&|connection| {
            let mut request = first_page(connection, name, object, listing, text.as_deref())?;
            if let Some(query) = &query {
                let whole = request
                    .url
                    .query()
                    .map_or_else(|| query.clone(), |rest| format!("{rest}&{query}"));
                request.url.set_query(Some(&whole));
            }
            Ok(Built::read(request))
        })
        .and_then(|reply| rows(&this, name, object, listing, &reply));
    let is_empty = |error: &Error| {
        let status = error.status.unwrap_or_default();
        listing.no_rows.iter().any(|pattern| pattern.fits(status))
    };
    this.settle(match result {
        Err(error) if is_empty(&error) => Ok(Array::list().into_value()),
        result => result,
    })
}

fn first_page(
    connection: &Connection,
    name: &str,
    object: &Object,
    listing: &Listing,
    since: Option<&str>,
) -> Result<Request> {
    let mut values = Connector::object_values(&connection.values, name, object);
    plan::set_fields(
        &mut values,
        listing.max_fields,
        &plan::fields(object, object.map.as_ref()),
    );
    if let Some(size) = listing.size.default {
        values.set("size", Value::Number(i64::from(size)));
    }
    if let Some(start) = plan::start(listing) {
        values.set("after", Value::text(start));
    }
    if let Some(since) = since {
        let written = if listing.since.format == TimeFormat::AsWritten {
            since.to_owned()
        } else {
            let zone = connection.zone(object)?;
            let written = Moment::parse(since).and_then(|moment| moment.write(listing.since.format, &zone));
            written.ok_or_else(|| plan::no_time(since))?
        };
        values.set("since", Value::text(written));
    }
    connection.request(&listing.request, &values)
}

/// The rows of an answer as PHP gets them: neutral records where the connector maps them.
fn rows(client: &Client, name: &str, object: &Object, listing: &Listing, reply: &Reply) -> Result<Zval> {
    if reply.no_rows {
        return Ok(Array::list().into_value());
    }
    let is_mapped = client.settings.mapping(name, object).is_some();
    if let (false, Some(member)) = (is_mapped, listing.rows.as_member()) {
        return Arrays::new()
            .decode_member(&reply.body, member)
            .map_err(|refusal| not_json(reply, refusal));
    }
    let connection = client.settings.connection_without_token()?;
    let shape = client
        .settings
        .shape(name, object, &listing.rows, &connection)?
        .of_listing(listing);
    let page = plan::read(reply, &shape)?;
    let mut arrays = Arrays::new();
    let mut list = Array::list();
    for position in 0..page.rows.len() {
        let record = page.record(position).unwrap_or_default();
        list.push(
            arrays
                .decode_text(&record)
                .map_err(|refusal| not_json(reply, refusal))?,
        );
    }
    Ok(list.into_value())
}

/// One record of an answer as PHP gets it: neutral where the connector maps it. `None` where there is none.
pub fn record(
    client: &Client,
    name: &str,
    object: &Object,
    operation: &Operation,
    reply: &Reply,
) -> Result<Option<Zval>> {
    let Some(mapping) = client.settings.mapping(name, object) else {
        if operation.record.is_root() {
            return decoded(reply).map(Some);
        }
        let text = std::str::from_utf8(&reply.body).ok();
        return match text.and_then(|text| operation.record.text(text)) {
            Some(text) => Arrays::new()
                .decode_text(text)
                .map(Some)
                .map_err(|refusal| not_json(reply, refusal)),
            None => Ok(None),
        };
    };
    let text = std::str::from_utf8(&reply.body).map_err(|_| not_json(reply, Refusal::Utf8))?;
    let Some(row) = operation.record.text(text).filter(|row| row.starts_with('{')) else {
        return Ok(None);
    };
    let connection = client.settings.connection_without_token()?;
    let mut shape = client
        .settings
        .shape(name, object, &crate::json::Path::default(), &connection)?;
    shape.mapping = Some(mapping);
    let page = crate::crm::page::scan(format!("[{row}]").as_bytes(), &shape)?;
    match page.record(0) {
        Some(record) => Arrays::new()
            .decode_text(&record)
            .map(Some)
            .map_err(|refusal| not_json(reply, refusal)),
        None => Ok(None),
    }
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

fn get(call: &mut Call<'_>, name: &str, id: usize) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let result = identifier(call, id)?.and_then(|id| {
        let object = this.object(name)?;
        let one = object.read.one.as_ref();
        let one = one.ok_or_else(|| plan::cannot(object, name, "one", "be read alone"))?;
        let reply = this.request(&|connection| {
            let mut values = Connector::object_values(&connection.values, name, object);
            plan::set_fields(&mut values, None, &plan::fields(object, object.map.as_ref()));
            values.set("id", Value::text(&id));
            connection.request(one, &values).map(Built::read)
        })?;
        if reply.no_rows {
            return Err(no_record(&reply));
        }
        record(&this, name, object, one, &reply)?.ok_or_else(|| no_record(&reply))
    });
    this.settle(result)
}

fn no_record(reply: &Reply) -> Error {
    let mut error = Error::new(Kind::Http, "there is no such record");
    error.reason = Some(Reason::Missing);
    error.status = Some(reply.status.as_u16());
    error.attempts = reply.attempts;
    error.during(&reply.operation)
}

/// A record's id; what is not UTF-8 would be another record's.
pub fn identifier(call: &Call<'_>, position: usize) -> PhpResult<Result<String>> {
    let bytes = call.arg(position).map(to_bytes).transpose()?.unwrap_or_default();
    Ok(String::from_utf8(bytes).map_err(|_| Error::new(Kind::Config, "the id of the record is not UTF-8")))
}

/// `pull( string $object, ?string $watermark = null, array $options = [] ): Pull`
pub fn pull(call: &mut Call<'_>) -> PhpResult<Zval> {
    stream(call, false)
}

/// `pull_deleted( string $object, ?string $watermark = null, array $options = [] ): Pull`
pub fn pull_deleted(call: &mut Call<'_>) -> PhpResult<Zval> {
    stream(call, true)
}

fn stream(call: &mut Call<'_>, deleted: bool) -> PhpResult<Zval> {
    call.at_least(1, 3)?;
    let this = call.this::<Client>()?;
    let object = call.utf8(0, "object")?;
    let watermark = match call.arg(1).filter(|value| !value.is_null()) {
        Some(_) => Some(call.utf8(1, "watermark")?),
        None => None,
    };
    let options = if call.count() > 2 { Some(call.array(2)?) } else { None };
    let settings = &this.settings;
    let pull = Wanted::read(settings, &object, watermark.as_deref(), options, deleted)
        .and_then(|wanted| wanted.source(settings))
        .map(|(source, plan)| Pull::new(source, plan))
        .map_err(|error| exception(&settings.tenant, &error))?;
    let class = Pull::class().entry().ok_or_else(pending)?;
    new_object(class, pull)
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
