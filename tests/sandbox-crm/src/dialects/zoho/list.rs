//! Zoho's lists: 2,000 records by page, up to 100,000 by token, none as 204, none newer as 304; and the deleted ones.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::Module;
use super::{Reply, allow, bad, condition, invalid_param, iso, number, offset};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{Record, id_text};
use crate::store::{Id, Order, Row};
use crate::tenant::{Config, Tenant};

const MOST_PER_PAGE: usize = 200;
const BY_PAGE: usize = 2_000;
const BY_TOKEN: usize = 100_000;
const MOST_FIELDS: usize = 50;
const MOST_IDS: usize = 100;
const SINCE: &str = "if-modified-since";
const DAY: i64 = 86_400;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum SortBy {
    Id,
    Created,
    Modified,
}

/// What orders a row: its time, where that is asked for, and its id.
type Key = (Option<Timestamp>, Id);

impl SortBy {
    fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Created => "Created_Time",
            Self::Modified => "Modified_Time",
        }
    }

    fn key(self, row: &Row, config: &Config) -> Key {
        let time = match self {
            Self::Id => None,
            Self::Created => Record::read(row, config).created,
            Self::Modified => row.time,
        };
        (time, row.id.clone())
    }
}

pub fn fields(request: &Request<'_>) -> Result<Option<Vec<String>>, Answer> {
    let Some(text) = request.param("fields") else {
        return Ok(None);
    };
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    if names.len() > MOST_FIELDS {
        let details = json!({ "limit": MOST_FIELDS, "param_name": "fields" });
        return Err(bad("LIMIT_EXCEEDED", "limit exceeded", details));
    }
    match names.iter().any(String::is_empty) {
        true => Err(invalid_param("fields")),
        false => Ok(Some(names)),
    }
}

pub fn list(tenant: &Tenant, request: &Request<'_>, module: &'static Module) -> Reply {
    let known = [
        "fields",
        "ids",
        "per_page",
        "page",
        "page_token",
        "sort_by",
        "sort_order",
        "converted",
        "approved",
    ];
    allow(request, &known)?;
    let Some(wanted) = fields(request)? else {
        let details = json!({ "param_name": "fields" });
        return Err(bad("REQUIRED_PARAM_MISSING", "required param is missing", details));
    };
    let per_page = per_page(request)?;
    let sort = sort_by(request)?;
    let descending = one_of(request, "sort_order", &["desc", "asc"])? != Some("asc");
    let converted = one_of(request, "converted", &["false", "true", "both"])?.unwrap_or("false");
    let since = condition(request, SINCE)?;
    let ids = ids(request)?;
    let start = start(tenant, request, per_page)?;

    let config = tenant.config();
    let hides = tenant.option("hide_converted") == Some(true.into());
    let mut rows: Vec<Arc<Row>> = tenant.table(module.object).read().view(Order::Id, None).to_vec();
    rows.retain(|row| {
        // To the second, and the second that is asked for is in it.
        let fresh = since.is_none_or(|since| row.time.map(|time| config.timestamps.truncate(time)) >= Some(since));
        let asked = ids.as_ref().is_none_or(|ids| ids.contains(&row.id));
        fresh && asked && (!hides || shown(row, &config, converted))
    });
    if sort != SortBy::Id {
        rows.sort_by_cached_key(|row| sort.key(row, &config));
    }
    if descending {
        rows.reverse();
    }
    let (first, taken) = match &start {
        Start::Page(page) => (
            page.saturating_sub(1).saturating_mul(per_page),
            page.saturating_sub(1).saturating_mul(per_page),
        ),
        Start::After(key, taken) => {
            let passed = |row: &Arc<Row>| {
                let order = sort.key(row, &config).cmp(key);
                if descending { order.is_ge() } else { order.is_le() }
            };
            (rows.partition_point(passed), *taken)
        }
    };
    let page: Vec<&Arc<Row>> = rows.iter().skip(first).take(per_page).collect();
    let Some(last) = page.last() else {
        return Ok(Answer::empty(match since {
            Some(_) => StatusCode::NOT_MODIFIED,
            None => StatusCode::NO_CONTENT,
        }));
    };
    let more = rows.len() > first.saturating_add(per_page);
    let offset = offset(tenant);
    let now = Timestamp::now();
    let token = more.then(|| {
        let token = Token {
            bound: bound(request),
            taken: taken.saturating_add(page.len()),
            until: now.as_second().saturating_add(ttl(tenant)),
            key: sort.key(last, &config),
        };
        (token.encode(), token.until)
    });
    let expiry = token
        .as_ref()
        .and_then(|(_, until)| Timestamp::from_second(*until).ok());
    let data: Vec<Value> = page
        .iter()
        .map(|row| module.read(&config, &Record::read(row, &config), Some(&wanted), offset))
        .collect();
    let info = json!({
        "call": false,
        "email": false,
        "per_page": per_page,
        "count": data.len(),
        "page": taken.checked_div(per_page).unwrap_or_default().saturating_add(1),
        "sort_by": sort.name(),
        "sort_order": if descending { "desc" } else { "asc" },
        "more_records": more,
        "next_page_token": token.as_ref().map(|(text, _)| text),
        "previous_page_token": null,
        "page_token_expiry": expiry.map(|expiry| iso(expiry, offset)),
    });
    Ok(Answer::value(StatusCode::OK, &json!({ "data": data, "info": info })))
}

/// A converted lead is in no list that does not ask for it.
fn shown(row: &Row, config: &Config, converted: &str) -> bool {
    let is = Record::read(row, config).text("status").as_deref() == Some("converted");
    match converted {
        "true" => is,
        "both" => true,
        _ => !is,
    }
}

fn per_page(request: &Request<'_>) -> Result<usize, Answer> {
    let text = request.param("per_page").unwrap_or("200");
    match text.parse() {
        Ok(size @ 1..=MOST_PER_PAGE) => Ok(size),
        Ok(0) | Err(_) => Err(invalid_param("per_page")),
        Ok(_) => {
            let details = json!({ "limit": MOST_PER_PAGE, "param_name": "per_page" });
            Err(bad("LIMIT_EXCEEDED", "limit exceeded", details))
        }
    }
}

fn sort_by(request: &Request<'_>) -> Result<SortBy, Answer> {
    Ok(
        match one_of(request, "sort_by", &["id", "Created_Time", "Modified_Time"])? {
            Some("Created_Time") => SortBy::Created,
            Some("Modified_Time") => SortBy::Modified,
            _ => SortBy::Id,
        },
    )
}

fn one_of<'a>(request: &'a Request<'_>, name: &str, values: &[&str]) -> Result<Option<&'a str>, Answer> {
    match request.param(name) {
        Some(value) if !values.contains(&value) => {
            let details = json!({ "param_name": name, "supported_values": values });
            Err(bad("INVALID_DATA", "invalid data", details))
        }
        value => Ok(value),
    }
}

fn ids(request: &Request<'_>) -> Result<Option<Vec<Id>>, Answer> {
    let Some(text) = request.param("ids") else {
        return Ok(None);
    };
    let ids: Option<Vec<Id>> = text.split(',').map(number).collect();
    match ids {
        Some(ids) if ids.len() <= MOST_IDS => Ok(Some(ids)),
        Some(_) => {
            let details = json!({ "limit": MOST_IDS, "param_name": "ids" });
            Err(bad("LIMIT_EXCEEDED", "limit exceeded", details))
        }
        None => Err(invalid_param("ids")),
    }
}

enum Start {
    Page(usize),
    /// The last record of the page before, and how many have been read.
    After(Key, usize),
}

fn start(tenant: &Tenant, request: &Request<'_>, per_page: usize) -> Result<Start, Answer> {
    match (request.param("page"), request.param("page_token")) {
        (Some(_), Some(_)) => {
            let of = json!([{ "param_name": "page" }, { "param_name": "page_token" }]);
            let message = "ambiguity while processing the request";
            Err(bad(
                "AMBIGUITY_DURING_PROCESSING",
                message,
                json!({ "ambiguity_due_to": of }),
            ))
        }
        (page, None) => {
            let page = page.unwrap_or("1").parse().ok().filter(|page: &usize| *page > 0);
            let page = page.ok_or_else(|| invalid_param("page"))?;
            if page.saturating_mul(per_page) > BY_PAGE {
                let message = "You can only get the first 2000 records without using page_token param";
                return Err(bad(
                    "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
                    message,
                    json!({ "limit": BY_PAGE }),
                ));
            }
            Ok(Start::Page(page))
        }
        (None, Some(text)) => {
            let details = json!({ "param_name": "page_token" });
            let token = Token::decode(text).filter(|token| token.bound == bound(request));
            let Some(token) = token else {
                let message = "The page_token given seems to be invalid or input param is added or altered or deleted";
                return Err(bad("TOKEN_BOUND_DATA_MISMATCH", message, details));
            };
            if token.until <= Timestamp::now().as_second() || ttl(tenant) == 0 {
                let details = json!({ "api_name": "page_token", "json_path": "$.query.page_token" });
                return Err(bad("EXPIRED_VALUE", "Page token expired", details));
            }
            if token.taken >= BY_TOKEN {
                let message = "You can only get upto 100000 records using page_token param";
                return Err(bad("PAGINATION_LIMIT_EXCEEDED", message, details));
            }
            Ok(Start::After(token.key, token.taken))
        }
    }
}

fn ttl(tenant: &Tenant) -> i64 {
    let given = tenant.option("page_token_ttl_s").and_then(|seconds| seconds.as_i64());
    given.unwrap_or(DAY).clamp(0, DAY)
}

/// What must be the same on every page: the path, the header and all parameters but the position.
fn bound(request: &Request<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.path.hash(&mut hasher);
    request.header(SINCE).hash(&mut hasher);
    let pairs = request.pairs.iter();
    let mut pairs: Vec<_> = pairs
        .filter(|(name, _)| !matches!(name.as_str(), "page" | "page_token"))
        .collect();
    pairs.sort();
    pairs.hash(&mut hasher);
    hasher.finish()
}

struct Token {
    bound: u64,
    taken: usize,
    until: i64,
    key: Key,
}

impl Token {
    /// At most 96 characters.
    fn encode(&self) -> String {
        let (time, id) = &self.key;
        let time = time.map_or(String::new(), |time| time.as_second().to_string());
        let text = format!("{:x}.{}.{}.{time}.{}", self.bound, self.taken, self.until, id_text(id));
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    fn decode(text: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let parts: Vec<&str> = text.split('.').collect();
        let [bound, taken, until, time, id] = parts.as_slice() else {
            return None;
        };
        let time = match time.is_empty() {
            true => None,
            false => Some(Timestamp::from_second(time.parse().ok()?).ok()?),
        };
        Some(Self {
            bound: u64::from_str_radix(bound, 16).ok()?,
            taken: taken.parse().ok()?,
            until: until.parse().ok()?,
            key: (time, number(id)?),
        })
    }
}

/// The recycle bin; nothing of the sandbox is ever deleted for good.
pub fn deleted(tenant: &Tenant, request: &Request<'_>, module: &'static Module) -> Reply {
    allow(request, &["type", "page", "per_page"])?;
    let kind = one_of(request, "type", &["all", "recycle", "permanent"])?;
    let per_page = per_page(request)?;
    let page = request
        .param("page")
        .unwrap_or("1")
        .parse()
        .ok()
        .filter(|page: &usize| *page > 0);
    let page = page.ok_or_else(|| invalid_param("page"))?;
    let since = condition(request, SINCE)?;
    let config = tenant.config();
    let offset = offset(tenant);
    let table = tenant.table(module.object).read();
    let stones = table.tombstones().iter();
    let stones: Vec<_> = stones
        .filter(|stone| {
            since.is_none_or(|since| config.timestamps.truncate(stone.at) >= since) && kind != Some("permanent")
        })
        .collect();
    let by = json!({ "name": "Portal", "id": "5725767000000411001" });
    let data: Vec<Value> = stones
        .iter()
        .skip(page.saturating_sub(1).saturating_mul(per_page))
        .take(per_page)
        .map(|stone| {
            json!({
                "id": id_text(&stone.row.id),
                "display_name": Record::read(&stone.row, &config).text("name"),
                "type": "recycle",
                "deleted_time": iso(stone.at, offset),
                "deleted_by": by,
                "created_by": by,
            })
        })
        .collect();
    if data.is_empty() {
        return Ok(Answer::empty(match since {
            Some(_) => StatusCode::NOT_MODIFIED,
            None => StatusCode::NO_CONTENT,
        }));
    }
    let more = stones.len() > page.saturating_mul(per_page);
    let info = json!({ "per_page": per_page, "count": data.len(), "page": page, "more_records": more });
    Ok(Answer::value(StatusCode::OK, &json!({ "data": data, "info": info })))
}
