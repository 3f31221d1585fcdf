//! When PHP starts, serves and ends: what is registered, what a request begins with, what it leaves behind.
//!
//! A module may be started more than once and before a fork, so nothing here starts a thread or reads a key. The module's
//! shutdown runs in every exiting child: it stops that child's own thread and touches nothing that others share.

use ext_php_rs::builders::ModuleBuilder;
use ext_php_rs::zend::IniEntryDef;

use crate::php::{credential, exception, info, ini, journal, register, tokens};
use crate::runtime;

const SUCCESS: i32 = 0;
const FAILURE: i32 = -1;

/// Completes the module's description.
pub fn module(module: ModuleBuilder<'_>) -> ModuleBuilder<'_> {
    module
        .request_startup_function(begin_request)
        .request_shutdown_function(end_request)
        .shutdown_function(stop)
        .info_function(info::print)
}

/// The module starts.
pub fn start(_kind: i32, module_number: i32) -> i32 {
    IniEntryDef::register(ini::ENTRIES.as_slice(), module_number);
    match exception::register().and_then(|()| register::classes()) {
        Ok(()) => SUCCESS,
        Err(error) => {
            crate::php::zend::log_line(&format!("tenant_crm_sync cannot start: {error}"));
            FAILURE
        }
    }
}

/// Pools and virtual hosts differ in what they offer, so it is looked up for every request.
extern "C" fn begin_request(_kind: i32, _module_number: i32) -> i32 {
    register::KEYS.show(ini::register_class());
    SUCCESS
}

extern "C" fn end_request(_kind: i32, _module_number: i32) -> i32 {
    tokens::end_request();
    credential::end_request();
    journal::end_request();
    SUCCESS
}

extern "C" fn stop(_kind: i32, _module_number: i32) -> i32 {
    runtime::stop();
    SUCCESS
}
