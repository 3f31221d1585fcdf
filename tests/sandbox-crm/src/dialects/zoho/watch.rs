//! Notifications: channels made and ended, not sent. What was made can be read at the control API. A channel is its client's number,
//! expires, and proves itself by a token of at most 50 characters.

use hyper::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::fields::Module;
use super::{Reply, allow, bad};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::tenant::Tenant;

/// Longer is cut, as the documentation has it for channels of several operations.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 7);
const MEMBERS: [&str; 7] = [
    "channel_id",
    "events",
    "channel_expiry",
    "token",
    "notify_url",
    "return_affected_field_values",
    "notify_on_related_action",
];

pub fn enable(tenant: &Tenant, request: &Request<'_>) -> Reply {
    allow(request, &[])?;
    let Ok(Value::Object(body)) = request.json() else {
        return Err(bad(
            "INVALID_DATA",
            "body",
            json!({ "expected_data_type": "jsonobject" }),
        ));
    };
    let watch = body.get("watch").and_then(Value::as_array).cloned().unwrap_or_default();
    if watch.is_empty() || body.len() > 1 {
        return Err(bad(
            "MANDATORY_NOT_FOUND",
            "required field not found",
            json!({ "api_name": "watch" }),
        ));
    }
    let mut done = Vec::new();
    for one in watch {
        let events = check(&one)?;
        let detail = |event: &String| {
            let name = event.split('.').next().unwrap_or_default();
            json!({ "channel_expiry": one.get("channel_expiry"), "resource_uri": format!("https://www.zohoapis.test/crm/v8/{name}"),
                "resource_id": "5725767000000002175", "resource_name": name, "channel_id": one.get("channel_id") })
        };
        done.push(
            json!({ "code": "SUCCESS", "details": { "events": events.iter().map(detail).collect::<Vec<_>>() },
            "message": "Successfully subscribed for actions-watch of the given module", "status": "success" }),
        );
        let mut webhooks = tenant.webhooks.lock();
        webhooks.retain(|known| known.get("channel_id") != one.get("channel_id"));
        webhooks.push(one);
    }
    Ok(Answer::value(StatusCode::CREATED, &json!({ "watch": done })))
}

fn check(one: &Value) -> Result<Vec<String>, Answer> {
    let wrong = |name: &str| bad("INVALID_DATA", "invalid data", json!({ "api_name": name }));
    let members = one.as_object().ok_or_else(|| wrong("watch"))?;
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(wrong(name));
    }
    let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
    let channel = text("channel_id");
    if channel.is_empty() || channel.parse::<i64>().is_err() {
        return Err(wrong("channel_id"));
    }
    let url = text("notify_url");
    if !url.starts_with("http") {
        return Err(wrong("notify_url"));
    }
    if text("token").chars().count() > 50 {
        return Err(wrong("token"));
    }
    if let Some(time) = one.get("channel_expiry").and_then(Value::as_str) {
        let time: Timestamp = time.parse().map_err(|_| wrong("channel_expiry"))?;
        let now = Timestamp::now();
        if time <= now || time.duration_since(now) > LONGEST {
            return Err(wrong("channel_expiry"));
        }
    }
    let events: Vec<String> = one
        .get("events")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|event| event.as_str().map(str::to_owned))
        .collect();
    let fits = |event: &String| {
        event.split_once('.').is_some_and(|(module, action)| {
            Module::from_name(module).is_some() && ["create", "edit", "delete", "all"].contains(&action)
        })
    };
    if events.is_empty() || !events.iter().all(fits) {
        return Err(wrong("events"));
    }
    Ok(events)
}

pub fn disable(tenant: &Tenant, request: &Request<'_>) -> Reply {
    allow(request, &["channel_ids"])?;
    let ids = request.param("channel_ids").unwrap_or_default();
    let mut webhooks = tenant.webhooks.lock();
    let mut done = Vec::new();
    for id in ids.split(',') {
        let before = webhooks.len();
        webhooks.retain(|known| known.get("channel_id").and_then(Value::as_str) != Some(id));
        if webhooks.len() == before {
            return Err(bad(
                "INVALID_DATA",
                "the channel id given is invalid",
                json!({ "param_name": "channel_ids" }),
            ));
        }
        done.push(json!({ "code": "SUCCESS", "details": { "resource_uri": "https://www.zohoapis.test/crm/v8/Leads", "channel_id": id },
            "message": "Successfully un-subscribed from actions-watch", "status": "success" }));
    }
    Ok(Answer::value(StatusCode::OK, &json!({ "watch": done })))
}
