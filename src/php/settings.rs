//! A tenant's settings: from the site's function or given by the caller.

use ext_php_rs::convert::{IntoZval, IntoZvalDyn};
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::{ZendCallable, ZendHashTable, Zval};
use ext_php_rs::zend::{ExecutorGlobals, ce};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, TRANSFER_ENCODING};
use zeroize::Zeroizing;

use std::collections::BTreeMap;

use crate::crm::catalog;
use crate::crm::connector::{AuthMethod, Connector, ENDPOINT};
use crate::crm::mapping::Mapping;
use crate::error::{Error, Kind};
use crate::limit::own::TenantLimits;
use crate::php::exception::{exception, not_configured};
use crate::php::ini::{self, setting_text};
use crate::php::userland;
use crate::php::zend::{is_true, pending, to_bytes, to_text};

/// The userland function that the article's class calls.
pub const LOOKUP: &str = "get_tenant_crm_settings";

/// Settings that every connector knows; it may have fields of its own.
const NAMES: [&str; 14] = [
    "api_key",
    ENDPOINT,
    "connector",
    "auth",
    "mapping",
    "shape",
    "timeout",
    "idempotency_header",
    "throw",
    "parallel",
    "stable_order",
    "plan",
    "limits",
    "reserve",
];

/// Headers that mean something else.
const TAKEN_HEADERS: [HeaderName; 6] = [
    AUTHORIZATION,
    HOST,
    COOKIE,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    TRANSFER_ENCODING,
];

/// What is known of a tenant's connection. The key is plain or an envelope, as it was given.
pub struct Settings {
    /// The tenant's id as messages show it.
    pub tenant: String,
    /// The tenant's id, if it is one: text or a number. Only then can a credential be the tenant's.
    pub id: Option<String>,
    /// `api_endpoint`
    pub endpoint: String,
    /// The connector's fields and `api_key`, byte by byte as they were given.
    pub fields: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// Which CRM it is.
    pub connector: &'static Connector,
    /// How requests are authorised.
    pub method: &'static AuthMethod,
    /// The tenant's own mapping, by object type.
    pub mappings: BTreeMap<String, Mapping>,
    /// Whether records are wanted as the CRM writes them.
    pub as_crm: bool,
    /// Seconds for a whole call.
    pub timeout: Option<f64>,
    /// Header for a random key on creates.
    pub idempotency_header: Option<HeaderName>,
    /// Whether failures throw.
    pub throws: bool,
    /// Pages side by side.
    pub parallel: usize,
    /// What the tenant says of its CRM's limits.
    pub limits: TenantLimits,
}

impl Settings {
    /// Asks the site's function; its exceptions pass.
    pub fn look_up(tenant: &Zval) -> PhpResult<Self> {
        let name = tenant_name(tenant)?;
        let wrong = |message: String| Err(exception(&name, &Error::new(Kind::Config, message)));
        match ask(tenant)? {
            None => wrong(format!(
                "{LOOKUP}() is not defined: activate the plugin tenant-crm-sync, define the function, or use TenantCRMSync::with_settings()"
            )),
            Some(found) if !is_true(&found) => Err(not_configured(&name)),
            Some(found) => match as_array(&found)?.array() {
                Some(settings) => Self::read(tenant, settings).map_err(|error| exception(&name, &error)),
                None => wrong(format!("{LOOKUP}() must return an array with api_key and api_endpoint")),
            },
        }
    }

    /// Reads and checks given settings.
    pub fn read(tenant: &Zval, settings: &ZendHashTable) -> Result<Self, Error> {
        let wrong = |message: String| Error::new(Kind::Config, message);
        let required = |name: &str| {
            setting_text(settings, name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| wrong(format!("the setting {name} is missing or empty")))
        };
        let connector = catalog::find(
            setting_text(settings, "connector").as_deref().unwrap_or("rest"),
            &ini::connector_folder()?,
        )?;
        let auth = setting_text(settings, "auth").filter(|name| !name.is_empty());
        let method = connector.auth_method(auth.as_deref())?;
        let mut fields = BTreeMap::new();
        let names = connector.fields.keys().map(String::as_str).chain(["api_key"]);
        for name in names.filter(|name| *name != ENDPOINT) {
            // A list is no text, though PHP would make one of it.
            let is_text = setting_text(settings, name).is_some();
            let given = settings
                .get(name)
                .filter(|_| is_text)
                .and_then(|value| to_bytes(value).ok());
            if let Some(given) = given.filter(|given| !given.is_empty()) {
                fields.insert(name.to_owned(), Zeroizing::new(given));
            }
        }
        for name in &method.fields {
            if !fields.contains_key(name) && connector.default_of(name).is_none() && name != ENDPOINT {
                return Err(wrong(format!("the setting {name} is missing or empty")));
            }
        }
        let number = |name: &str| {
            settings.get(name).and_then(|value| {
                value
                    .double()
                    .or_else(|| value.string()?.parse().ok())
                    .or_else(|| value.long().map(|n| n as f64))
            })
        };
        let timeout = number("timeout");
        if timeout.is_some_and(|seconds| !seconds.is_finite() || seconds <= 0.0) {
            return Err(wrong(String::from(
                "the setting timeout must be a number of seconds above 0",
            )));
        }
        let limits = json_setting(settings.get("limits"), "limits")?;
        let stable = settings.get("stable_order").is_some_and(is_true);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let parallel = number("parallel").unwrap_or(1.0).clamp(1.0, 128.0) as usize;
        let endpoint = match (required(ENDPOINT), connector.default_of(ENDPOINT)) {
            (Err(_), Some(default)) => default.to_owned(),
            (endpoint, _) => endpoint?,
        };
        let as_crm = match setting_text(settings, "shape").as_deref() {
            None | Some("" | "neutral") => false,
            Some("crm") => true,
            Some(_) => return Err(wrong(String::from("the setting shape is neutral or crm"))),
        };
        Ok(Self {
            tenant: tenant_name(tenant).unwrap_or_default(),
            id: tenant_id(tenant),
            fields,
            endpoint,
            connector,
            method,
            mappings: mappings(settings.get("mapping"))?,
            as_crm,
            timeout,
            idempotency_header: setting_text(settings, "idempotency_header")
                .filter(|name| !name.is_empty())
                .map(|name| {
                    HeaderName::from_bytes(name.as_bytes())
                        .ok()
                        .filter(|name| !TAKEN_HEADERS.contains(name))
                        .ok_or_else(|| {
                            wrong(String::from(
                                "the setting idempotency_header must name a header of its own, like Idempotency-Key",
                            ))
                        })
                })
                .transpose()?,
            throws: settings.get("throw").is_some_and(is_true),
            // Where order and totals may change, pages side by side would lose rows.
            parallel: if stable { parallel } else { 1 },
            limits: TenantLimits::parse(
                setting_text(settings, "plan").as_deref(),
                limits.as_deref(),
                setting_text(settings, "reserve").as_deref(),
            )?,
        })
    }
}

/// A setting that is an array, or JSON; `None` where nothing is set.
fn json_setting(given: Option<&Zval>, name: &str) -> Result<Option<String>, Error> {
    let wrong = |reason: &str| Error::new(Kind::Config, format!("the setting {name}: {reason}"));
    match given {
        None => Ok(None),
        Some(given) if !is_true(given) => Ok(None),
        Some(given) if given.is_array() => match userland::json_encode(given) {
            Ok(Ok(json)) => Ok(Some(String::from_utf8_lossy(&json).into_owned())),
            _ => Err(wrong("it cannot be written as JSON")),
        },
        Some(given) => to_text(given)
            .map(Some)
            .map_err(|_| wrong("it must be an array or JSON")),
    }
}

/// The tenant's own mapping: an array, or JSON, of object types and their fields.
fn mappings(given: Option<&Zval>) -> Result<BTreeMap<String, Mapping>, Error> {
    let wrong = |reason: &str| Error::new(Kind::Config, format!("the setting mapping: {reason}"));
    let Some(text) = json_setting(given, "mapping")? else {
        return Ok(BTreeMap::new());
    };
    let objects: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|error| wrong(&format!("name object types and their fields ({error})")))?;
    objects
        .into_iter()
        .map(|(object, fields)| match Mapping::parse(&fields.to_string()) {
            Ok(mapping) => Ok((object, mapping)),
            Err(reason) => Err(wrong(&format!("{object}: {reason}"))),
        })
        .collect()
}

/// The tenant's id as text, if it is one; two ids that PHP holds for different as array keys never have the same text.
pub fn tenant_id(tenant: &Zval) -> Option<String> {
    match tenant.zend_str() {
        Some(text) => std::str::from_utf8(text.as_bytes()).ok().map(str::to_owned),
        None if tenant.is_array() || tenant.is_object() => None,
        None => to_text(tenant).ok(),
    }
    .filter(|id| !id.is_empty())
}

/// The tenant's id as messages show it. What is no id, but was handed to the site's function, has a name all the same.
pub fn tenant_name(tenant: &Zval) -> PhpResult<String> {
    match tenant.object() {
        Some(object) if !object.instance_of(ce::stringable()) => Ok(object.get_class_name()?),
        _ if tenant.is_array() => Ok(String::from("Array")),
        _ => to_text(tenant),
    }
}

/// Settings that are an object with array access, as an array; everything else as it is.
fn as_array(found: &Zval) -> PhpResult<Zval> {
    let Some(object) = found.object().filter(|object| object.instance_of(ce::arrayaccess())) else {
        return Ok(found.shallow_clone());
    };
    let mut settings = ZendHashTable::new();
    let mut names: Vec<&str> = NAMES.to_vec();
    // The connector is asked for among the first, and its fields behind them.
    let mut position = 0;
    while let Some(name) = names.get(position).copied() {
        position += 1;
        let is_set = object.try_call_method("offsetExists", vec![&name]);
        if is_set.is_ok_and(|is_set| is_true(&is_set)) {
            settings.insert(name, object.try_call_method("offsetGet", vec![&name])?)?;
        }
        if position == NAMES.len() {
            let connector = setting_text(&settings, "connector");
            let connector = connector.as_deref().unwrap_or("rest");
            let folder = ini::connector_folder().unwrap_or_default();
            if let Ok(connector) = catalog::find(connector, &folder) {
                names.extend(
                    connector
                        .fields
                        .keys()
                        .map(String::as_str)
                        .filter(|name| !NAMES.contains(name)),
                );
            }
        }
        if ExecutorGlobals::has_exception() {
            return Err(pending());
        }
    }
    Ok(settings.into_zval(false)?)
}

/// Calls the site's function; `None` if there is none.
pub fn ask(tenant: &Zval) -> PhpResult<Option<Zval>> {
    let Ok(function) = ZendCallable::try_from_name(LOOKUP) else {
        return Ok(None);
    };
    let argument = tenant.shallow_clone();
    match function.try_call(vec![&argument as &dyn IntoZvalDyn]) {
        Ok(_) if ExecutorGlobals::has_exception() => Err(pending()),
        Ok(found) => Ok(Some(found)),
        Err(_) => Err(pending()),
    }
}
