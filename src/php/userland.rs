//! PHP's own functions, called where parity with them is what is wanted.

use ext_php_rs::convert::{IntoZval, IntoZvalDyn};
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::{ZendCallable, ZendHashTable, Zval};
use ext_php_rs::zend::{ExecutorGlobals, ce};

use crate::error::{Error, Kind, Result};
use crate::php::zend::{is_true, pending, to_bytes, to_text};

const PHP_QUERY_RFC3986: i64 = 2;

/// A parameter as PHP's own function encodes it: what is not plain text, too. `None` for what is falsy.
pub fn query(parameter: &str, value: &Zval) -> PhpResult<Option<String>> {
    if !is_true(value) {
        return Ok(None);
    }
    if value.is_string() || value.is_long() {
        return Ok(Some(crate::crm::request::query_pair(parameter, &to_bytes(value)?)));
    }
    let mut table = ZendHashTable::new();
    table.insert(parameter, value.shallow_clone())?;
    let table = table.into_zval(false)?;
    let query = call("http_build_query", vec![&table, &"", &"&", &PHP_QUERY_RFC3986])?;
    to_text(&query).map(Some)
}

/// Calls a function; its exception stays pending.
pub fn call(name: &str, arguments: Vec<&dyn IntoZvalDyn>) -> PhpResult<Zval> {
    let result = ZendCallable::try_from_name(name)?.try_call(arguments);
    if ExecutorGlobals::has_exception() {
        return Err(pending());
    }
    Ok(result?)
}

/// `json_encode( $data )`, as Guzzle writes bodies. An exception of the data's own is a failure like any other, an error passes.
pub fn json_encode(data: &Zval) -> PhpResult<Result<Vec<u8>>> {
    let failed = |reason: String| {
        Ok(Err(Error::new(
            Kind::Encode,
            format!("the data cannot be written as JSON: {reason}"),
        )))
    };
    match call("json_encode", vec![data]) {
        Ok(json) => match json.zend_str() {
            Some(json) => Ok(Ok(json.as_bytes().to_vec())),
            None => failed(to_text(&call("json_last_error_msg", vec![])?)?),
        },
        Err(thrown) => {
            let is_exception = ExecutorGlobals::get()
                .exception()
                .is_some_and(|thrown| thrown.instance_of(ce::exception()));
            if !is_exception {
                return Err(thrown);
            }
            let class = ExecutorGlobals::take_exception()
                .and_then(|thrown| thrown.get_class_name().ok())
                .unwrap_or_default();
            failed(format!("{class} was thrown"))
        }
    }
}
