//! Credentials that lie in a secrets manager: this process's cache, and how PHP's thread asks. What may be asked is the business of `auth`.

use std::cell::RefCell;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::auth::managers::{self, Cache, With};
use crate::auth::reference::{Manager, Owner, manager_of};
use crate::clock;
use crate::error::{Error, Kind, Result};
use crate::net::send::send;
use crate::php::{ini, zend};
use crate::runtime;

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

/// The credential that a reference points at.
pub fn resolve(
    manager: Manager,
    site: &str,
    tenant: Option<&str>,
    origin: &str,
    stored: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let tenant = tenant.ok_or_else(|| {
        Error::new(
            Kind::Credential,
            "a reference is for a tenant whose id is text or a number, in UTF-8; this id is neither",
        )
    })?;
    let managers = ini::managers(manager);
    // No borrow is held while PHP's thread waits: a fatal error would leave it.
    let mut cache = CACHE.take();
    let found = managers::resolve(
        manager,
        Owner { site, tenant },
        origin,
        stored,
        &mut With {
            managers: &managers,
            cache: &mut cache,
            now: Duration::from_nanos(clock::monotonic()),
            unix: clock::unix_now(),
            fetch: &mut |call| {
                if zend::is_preloading() {
                    return Err(Error::new(
                        Kind::Config,
                        "no secret can be looked up while scripts are preloaded: make the first call in a request",
                    ));
                }
                let engine = runtime::engine()?;
                let client = engine.client(&call.config.transport)?;
                engine.call(send(client, call), &mut zend::interrupted)
            },
        },
    );
    CACHE.set(cache);
    found
}

/// A reference as it may be stored: this tenant's, on a host that knows its manager.
pub fn checked(manager: Manager, site: &str, tenant: &str, stored: &[u8]) -> Result<String> {
    managers::permitted(&ini::managers(manager), manager, Owner { site, tenant }, stored)?;
    Ok(String::from_utf8_lossy(stored).into_owned())
}

/// The CRM refused it: it is read anew before it is used again. Of other credentials nothing is kept.
pub fn refused(stored: &[u8]) {
    if let Some(manager) = manager_of(stored.trim_ascii()) {
        let managers = ini::managers(manager);
        let now = Duration::from_nanos(clock::monotonic());
        CACHE.with_borrow_mut(|cache| managers::refused(&managers, cache, manager, stored, now));
    }
}
