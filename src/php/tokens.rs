//! Tokens for PHP's calls: the store that the request named, as the house sees it, and this process's own tokens where a
//! grant needs no store. What is right to do with them is the business of `auth`.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::convert::{IntoZval, IntoZvalDyn};
use ext_php_rs::exception::PhpResult;
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{ExecutorGlobals, ce};
use reqwest::Url;
use zeroize::Zeroizing;

use crate::auth::oauth2::Oauth2;
use crate::auth::token::{self, Clock, Connection, Granted, Stored, TokenStore, Vault, With};
use crate::auth::{Code, LocalTokens};
use crate::clock;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::net::lane::Lane;
use crate::net::send::{Call as Request, Reply, send};
use crate::php::zend::{self, Call, internal_class, is_true, to_text, wrong_type};
use crate::php::{credential, ini};
use crate::runtime;
use crate::secret::{Scope, SecretError};
use crate::template::Values;

/// The interface that a store implements.
const INTERFACE: &str = "TenantCRMSync\\TokenStore";
/// The field that tokens are sealed under.
const FIELD: &str = "token";
/// How often a waiting call looks whether PHP was interrupted.
const SLICE: Duration = Duration::from_millis(50);

thread_local! {
    /// The store that this request named.
    static STORE: RefCell<Option<Zval>> = const { RefCell::new(None) };
    /// Tokens that need no store.
    static LOCAL: RefCell<LocalTokens> = RefCell::default();
}

/// Forgets the request's store.
pub fn end_request() {
    let store = STORE.with(|slot| slot.try_borrow_mut().ok().and_then(|mut slot| slot.take()));
    // Its destructor may run PHP code: with no borrow held.
    drop(store);
}

/// Registers the interface; while the module starts.
pub fn register() -> ext_php_rs::error::Result<()> {
    let abstract_method = |name: &str, args: &[(&'static str, DataType, bool)]| {
        let mut method = FunctionBuilder::new_abstract(name);
        for (name, kind, nullable) in args {
            let arg = ext_php_rs::args::Arg::new(*name, *kind);
            method = method.arg(if *nullable { arg.allow_null() } else { arg });
        }
        method
    };
    let (text, number) = (DataType::String, DataType::Long);
    let flags = MethodFlags::Public | MethodFlags::Abstract;
    ClassBuilder::new(INTERFACE)
        .flags(ClassFlags::Interface)
        .method(
            abstract_method("load", &[("tenant", text, false)]).returns(DataType::Array, false, true),
            flags,
        )
        .method(
            abstract_method(
                "lease",
                &[
                    ("tenant", text, false),
                    ("version", number, false),
                    ("seconds", DataType::Double, false),
                ],
            )
            .returns(text, false, true),
            flags,
        )
        .method(
            abstract_method(
                "commit",
                &[
                    ("tenant", text, false),
                    ("lease", text, false),
                    ("version", number, false),
                    ("envelope", text, false),
                    ("expires_at", number, true),
                ],
            )
            .returns(DataType::Bool, false, false),
            flags,
        )
        .method(
            abstract_method("release", &[("tenant", text, false), ("lease", text, false)]).returns(
                DataType::Void,
                false,
                false,
            ),
            flags,
        )
        .method(
            abstract_method(
                "refuse",
                &[
                    ("tenant", text, false),
                    ("version", number, false),
                    ("reason", text, false),
                ],
            )
            .returns(DataType::Void, false, false),
            flags,
        )
        .registration(|_, tables| std::mem::forget(tables))
        .register()
}

/// `use_token_store( ?TokenStore $store )`
pub fn use_store(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    let given = call.arg(0).filter(|value| !value.is_null());
    let store = match given {
        None => None,
        Some(value) => {
            let fits = value
                .object()
                .zip(internal_class(INTERFACE))
                .is_some_and(|(object, interface)| object.instance_of(interface));
            if !fits {
                return Err(wrong_type(0, c"?TenantCRMSync\\TokenStore", value));
            }
            Some(value.shallow_clone())
        }
    };
    let before = STORE.with(|slot| slot.replace(store));
    drop(before);
    Ok(Zval::null())
}

/// A token for one tenant's connection: of this version or a later one. Values are the connection's fields, opened, and
/// `api_endpoint`; `Granted::set` adds what the connector's templates need.
pub fn authorise(
    tenant: &str,
    oauth: &Oauth2,
    values: &Values,
    config: &Config,
    lane: &Arc<Lane>,
    at_least: Option<u64>,
) -> Result<Granted> {
    let connection = Connection {
        tenant,
        oauth,
        values,
        config,
        lane: Some(lane),
    };
    match Store::of(tenant) {
        Some(mut store) => with(&connection, &mut store, |with| {
            token::obtain(&connection, with, at_least)
        }),
        None => {
            let site = credential::site();
            let known = LOCAL.with_borrow_mut(|tokens| tokens.get(&site, &connection, clock::unix_now(), at_least))?;
            match known {
                Some(granted) => Ok(granted),
                None => LOCAL.with(|tokens| {
                    LocalTokens::renew(tokens, &site, &connection, &SystemClock::new(), &mut |call| fetch(call))
                }),
            }
        }
    }
}

/// Exchanges what a person's browser brought back for the first tokens.
pub fn connect(connection: &Connection<'_>, code: &Code<'_>) -> Result<()> {
    let tenant = connection.tenant;
    let mut store = Store::of(tenant).ok_or_else(|| {
        Error::new(
            Kind::Config,
            "there is nowhere to store the tokens: activate the plugin tenant-crm-sync, or give TenantCRMSync::use_token_store() a store",
        )
    })?;
    with(connection, &mut store, |with| token::exchange(connection, with, code))
}

fn with<T>(connection: &Connection<'_>, store: &mut Store, work: impl FnOnce(&mut With<'_>) -> Result<T>) -> Result<T> {
    let endpoint = connection
        .values
        .text("api_endpoint")
        .and_then(|text| Url::parse(&text).ok())
        .ok_or_else(|| Error::new(Kind::Config, "the setting api_endpoint is missing or no URL"))?;
    let vault = SiteVault {
        site: credential::site(),
        tenant: connection.tenant.to_owned(),
        origin: endpoint.origin().ascii_serialization(),
    };
    work(&mut With {
        store,
        vault: &vault,
        clock: &mut SystemClock::new(),
        fetch: &mut |call| fetch(call),
    })
}

/// Sends a token request. It is not given up when PHP is interrupted: what the CRM answers may be the only good token.
fn fetch(mut call: Request) -> Result<Reply> {
    if zend::is_preloading() {
        return Err(Error::new(
            Kind::Config,
            "no call can be made while scripts are preloaded: make the first call in a request",
        ));
    }
    // The proxy depends on whom we call, and this may be another host than the endpoint's.
    call.config.transport = ini::config(call.url.host_str()).transport;
    let engine = runtime::engine()?;
    let client = engine.client(&call.config.transport)?;
    engine.call(send(client, call), &mut || false)
}

/// Seals with the tenant's own data key, for its endpoint.
struct SiteVault {
    site: String,
    tenant: String,
    origin: String,
}

impl SiteVault {
    fn scope(&self) -> Scope<'_> {
        Scope {
            site: &self.site,
            tenant: &self.tenant,
            field: FIELD,
        }
    }
}

impl Vault for SiteVault {
    fn seal(&self, plain: &[u8]) -> Result<String> {
        credential::keyring()?
            .seal(&self.scope(), Some(&self.origin), plain)
            .map_err(|error| Error::new(Kind::Credential, error.to_string()))
    }

    fn open(&self, envelope: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        match credential::keyring()?.open(&self.scope(), &self.origin, envelope) {
            Ok(plain) => Ok(Some(plain)),
            Err(SecretError::OtherOrigin { .. }) => Ok(None),
            Err(error) => Err(Error::new(Kind::Credential, error.to_string())),
        }
    }
}

/// The host's clocks; waits in slices, because PHP may be interrupted.
struct SystemClock(Instant);

impl SystemClock {
    fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn unix(&self) -> f64 {
        clock::unix_now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            if zend::interrupted() {
                return Err(Error::new(
                    Kind::Cancelled,
                    "PHP was interrupted while another process got a token",
                ));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

/// The request's store, for one tenant.
struct Store {
    object: Zval,
    tenant: String,
}

impl Store {
    fn of(tenant: &str) -> Option<Self> {
        // A copy: the store's own code may name another one while it runs.
        let object = STORE.with(|slot| slot.try_borrow().ok()?.as_ref().map(Zval::shallow_clone))?;
        Some(Self {
            object,
            tenant: tenant.to_owned(),
        })
    }

    /// Calls a method. An exception becomes a failure of ours; an error, or the end of the script, passes.
    fn call(&self, method: &str, arguments: Vec<&dyn IntoZvalDyn>) -> Result<Zval> {
        let stopped = || Error::new(Kind::Cancelled, format!("the token store was stopped in {method}()"));
        if ExecutorGlobals::has_exception() {
            return Err(stopped());
        }
        let object = self.object.object().ok_or_else(stopped)?;
        let mut all: Vec<&dyn IntoZvalDyn> = vec![&self.tenant];
        all.extend(arguments);
        let result = object.try_call_method(method, all);
        let is_exception = ExecutorGlobals::get()
            .exception()
            .map(|thrown| thrown.instance_of(ce::exception()));
        match is_exception {
            Some(false) => Err(stopped()),
            Some(true) => {
                let thrown = ExecutorGlobals::take_exception();
                let words = thrown
                    .and_then(|thrown| thrown.try_call_method("getMessage", vec![]).ok())
                    .and_then(|message| to_text(&message).ok())
                    .unwrap_or_default();
                Err(Error::new(
                    Kind::Credential,
                    format!("the token store failed in {method}(): {words}"),
                ))
            }
            None => result.map_err(|_| stopped()),
        }
    }
}

fn wrong_answer(method: &str) -> Error {
    Error::new(
        Kind::Config,
        format!("the token store's {method}() does not return what {INTERFACE} says"),
    )
}

fn number(value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| Error::new(Kind::Config, "the token's version is out of range"))
}

impl TokenStore for Store {
    fn load(&mut self) -> Result<Option<Stored>> {
        let found = self.call("load", vec![])?;
        if found.is_null() {
            return Ok(None);
        }
        let read = || {
            let row = found.array()?;
            Some(Stored {
                version: u64::try_from(row.get("version")?.long()?).ok()?,
                envelope: row.get("envelope")?.str()?.to_owned(),
                refused: row.get("state")?.str()? == "reconnect",
            })
        };
        read().map(Some).ok_or_else(|| wrong_answer("load"))
    }

    fn lease(&mut self, version: u64, time: Duration) -> Result<Option<String>> {
        let found = self.call("lease", vec![&number(version)?, &time.as_secs_f64()])?;
        if found.is_null() {
            return Ok(None);
        }
        found
            .str()
            .filter(|lease| !lease.is_empty())
            .map(|lease| Some(lease.to_owned()))
            .ok_or_else(|| wrong_answer("lease"))
    }

    fn commit(&mut self, lease: &str, version: u64, envelope: &str, expires_at: Option<i64>) -> Result<bool> {
        let expires_at = expires_at.into_zval(false).map_err(|_| wrong_answer("commit"))?;
        self.call("commit", vec![&lease, &number(version)?, &envelope, &expires_at])
            .map(|stored| is_true(&stored))
    }

    fn release(&mut self, lease: &str) -> Result<()> {
        self.call("release", vec![&lease]).map(drop)
    }

    fn refuse(&mut self, version: u64, reason: &str) -> Result<()> {
        self.call("refuse", vec![&number(version)?, &reason]).map(drop)
    }
}
