//! The methods of `TenantCRMSync` that tell: which connectors there are and what they can do, which fields a CRM has, and
//! whether a connection works.

use std::time::Instant;

use ext_php_rs::convert::IntoZval;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::{ZendHashTable, Zval};

use crate::clock;
use crate::crm::catalog;
use crate::crm::connector::{AuthMethod, Connector, Field};
use crate::crm::limit::Limit;
use crate::crm::object::{Describe, Object};
use crate::crm::request::{self, Connection};
use crate::crm::webhook;
use crate::error::{Error, Kind, Result};
use crate::json::{self, Path, scalar};
use crate::net::send::Reply;
use crate::php::client::{Built, Client};
use crate::php::exception::exception;
use crate::php::ini;
use crate::php::zend::{Array, Call, string};
use crate::sync::plan;
use crate::sync::probe::{Diagnosis, diagnose};

type Building<T> = ext_php_rs::error::Result<T>;

fn text(text: &str) -> Zval {
    string(text.as_bytes())
}

fn optional(found: Option<&str>) -> Zval {
    found.map_or_else(Zval::null, text)
}

fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> Zval {
    let mut list = Array::list();
    texts.into_iter().for_each(|found| list.push(text(found)));
    list.into_value()
}

/// `connectors(): array`
pub fn connectors(_: &mut Call<'_>) -> PhpResult<Zval> {
    let refuse = |error: Error| exception("", &error);
    let folder = ini::connector_folder().map_err(refuse)?;
    let mut table = ZendHashTable::new();
    for name in catalog::names(&folder).map_err(refuse)? {
        let connector = catalog::find(&name, &folder).map_err(refuse)?;
        table.insert(name.as_str(), described(connector)?)?;
    }
    Ok(table.into_zval(false)?)
}

fn described(connector: &Connector) -> Building<Zval> {
    let mut table = ZendHashTable::new();
    table.insert("title", connector.title.as_str())?;
    table.insert("notes", list(connector.notes.iter().map(String::as_str)))?;
    let mut fields = ZendHashTable::new();
    for (name, field) in &connector.fields {
        fields.insert(name.as_str(), field_of(field)?)?;
    }
    table.insert("fields", fields.into_zval(false)?)?;
    let mut auth = ZendHashTable::new();
    for method in &connector.auth {
        auth.insert(method.name.as_str(), method_of(method)?)?;
    }
    table.insert("auth", auth.into_zval(false)?)?;
    let mut objects = ZendHashTable::new();
    for (name, object) in &connector.objects {
        objects.insert(name.as_str(), object_of(object)?)?;
    }
    table.insert("objects", objects.into_zval(false)?)?;
    let mut limits = Array::list();
    for limit in &connector.limits {
        limits.push(limit_of(limit)?);
    }
    table.insert("limits", limits.into_value())?;
    // A CRM that signs nothing has a block that says so.
    let proofs = connector.webhooks.iter().flat_map(|webhooks| &webhooks.verify);
    let is_provable = proofs.map(webhook::Scheme::name).any(|name| name != "none");
    table.insert("webhooks", is_provable)?;
    let events = connector
        .webhooks
        .as_ref()
        .and_then(|webhooks| webhooks.events.as_ref());
    table.insert(
        "webhook_accounts",
        events.is_some_and(|events| events.account.is_some()),
    )?;
    let note = connector
        .webhooks
        .as_ref()
        .map_or("", |webhooks| webhooks.note.as_str());
    table.insert("webhook_note", note)?;
    let subscribe = connector
        .webhooks
        .as_ref()
        .and_then(|webhooks| webhooks.subscribe.as_ref());
    match subscribe {
        Some(subscribe) => table.insert("webhook_secrets", list(subscribe.secrets.iter().map(String::as_str)))?,
        None => table.insert("webhook_secrets", Zval::null())?,
    }
    table.insert("probe", connector.probe.is_some())?;
    table.into_zval(false)
}

fn limit_of(limit: &Limit) -> Building<Zval> {
    let mut table = ZendHashTable::new();
    table.insert("scope", limit.scope.name())?;
    table.insert("amount", i64::try_from(limit.amount).unwrap_or(i64::MAX))?;
    table.insert("seconds", i64::try_from(limit.seconds).unwrap_or(i64::MAX))?;
    table.insert("unit", limit.unit.as_str())?;
    table.insert("plan", optional(limit.plan.as_deref()))?;
    table.insert("auth", list(limit.auth.iter().map(String::as_str)))?;
    table.insert("daily", limit.daily)?;
    table.insert("reserve", limit.reserve())?;
    table.insert("note", optional(limit.note.as_deref()))?;
    table.into_zval(false)
}

fn field_of(field: &Field) -> Building<Zval> {
    let mut table = ZendHashTable::new();
    table.insert("title", field.title.as_str())?;
    table.insert("help", optional(field.help.as_deref()))?;
    table.insert("secret", field.secret)?;
    table.insert("default", optional(field.default.as_deref()))?;
    table.insert("bound_to", optional(field.bound_to.as_deref()))?;
    table.into_zval(false)
}

fn method_of(method: &AuthMethod) -> Building<Zval> {
    let mut table = ZendHashTable::new();
    table.insert("title", method.title.as_str())?;
    table.insert("fields", list(method.fields.iter().map(String::as_str)))?;
    table.insert("oauth2", method.oauth2.is_some())?;
    table.insert(
        "consent",
        method
            .oauth2
            .as_ref()
            .is_some_and(|oauth2| oauth2.authorize_url.is_some()),
    )?;
    table.into_zval(false)
}

fn object_of(object: &Object) -> Building<Zval> {
    let mut table = ZendHashTable::new();
    let (read, write) = (&object.read, &object.write);
    let mentions_since = |list: &Option<crate::crm::object::Listing>| {
        list.as_ref()
            .is_some_and(|list| list.request.names().contains(&"since"))
    };
    for (name, can) in [
        ("full", read.full.is_some()),
        ("since", read.since.is_some() || mentions_since(&read.full)),
        ("one", read.one.is_some()),
        ("by_ids", read.by_ids.is_some()),
        ("deleted", read.deleted.is_some()),
        ("fields", read.fields.is_some()),
        ("create", write.create.is_some()),
        ("update", write.update.is_some()),
        ("upsert", write.upsert.is_some()),
        ("delete", write.delete.is_some()),
    ] {
        table.insert(name, can)?;
    }
    let batch = [
        ("create", &write.batch.create),
        ("update", &write.batch.update),
        ("upsert", &write.batch.upsert),
        ("delete", &write.batch.delete),
    ];
    let batch = batch.iter().filter(|(_, batch)| batch.is_some()).map(|(name, _)| *name);
    table.insert("batch", list(batch))?;
    let keys = write
        .upsert
        .iter()
        .flat_map(|upsert| upsert.keys.iter().map(String::as_str));
    table.insert("upsert_keys", list(keys))?;
    let neutral = object.map.iter().flat_map(crate::crm::mapping::Mapping::names);
    table.insert("neutral", list(neutral))?;
    let mut cannot = ZendHashTable::new();
    for (capability, reason) in &object.cannot {
        cannot.insert(capability.as_str(), reason.as_str())?;
    }
    table.insert("cannot", cannot.into_zval(false)?)?;
    table.into_zval(false)
}

/// `describe( string $object ): array|false`
pub fn describe(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    let this = call.this::<Client>()?;
    let name = call.utf8(0, "object")?;
    let result = this.object(&name).and_then(|object| {
        let describe = object.read.fields.as_ref();
        let describe = describe.ok_or_else(|| plan::cannot(object, &name, "fields", "be asked for their fields"))?;
        let reply = this.request(&|connection| {
            let values = Connector::object_values(&connection.values, &name, object);
            connection.request(&describe.request, &values).map(Built::read)
        })?;
        fields(describe, &reply)
    });
    this.settle(result)
}

fn fields(describe: &Describe, reply: &Reply) -> Result<Zval> {
    let unreadable = || {
        let mut error = Error::new(Kind::Decode, "the answer has no list of fields");
        error.status = Some(reply.status.as_u16());
        error.during(&reply.operation)
    };
    let body = std::str::from_utf8(&reply.body).map_err(|_| unreadable())?;
    let found = describe.rows.text(body).ok_or_else(unreadable)?;
    let mut list = Array::list();
    let mut add = |name: Option<String>, row: &str| -> Building<()> {
        let Some(name) = name else { return Ok(()) };
        let told = |path: &Option<Path>| path.as_ref().and_then(|path| path.scalar(row));
        let mut entry = ZendHashTable::new();
        entry.insert("name", name.as_str())?;
        entry.insert("label", told(&describe.label).unwrap_or(name))?;
        entry.insert("type", optional(told(&describe.kind).as_deref()))?;
        let read_only = describe
            .read_only
            .as_ref()
            .is_some_and(|condition| condition.holds(row));
        entry.insert("read_only", read_only)?;
        list.push(entry.into_zval(false)?);
        Ok(())
    };
    let mut added = Ok(());
    if found.starts_with('{') {
        for (name, row) in json::members(found) {
            added = added.and_then(|()| add(Some(name), row));
        }
    } else {
        let _ = json::Reader::new(found).each_element(|reader| {
            let row = reader.span().map(|span| found.get(span).unwrap_or_default())?;
            let name = describe
                .name
                .as_ref()
                .map_or_else(|| scalar(row), |path| path.scalar(row));
            if added.is_ok() {
                added = add(name, row);
            }
            Ok(())
        });
    }
    added.map_err(|error| Error::new(Kind::TooLarge, error.to_string()))?;
    Ok(list.into_value())
}

/// `test_connection(): array`
pub fn test_connection(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let start = Instant::now();
    let result = this.request(&|connection| trial(connection).map(Built::read));
    let elapsed = start.elapsed().as_secs_f64() * 1000.0;
    let mut table = ZendHashTable::new();
    let host = host(&this);
    table.insert("ok", result.is_ok())?;
    match &result {
        Ok(reply) => {
            table.insert("problem", Zval::null())?;
            table.insert("message", format!("{host} answers, and takes the credential."))?;
            table.insert("skew", skew(reply))?;
        }
        Err(error) => {
            let Diagnosis { problem, advice } = diagnose(error, &host);
            table.insert("problem", problem)?;
            table.insert("message", format!("{error}. What to do: {advice}."))?;
            table.insert("skew", Zval::null())?;
        }
    }
    table.insert("milliseconds", elapsed)?;
    this.last_error.replace(result.err());
    Ok(table.into_zval(false)?)
}

fn trial(connection: &Connection) -> Result<request::Request> {
    let probe = connection.connector.probe.as_ref();
    let probe =
        probe.ok_or_else(|| Error::new(Kind::Config, "the connector does not say how a connection is tested"))?;
    connection.request(probe, &connection.values)
}

fn host(client: &Client) -> String {
    let known = client.settings.connection_without_token().ok();
    let base = known.and_then(|connection| connection.base().ok()).unwrap_or_default();
    let url = request::endpoint(&base)
        .or_else(|_| request::endpoint(&client.settings.endpoint))
        .ok();
    url.and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| String::from("the CRM"))
}

/// Seconds that the CRM's clock is ahead of ours, where it tells its time.
fn skew(reply: &Reply) -> Zval {
    let date = reply.headers.get("date").and_then(|date| date.to_str().ok());
    let ahead = date.and_then(clock::unix_of_http_date).map(|at| at - clock::unix_now());
    ahead.map_or_else(Zval::null, |ahead| {
        let mut value = Zval::new();
        value.set_double(ahead.round());
        value
    })
}
