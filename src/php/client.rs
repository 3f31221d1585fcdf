//! The state behind `TenantCRMSync`: one tenant's connection, how it makes a request, and what PHP gets of a failure:
//! `false` and a line in PHP's error log, or an exception where the caller asked for them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecutorGlobals;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::crm::request;
use crate::error::{Error, Kind, Result};
use crate::net::egress;
use crate::net::retry::Repeat;
use crate::net::send::{Call as Request, Reply, send};
use crate::php::exception::exception;
use crate::php::settings::Settings;
use crate::php::zend::{self, Class, PhpClass, pending};
use crate::php::{credential, ini};
use crate::runtime;
use crate::secret::redact;

/// How much of an answer a message shows.
const EXCERPT: usize = 500;

/// One tenant's connection.
pub struct Client {
    /// The tenant's settings.
    pub settings: Rc<Settings>,
    /// Why the last call failed.
    pub last_error: RefCell<Option<Error>>,
    /// Whether failures throw.
    pub throws: Cell<bool>,
}

impl PhpClass for Client {
    fn class() -> &'static Class {
        static CLASS: Class = Class::new();
        &CLASS
    }
    fn duplicate(&self) -> Option<Self> {
        Some(Self {
            settings: Rc::clone(&self.settings),
            last_error: self.last_error.clone(),
            throws: self.throws.clone(),
        })
    }
}

/// Everything that one request needs.
pub struct Prepared {
    /// The host's rules.
    pub config: Config,
    /// The tenant's endpoint.
    pub endpoint: Url,
    /// With the authorisation.
    pub headers: HeaderMap,
    /// What must not be shown.
    pub secret: Zeroizing<Vec<u8>>,
    /// Bound on the call.
    pub timeout: Duration,
}

impl Client {
    /// A client that has made no call yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            throws: Cell::new(settings.throws),
            settings: Rc::new(settings),
            last_error: RefCell::new(None),
        }
    }

    /// Checks the endpoint and opens the credential.
    pub fn prepare(&self) -> Result<Prepared> {
        if zend::is_preloading() {
            return Err(Error::new(
                Kind::Config,
                "no call can be made while scripts are preloaded: threads and sockets do not survive the fork that follows",
            ));
        }
        let settings = &*self.settings;
        let endpoint = request::endpoint(&settings.endpoint)?;
        let config = ini::config(endpoint.host_str());
        // Before the credential is opened, and again for every address and redirect.
        egress::check(&endpoint, &config)?;
        let secret = credential::open(
            settings.id.as_deref(),
            "api_key",
            &request::origin(&endpoint),
            &settings.api_key,
        )?;
        let headers = request::headers(settings.connector, &secret)?;
        let timeout = settings
            .timeout
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map_or(config.timeout, |timeout| timeout.min(config.timeout));
        Ok(Prepared {
            config,
            endpoint,
            headers,
            secret,
            timeout,
        })
    }

    /// One request; a failure's excerpt is redacted here.
    pub fn request(&self, object: &str, verb: Verb) -> Result<Reply> {
        let mut prepared = self.prepare()?;
        let known = self.settings.connector.object(object)?;
        let mut url = request::address(&prepared.endpoint, &known.path, object, verb.id.as_deref())?;
        if let Some(query) = &verb.query {
            url.set_query(Some(query));
        }
        let mut repeat = verb.repeat();
        if verb.method == Method::POST
            && let Some(name) = &self.settings.idempotency_header
        {
            prepared.headers.insert(name.clone(), random_key()?);
            repeat = Repeat::AfterAnyTransientFailure;
        }
        let engine = runtime::engine()?;
        let client = engine.client(&prepared.config.transport)?;
        let call = Request {
            method: verb.method,
            url,
            headers: prepared.headers,
            body: verb.body.map(Bytes::from),
            repeat,
            config: prepared.config,
            timeout: prepared.timeout,
        };
        engine
            .call(send(client, call), &mut zend::interrupted)
            .map_err(|error| redacted(error, &prepared.secret))
    }

    /// What PHP gets: the value, or `false` with a line in the log, or an exception.
    pub fn settle(&self, result: Result<Zval>) -> PhpResult<Zval> {
        let error = match result {
            Ok(value) => {
                self.last_error.replace(None);
                return Ok(value);
            }
            Err(error) => error,
        };
        if ExecutorGlobals::has_exception() {
            return Err(pending());
        }
        let tenant = &self.settings.tenant;
        let thrown = self.throws.get().then(|| exception(tenant, &error));
        if thrown.is_none() {
            let excerpt = error.body.as_deref().filter(|body| !body.is_empty());
            zend::log_line(&format!(
                "CRM API request failed for tenant {tenant}: {error}{}{}",
                if excerpt.is_some() { ": " } else { "" },
                excerpt.unwrap_or_default()
            ));
        }
        self.last_error.replace(Some(error));
        thrown.map_or_else(|| Ok(boolean(false)), Err)
    }
}

/// Removes secrets from what a failure shows.
pub fn redacted(mut error: Error, secret: &[u8]) -> Error {
    error.body = error.body.map(|body| redact(&body, &[secret], EXCERPT));
    error.message = redact(&error.message, &[secret], 4 * EXCERPT);
    error
}

/// `true` or `false`.
pub fn boolean(value: bool) -> Zval {
    let mut zval = Zval::new();
    zval.set_bool(value);
    zval
}

fn random_key() -> Result<HeaderValue> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(Kind::Config, format!("the system gives no random numbers: {error}")))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&text).map_err(|_| Error::new(Kind::Config, "no idempotency key could be made"))
}

/// One request before it has an address.
pub struct Verb {
    /// HTTP method.
    pub method: Method,
    /// The record, if it is about one.
    pub id: Option<String>,
    /// Query, encoded.
    pub query: Option<String>,
    /// JSON.
    pub body: Option<Vec<u8>>,
}

impl Verb {
    /// A request about one record.
    pub fn of(method: Method, id: String) -> Self {
        Self {
            id: Some(id),
            ..Self::new(method)
        }
    }

    /// A request for a collection.
    pub fn new(method: Method) -> Self {
        Self {
            method,
            id: None,
            query: None,
            body: None,
        }
    }

    fn repeat(&self) -> Repeat {
        if [Method::GET, Method::PUT, Method::DELETE].contains(&self.method) {
            Repeat::AfterAnyTransientFailure
        } else {
            Repeat::OnlyIfUnprocessed
        }
    }
}
