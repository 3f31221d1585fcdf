//! Paths into JSON text: where a nested member stands, found without building the document.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, de};

use crate::json::Reader;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// An element of a list, from 0.
    Index(usize),
    /// A member of an object.
    Member(String),
}

/// Steps from a document's root to one of its values; without steps the root itself. In JSON: `"name"` or
/// `["links", "next", 0]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Step>);

impl Path {
    /// A member of the root.
    #[must_use]
    pub fn member(name: &str) -> Self {
        Self(vec![Step::Member(name.to_owned())])
    }

    /// The first member and the path from there on.
    #[must_use]
    pub fn split_member(&self) -> Option<(&str, Self)> {
        match self.0.split_first() {
            Some((Step::Member(name), rest)) => Some((name, Self(rest.to_vec()))),
            _ => None,
        }
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The member of the root that this is, if it is one.
    #[must_use]
    pub fn as_member(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Step::Member(name)] => Some(name),
            _ => None,
        }
    }

    /// The first step, if it names a member.
    #[must_use]
    pub fn first_member(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Member(name)) => Some(name),
            _ => None,
        }
    }

    /// This path continued by another.
    #[must_use]
    pub fn join(&self, rest: &Self) -> Self {
        Self(self.0.iter().chain(&rest.0).cloned().collect())
    }

    /// Where the value stands in a document of valid JSON; of members with one name the last counts.
    #[must_use]
    pub fn find(&self, document: &str) -> Option<Range<usize>> {
        let mut at = 0..document.len();
        for step in &self.0 {
            let text = document.get(at.clone())?;
            let lead = text.len() - text.trim_start().len();
            let inside = child(text.get(lead..)?, step)?;
            let start = at.start + lead;
            at = start + inside.start..start + inside.end;
        }
        Some(at)
    }

    /// The value's JSON text.
    #[must_use]
    pub fn text<'d>(&self, document: &'d str) -> Option<&'d str> {
        document.get(self.find(document)?).map(str::trim)
    }

    /// A text or number as text.
    #[must_use]
    pub fn scalar(&self, document: &str) -> Option<String> {
        self.text(document).and_then(scalar)
    }
}

fn child(text: &str, step: &Step) -> Option<Range<usize>> {
    let mut reader = Reader::new(text);
    let mut found = None;
    match step {
        Step::Member(wanted) if text.starts_with('{') => reader
            .each_member(|reader, name| {
                let span = reader.span()?;
                if name == *wanted {
                    found = Some(span);
                }
                Ok(())
            })
            .ok()?,
        Step::Index(wanted) if text.starts_with('[') => {
            let mut position = 0;
            reader
                .each_element(|reader| {
                    let span = reader.span()?;
                    if position == *wanted {
                        found = Some(span);
                    }
                    position += 1;
                    Ok(())
                })
                .ok()?;
        }
        _ => return None,
    }
    found
}

/// A string or number as text; nothing else identifies or dates a row.
#[must_use]
pub fn scalar(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => Reader::new(json).string().ok().map(Cow::into_owned),
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Path;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name, or a list of names and positions")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Path, E> {
                Ok(Path::member(name))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Path, A::Error> {
                let mut steps = Vec::new();
                while let Some(step) = list.next_element()? {
                    steps.push(step);
                }
                Ok(Path(steps))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            match step {
                Step::Index(index) => write!(f, "{index}")?,
                Step::Member(name) => f.write_str(name)?,
            }
        }
        Ok(())
    }
}
