//! tenant_crm_sync: many tenants' CRMs in step with one WordPress portal, inside the PHP process.
//!
//! This page is what PHP sees. Everything below `php` works without PHP and is tested without it.

pub mod auth;
pub mod chance;
pub mod clock;
pub mod config;
pub mod crm;
pub mod error;
pub mod json;
pub mod limit;
pub mod net;
pub mod runtime;
pub mod secret;
pub mod sync;
pub mod template;

#[cfg(feature = "php")]
mod php;

#[cfg(feature = "php")]
use {ext_php_rs::prelude::*, php::start};

#[cfg(feature = "php")]
#[php_module]
#[php(startup = start)]
pub fn get_module(module: ModuleBuilder) -> ModuleBuilder {
    php::module(module)
}
