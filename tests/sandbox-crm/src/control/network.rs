//! What lies between client and CRM: latency, limits, bandwidth and planned faults.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::{Call, Reply, fine, given, tenant};
use crate::app::App;
use crate::faults::Spec;
use crate::limit::Limit;

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
    bytes_per_s: Option<Option<u64>>,
}

pub fn behaviour(app: &App, asked: Behave) -> Reply {
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
    fine(json!({
        "tenant": tenant.id,
        "latency_ms": behaviour.latency.as_millis() as u64,
        "jitter_ms": behaviour.jitter.as_millis() as u64,
        "limit": limiter.limit(),
        "bytes_per_s": behaviour.bytes_per_s,
    }))
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
