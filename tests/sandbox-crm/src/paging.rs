//! A list request into a page: what the parameters ask for, which rows that is, and how the answer says what follows.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::Errors;
use crate::store::{Id, Object, Order, Row, Table, after_id, after_time};
use crate::tenant::Config;

const DEFAULT_PER_PAGE: usize = 100;
pub const FILTER: &str = "filter[updated_at_gt]";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paging {
    /// All rows at once.
    None,
    #[default]
    Page,
    Cursor,
    Link,
    RelativeLink,
}

/// A list request's parameters, checked.
#[derive(Debug)]
pub struct Asked {
    page: usize,
    per_page: usize,
    cursor: Option<Cursor>,
    since: Option<Timestamp>,
    /// As it came, for the next link.
    filter: Option<String>,
}

#[derive(Debug)]
pub enum Refused {
    /// 400
    Unknown(String),
    /// 422
    Invalid(Errors),
}

impl Asked {
    /// Parameters of another way of paging are checked and then ignored, as CRMs do.
    pub fn read(pairs: Vec<(String, String)>, config: &Config) -> Result<Self, Refused> {
        let mut asked = Self {
            page: 1,
            per_page: DEFAULT_PER_PAGE,
            cursor: None,
            since: None,
            filter: None,
        };
        let mut errors = Errors::default();
        for (name, value) in pairs {
            match name.as_str() {
                "page" => match positive(&value) {
                    Some(page) => asked.page = page,
                    None => errors.add("page", "Must be a whole number from 1."),
                },
                "per_page" => match positive(&value) {
                    Some(per_page) => asked.per_page = per_page,
                    None => errors.add("per_page", "Must be a whole number from 1."),
                },
                "cursor" => match Cursor::decode(&value, config.order) {
                    Some(cursor) => asked.cursor = Some(cursor),
                    None => errors.add("cursor", "This is no cursor of this list."),
                },
                FILTER => {
                    asked.since = config.timestamps.parse(&value);
                    if asked.since.is_none() {
                        errors.add(FILTER, "Must be RFC 3339, Y-m-d H:i:s or a Unix time.");
                    }
                    asked.filter = Some(value);
                }
                _ => return Err(Refused::Unknown(name)),
            }
        }
        asked.per_page = asked.per_page.min(config.max_per_page).max(1);
        errors.finish().map_err(Refused::Invalid)?;
        Ok(asked)
    }
}

fn positive(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}

/// The answer's bytes. `origin` is what absolute links begin with.
pub fn page(object: Object, asked: &Asked, config: &Config, table: &Table, origin: &str) -> Bytes {
    let rows = table.view(config.order, asked.since);
    match config.paging {
        Paging::None => assemble(&rows, ""),
        Paging::Page => {
            let total = rows.len();
            let start = (asked.page - 1).saturating_mul(asked.per_page);
            let rest = rows.get(start..).unwrap_or_default();
            let (rows, _) = split(rest, asked.per_page);
            let meta = json!({
                "current_page": asked.page,
                "last_page": total.div_ceil(asked.per_page).max(1),
                "per_page": asked.per_page,
                "total": total,
            });
            assemble(rows, &format!(r#","meta":{meta}"#))
        }
        Paging::Cursor => {
            let (rows, next) = keyset(&rows, asked, config.order);
            let meta = json!({ "next_cursor": next, "per_page": asked.per_page });
            assemble(rows, &format!(r#","meta":{meta}"#))
        }
        Paging::Link | Paging::RelativeLink => {
            let (rows, next) = keyset(&rows, asked, config.order);
            let origin = if config.paging == Paging::Link { origin } else { "" };
            let next = next.map(|cursor| link(origin, object, asked, &cursor));
            let links = json!({ "next": next });
            assemble(rows, &format!(r#","links":{links}"#))
        }
    }
}

fn split(rows: &[Arc<Row>], per_page: usize) -> (&[Arc<Row>], bool) {
    match rows.split_at_checked(per_page) {
        Some((page, rest)) => (page, !rest.is_empty()),
        None => (rows, false),
    }
}

/// One page after the cursor, and the cursor of the following page.
fn keyset<'a>(rows: &'a [Arc<Row>], asked: &Asked, order: Order) -> (&'a [Arc<Row>], Option<String>) {
    let rest = match &asked.cursor {
        None => rows,
        Some(Cursor { time: Some(time), id }) => after_time(rows, *time, id),
        Some(Cursor { time: None, id }) => after_id(rows, id),
    };
    let (page, more) = split(rest, asked.per_page);
    let next = page.last().filter(|_| more).map(|row| {
        let time = (order == Order::UpdatedAt).then_some(row.time);
        Cursor {
            time,
            id: row.id.clone(),
        }
        .encode()
    });
    (page, next)
}

fn link(origin: &str, object: Object, asked: &Asked, cursor: &str) -> String {
    let mut link = format!(
        "{origin}/api/v1/{}?per_page={}&cursor={cursor}",
        object.name(),
        asked.per_page
    );
    if let Some(filter) = &asked.filter {
        link.push('&');
        link.extend(utf8_percent_encode(FILTER, NON_ALPHANUMERIC));
        link.push('=');
        link.extend(utf8_percent_encode(filter, NON_ALPHANUMERIC));
    }
    link
}

/// Rows as they were serialised when they changed, joined.
pub fn assemble(rows: &[Arc<Row>], tail: &str) -> Bytes {
    let size: usize = rows.iter().map(|row| row.json.len() + 1).sum();
    let mut body = BytesMut::with_capacity(size + tail.len() + 12);
    body.put_slice(br#"{"data":"#);
    array(rows, &mut body);
    body.put_slice(tail.as_bytes());
    body.put_u8(b'}');
    body.freeze()
}

pub fn array(rows: &[Arc<Row>], into: &mut BytesMut) {
    into.put_u8(b'[');
    for (position, row) in rows.iter().enumerate() {
        if position > 0 {
            into.put_u8(b',');
        }
        into.put_slice(&row.json);
    }
    into.put_u8(b']');
}

/// The last row of the page before: the next page begins after it, wherever it is by then.
#[derive(Debug, PartialEq, Eq)]
struct Cursor {
    /// Only where rows are ordered by time; the inner None is a row without one.
    time: Option<Option<Timestamp>>,
    id: Id,
}

impl Cursor {
    fn encode(&self) -> String {
        let value = match self.time {
            None => json!([self.id.to_value()]),
            Some(time) => {
                let nanos = time.map(|time| time.as_nanosecond().to_string());
                json!([self.id.to_value(), nanos])
            }
        };
        BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn decode(text: &str, order: Order) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let parts: Vec<Value> = serde_json::from_slice(&bytes).ok()?;
        match (order, parts.as_slice()) {
            (Order::Id, [id]) => Some(Self {
                time: None,
                id: Id::from_value(id)?,
            }),
            (Order::UpdatedAt, [id, time]) => Some(Self {
                time: Some(match time {
                    Value::Null => None,
                    time => Some(Timestamp::from_nanosecond(time.as_str()?.parse().ok()?).ok()?),
                }),
                id: Id::from_value(id)?,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "paging_tests.rs"]
mod tests;
