//! Which row a request means: by id, or by a property whose values are unique. Reading the parameters that all reads share.

use std::sync::Arc;

use super::answer;
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::find_by;
use crate::store::{Object, Row, Table};

/// By id where `id_property` is none. Fails where the property's values are not unique.
pub fn row(table: &Table, object: Object, id_property: Option<&str>, id: &str) -> Result<Option<Arc<Row>>, Answer> {
    match id_property {
        None | Some("hs_object_id") => Ok(table.find(id).cloned()),
        Some("email") if object == Object::Contacts => {
            Ok(find_by(table, "email", id).and_then(|id| table.get(&id).cloned()))
        }
        Some(other) => Err(answer::invalid(format!(
            "Property {other:?} of {} is not unique: idProperty must be hs_object_id or email.",
            object.name()
        ))),
    }
}

pub fn csv(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

pub fn flag(request: &Request<'_>, name: &str) -> Result<bool, Answer> {
    match request.param(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(answer::invalid(format!("{name} must be true or false, not {other:?}"))),
    }
}
