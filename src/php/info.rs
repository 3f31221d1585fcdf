//! What an administrator sees: phpinfo(), `php --ri tenant_crm_sync` and TenantCRMSync::status(). Never a secret.

use ext_php_rs::convert::IntoZval;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ModuleEntry;
use ext_php_rs::{info_table_end, info_table_row, info_table_start};

use crate::limit::limiter;
use crate::php::zend::{Call, print_ini_entries};
use crate::php::{credential, ini, journal};
use crate::runtime;

/// The info function of the module.
pub extern "C" fn print(module: *mut ModuleEntry) {
    let (keys, problem) = keys();
    let keys = problem.unwrap_or_else(|| format!("{keys} in {}", ini::key_file().display()));
    let calls = runtime::running().map_or_else(
        || String::from("not started in this process"),
        |engine| format!("running, {} calls", engine.requests()),
    );
    info_table_start!();
    info_table_row!("tenant_crm_sync support", "enabled");
    info_table_row!("Version", env!("CARGO_PKG_VERSION"));
    info_table_row!("TLS", "rustls with ring, HTTP/1.1 and HTTP/2");
    info_table_row!("Host keys", keys);
    info_table_row!("Tenants' data keys", ini::key_dir().display().to_string());
    info_table_row!("I/O thread", calls);
    info_table_row!("Limits", limits());
    info_table_end!();
    print_ini_entries(module);
}

fn limits() -> String {
    let place = ini::limits();
    let limiter = limiter::at(&place);
    let (used, slots) = limiter.slots();
    let here = limiter.problem().map_or_else(
        || format!("{used} of {slots} counters in {}", place.file.display()),
        std::convert::identity,
    );
    match limiter.redis() {
        None => here,
        Some(Ok(())) => format!("in Redis; {here}"),
        Some(Err(problem)) => format!("{problem}; {here}"),
    }
}

fn keys() -> (usize, Option<String>) {
    match credential::keyring() {
        Ok(keyring) => (keyring.key_count(), None),
        Err(error) => (0, Some(error.message)),
    }
}

/// `status(): array`
pub fn status(_: &mut Call<'_>) -> PhpResult<Zval> {
    let (keys, problem) = keys();
    let config = ini::config(None);
    let engine = runtime::running();
    let mut table = ZendHashTable::new();
    table.insert("version", env!("CARGO_PKG_VERSION"))?;
    table.insert("key_file", ini::key_file().display().to_string())?;
    table.insert("keys", i64::try_from(keys).unwrap_or(i64::MAX))?;
    table.insert("key_error", problem)?;
    table.insert("key_dir", ini::key_dir().display().to_string())?;
    table.insert("ca_file", config.transport.ca_file.display().to_string())?;
    table.insert("allow_http", config.allow_http)?;
    table.insert("allow_private_networks", config.transport.allow_private_networks)?;
    table.insert("engine_running", engine.is_some())?;
    table.insert(
        "requests",
        engine.map_or(0, |engine| i64::try_from(engine.requests()).unwrap_or(i64::MAX)),
    )?;
    let (dropped, problem) = journal::health();
    table.insert("log_file", ini::log_file().display().to_string())?;
    table.insert("log_error", problem)?;
    table.insert("attempts_dropped", i64::try_from(dropped).unwrap_or(i64::MAX))?;
    let place = ini::limits();
    let limiter = limiter::at(&place);
    let (used, slots) = limiter.slots();
    table.insert("limit_file", place.file.display().to_string())?;
    table.insert("limit_error", limiter.problem())?;
    table.insert("limit_slots", i64::try_from(slots).unwrap_or(i64::MAX))?;
    table.insert("limit_slots_used", i64::try_from(used).unwrap_or(i64::MAX))?;
    table.insert(
        "redis",
        limiter
            .redis()
            .map(|redis| redis.err().unwrap_or_else(|| String::from("ok"))),
    )?;
    Ok(table.into_zval(false)?)
}
