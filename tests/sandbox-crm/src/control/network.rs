//! What lies between client and CRM: latency, limits, bandwidth and planned faults.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::{Call, Reply, fine, given, tenant};
use crate::app::App;
use crate::faults::Spec;
use crate::limit::{Limit, Moment};
use crate::rtt;

/// What is absent stays, what is null is cleared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behave {
    tenant: String,
    #[serde(default, deserialize_with = "given")]
    latency_ms: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    jitter_ms: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    limit: Option<Option<Limit>>,
    #[serde(default, deserialize_with = "given")]
    limits: Option<Option<Vec<Limit>>>,
    #[serde(default, deserialize_with = "given")]
    bytes_per_s: Option<Option<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongWire {
    to: u16,
    ms: u64,
}

pub fn round_trip(asked: LongWire) -> Reply {
    let port = rtt::open(asked.to, Duration::from_millis(asked.ms)).map_err(|reason| format!("no port: {reason}"))?;
    fine(json!({ "port": port }))
}

pub fn behaviour(app: &App, asked: Behave) -> Reply {
    if asked.limit.is_some() && asked.limits.is_some() {
        return Err(String::from("give either \"limit\" or \"limits\"").into());
    }
    let tenant = tenant(app, &asked.tenant)?;
    let mut behaviour = tenant.behaviour.write();
    if let Some(latency) = asked.latency_ms {
        behaviour.latency = Duration::from_millis(latency.unwrap_or(0));
    }
    if let Some(jitter) = asked.jitter_ms {
        behaviour.jitter = Duration::from_millis(jitter.unwrap_or(0));
    }
    if let Some(rate) = asked.bytes_per_s {
        behaviour.bytes_per_s = rate.filter(|rate| *rate > 0);
    }
    let mut limiter = tenant.limiter.lock();
    if let Some(limit) = asked.limit {
        limiter.set(limit);
    }
    if let Some(limits) = asked.limits {
        limiter.change(limits.unwrap_or_default());
    }
    let limits = limiter.limits();
    fine(json!({
        "tenant": tenant.id,
        "latency_ms": behaviour.latency.as_millis() as u64,
        "jitter_ms": behaviour.jitter.as_millis() as u64,
        "limit": limits.first(),
        "limits": limits,
        "bytes_per_s": behaviour.bytes_per_s,
    }))
}

/// What the tenant's limits have seen. `window_ms`: the length of which the fullest window is wanted.
pub fn limits(app: &App, call: &Call<'_>) -> Reply {
    let [Some(id), window] = call.parameters(["tenant", "window_ms"])? else {
        return Err(String::from("/limits: \"tenant\" is needed").into());
    };
    let window = match window {
        None => None,
        Some(text) => Some(
            text.parse()
                .map(Duration::from_millis)
                .map_err(|_| format!("\"window_ms\" must be a whole number, not {text:?}"))?,
        ),
    };
    let tenant = tenant(app, &id)?;
    let shown = tenant.limiter.lock().show(window, Moment::now());
    fine(shown)
}

/// Counts from now on.
pub fn forget_counts(app: &App, call: &Call<'_>) -> Reply {
    let [Some(id)] = call.parameters(["tenant"])? else {
        return Err(String::from("/limits: \"tenant\" is needed").into());
    };
    tenant(app, &id)?.limiter.lock().forget_counts();
    fine(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    tenant: String,
    faults: Vec<Spec>,
    /// Behind the ones that are left, instead of in their place.
    #[serde(default)]
    append: bool,
}

pub fn plan(app: &App, planned: Planned) -> Reply {
    let tenant = tenant(app, &planned.tenant)?;
    let faults = planned
        .faults
        .into_iter()
        .map(Spec::check)
        .collect::<Result<Vec<_>, _>>()?;
    let mut plan = tenant.faults.lock();
    if planned.append {
        plan.add(faults);
    } else {
        plan.set(faults);
    }
    fine(json!({ "faults": plan.left() }))
}

pub fn faults(app: &App, call: &Call<'_>) -> Reply {
    let [Some(id)] = call.parameters(["tenant"])? else {
        return Err(String::from("/faults: \"tenant\" is needed").into());
    };
    let left = tenant(app, &id)?.faults.lock().left();
    fine(json!(left))
}
