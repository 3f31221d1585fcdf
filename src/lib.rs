//! tmp
#[cfg(feature="php")] use ext_php_rs::prelude::*;
#[cfg(feature="php")] #[php_module] pub fn get_module(m: ModuleBuilder) -> ModuleBuilder { m }
