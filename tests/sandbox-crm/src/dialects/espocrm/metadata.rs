//! What an administrator sees of the entities: their attributes, types and options.

use serde_json::{Map, Value, json};

use super::attributes::{self, Kind};
use super::{Wrong, bad, entity, fine};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::store::Object;

/// All of it, or what is at `key`: `entityDefs.Lead.fields`. Null where there is nothing.
pub fn metadata(request: &Request<'_>) -> Result<Answer, Wrong> {
    if request.unknown_param(&["key"]).is_some() {
        return Err(bad("Unknown parameter."));
    }
    let definitions: Map<String, Value> = Object::ALL
        .into_iter()
        .map(|object| {
            (
                entity(object).to_owned(),
                json!({ "fields": fields(object), "links": {} }),
            )
        })
        .collect();
    let scopes: Map<String, Value> = Object::ALL
        .into_iter()
        .map(|object| {
            (
                entity(object).to_owned(),
                json!({ "entity": true, "object": true, "acl": true }),
            )
        })
        .collect();
    let whole = json!({ "entityDefs": definitions, "scopes": scopes });
    let part = request.param("key").map_or(Some(&whole), |key| {
        key.split('.').try_fold(&whole, |value, name| value.get(name))
    });
    Ok(fine(part.unwrap_or(&Value::Null)))
}

fn fields(object: Object) -> Map<String, Value> {
    let mut fields: Map<String, Value> = attributes::of(object)
        .filter(|(_, kind)| !matches!(kind, Kind::Data(_)))
        .map(|(name, kind)| {
            let mut described = match kind {
                Kind::Varchar(36) => json!({ "type": "phone", "maxLength": 36 }),
                Kind::Varchar(most) => json!({ "type": "varchar", "maxLength": most }),
                Kind::Text => json!({ "type": "text" }),
                Kind::Email => json!({ "type": "email" }),
                Kind::Bool => json!({ "type": "bool" }),
                Kind::Currency => json!({ "type": "currency", "min": 0 }),
                Kind::Percent => json!({ "type": "int", "min": 0, "max": 100 }),
                Kind::Date => json!({ "type": "date" }),
                Kind::Enum(options) => json!({ "type": "enum", "options": options }),
                Kind::Link | Kind::Data(_) => json!({ "type": "link" }),
                Kind::Links => json!({ "type": "linkMultiple" }),
            };
            if let (Value::Object(described), true) = (&mut described, attributes::required(object).contains(&name)) {
                described.insert("required".into(), true.into());
            }
            // Links are fields without the ending that their attributes have.
            let name = name
                .strip_suffix("Ids")
                .or_else(|| name.strip_suffix("Id"))
                .unwrap_or(name);
            (name.to_owned(), described)
        })
        .collect();
    for name in ["createdAt", "modifiedAt"] {
        fields.insert(name.into(), json!({ "type": "datetime", "readOnly": true }));
    }
    fields
}
