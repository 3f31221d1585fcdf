//! GET and DELETE of one row.

use hyper::StatusCode;

use crate::answer::Answer;
use crate::store::Object;
use crate::tenant::Tenant;

pub fn get(tenant: &Tenant, object: Object, id: &str) -> Answer {
    match tenant.table(object).read().find(id) {
        Some(row) => Answer::json(StatusCode::OK, row.json.clone()),
        None => missing(object),
    }
}

pub fn delete(tenant: &Tenant, object: Object, id: &str) -> Answer {
    let mut table = tenant.table(object).write();
    let Some(id) = table.find(id).map(|row| row.id.clone()) else {
        return missing(object);
    };
    table.remove(&[id], tenant.config().now());
    Answer::empty(StatusCode::NO_CONTENT)
}

pub fn missing(object: Object) -> Answer {
    Answer::error(
        StatusCode::NOT_FOUND,
        format!("There is no such row in {}.", object.name()),
    )
}
