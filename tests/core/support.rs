//! What several tests need: connectors made from a few lines of JSON, connections of them, and answers that nobody sent.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tenant_crm_sync::crm::catalog::{Folder, find};
use tenant_crm_sync::crm::connector::Connector;
use tenant_crm_sync::crm::request::{Connection, endpoint, set_endpoint};
use tenant_crm_sync::net::send::Reply;
use tenant_crm_sync::template::{Value, Values};

/// A built-in connector.
pub fn built_in(name: &str) -> &'static Connector {
    find(name, &Folder::default()).unwrap()
}

/// A connector whose objects are these, at `{api_endpoint}` with a bearer key.
pub fn connector(objects: &str) -> &'static Connector {
    let text = format!(
        r#"{{"schema":1,"name":"played","title":"Played","base":"{{api_endpoint}}",
            "auth":[{{"name":"key","title":"Key","fields":["api_key"],"headers":{{"authorization":"Bearer {{api_key}}"}}}}],
            "objects":{objects}}}"#
    );
    Box::leak(Box::new(Connector::parse("played.json", &text).unwrap()))
}

/// A tenant's connection to the CRM at this address.
pub fn connection(connector: &'static Connector, address: &str, key: &[u8]) -> Connection {
    let mut values = Values::new().with("api_key", Value::text(key));
    set_endpoint(&mut values, &endpoint(address).unwrap());
    Connection {
        connector,
        method: connector.auth_method(None).unwrap(),
        values,
        is_referenced: false,
        lane: None,
    }
}

/// Headers of these names and values.
pub fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

/// An answer.
pub fn reply(status: u16, pairs: &[(&str, &str)], body: &str) -> Reply {
    Reply {
        operation: String::from("POST https://crm.example/leads"),
        status: StatusCode::from_u16(status).unwrap(),
        no_rows: false,
        headers: headers(pairs),
        body: Bytes::copy_from_slice(body.as_bytes()),
        attempts: 1,
        elapsed: Duration::ZERO,
    }
}
