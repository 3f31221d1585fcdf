//! Bodies of requests: JSON whose texts are templates, and what of it is left out where a value is missing.

use serde::de::{self, Deserialize, Deserializer};

use super::{Filter, Template, Value, Values};

/// JSON whose texts are templates. A text that is one value and nothing else takes that value's type.
///
/// What has no value is left out: a member of an object, an element of a list. An object or list inside a list is left
/// out whole if one of its own members or elements has no value, so that `{"field": "id", "value": "{after}"}` is not sent half.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// Null, true, false or a number.
    Plain(serde_json::Value),
    /// Text.
    Text(Template),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// The JSON text with nothing left out of its own members; `None` where one of them has no value.
    #[must_use]
    pub fn render_whole(&self, values: &Values) -> Option<String> {
        self.write(values, true)
    }

    /// The JSON text; `None` where a value is missing.
    #[must_use]
    pub fn render(&self, values: &Values) -> Option<String> {
        self.write(values, false)
    }

    fn write(&self, values: &Values, in_list: bool) -> Option<String> {
        match self {
            Self::Plain(value) => Some(value.to_string()),
            Self::Text(template) => text(template, values),
            Self::List(elements) => {
                let mut out = Vec::with_capacity(elements.len());
                for element in elements {
                    match element.write(values, true) {
                        Some(json) => out.push(json),
                        None if in_list => return None,
                        None => {}
                    }
                }
                Some(format!("[{}]", out.join(",")))
            }
            Self::Object(members) => {
                let mut out = Vec::with_capacity(members.len());
                for (name, member) in members {
                    match member.write(values, false) {
                        Some(json) => out.push(format!("{}:{json}", quoted(name))),
                        None if in_list => return None,
                        None => {}
                    }
                }
                Some(format!("{{{}}}", out.join(",")))
            }
        }
    }

    /// As [`Template::misfit`].
    #[must_use]
    pub fn misfit(&self, values: &Values) -> Option<&str> {
        match self {
            Self::Plain(_) => None,
            Self::Text(template) => template.misfit(values),
            Self::List(elements) => elements.iter().find_map(|element| element.misfit(values)),
            Self::Object(members) => members.iter().find_map(|(_, member)| member.misfit(values)),
        }
    }

    /// The names of its values.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Plain(_) => Vec::new(),
            Self::Text(template) => template.names().collect(),
            Self::List(elements) => elements.iter().flat_map(Self::names).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, member)| member.names()).collect(),
        }
    }
}

fn text(template: &Template, values: &Values) -> Option<String> {
    let Some((name, filter)) = template.single() else {
        return Some(quoted(&template.text(values)?));
    };
    match (values.get(name)?, filter) {
        (Value::Json(json), None) => Some(json.clone()),
        (Value::Number(number), None) => Some(number.to_string()),
        (Value::List(list), None) => serde_json::to_string(list).ok(),
        (Value::List(list), Some(Filter::Numbers)) => {
            let numbers: Option<Vec<i64>> = list.iter().map(|text| text.parse().ok()).collect();
            serde_json::to_string(&numbers?).ok()
        }
        (value, Some(Filter::Number)) => {
            let number: i64 = std::str::from_utf8(&value.bytes()).ok()?.parse().ok()?;
            Some(number.to_string())
        }
        _ => Some(quoted(&template.text(values)?)),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl TryFrom<serde_json::Value> for Json {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        Ok(match value {
            serde_json::Value::String(text) => Self::Text(Template::parse(&text)?),
            serde_json::Value::Array(elements) => {
                Self::List(elements.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            serde_json::Value::Object(members) => Self::Object(
                members
                    .into_iter()
                    .map(|(name, member)| Ok((name, Self::try_from(member)?)))
                    .collect::<Result<_, String>>()?,
            ),
            plain => Self::Plain(plain),
        })
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(serde_json::Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
