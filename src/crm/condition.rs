//! Conditions on JSON: what a member of an answer or of a row is, or that it is there at all.

use serde::Deserialize;
use serde_json::Value;

use crate::json::{Path, scalar};

/// Holds where the value at a path is one of those named; without any, where it is there and not null, false, 0 or empty.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where the value is.
    pub at: Path,
    /// What it may be. Texts and numbers are compared as text.
    #[serde(default)]
    pub is: Vec<Value>,
    /// What its text begins with.
    #[serde(default)]
    pub begins: Option<String>,
    /// The opposite is meant.
    #[serde(default)]
    pub not: bool,
}

impl Condition {
    /// Whether it holds in this JSON.
    #[must_use]
    pub fn holds(&self, json: &str) -> bool {
        self.matches(self.at.text(json)) != self.not
    }

    fn matches(&self, found: Option<&str>) -> bool {
        let Some(found) = found else {
            return self.is.contains(&Value::Null);
        };
        let text = scalar(found);
        if let Some(begins) = &self.begins {
            return text.is_some_and(|text| text.starts_with(begins));
        }
        if self.is.is_empty() {
            let inside = found.trim_start_matches(['[', '{']).trim_end_matches([']', '}']).trim();
            let is_zero = text.as_deref().is_some_and(|text| text.parse::<f64>() == Ok(0.0));
            return !matches!(inside, "null" | "false" | "" | "\"\"") && !is_zero;
        }
        self.is.iter().any(|wanted| match wanted {
            Value::String(wanted) => text.as_deref() == Some(wanted),
            Value::Number(wanted) => text == Some(wanted.to_string()),
            Value::Bool(wanted) => found == if *wanted { "true" } else { "false" },
            _ => found == "null",
        })
    }
}
