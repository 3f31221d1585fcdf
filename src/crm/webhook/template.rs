//! Text with `{names}` in it: what is signed, and what a secret is made of.

use serde::Deserialize;

/// A template; a name is made of lower-case letters, digits and `_`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Name(String),
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let name = after.split_once('}').filter(|(name, _)| {
                !name.is_empty()
                    && name
                        .bytes()
                        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            });
            let Some((name, after)) = name else {
                return Err(format!(
                    "'{text}': after '{{' comes a name of letters a to z, digits and _, then '}}'"
                ));
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        if parts
            .iter()
            .any(|part| matches!(part, Part::Text(text) if text.contains('}')))
        {
            return Err(format!("'{text}': there is a '}}' without its '{{'"));
        }
        Ok(Self(parts))
    }
}

impl Template {
    /// The names in it, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Whether this name is in it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names().any(|other| other == name)
    }

    /// Gives each part to `take`; `None` where `lookup` does not know a name.
    pub(super) fn parts<'v>(
        &self,
        lookup: impl Fn(&str) -> Option<&'v [u8]>,
        mut take: impl FnMut(&[u8]),
    ) -> Option<()> {
        for part in &self.0 {
            match part {
                Part::Text(text) => take(text.as_bytes()),
                Part::Name(name) => take(lookup(name)?),
            }
        }
        Some(())
    }
}
