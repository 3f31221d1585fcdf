//! The state behind `TenantCRMSync`: one tenant's connection, how it makes a request, and what PHP gets of a failure:
//! `false` and a line in PHP's error log, or an exception where the caller asked for them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecutorGlobals;
use reqwest::Method;
use reqwest::header::HeaderValue;

use crate::crm::object::Object;
use crate::crm::request::{self as crm, Connection};
use crate::error::{Error, Kind, Result};
use crate::net::retry::Repeat;
use crate::net::send::{Call as Request, Reply, send};
use crate::php::exception::exception;
use crate::php::prepare::{Prepared, redacted};
use crate::php::settings::Settings;
use crate::php::zend::{self, Class, PhpClass, pending};
use crate::runtime;

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

impl Client {
    /// A client that has made no call yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            throws: Cell::new(settings.throws),
            settings: Rc::new(settings),
            last_error: RefCell::new(None),
        }
    }

    /// Checks the endpoint, opens the credentials and gets a token of this version or a later one where one is needed.
    pub fn prepare(&self, at_least: Option<u64>) -> Result<Prepared> {
        self.settings.prepare(at_least)
    }

    /// What is known of an object type.
    pub fn object(&self, name: &str) -> Result<&'static Object> {
        self.settings.connector.object(name)
    }

    /// One request; a failure's excerpt is redacted here. An expired token is renewed once.
    pub fn request(&self, build: &dyn Fn(&Connection) -> Result<Built>) -> Result<Reply> {
        let mut prepared = self.prepare(None)?;
        let mut is_renewed = false;
        loop {
            match self.once(&prepared, build) {
                Err(error) if prepared.connection.is_expired(&error) && !is_renewed => {
                    is_renewed = true;
                    self.settings.refused();
                    prepared = self.prepare(prepared.token.map(|version| version.saturating_add(1)))?;
                }
                result => return result.map_err(|error| redacted(error, &prepared.secrets)),
            }
        }
    }

    fn once(&self, prepared: &Prepared, build: &dyn Fn(&Connection) -> Result<Built>) -> Result<Reply> {
        let built = build(&prepared.connection)?;
        let mut request = built.request;
        let mut repeat = built.repeat;
        if request.method == Method::POST
            && repeat == Repeat::OnlyIfUnprocessed
            && let Some(name) = &self.settings.idempotency_header
        {
            request.headers.insert(name.clone(), random_key()?);
            repeat = Repeat::AfterAnyTransientFailure;
        }
        let engine = runtime::engine()?;
        let client = engine.client(&prepared.config.transport)?;
        let call = Request {
            judge: &prepared.connection.connector.errors,
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            repeat,
            config: prepared.config.clone(),
            timeout: prepared.timeout,
            costs: request.costs,
            lane: prepared.connection.lane.clone(),
        };
        engine.call(send(client, call), &mut zend::interrupted)
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

/// A request and what may be repeated of it.
pub struct Built {
    /// The request.
    pub request: crm::Request,
    /// What may be repeated.
    pub repeat: Repeat,
}

impl Built {
    /// A read.
    pub fn read(request: crm::Request) -> Self {
        Self {
            request,
            repeat: Repeat::AfterAnyTransientFailure,
        }
    }

    /// A write; what the connector says counts, otherwise the method.
    pub fn write(request: crm::Request) -> Self {
        let by_method = [Method::GET, Method::PUT, Method::DELETE].contains(&request.method);
        let repeat = if request.repeatable.unwrap_or(by_method) {
            Repeat::AfterAnyTransientFailure
        } else {
            Repeat::OnlyIfUnprocessed
        };
        Self { request, repeat }
    }
}
