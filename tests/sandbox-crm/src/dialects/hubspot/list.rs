//! GET: the plain list, in the order of ids, and one record.

use std::sync::Arc;

use hyper::StatusCode;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Reply, answer, find, properties};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::{Record, id_text};
use crate::store::{Id, Object, Order, Row, after_id};
use crate::tenant::Tenant;

const DEFAULT: usize = 10;
/// More is cut to this in silence.
const MOST: usize = 100;
const LIST: [&str; 6] = [
    "limit",
    "after",
    "properties",
    "propertiesWithHistory",
    "associations",
    "archived",
];
const ONE: [&str; 5] = [
    "properties",
    "propertiesWithHistory",
    "associations",
    "archived",
    "idProperty",
];

pub fn list(tenant: &Tenant, request: &Request<'_>, object: Object) -> Reply {
    refuse_unknown(request, &LIST)?;
    let limit = match request.param("limit") {
        None => DEFAULT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit: &usize| *limit > 0)
            .ok_or_else(|| answer::invalid(format!("limit must be a number from 1, not {text:?}")))?
            .min(MOST),
    };
    let asked = find::csv(request.param("properties"));
    let archived = find::flag(request, "archived")?;
    let config = tenant.config();
    let table = tenant.table(object).read();
    let mut rows: Vec<(Arc<Row>, Option<Timestamp>)> = Vec::new();
    let after = request.param("after").map(|text| match table.find(text) {
        Some(row) => row.id.clone(),
        None => text.parse().map_or_else(|_| Id::Text(text.into()), Id::Number),
    });
    // One more than asked for: it says whether there is another page.
    if archived {
        let gone = table.tombstones().iter();
        let mut gone: Vec<_> = gone.map(|gone| (gone.row.clone(), Some(gone.at))).collect();
        gone.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        rows.extend(
            gone.into_iter()
                .filter(|(row, _)| after.as_ref().is_none_or(|after| row.id > *after))
                .take(limit + 1),
        );
    } else {
        let view = table.view(Order::Id, None);
        let rest = after.as_ref().map_or(&view[..], |after| after_id(&view, after));
        rows.extend(rest.iter().take(limit + 1).map(|row| (row.clone(), None)));
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().map(|(row, _)| id_text(&row.id));
    let results: Vec<Value> = rows
        .iter()
        .map(|(row, at)| properties::show(&Record::read(row, &config), object, &config, &asked, *at))
        .collect();
    let mut body = json!({ "results": results });
    if let (true, Some(after), Value::Object(body)) = (more, last, &mut body) {
        body.insert("paging".into(), paging(request, &after));
    }
    Ok(Answer::value(StatusCode::OK, &body))
}

fn paging(request: &Request<'_>, after: &str) -> Value {
    let mut link = format!("{}{}?", request.origin, request.path);
    for (name, value) in request.pairs.iter().filter(|(name, _)| name != "after") {
        link.push_str(&format!("{name}={}&", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    }
    json!({ "next": { "after": after, "link": format!("{link}after={after}") } })
}

pub fn one(tenant: &Tenant, request: &Request<'_>, object: Object, id: &str) -> Reply {
    refuse_unknown(request, &ONE)?;
    let asked = find::csv(request.param("properties"));
    let archived = find::flag(request, "archived")?;
    let config = tenant.config();
    let table = tenant.table(object).read();
    let (row, at) = if archived {
        let mut gone = table.tombstones().iter();
        let gone = gone.find(|gone| id_text(&gone.row.id) == id);
        gone.map(|gone| (gone.row.clone(), Some(gone.at)))
    } else {
        find::row(&table, object, request.param("idProperty"), id)?.map(|row| (row, None))
    }
    .ok_or_else(answer::not_found_page)?;
    let shown = properties::show(&Record::read(&row, &config), object, &config, &asked, at);
    Ok(Answer::value(StatusCode::OK, &shown))
}

pub fn refuse_unknown(request: &Request<'_>, allowed: &[&str]) -> Result<(), Answer> {
    match request.unknown_param(allowed) {
        Some(name) => Err(answer::invalid(format!("Unknown query parameter {name:?}"))),
        None => Ok(()),
    }
}
