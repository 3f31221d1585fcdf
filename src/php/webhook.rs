//! The methods of `TenantCRMSync` about webhooks: whether one is the CRM's, and how the CRM is asked to send them.

use ext_php_rs::convert::IntoZval;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::{ZendHashTable, Zval};

use crate::clock;
use crate::crm::connector::Connector;
use crate::crm::request::{self, Connection};
use crate::crm::webhook::{self, Action, Event, Incoming, Subscribe, Verified, Webhooks};
use crate::error::{Error, Kind, Reason, Result};
use crate::json::scalar;
use crate::net::send::Reply;
use crate::php::client::{Built, Client, boolean};
use crate::php::credential;
use crate::php::zend::{Array, Call, string, to_text};
use crate::template::Value;

/// Field under which an address is sealed.
const ADDRESS: &str = "webhook_url";

type Building<T> = ext_php_rs::error::Result<T>;

fn optional(found: Option<&str>) -> Zval {
    found.map_or_else(Zval::null, |text| string(text.as_bytes()))
}

fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> Zval {
    let mut list = Array::list();
    texts.into_iter().for_each(|found| list.push(string(found.as_bytes())));
    list.into_value()
}

/// `verify_webhook( string $method, string $url, array $headers, string $body ): array|false`
pub fn verify_webhook(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(4, 4)?;
    let this = call.this::<Client>()?;
    let (method, url) = (call.utf8(0, "method")?, call.utf8(1, "url")?);
    let body = call.text(3)?;
    let mut headers = Vec::new();
    for (name, value) in call.array(2)? {
        // `getallheaders()` gives texts, PSR-7 lists of texts.
        match value.array() {
            Some(values) => {
                for value in values.values() {
                    headers.push((name.to_string(), to_text(value)?));
                }
            }
            None => headers.push((name.to_string(), to_text(value)?)),
        }
    }
    let result = verified(&this, &method, &url, &headers, &body);
    this.settle(result)
}

fn verified(client: &Client, method: &str, url: &str, headers: &[(String, String)], body: &[u8]) -> Result<Zval> {
    let settings = &client.settings;
    let connector = settings.connector;
    let webhooks = connector.webhooks.as_ref().ok_or_else(|| {
        Error::new(
            Kind::Config,
            format!("the connector {} knows no webhooks", connector.name),
        )
    })?;
    let (values, _) = settings.values(&request::endpoint(&settings.endpoint)?)?;
    let mut secrets = webhook::Secrets::default();
    for name in connector.fields.keys() {
        if let Some(crate::template::Value::Text(value)) = values.get(name) {
            secrets.insert(name.as_str(), value.clone());
        }
    }
    let incoming = Incoming {
        method,
        url,
        headers,
        body,
    };
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    let now = (clock::unix_now() * 1000.0) as i64;
    match webhook::verify(webhooks, &secrets, &incoming, now) {
        Ok(found) => told(&found).map_err(|error| Error::new(Kind::TooLarge, error.to_string())),
        Err(refusal) => {
            let mut error = Error::new(Kind::Credential, refusal.to_string());
            error.body = Some(refusal.reason().name().to_owned());
            Err(error)
        }
    }
}

fn told(found: &Verified) -> Building<Zval> {
    let mut table = ZendHashTable::new();
    table.insert("scheme", found.scheme)?;
    table.insert("replay_key", found.replay_key.as_str())?;
    table.insert("identified", found.identified)?;
    table.insert("webhook_id", optional(found.webhook_id.as_deref()))?;
    let mut events = Array::list();
    for event in &found.events {
        events.push(event_of(event)?);
    }
    table.insert("events", events.into_value())?;
    table.into_zval(false)
}

fn event_of(event: &Event) -> Building<Zval> {
    let mut table = ZendHashTable::new();
    table.insert("object", optional(event.object.as_deref()))?;
    table.insert(
        "action",
        match event.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
            Action::Other => "other",
        },
    )?;
    table.insert("ids", list(event.ids.iter().map(String::as_str)))?;
    table.insert("event_id", optional(event.event_id.as_deref()))?;
    table.insert("account", optional(event.account.as_deref()))?;
    table.insert("occurred_at_ms", event.occurred_at_ms)?;
    table.insert("fields", list(event.fields.iter().map(String::as_str)))?;
    table.into_zval(false)
}

fn subscribing(client: &Client) -> Result<(&'static Webhooks, &'static Subscribe)> {
    let connector = client.settings.connector;
    let webhooks = connector.webhooks.as_ref();
    webhooks
        .and_then(|webhooks| Some((webhooks, webhooks.subscribe.as_ref()?)))
        .ok_or_else(|| {
            Error::new(
                Kind::Config,
                format!(
                    "{} cannot be asked for webhooks: enter the address there",
                    connector.title
                ),
            )
        })
}

/// `subscribe_webhook( string $object, string $url ): array|false`
pub fn subscribe_webhook(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 2)?;
    let this = call.this::<Client>()?;
    let object = call.utf8(0, "object")?;
    let url = call.utf8(1, "url");
    // The address is as good as a secret.
    call.hide(1);
    let result = subscribed(&this, &object, &url?);
    this.settle(result)
}

fn subscribed(client: &Client, name: &str, url: &str) -> Result<Zval> {
    let (webhooks, subscribe) = subscribing(client)?;
    let settings = &client.settings;
    let wrong = |message: String| Error::new(Kind::Config, message);
    let word = webhooks.event_object(name);
    let word = word.ok_or_else(|| wrong(format!("this CRM sends no webhooks about {name}")))?;
    let object = client.object(name)?;
    let origin = request::origin(&request::endpoint(&settings.endpoint)?);
    let url = credential::open(settings.id.as_deref(), ADDRESS, &origin, url.as_bytes())?;
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
    let until = subscribe
        .lasts_seconds
        .map(|seconds| clock::unix_now() as i64 + i64::from(seconds));
    let channel = channel()?;
    let reply = client.request(&|connection: &Connection| {
        let mut values = Connector::object_values(&connection.values, name, object);
        values.set("notify_url", Value::text(url.as_slice()));
        values.set("event_object", Value::text(word));
        values.set("channel", Value::text(&channel));
        if let Some(time) = until.and_then(|until| jiff::Timestamp::from_second(until).ok()) {
            values.set(
                "expires_at",
                Value::text(time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()),
            );
        }
        connection.request(&subscribe.create, &values).map(Built::write)
    })?;
    made(subscribe, &reply, until)
}

fn made(subscribe: &Subscribe, reply: &Reply, until: Option<i64>) -> Result<Zval> {
    let text = std::str::from_utf8(&reply.body).unwrap_or_default();
    let found = |path: &crate::json::Path| path.text(text).and_then(scalar).filter(|found| !found.is_empty());
    let id = subscribe.create.id.as_ref().and_then(found).ok_or_else(|| {
        let mut error = Error::new(Kind::Decode, "the CRM does not say which webhook it made");
        error.status = Some(reply.status.as_u16());
        error.during(&reply.operation)
    })?;
    let account = subscribe.account.as_ref().and_then(found);
    let told = || -> Building<Zval> {
        let mut table = ZendHashTable::new();
        table.insert("id", id.as_str())?;
        table.insert("expires_at", until)?;
        table.insert("account", optional(account.as_deref()))?;
        table.into_zval(false)
    };
    told().map_err(|error| Error::new(Kind::TooLarge, error.to_string()))
}

/// `unsubscribe_webhook( string $id ): bool`
pub fn unsubscribe_webhook(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    let this = call.this::<Client>()?;
    let id = call.utf8(0, "id")?;
    let result = subscribing(&this).and_then(|(_, subscribe)| {
        let ended = this.request(&|connection: &Connection| {
            let values = connection.values.clone().with("id", Value::text(&id));
            connection.request(&subscribe.delete, &values).map(Built::write)
        });
        match ended {
            // Gone before: what was asked for is so.
            Err(error) if error.reason == Some(Reason::Missing) => Ok(boolean(true)),
            ended => ended.map(|_| boolean(true)),
        }
    });
    this.settle(result)
}

/// A number that no other subscription has: 18 digits, the first of which is not 0.
fn channel() -> Result<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(Kind::Config, format!("the system gives no random numbers: {error}")))?;
    Ok(format!("1{:017}", u64::from_le_bytes(bytes) % 100_000_000_000_000_000))
}
