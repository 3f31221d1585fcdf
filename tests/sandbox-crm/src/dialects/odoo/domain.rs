//! Odoo's domains: conditions in a list, joined by `&` where nothing stands before them; `&`, `|` and `!` stand before what they join.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::Raised;
use super::model::{Kind, Model, id_of};
use super::read::Item;
use crate::dialects::common::Record;
use crate::filter::TimeFormat;
use crate::tenant::Config;

/// How deep operators may stand before each other.
const DEPTH: usize = 200;

#[derive(Debug)]
pub enum Domain {
    And(Vec<Domain>),
    Or(Box<Domain>, Box<Domain>),
    Not(Box<Domain>),
    Is(Condition),
}

#[derive(Debug)]
pub struct Condition {
    pub field: String,
    operator: Operator,
    value: Value,
    /// The value, where the field is a time.
    time: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Compare(fn(Ordering) -> bool),
    In(bool),
    /// Whether the pattern is the whole, whether case counts, whether it must fit.
    Like(bool, bool, bool),
}

impl Operator {
    fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "=" | "==" => Self::Compare(Ordering::is_eq),
            "!=" | "<>" => Self::Compare(Ordering::is_ne),
            "<" => Self::Compare(Ordering::is_lt),
            "<=" => Self::Compare(Ordering::is_le),
            ">" => Self::Compare(Ordering::is_gt),
            ">=" => Self::Compare(Ordering::is_ge),
            "in" => Self::In(true),
            "not in" => Self::In(false),
            "like" => Self::Like(false, true, true),
            "ilike" => Self::Like(false, false, true),
            "not like" => Self::Like(false, true, false),
            "not ilike" => Self::Like(false, false, false),
            "=like" => Self::Like(true, true, true),
            "=ilike" => Self::Like(true, false, true),
            _ => return None,
        })
    }
}

impl Domain {
    /// null and false are an empty one.
    pub fn parse(value: Option<Value>, model: &Model, config: &Config) -> Result<Self, Raised> {
        let list = match value {
            None | Some(Value::Null | Value::Bool(false)) => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(value) => return Err(malformed(&value)),
        };
        let mut rest = list.as_slice();
        let mut all = Vec::new();
        while !rest.is_empty() {
            all.push(term(&mut rest, model, config, 0)?);
        }
        Ok(Self::And(all))
    }

    pub fn holds(&self, item: &Item, record: &mut Option<Record>, model: &Model, config: &Config) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.holds(item, record, model, config)),
            Self::Or(a, b) => a.holds(item, record, model, config) || b.holds(item, record, model, config),
            Self::Not(one) => !one.holds(item, record, model, config),
            Self::Is(condition) => condition.holds(item, record, model, config),
        }
    }

    pub fn names(&self, field: &str) -> bool {
        match self {
            Self::And(all) => all.iter().any(|one| one.names(field)),
            Self::Or(a, b) => a.names(field) || b.names(field),
            Self::Not(one) => one.names(field),
            Self::Is(condition) => condition.field == field,
        }
    }
}

fn malformed(value: &Value) -> Raised {
    Raised::value_error(&format!("Domain() invalid item in domain: {value}"))
}

fn term(rest: &mut &[Value], model: &Model, config: &Config, depth: usize) -> Result<Domain, Raised> {
    let Some((first, after)) = rest.split_first().filter(|_| depth < DEPTH) else {
        return Err(Raised::value_error(
            "Domain() malformed: an operator has nothing to join",
        ));
    };
    *rest = after;
    let mut next = || term(rest, model, config, depth + 1);
    match first {
        Value::String(operator) if operator == "&" => Ok(Domain::And(vec![next()?, next()?])),
        Value::String(operator) if operator == "|" => Ok(Domain::Or(Box::new(next()?), Box::new(next()?))),
        Value::String(operator) if operator == "!" => Ok(Domain::Not(Box::new(next()?))),
        Value::Array(parts) => condition(parts, model, config).map(Domain::Is),
        other => Err(malformed(other)),
    }
}

fn condition(parts: &[Value], model: &Model, config: &Config) -> Result<Condition, Raised> {
    let whole = || Value::Array(parts.to_vec());
    let [Value::String(field), Value::String(operator), value] = parts else {
        return Err(malformed(&whole()));
    };
    if !model.knows(field, config) {
        let message = format!("Invalid field {}.{field} in condition {}", model.name, whole());
        return Err(Raised::value_error(&message));
    }
    let Some(operator) = Operator::from_text(&operator.to_lowercase()) else {
        return Err(Raised::value_error(&format!("Invalid operator in {}", whole())));
    };
    if let (Operator::In(_), false) = (operator, value.is_array()) {
        return Err(Raised::value_error(&format!(
            "The domain condition {} needs a list",
            whole()
        )));
    }
    let mut time = None;
    if let (Some(Kind::Created | Kind::Updated), Value::String(text)) =
        (model.field(field).map(|field| field.kind), value)
    {
        // As Odoo's own format: no T, no zone.
        let text = if text.len() == 10 {
            format!("{text} 00:00:00")
        } else {
            text.clone()
        };
        let plain = text.len() == 19 && text.as_bytes().get(10) == Some(&b' ');
        let parsed = TimeFormat::Naive.parse(&text).filter(|_| plain);
        let wrong = || Raised::value_error(&format!("time data '{text}' does not match format '%Y-%m-%d %H:%M:%S'"));
        time = Some(parsed.ok_or_else(wrong)?);
    }
    Ok(Condition {
        field: field.clone(),
        operator,
        value: value.clone(),
        time,
    })
}

impl Condition {
    fn holds(&self, item: &Item, record: &mut Option<Record>, model: &Model, config: &Config) -> bool {
        let field = model.field(&self.field);
        let kind = field.map(|field| field.kind);
        // By what the database holds, microseconds and all, not by what is printed.
        if let (Some(Kind::Updated), Operator::Compare(passes), Some(_)) = (kind, self.operator, self.time) {
            return passes(item.row.time.cmp(&self.time));
        }
        if kind == Some(Kind::Id) {
            let id = &item.row.id;
            return match (self.operator, &self.value) {
                (Operator::In(wanted), Value::Array(ids)) => {
                    ids.iter().any(|one| id_of(one).as_ref() == Some(id)) == wanted
                }
                (Operator::Compare(passes), value) => id_of(value).is_some_and(|value| passes(id.cmp(&value))),
                _ => false,
            };
        }
        let record = record.get_or_insert_with(|| Record::read(&item.row, config));
        if let (Some(Kind::Created), Operator::Compare(passes), Some(_)) = (kind, self.operator, self.time) {
            return passes(record.created.cmp(&self.time));
        }
        let value = match field {
            Some(field) => field.value(item.object, record),
            None => record.text(&self.field).map_or(Value::Bool(false), Value::from),
        };
        // A many2one is compared by its id with numbers, by its name with text.
        let value = match (&value, self.by_name()) {
            (Value::Array(pair), by_name) => pair.get(usize::from(by_name)).cloned().unwrap_or_default(),
            _ => value,
        };
        self.compare(&value)
    }

    fn by_name(&self) -> bool {
        match &self.value {
            Value::Array(values) => values.iter().any(Value::is_string),
            value => value.is_string(),
        }
    }

    fn compare(&self, value: &Value) -> bool {
        let null = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
        match self.operator {
            Operator::In(wanted) => {
                let values = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
                values.iter().any(|one| one == value || (null(one) && null(value))) == wanted
            }
            Operator::Like(whole, case, wanted) => {
                let text = value.as_str().unwrap_or_default();
                let pattern = self.value.as_str().unwrap_or_default();
                let pattern = if whole {
                    pattern.to_owned()
                } else {
                    format!("%{pattern}%")
                };
                let fits = match case {
                    true => like(text, &pattern),
                    false => like(&text.to_lowercase(), &pattern.to_lowercase()),
                };
                (fits && !null(value)) == wanted
            }
            Operator::Compare(passes) => match (value, &self.value) {
                (a, b) if null(a) || null(b) => {
                    let equal = null(a) && null(b);
                    // With null only = and != say anything.
                    (passes(Ordering::Equal) == equal) && (passes(Ordering::Less) == passes(Ordering::Greater))
                }
                (Value::Number(a), Value::Number(b)) => {
                    let (a, b) = (a.as_f64().unwrap_or_default(), b.as_f64().unwrap_or_default());
                    passes(a.total_cmp(&b))
                }
                (Value::Bool(a), Value::Bool(b)) => passes(a.cmp(b)),
                (Value::String(a), Value::String(b)) => passes(a.cmp(b)),
                (_, _) => passes(Ordering::Less) && passes(Ordering::Greater),
            },
        }
    }
}

/// `%` is any text, `_` any letter.
fn like(text: &str, pattern: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = pattern.get(first.len_utf8()..).unwrap_or_default();
    if first == '%' {
        let mut ends = text.char_indices().map(|(position, _)| position).chain([text.len()]);
        return ends.any(|position| like(text.get(position..).unwrap_or_default(), rest));
    }
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|letter| (first == '_' || letter == first) && like(letters.as_str(), rest))
}
