//! Objects put together and taken apart as text, so that their values stay as they were written.

use crate::json::Reader;

/// The members of an object, by name and JSON text, in its order; none where it is no object.
#[must_use]
pub fn members(object: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    // What was read before a mistake counts.
    let _ = Reader::new(object).each_member(|reader, name| {
        let span = reader.span()?;
        if let Some(value) = object.get(span) {
            found.push((name.into_owned(), value));
        }
        Ok(())
    });
    found
}

/// An object of these members.
#[must_use]
pub fn object<'t>(members: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let mut out = String::from("{");
    for (name, value) in members {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&quoted(name));
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

/// One object with the members of both; readers take the later of equal names.
#[must_use]
pub fn joined(first: &str, second: &str) -> String {
    let inner = |text: &str| {
        let text = text.trim();
        let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        inside.unwrap_or_default().trim().to_owned()
    };
    let (first, second) = (inner(first), inner(second));
    let comma = if first.is_empty() || second.is_empty() { "" } else { "," };
    format!("{{{first}{comma}{second}}}")
}

/// Text as JSON.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
