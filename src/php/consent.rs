//! A person's consent, for connections that need one: the address where it is given, and what the browser brings back.

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::flags::{DataType, MethodFlags};
use ext_php_rs::types::Zval;

use crate::auth::token::Connection;
use crate::auth::{self, Code};
use crate::config::Config;
use crate::crm::request;
use crate::error::{Error, Kind, Result};
use crate::net::egress;
use crate::php::client::{Client, boolean};
use crate::php::exception::exception;
use crate::php::prepare::redacted;
use crate::php::register::{arg, handler, method};
use crate::php::zend::{Call, string};
use crate::php::{ini, tokens};

/// `authorize_url( string $redirect_uri, string $state, ?string $code_challenge = null ): string`
pub fn authorize_url(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 3)?;
    let (redirect_uri, state) = (call.utf8(0, "redirect_uri")?, call.utf8(1, "state")?);
    let challenge = optional(call, 2, "code_challenge")?;
    let this = call.this::<Client>()?;
    connected(&this, |connection| {
        auth::authorize_url(connection, &redirect_uri, &state, challenge.as_deref())
    })
    .map(|url| string(url.as_bytes()))
    .map_err(|error| exception(&this.settings.tenant, &error))
}

/// `exchange_code( string $code, string $redirect_uri, ?string $code_verifier = null ): bool`
pub fn exchange_code(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 3)?;
    let code = call.utf8(0, "code");
    let verifier = optional(call, 2, "code_verifier");
    // Together they are a token: no trace shows them.
    call.hide(0);
    call.hide(2);
    let (code, verifier) = (code?, verifier?);
    let redirect_uri = call.utf8(1, "redirect_uri")?;
    let this = call.this::<Client>()?;
    let code = Code {
        code: &code,
        redirect_uri: &redirect_uri,
        verifier: verifier.as_deref(),
    };
    let outcome = connected(&this, |connection| tokens::connect(connection, &code));
    this.settle(outcome.map(|()| boolean(true)))
}

fn optional(call: &mut Call<'_>, position: usize, name: &str) -> PhpResult<Option<String>> {
    match call.arg(position).filter(|value| !value.is_null()) {
        Some(_) => call.utf8(position, name).map(Some),
        None => Ok(None),
    }
}

/// The client's connection, as far as consent needs it; a failure shows none of its secrets.
fn connected<T>(client: &Client, work: impl FnOnce(&Connection<'_>) -> Result<T>) -> Result<T> {
    let settings = &*client.settings;
    let oauth = settings.method.oauth2.as_ref().ok_or_else(|| {
        Error::new(
            Kind::Config,
            "this way to connect needs no consent in the browser: fill in the connection's fields instead",
        )
    })?;
    let endpoint = request::endpoint(&settings.endpoint)?;
    let config: Config = ini::config(endpoint.host_str());
    egress::check(&endpoint, &config)?;
    let (values, secrets) = settings.values(&endpoint)?;
    let tenant = settings.id.as_deref().unwrap_or(&settings.tenant);
    let lane = settings.token_lane(&values, &secrets)?;
    work(&Connection {
        tenant,
        oauth,
        values: &values,
        config: &config,
        lane: Some(&lane),
    })
    .map_err(|error| redacted(error, &secrets))
}

/// The methods above.
pub fn methods(class: ClassBuilder) -> ClassBuilder {
    let text = |name: &str| arg(name, DataType::String);
    let maybe_text = |name: &str| text(name).allow_null().default("null");
    class
        .method(
            method(
                "authorize_url",
                handler!(authorize_url),
                2,
                vec![text("redirect_uri"), text("state"), maybe_text("code_challenge")],
            )
            .returns(DataType::String, false, false),
            MethodFlags::Public,
        )
        .method(
            method(
                "exchange_code",
                handler!(exchange_code),
                2,
                vec![text("code"), text("redirect_uri"), maybe_text("code_verifier")],
            )
            .returns(DataType::Bool, false, false),
            MethodFlags::Public,
        )
}
