//! Which fields a client may send, and what is wrong with them. Only what the CRM itself would refuse: rows of the
//! control API are not looked at.

use serde_json::{Map, Value};

use crate::answer::Errors;

/// In the order in which rows are served, between id and the times.
pub const FIELDS: [&str; 9] = [
    "name", "email", "phone", "company", "status", "owner", "notes", "tags", "score",
];
/// The server's own.
pub const READ_ONLY: [&str; 3] = ["id", "created_at", "updated_at"];

/// `whole`: every required field must be there (POST and PUT, not PATCH).
pub fn check(fields: &Map<String, Value>, whole: bool, strict: bool) -> Result<(), Errors> {
    let mut errors = Errors::default();
    match fields.get("name") {
        Some(Value::String(name)) if !name.trim().is_empty() => {}
        Some(Value::String(_) | Value::Null) => errors.add("name", "The name must not be empty."),
        Some(_) => errors.add("name", "The name must be a string."),
        None if whole => errors.add("name", "The name is required."),
        None => {}
    }
    match fields.get("email") {
        Some(Value::String(email)) if !is_email(email) => {
            errors.add("email", "This does not look like an e-mail address.");
        }
        Some(Value::String(_) | Value::Null) | None => {}
        Some(_) => errors.add("email", "The e-mail address must be a string or null."),
    }
    if strict {
        for (field, value) in fields {
            if let Some(reason) = refused(field, value) {
                errors.add(field, reason);
            }
        }
    }
    errors.finish()
}

fn refused(field: &str, value: &Value) -> Option<&'static str> {
    if READ_ONLY.contains(&field) {
        return Some("This field is read-only.");
    }
    match (field, value) {
        // Looked at above.
        ("name" | "email", _) => None,
        ("tags", Value::Array(tags)) if tags.iter().all(Value::is_string) => None,
        ("tags", _) => Some("Must be a list of strings."),
        ("score", Value::Number(_) | Value::Null) => None,
        ("score", _) => Some("Must be a number or null."),
        (field, _) if !FIELDS.contains(&field) => Some("This field is unknown."),
        (_, Value::String(_) | Value::Null) => None,
        _ => Some("Must be a string or null."),
    }
}

pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let dotted = domain
        .rsplit_once('.')
        .is_some_and(|(host, top)| !host.is_empty() && !top.is_empty());
    !local.is_empty()
        && !local.contains('@')
        && dotted
        && !domain.starts_with('.')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use serde_json::json;

    fn wrong(fields: Value, whole: bool, strict: bool) -> Vec<String> {
        match check(fields.as_object().unwrap(), whole, strict) {
            Ok(()) => Vec::new(),
            Err(errors) => {
                let answer: Value = serde_json::from_slice(&Answer::from(errors).body).unwrap();
                answer["errors"].as_object().unwrap().keys().cloned().collect()
            }
        }
    }

    #[test]
    fn names_and_addresses() {
        assert!(wrong(json!({"name": "Zoë", "email": "zoë@exämple.test"}), true, true).is_empty());
        assert!(wrong(json!({"name": "Zoë", "email": null}), true, true).is_empty());
        assert_eq!(wrong(json!({}), true, false), ["name"]);
        assert!(wrong(json!({}), false, false).is_empty());
        for name in [json!(""), json!("  "), json!(null), json!(5)] {
            assert_eq!(wrong(json!({"name": name}), false, false), ["name"]);
        }
        for email in [
            "", "a", "a@", "@b.c", "a@b", "a@b.", "a@.c", "a b@c.d", "a@b@c.d", "a@c.d\n",
        ] {
            assert_eq!(wrong(json!({"email": email}), false, false), ["email"], "{email}");
        }
        assert_eq!(wrong(json!({"name": 1, "email": 2}), true, false), ["name", "email"]);
    }

    #[test]
    fn strictness() {
        let fields = json!({"name": "a", "colour": "red", "id": 5, "tags": ["a", 1], "score": "x", "phone": 5});
        assert!(wrong(fields.clone(), true, false).is_empty());
        assert_eq!(wrong(fields, true, true), ["colour", "id", "tags", "score", "phone"]);
        let fine = json!({"name": "a", "tags": [], "score": 1.5, "phone": null, "notes": "x"});
        assert!(wrong(fine, true, true).is_empty());
    }
}
