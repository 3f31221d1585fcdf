//! Tenants: made, changed, listed, removed.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, Refusal, Reply, fine, given, tenant};
use crate::app::App;
use crate::dialects::Crm;
use crate::filter::TimeFormat;
use crate::oauth::Settings;
use crate::paging::Paging;
use crate::store::{IdKind, Object, Order};
use crate::tenant::{Config, Tenant};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Save {
    id: String,
    key: Option<String>,
    paging: Option<Paging>,
    order: Option<Order>,
    ids: Option<IdKind>,
    timestamps: Option<TimeFormat>,
    clock_ms: Option<i64>,
    max_per_page: Option<usize>,
    strict: Option<bool>,
    dialect: Option<Crm>,
    #[serde(default, deserialize_with = "given")]
    secret: Option<Option<String>>,
    custom_fields: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    oauth: Option<Option<Settings>>,
    options: Option<Map<String, Value>>,
}

/// What is not given stays as it is; rows stay as they were written.
pub fn save(app: &App, save: Save) -> Reply {
    if save.id.is_empty() {
        return Err(String::from("\"id\" must not be empty").into());
    }
    let known = app.tenants.by_id(&save.id);
    let mut config = match (&known, &save.key) {
        (Some(tenant), _) => tenant.config(),
        (None, Some(key)) => Config::new(key.clone()),
        (None, None) => {
            return Err(format!("the new tenant {:?} needs a \"key\"", save.id).into());
        }
    };
    if let Some(key) = save.key {
        config.key = key;
    }
    if config.key.is_empty() {
        return Err(String::from("\"key\" must not be empty").into());
    }
    config.paging = save.paging.unwrap_or(config.paging);
    config.order = save.order.unwrap_or(config.order);
    config.ids = save.ids.unwrap_or(config.ids);
    config.timestamps = save.timestamps.unwrap_or(config.timestamps);
    config.clock_ms = save.clock_ms.unwrap_or(config.clock_ms);
    config.max_per_page = save.max_per_page.unwrap_or(config.max_per_page);
    config.strict = save.strict.unwrap_or(config.strict);
    config.dialect = save.dialect.unwrap_or(config.dialect);
    config.secret = save.secret.unwrap_or(config.secret);
    config.custom_fields = save.custom_fields.unwrap_or(config.custom_fields);
    config.oauth = save.oauth.unwrap_or(config.oauth);
    config.options = save.options.unwrap_or(config.options);
    // Times are stored as precisely as the CRM serves them: a filter compares what the client saw.
    let dialect = config.dialect.dialect();
    config.timestamps = dialect.map_or(config.timestamps, |dialect| dialect.timestamps());
    let switches = dialect.map_or(&[][..], |dialect| dialect.options());
    if let Some(name) = config.options.keys().find(|name| !switches.contains(&name.as_str())) {
        return Err(format!("this dialect has no option {name:?}: it has {switches:?}").into());
    }
    if config.max_per_page == 0 {
        return Err(String::from("\"max_per_page\" must be 1 or more").into());
    }
    app.tenants.put(&save.id, config).map_err(Refusal::from)?;
    fine(show(&*tenant(app, &save.id)?))
}

pub fn list(app: &App) -> Reply {
    let shown = app.tenants.all().iter().map(|tenant| show(tenant)).collect();
    fine(Value::Array(shown))
}

pub fn delete(app: &App, id: &str) -> Reply {
    tenant(app, id)?;
    fine(json!({ "deleted": app.tenants.remove(id) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expire {
    tenant: String,
}

/// Ends all access tokens of the tenant.
pub fn expire(app: &App, expire: Expire) -> Reply {
    let tenant = tenant(app, &expire.tenant)?;
    fine(json!({ "expired": app.tenants.expire(&tenant.id) }))
}

/// What the tenant's OAuth server has seen.
pub fn oauth(app: &App, call: &Call<'_>) -> Reply {
    let [Some(id)] = call.parameters(["tenant"])? else {
        return Err(String::from("/oauth: \"tenant\" is needed").into());
    };
    let tenant = tenant(app, &id)?;
    let live = app.tenants.live_tokens(&tenant.id);
    let state = tenant.oauth.lock();
    fine(json!({
        "refreshes": state.refreshes,
        "issued": state.issued,
        "refused": state.refused,
        "refresh_token": state.refresh_token,
        "access_tokens": live,
    }))
}

/// The webhooks that were made and not ended.
pub fn webhooks(app: &App, call: &Call<'_>) -> Reply {
    let [Some(id)] = call.parameters(["tenant"])? else {
        return Err(String::from("/webhooks: \"tenant\" is needed").into());
    };
    let webhooks = tenant(app, &id)?.webhooks.lock().clone();
    fine(Value::Array(webhooks))
}

fn show(tenant: &Tenant) -> Value {
    let mut shown = Map::new();
    shown.insert("id".into(), tenant.id.as_str().into());
    if let Value::Object(config) = json!(tenant.config()) {
        shown.extend(config);
    }
    let rows: Map<String, Value> = Object::ALL
        .into_iter()
        .map(|object| (object.name().into(), tenant.table(object).read().len().into()))
        .collect();
    shown.insert("rows".into(), rows.into());
    Value::Object(shown)
}
