//! GET of a list.

use hyper::StatusCode;

use crate::answer::Answer;
use crate::paging::{Asked, Refused, page};
use crate::store::Object;
use crate::tenant::Tenant;

pub fn list(tenant: &Tenant, object: Object, pairs: Vec<(String, String)>, origin: &str) -> Answer {
    let config = tenant.config();
    match Asked::read(pairs, &config) {
        Ok(asked) => {
            let table = tenant.table(object).read();
            Answer::json(StatusCode::OK, page(object, &asked, &config, &table, origin))
        }
        Err(Refused::Unknown(name)) => unknown_parameter(&name),
        Err(Refused::Invalid(errors)) => errors.into(),
    }
}

pub fn unknown_parameter(name: &str) -> Answer {
    Answer::error(
        StatusCode::BAD_REQUEST,
        format!("The parameter {name:?} is unknown here."),
    )
}
