//! …/updated and …/deleted: the ids of what changed in a window of time.

use hyper::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Reply;
use super::answer::Fault;
use super::entity::{Entity, time_text};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::dialects::common::id_text;
use crate::store::Order;
use crate::tenant::Tenant;

/// How far back each can be asked.
const DELETED_DAYS: i64 = 15;
const UPDATED_DAYS: i64 = 30;

pub fn changes(tenant: &Tenant, request: &Request<'_>, entity: Entity, deleted: bool) -> Reply {
    let (start, end) = (time(request, "start")?, time(request, "end")?);
    if start >= end {
        return Err(Fault::bad(
            "INVALID_REPLICATION_DATE",
            "startDate before endDate is needed",
        ));
    }
    let days = if deleted { DELETED_DAYS } else { UPDATED_DAYS };
    let earliest = Timestamp::now()
        .checked_sub(SignedDuration::from_hours(days * 24))
        .unwrap_or(Timestamp::MIN);
    if start < earliest {
        let message = format!("startDate may be {days} days ago at most");
        return Err(Fault::bad("INVALID_REPLICATION_DATE", message));
    }
    let format = tenant.config().timestamps;
    let within = |time: Timestamp| (start..end).contains(&format.truncate(time));
    let table = tenant.table(entity.object).read();
    let covered = time_text(Some(end.min(Timestamp::now())));
    let body = if deleted {
        let gone = table.tombstones().iter().filter(|gone| within(gone.at));
        let records: Vec<Value> = gone
            .map(|gone| json!({ "id": id_text(&gone.row.id), "deletedDate": time_text(Some(gone.at)) }))
            .collect();
        json!({
            "deletedRecords": records,
            "earliestDateAvailable": time_text(Some(earliest)),
            "latestDateCovered": covered,
        })
    } else {
        let rows = table.view(Order::UpdatedAt, None);
        let changed = rows.iter().filter(|row| row.time.is_some_and(within));
        let ids: Vec<String> = changed.map(|row| id_text(&row.id)).collect();
        json!({ "ids": ids, "latestDateCovered": covered })
    };
    Ok(Answer::value(StatusCode::OK, &body))
}

fn time(request: &Request<'_>, name: &str) -> Result<Timestamp, Fault> {
    let text = request.param(name).unwrap_or_default();
    let parsed = text.parse().ok();
    parsed.ok_or_else(|| {
        Fault::bad(
            "INVALID_REPLICATION_DATE",
            format!("{name} must be a time with a zone, not {text:?}"),
        )
    })
}
