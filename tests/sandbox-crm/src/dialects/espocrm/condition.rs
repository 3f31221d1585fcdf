//! Where items: what they mean, and what of them is refused. EspoCRM puts values into SQL as they come; where that would
//! compare a time with something else, the sandbox refuses instead of guessing.

use std::cmp::Ordering;

use serde_json::Value;

use crate::filter::TimeFormat;

#[derive(Debug)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test(String, Test),
}

#[derive(Debug)]
pub enum Test {
    Equals(Value),
    In(Vec<Value>),
    Less(Value),
    Greater(Value),
    Like(String),
    Null,
    True,
}

const TIMES: [&str; 4] = ["createdAt", "modifiedAt", "convertedAt", "streamUpdatedAt"];
const DEPTH: usize = 8;

impl Condition {
    /// A list of items: all of them hold.
    pub fn list(items: &Value) -> Result<Self, String> {
        Self::many(items, DEPTH).map(Self::All)
    }

    fn many(items: &Value, depth: usize) -> Result<Vec<Self>, String> {
        let Some(items) = items.as_array() else {
            return Err("Bad where: a list of items is needed.".into());
        };
        items.iter().map(|item| Self::item(item, depth)).collect()
    }

    fn item(item: &Value, depth: usize) -> Result<Self, String> {
        let depth = depth.checked_sub(1).ok_or("Bad where: nested too deeply.")?;
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let kind = text("type").ok_or("Bad where: an item has no type.")?;
        let value = item.get("value").unwrap_or(&Value::Null);
        match kind {
            "and" => return Self::many(value, depth).map(Self::All),
            "or" => return Self::many(value, depth).map(Self::Any),
            "not" => return Ok(Self::All(Self::many(value, depth)?).negated()),
            _ => {}
        }
        zone(item)?;
        let attribute = text("attribute").or_else(|| text("field"));
        let attribute = attribute.ok_or("Bad where: an item has no attribute.")?;
        let test = |test| Self::Test(attribute.to_owned(), test);
        let value = |value: &Value| checked(attribute, value);
        let list = || match item.get("value").and_then(Value::as_array) {
            Some(values) => values.iter().map(value).collect::<Result<Vec<_>, _>>(),
            None => Err("Bad where: a list of values is needed.".to_owned()),
        };
        let single = || value(item.get("value").unwrap_or(&Value::Null));
        let pattern = |before: &str, after: &str| match item.get("value").and_then(Value::as_str) {
            Some(text) => Ok(test(Test::Like(format!("{before}{text}{after}")))),
            None => Err("Bad where: a text is needed.".to_owned()),
        };
        Ok(match kind {
            "equals" | "on" => test(Test::Equals(single()?)),
            "notEquals" | "notOn" => test(Test::Equals(single()?)).negated(),
            "in" => test(Test::In(list()?)),
            "notIn" => test(Test::In(list()?)).negated(),
            "greaterThan" | "after" => test(Test::Greater(single()?)),
            "lessThan" | "before" => test(Test::Less(single()?)),
            "greaterThanOrEquals" => Self::Any(vec![test(Test::Greater(single()?)), test(Test::Equals(single()?))]),
            "lessThanOrEquals" => Self::Any(vec![test(Test::Less(single()?)), test(Test::Equals(single()?))]),
            "between" => match list()?.as_slice() {
                [from, to] => Self::All(vec![
                    Self::Any(vec![
                        test(Test::Greater(from.clone())),
                        test(Test::Equals(from.clone())),
                    ]),
                    Self::Any(vec![test(Test::Less(to.clone())), test(Test::Equals(to.clone()))]),
                ]),
                _ => return Err("Bad where: between takes two values.".into()),
            },
            "like" => pattern("", "")?,
            "notLike" => pattern("", "")?.negated(),
            "contains" => pattern("%", "%")?,
            "notContains" => pattern("%", "%")?.negated(),
            "startsWith" => pattern("", "%")?,
            "endsWith" => pattern("%", "")?,
            "isNull" => test(Test::Null),
            "isNotNull" | "ever" => test(Test::Null).negated(),
            "isTrue" => test(Test::True),
            "isFalse" => test(Test::True).negated(),
            _ => return Err(format!("Bad where: type {kind} is not served here.")),
        })
    }

    fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Whether it asks of nothing but these.
    pub fn holds(&self, attribute: &dyn Fn(&str) -> Value) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(attribute)),
            Self::Any(any) => any.iter().any(|one| one.holds(attribute)),
            Self::Not(one) => !one.holds(attribute),
            Self::Test(name, test) => test.holds(&attribute(name)),
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => compare(value, wanted) == Some(Ordering::Equal),
            Self::In(all) => all.iter().any(|wanted| compare(value, wanted) == Some(Ordering::Equal)),
            Self::Less(than) => compare(value, than) == Some(Ordering::Less),
            Self::Greater(than) => compare(value, than) == Some(Ordering::Greater),
            Self::Like(pattern) => value
                .as_str()
                .is_some_and(|text| like(&text.to_lowercase(), &pattern.to_lowercase())),
            Self::Null => value.is_null(),
            Self::True => value == &Value::Bool(true),
        }
    }
}

/// As SQL: null is comparable with nothing, texts without regard to case, a number in a query is a text.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    };
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::String(a), Value::String(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
        (Value::Number(_), _) | (_, Value::Number(_)) => number(a)?.partial_cmp(&number(b)?),
        (a, b) => (a == b).then_some(Ordering::Equal),
    }
}

/// `%` stands for anything.
fn like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('%');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Times are `YYYY-MM-DD HH:MM:SS`, UTC, and nothing else.
fn checked(attribute: &str, value: &Value) -> Result<Value, String> {
    if !TIMES.contains(&attribute) {
        return Ok(value.clone());
    }
    let text = value.as_str().unwrap_or_default();
    let shape = text.len() == 19 && text.as_bytes().get(10) == Some(&b' ');
    match TimeFormat::Naive.parse(text) {
        Some(_) if shape => Ok(value.clone()),
        _ => Err(format!("Bad where: the value for {attribute} is no date-time.")),
    }
}

/// `dateTime` converts from the named zone, or from the user's own where none is named: only UTC means what it says.
fn zone(item: &Value) -> Result<(), String> {
    let flagged = match item.get("dateTime") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::String(text)) => text != "false",
        Some(_) => true,
    };
    match item.get("timeZone").and_then(Value::as_str) {
        _ if !flagged => Ok(()),
        Some("UTC") => Ok(()),
        _ => Err("Bad where: dateTime is only served with the time zone UTC.".into()),
    }
}
