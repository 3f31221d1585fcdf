//! Host keys, and credentials sealed with them: opened inside, at the moment of use.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::flags::{DataType, MethodFlags};
use ext_php_rs::types::Zval;
use zeroize::Zeroizing;

use crate::auth::reference::manager_of;
use crate::crm::request;
use crate::error::{Error, Kind, Result};
use crate::php::exception::exception;
use crate::php::ini;
use crate::php::references;
use crate::php::register::{UNTYPED, arg, handler, method};
use crate::php::settings;
use crate::php::zend::{Call, is_preloading, string};
use crate::secret::{self, Keyring, Scope};

thread_local! {
    /// The site that this request named.
    static SITE: RefCell<String> = const { RefCell::new(String::new()) };
    static KEYRING: RefCell<Option<Loaded>> = const { RefCell::new(None) };
}

/// A keyring and what it was read from; read again when the file changes.
struct Loaded {
    file: PathBuf,
    folder: PathBuf,
    keyring: Rc<Keyring>,
}

/// Forgets the request's site.
pub fn end_request() {
    // A fatal error may have left it borrowed; then it is what it was for one request more.
    SITE.with(|site| {
        if let Ok(mut site) = site.try_borrow_mut() {
            site.clear();
        }
    });
}

/// The site that this request named.
pub fn site() -> String {
    SITE.with_borrow(Clone::clone)
}

/// This host's keys.
pub fn keyring() -> Result<Rc<Keyring>> {
    if is_preloading() {
        return Err(Error::new(
            Kind::Config,
            "no key may be read while scripts are preloaded: make the first call in a request",
        ));
    }
    let (file, folder) = (ini::key_file(), ini::key_dir());
    KEYRING.with_borrow_mut(|slot| {
        if let Some(loaded) = slot
            && loaded.file == file
            && loaded.folder == folder
            && loaded.keyring.is_current()
        {
            return Ok(Rc::clone(&loaded.keyring));
        }
        let keyring = Rc::new(Keyring::load(&file, &folder).map_err(|error| credential_error(&error))?);
        *slot = Some(Loaded {
            file,
            folder,
            keyring: Rc::clone(&keyring),
        });
        Ok(keyring)
    })
}

fn credential_error(error: &secret::SecretError) -> Error {
    Error::new(Kind::Credential, error.to_string())
}

/// The secret for a header: opened if it is an envelope, looked up if it is a reference, as it is if it is plain.
pub fn open(tenant: Option<&str>, field: &str, origin: &str, stored: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    // A line break behind an envelope is a slip of whoever stored it; in a plain key it may mean something.
    let envelope = stored.trim_ascii();
    if let Some(manager) = manager_of(envelope) {
        return references::resolve(manager, &site(), tenant, origin, envelope);
    }
    if !looks_like_envelope(envelope) {
        return Ok(Zeroizing::new(stored.to_vec()));
    }
    let refuse = |message: &str| Error::new(Kind::Credential, message);
    let envelope = std::str::from_utf8(envelope)
        .ok()
        .filter(|text| secret::is_envelope(text))
        .ok_or_else(|| {
            refuse("the credential is sealed in a way that this version does not know: update the extension, or enter it again")
        })?;
    let tenant = tenant.ok_or_else(|| {
        refuse("a credential is sealed for a tenant whose id is text or a number, in UTF-8; this id is neither")
    })?;
    let keyring = keyring()?;
    SITE.with_borrow(|site| {
        keyring
            .open(&Scope { site, tenant, field }, origin, envelope)
            .map_err(|error| credential_error(&error))
    })
}

/// `tcs1.…`, or what a later version may write. It must never be sent as if it were a key.
fn looks_like_envelope(stored: &[u8]) -> bool {
    matches!(stored, [b't', b'c', b's', version, b'.', ..] if version.is_ascii_digit())
}

/// The arguments that all of these methods share.
struct Named {
    tenant: String,
    field: String,
}

fn named(call: &Call<'_>, field_position: usize) -> PhpResult<Named> {
    let tenant = call.arg(0).and_then(settings::tenant_id).ok_or_else(|| {
        exception(
            "",
            &Error::new(
                Kind::Config,
                "$tenant_id must be a number, or text in UTF-8 that is not empty",
            ),
        )
    })?;
    let field = if call.count() > field_position {
        call.utf8(field_position, "field")?
    } else {
        String::from("api_key")
    };
    Ok(Named { tenant, field })
}

/// `encrypt_credential( $tenant_id, $plaintext, $field = 'api_key', $endpoint = null )`
pub fn encrypt(call: &mut Call<'_>) -> PhpResult<Zval> {
    let outcome = seal(call);
    call.hide(1);
    outcome.map(|envelope| string(envelope.as_bytes()))
}

fn seal(call: &mut Call<'_>) -> PhpResult<String> {
    // A wrong argument must not leave the right one in a trace: it is read, and hidden, first.
    call.at_least(2, 4)?;
    let plaintext = call.text(1).map(Zeroizing::new);
    call.hide(1);
    let plaintext = plaintext?;
    let named = named(call, 2)?;
    let fail = |error: &Error| exception(&named.tenant, error);
    if let Some(manager) = manager_of(plaintext.trim_ascii()) {
        // It is no secret; it is stored as it is, if it is this tenant's.
        let reference = references::checked(manager, &site(), &named.tenant, plaintext.trim_ascii());
        return reference.map_err(|error| fail(&error));
    }
    let endpoint = match call.arg(3).filter(|value| !value.is_null()) {
        Some(_) => Some(call.utf8(3, "endpoint")?),
        None => current_endpoint(call)?,
    };
    let origin = endpoint
        .map(|endpoint| request::endpoint(&endpoint))
        .transpose()
        .map_err(|error| fail(&error))?
        .map(|url| request::origin(&url));
    let keyring = keyring().map_err(|error| fail(&error))?;
    let sealed = SITE.with_borrow(|site| {
        let scope = Scope {
            site,
            tenant: &named.tenant,
            field: &named.field,
        };
        keyring.seal(&scope, origin.as_deref(), &plaintext)
    });
    sealed.map_err(|error| fail(&credential_error(&error)))
}

/// The endpoint that the tenant has now, if the site's function knows one.
fn current_endpoint(call: &Call<'_>) -> PhpResult<Option<String>> {
    let Some(tenant) = call.arg(0) else { return Ok(None) };
    let found = settings::ask(tenant)?;
    Ok(found
        .as_ref()
        .and_then(Zval::array)
        .and_then(|settings| ini::setting_text(settings, "api_endpoint"))
        .filter(|endpoint| !endpoint.is_empty()))
}

/// `rotate_credential( $tenant_id, $envelope, $field = 'api_key' )`
pub fn rotate(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(2, 3)?;
    let envelope = call.text(1).map(Zeroizing::new);
    // It may be a key that was never sealed.
    call.hide(1);
    let envelope = envelope?;
    let named = named(call, 2)?;
    let fail = |error: &Error| exception(&named.tenant, error);
    if manager_of(&envelope).is_some() {
        return Ok(string(&envelope));
    }
    let text = std::str::from_utf8(&envelope)
        .ok()
        .filter(|text| secret::is_envelope(text))
        .ok_or_else(|| {
            fail(&Error::new(
                Kind::Credential,
                format!(
                    "the {} is not an envelope: seal it with encrypt_credential() first",
                    named.field
                ),
            ))
        })?;
    let keyring = keyring().map_err(|error| fail(&error))?;
    let rotated = SITE.with_borrow(|site| {
        let scope = Scope {
            site,
            tenant: &named.tenant,
            field: &named.field,
        };
        keyring.rotate(&scope, text)
    });
    let rotated = rotated.map_err(|error| fail(&credential_error(&error)))?;
    Ok(string(rotated.as_bytes()))
}

/// `forget_tenant( $tenant_id )`
pub fn forget(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    let Named { tenant, .. } = named(call, usize::MAX)?;
    let keyring = keyring().map_err(|error| exception(&tenant, &error))?;
    let forgotten = SITE.with_borrow(|site| keyring.forget(site, &tenant));
    let forgotten = forgotten.map_err(|error| exception(&tenant, &credential_error(&error)))?;
    let mut value = Zval::new();
    value.set_bool(forgotten);
    Ok(value)
}

/// `use_site( $site_id )`
pub fn use_site(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    let site = call.utf8(0, "site_id")?;
    SITE.with_borrow_mut(|slot| *slot = site);
    Ok(Zval::null())
}

/// The methods above.
pub fn methods(class: ClassBuilder) -> ClassBuilder {
    let shared = MethodFlags::Public | MethodFlags::Static;
    let text = |name: &str| arg(name, DataType::String);
    let tenant = || arg("tenant_id", UNTYPED);
    let field = || text("field").default("'api_key'");
    class
        .method(
            method(
                "encrypt_credential",
                handler!(encrypt),
                2,
                vec![
                    tenant(),
                    text("plaintext"),
                    field(),
                    text("endpoint").allow_null().default("null"),
                ],
            )
            .returns(DataType::String, false, false),
            shared,
        )
        .method(
            method(
                "rotate_credential",
                handler!(rotate),
                2,
                vec![tenant(), text("envelope"), field()],
            )
            .returns(DataType::String, false, false),
            shared,
        )
        .method(
            method("forget_tenant", handler!(forget), 1, vec![tenant()]).returns(DataType::Bool, false, false),
            shared,
        )
        .method(
            method("use_site", handler!(use_site), 1, vec![text("site_id")]).returns(DataType::Void, false, false),
            shared,
        )
}
