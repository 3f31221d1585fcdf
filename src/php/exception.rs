//! The exception classes, and how the house's errors become them.

use ext_php_rs::builders::{ClassBuilder, ClassProperty};
use ext_php_rs::exception::PhpException;
use ext_php_rs::flags::PropertyFlags;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{ClassEntry, ce};

use crate::error::{Error, Kind};
use crate::php::zend::{internal_class, runtime_exception, set_property, string};

const BASE: &str = "TenantCRMSync\\Exception";
const HTTP: &str = "TenantCRMSync\\HttpException";
const RATE_LIMIT: &str = "TenantCRMSync\\RateLimitException";
const CHILDREN: [&str; 5] = [
    "TenantCRMSync\\ConfigException",
    "TenantCRMSync\\CredentialException",
    "TenantCRMSync\\EgressException",
    "TenantCRMSync\\TransportException",
    "TenantCRMSync\\DecodeException",
];

fn find(name: &'static str) -> &'static ClassEntry {
    internal_class(name).unwrap_or_else(runtime_exception)
}

/// Registers the classes; while the module starts.
pub fn register() -> ext_php_rs::error::Result<()> {
    let text: fn() -> Zval = || string(b"");
    let number: fn() -> Zval = || integer(0);
    let mut base = ClassBuilder::new(BASE).extends((runtime_exception, "\\RuntimeException"));
    for (property, default) in [
        ("tenant", text),
        ("kind", text),
        ("operation", text),
        ("status", Zval::null),
        ("reason", Zval::null),
        ("retry_after", Zval::null),
        ("attempts", number),
        ("body", Zval::null),
    ] {
        base = base.property(ClassProperty {
            name: property.to_owned(),
            flags: PropertyFlags::Public,
            default: Some(Box::new(move || Ok(default()))),
            docs: &[],
            ty: None,
            nullable: false,
            readonly: false,
            default_stub: None,
        });
    }
    base.registration(|_, tables| std::mem::forget(tables)).register()?;
    for name in CHILDREN {
        child(name, || find(BASE))?;
    }
    child(HTTP, || find(BASE))?;
    child(RATE_LIMIT, || find(HTTP))
}

fn child(name: &'static str, parent: fn() -> &'static ClassEntry) -> ext_php_rs::error::Result<()> {
    ClassBuilder::new(name)
        .extends((parent, ""))
        .registration(|_, tables| std::mem::forget(tables))
        .register()
}

fn integer(value: i64) -> Zval {
    let mut zval = Zval::new();
    zval.set_long(value);
    zval
}

fn class_of(kind: Kind) -> &'static ClassEntry {
    let [config, credential, egress, transport, decode] = CHILDREN;
    find(match kind {
        Kind::Config | Kind::Encode => config,
        Kind::Credential => credential,
        Kind::Egress => egress,
        Kind::Connect | Kind::Tls | Kind::Timeout | Kind::Transport | Kind::Cancelled => transport,
        Kind::Http => HTTP,
        Kind::RateLimited => RATE_LIMIT,
        Kind::TooLarge | Kind::Decode => decode,
    })
}

/// The exception for a failure, with everything that is known about it.
pub fn exception(tenant: &str, error: &Error) -> PhpException {
    PhpException::new(message(tenant, error), 0, class_of(error.kind)).with_object(object(tenant, error))
}

fn message(tenant: &str, error: &Error) -> String {
    if tenant.is_empty() || error.message.contains(&format!("\"{tenant}\"")) {
        error.to_string()
    } else {
        format!("CRM tenant {tenant}: {error}")
    }
}

/// The exception as an object that nobody throws.
pub fn object(tenant: &str, error: &Error) -> Zval {
    let status = error.status.map(i64::from);
    let message = message(tenant, error);
    let mut object = class_of(error.kind).new();
    set_property(&mut object, "message", string(message.replace('\0', " ").as_bytes()));
    set_property(&mut object, "code", integer(status.unwrap_or(0)));
    set_property(&mut object, "tenant", string(tenant.as_bytes()));
    set_property(&mut object, "kind", string(error.kind.name().as_bytes()));
    set_property(&mut object, "operation", string(error.operation.as_bytes()));
    set_property(&mut object, "status", status.map_or_else(Zval::null, integer));
    let reason = error.reason.map(|reason| string(reason.name().as_bytes()));
    set_property(&mut object, "reason", reason.unwrap_or_else(Zval::null));
    set_property(
        &mut object,
        "retry_after",
        error.retry_after.map_or_else(Zval::null, |seconds| {
            let mut zval = Zval::new();
            zval.set_double(seconds);
            zval
        }),
    );
    set_property(&mut object, "attempts", integer(i64::from(error.attempts)));
    set_property(
        &mut object,
        "body",
        error
            .body
            .as_ref()
            .map_or_else(Zval::null, |body| string(body.as_bytes())),
    );
    let mut thrown = Zval::new();
    thrown.set_object(&mut object);
    thrown
}

/// `last_error()`.
pub fn describe(tenant: &str, error: &Error) -> ext_php_rs::error::Result<Zval> {
    use ext_php_rs::convert::IntoZval;
    let mut table = ext_php_rs::types::ZendHashTable::new();
    table.insert("kind", error.kind.name())?;
    table.insert("message", error.to_string())?;
    table.insert("tenant", tenant)?;
    table.insert("operation", error.operation.as_str())?;
    table.insert("status", error.status.map(i64::from))?;
    table.insert("reason", error.reason.map(crate::error::Reason::name))?;
    table.insert("retry_after", error.retry_after)?;
    table.insert("attempts", i64::from(error.attempts))?;
    table.insert("body", error.body.as_deref())?;
    table.into_zval(false)
}

/// The article's own exception, which is a plain `\Exception`.
pub fn not_configured(tenant: &str) -> PhpException {
    PhpException::new(
        format!("CRM settings not configured for tenant {tenant}."),
        0,
        ce::exception(),
    )
}
