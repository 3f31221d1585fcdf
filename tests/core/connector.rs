//! Connector files and the addresses made from them.

use reqwest::Url;
use tenant_crm_sync::crm::catalog::{Folder, find};
use tenant_crm_sync::crm::connector::Connector;
use tenant_crm_sync::crm::request::{Request, append_query, endpoint, origin};
use tenant_crm_sync::error::Result;
use tenant_crm_sync::template::Value;

use crate::support::{built_in, connection};

/// The request that lists leads, or the one for a record.
fn request(address: &str, id: Option<&str>, key: &[u8]) -> Result<Request> {
    let rest = built_in("rest");
    let object = rest.object("leads")?;
    let connection = connection(rest, address, key);
    let mut values = Connector::object_values(&connection.values, "leads", object);
    let Some(id) = id else {
        return connection.request(&object.read.full.as_ref().unwrap().request, &values);
    };
    values.set("id", Value::text(id));
    connection.request(object.read.one.as_ref().unwrap(), &values)
}

#[test]
fn the_built_in_connectors_are_valid() {
    let rest = built_in("rest");
    assert_eq!(rest.name, "rest");
    let url = request("https://crm.example", None, b"k").unwrap().url;
    assert_eq!(url.as_str(), "https://crm.example/api/v1/leads");
}

#[test]
fn errors_name_the_file_the_place_and_what_is_known() {
    let message = find("nope\n", &Folder::default()).unwrap_err().message;
    assert!(message.contains("nope\\n") && message.contains("rest"), "{message}");
    let nested = include_str!("../../src/crm/catalog/rest.json").replace("\"rows\": \"data\"", "\"rwos\": \"data\"");
    let message = Connector::parse("acme.json", &nested).unwrap_err().message;
    for part in ["acme.json", "objects.*.read.full", "rwos"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    let message = Connector::parse("acme.json", "{\"schema\":1,\n\"name\":}")
        .unwrap_err()
        .message;
    assert!(message.contains("acme.json") && message.contains("line 2"), "{message}");
    let newer = include_str!("../../src/crm/catalog/rest.json").replace("\"schema\": 1", "\"schema\": 9");
    assert!(Connector::parse("x", &newer).unwrap_err().message.contains("schema 9"));
}

#[test]
fn object_types_cannot_change_the_path() {
    let rest = built_in("rest");
    for name in ["", "../users", "leads/1", "leads?x", "a b", "é", &"x".repeat(65)] {
        assert!(rest.object(name).is_err(), "{name}");
    }
}

#[test]
fn paths_are_resolved_as_guzzle_does() {
    for (base, expected) in [
        ("https://crm.example", "https://crm.example/api/v1/leads"),
        ("https://crm.example/", "https://crm.example/api/v1/leads"),
        ("https://crm.example/tenant/7", "https://crm.example/api/v1/leads"),
        (
            "https://crm.example:8443/?x=1#y",
            "https://crm.example:8443/api/v1/leads",
        ),
    ] {
        let url = request(base, None, b"k").unwrap().url;
        assert_eq!(url.as_str(), expected);
    }
    assert_eq!(
        origin(&endpoint("https://CRM.example:443/x").unwrap()),
        "https://crm.example"
    );
}

#[test]
fn wrong_endpoints_are_explained_without_their_password() {
    for text in ["", "crm.example", "/x", "https://", "user:hunter2@crm example"] {
        let message = endpoint(text).unwrap_err().message;
        assert!(
            message.contains("api_endpoint") && !message.contains("hunter2"),
            "{message}"
        );
    }
}

#[test]
fn ids_are_one_encoded_segment() {
    let path = |id: &str| request("https://crm.example", Some(id), b"k").map(|request| request.url.path().to_owned());
    assert_eq!(path("12x474").unwrap(), "/api/v1/leads/12x474");
    assert_eq!(path("a/b?c#d%e'f").unwrap(), "/api/v1/leads/a%2Fb%3Fc%23d%25e'f");
    assert_eq!(path("é").unwrap(), "/api/v1/leads/%C3%A9");
    for id in ["", ".", ".."] {
        assert!(path(id).is_err(), "{id}");
    }
}

#[test]
fn queries_are_encoded_by_rfc_3986() {
    let mut url = Url::parse("https://crm.example/x").unwrap();
    append_query(&mut url, "filter[updated_at_gt]", b"2026-11-23 10:00:00+01:00");
    append_query(&mut url, "a", "é&=".as_bytes());
    assert_eq!(
        url.query(),
        Some("filter%5Bupdated_at_gt%5D=2026-11-23%2010%3A00%3A00%2B01%3A00&a=%C3%A9%26%3D")
    );
}

#[test]
fn the_key_is_marked_and_must_fit_into_a_header() {
    let made = request("https://crm.example", None, b"secret-key").unwrap().headers;
    assert!(made["authorization"].is_sensitive());
    assert_eq!(made["authorization"], "Bearer secret-key");
    let message = request("https://crm.example", None, b"secret\nkey")
        .unwrap_err()
        .message;
    assert!(!message.contains("secret"), "{message}");
}
