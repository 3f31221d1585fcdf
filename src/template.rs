//! Text with named values: `/leads/{id}`, `SELECT {fields} FROM Lead WHERE SystemModstamp >= {since}`.
//!
//! `{name}` stands for a value, `{name|filter}` for the value in another form, `{{` and `}}` for the braces themselves. A
//! text of which a value is missing has no value itself: whoever uses it leaves it out. Values are bytes, because keys are.

mod json;
mod values;

use serde::de::{self, Deserialize, Deserializer};
use zeroize::Zeroizing;

pub use json::Json;
pub use values::{Value, Values};

/// Another form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    /// In JSON: always text.
    Text,
    /// In JSON: a number, if it is one.
    Number,
    /// Each text in single quotes, `'` and `\` behind a backslash; joined by commas. SOQL, SQL, Zoho.
    Quote,
    /// Each text in single quotes, `'` doubled; joined by commas. OData.
    Odata,
    /// Each text in double quotes, `"` and `\` behind a backslash; joined by commas.
    DoubleQuote,
    /// In JSON: a list of numbers, where all are.
    Numbers,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String, Option<Filter>),
}

/// A text with named values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Part>);

impl Template {
    /// Reads a template; a failure says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(rest.get(..at).unwrap_or_default());
            rest = rest.get(at..).unwrap_or_default();
            if let Some(after) = rest.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = rest.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else if let Some((inside, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(placeholder(inside, text)?);
                rest = after;
            } else {
                return Err(format!(
                    "a brace in \"{text}\" has no partner: write {{{{ or }}}} for the sign itself"
                ));
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() || parts.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The names of its values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Value(name, _) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The name of a value that is there, but is no number where only a number fits.
    #[must_use]
    pub fn misfit(&self, values: &Values) -> Option<&str> {
        self.0.iter().find_map(|part| match part {
            Part::Value(name, Some(Filter::Number | Filter::Numbers)) => {
                let fits = match values.get(name)? {
                    Value::List(list) => list.iter().all(|text| text.parse::<i64>().is_ok()),
                    other => std::str::from_utf8(&other.bytes()).is_ok_and(|text| text.parse::<i64>().is_ok()),
                };
                (!fits).then_some(name.as_str())
            }
            _ => None,
        })
    }

    /// Whether it begins with a slash.
    #[must_use]
    pub fn is_below(&self) -> bool {
        matches!(self.0.first(), Some(Part::Text(text)) if text.starts_with('/'))
    }

    /// Whether it starts with the value of this name.
    #[must_use]
    pub fn starts_with(&self, wanted: &str) -> bool {
        matches!(self.0.first(), Some(Part::Value(name, None)) if name == wanted)
    }

    /// The text; `None` where a value is missing. `write` is given each value to encode, and what is around it.
    fn assemble(&self, values: &Values, encode: impl Fn(&[u8], &mut Vec<u8>)) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(Vec::new());
        for part in &self.0 {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Value(name, filter) => {
                    let value = Zeroizing::new(filtered(values.get(name)?, *filter));
                    encode(&value, &mut out);
                }
            }
        }
        Some(out)
    }

    /// As bytes.
    #[must_use]
    pub fn bytes(&self, values: &Values) -> Option<Zeroizing<Vec<u8>>> {
        self.assemble(values, |value, out| out.extend_from_slice(value))
    }

    /// As text; `None` also where it is not UTF-8.
    #[must_use]
    pub fn text(&self, values: &Values) -> Option<String> {
        String::from_utf8(self.bytes(values)?.to_vec()).ok()
    }

    /// As part of a URL's path: each value is one segment, percent-encoded.
    #[must_use]
    pub fn path(&self, values: &Values) -> Option<String> {
        let bytes = self.assemble(values, |value, out| {
            out.extend(
                percent_encoding::percent_encode(value, SEGMENT)
                    .to_string()
                    .into_bytes(),
            );
        })?;
        String::from_utf8(bytes.to_vec()).ok()
    }

    /// The single value that it is, with its form, if it is nothing else.
    fn single(&self) -> Option<(&str, Option<Filter>)> {
        match self.0.as_slice() {
            [Part::Value(name, filter)] => Some((name, *filter)),
            _ => None,
        }
    }
}

/// As the `url` crate encodes a segment, and a few signs more that servers read as separators.
const SEGMENT: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn placeholder(inside: &str, whole: &str) -> Result<Part, String> {
    let (name, filter) = match inside.split_once('|') {
        None => (inside, None),
        Some((name, filter)) => (
            name,
            Some(match filter {
                "text" => Filter::Text,
                "number" => Filter::Number,
                "numbers" => Filter::Numbers,
                "quote" => Filter::Quote,
                "odata" => Filter::Odata,
                "double_quote" => Filter::DoubleQuote,
                _ => {
                    return Err(format!(
                        "the form \"{filter}\" in \"{whole}\" is unknown; there are text, number, numbers, quote, double_quote and odata"
                    ));
                }
            }),
        ),
    };
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_name {
        return Err(format!(
            "\"{{{inside}}}\" in \"{whole}\" is no value's name: use small letters, digits and _, or {{{{ for a brace"
        ));
    }
    Ok(Part::Value(name.to_owned(), filter))
}

fn filtered(value: &Value, filter: Option<Filter>) -> Vec<u8> {
    let quoted = |quote: char, escape: fn(char) -> Option<char>| {
        let one = |text: &str| {
            let mut out = String::from(quote);
            for sign in text.chars() {
                out.extend(escape(sign));
                out.push(sign);
            }
            out.push(quote);
            out
        };
        match value {
            Value::List(list) => list.iter().map(|text| one(text)).collect::<Vec<_>>().join(","),
            other => one(&String::from_utf8_lossy(&other.bytes())),
        }
        .into_bytes()
    };
    match filter {
        None | Some(Filter::Text | Filter::Number | Filter::Numbers) => value.bytes(),
        Some(Filter::Quote) => quoted('\'', |sign| matches!(sign, '\'' | '\\').then_some('\\')),
        Some(Filter::Odata) => quoted('\'', |sign| (sign == '\'').then_some('\'')),
        Some(Filter::DoubleQuote) => quoted('"', |sign| matches!(sign, '"' | '\\').then_some('\\')),
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
