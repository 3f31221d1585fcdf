//! v1's webhooks: made and ended, not sent. What was made can be read at the control API.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Wrong, bad, fine, method, no_other};
use crate::answer::Answer;
use crate::dialects::Request;
use crate::tenant::Tenant;

const ACTIONS: [&str; 4] = ["create", "change", "delete", "*"];
const OBJECTS: [&str; 11] = [
    "activity",
    "deal",
    "lead",
    "note",
    "organization",
    "person",
    "pipeline",
    "product",
    "stage",
    "user",
    "*",
];
const MEMBERS: [&str; 8] = [
    "subscription_url",
    "event_action",
    "event_object",
    "name",
    "user_id",
    "http_auth_user",
    "http_auth_password",
    "version",
];

pub fn all(tenant: &Tenant, request: &Request<'_>) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    match *request.method {
        Method::GET => Ok(fine(
            json!({ "status": "ok", "success": true, "data": tenant.webhooks.lock().clone() }),
        )),
        Method::POST => create(tenant, request),
        _ => Err(method()),
    }
}

fn create(tenant: &Tenant, request: &Request<'_>) -> Result<Answer, Wrong> {
    let Ok(Value::Object(body)) = request.json() else {
        return Err(bad("The body is not JSON"));
    };
    if let Some(name) = body.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(bad(format!("'{name}' is not allowed")));
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let url = text("subscription_url");
    if !url.starts_with("http") || url.contains("pipedrive.com") {
        return Err(bad("subscription_url must be a valid, publicly accessible URL"));
    }
    if !ACTIONS.contains(&text("event_action")) || !OBJECTS.contains(&text("event_object")) {
        return Err(bad("event_action or event_object is invalid"));
    }
    if text("name").is_empty() || text("name").len() > 255 {
        return Err(bad("name is required"));
    }
    if !["1.0", "2.0"].contains(&body.get("version").map_or("2.0", |_| text("version"))) {
        return Err(bad("version must be 1.0 or 2.0"));
    }
    let mut made = json!({
        "id": tenant.next_webhook(), "company_id": 1, "owner_id": 1, "user_id": 1, "version": "2.0", "is_active": 1,
        "add_time": "2026-01-01T08:00:00Z", "remove_time": null, "type": "general", "http_auth_user": null,
        "http_auth_password": null, "remove_reason": null, "last_delivery_time": null, "last_http_status": null,
    });
    if let Value::Object(made) = &mut made {
        made.extend(body);
    }
    tenant.webhooks.lock().push(made.clone());
    Ok(Answer::value(
        StatusCode::CREATED,
        &json!({ "status": "ok", "success": true, "data": made }),
    ))
}

pub fn delete(tenant: &Tenant, request: &Request<'_>, id: &str) -> Result<Answer, Wrong> {
    no_other(request, &[])?;
    let id: u64 = id.parse().map_err(|_| bad("id must be a number"))?;
    let mut webhooks = tenant.webhooks.lock();
    let before = webhooks.len();
    webhooks.retain(|one| one.get("id").and_then(Value::as_u64) != Some(id));
    if webhooks.len() == before {
        return Err((StatusCode::NOT_FOUND, "Webhook not found".into()));
    }
    Ok(fine(json!({ "status": "ok", "success": true })))
}
