//! The control API: how tests shape the CRM and read back what it was asked. No authentication; 127.0.0.1 only.

mod network;
mod rows;
mod tenants;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::query;
use crate::tenant::Tenant;

/// An answer, or in plain words why there is none.
type Reply = Result<Answer, Refusal>;

pub struct Refusal(StatusCode, String);

/// What is wrong with a request is a 400, unless it is said otherwise.
impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self(StatusCode::BAD_REQUEST, reason)
    }
}

pub async fn serve(app: &App, request: Request<Incoming>) -> Response<Body> {
    let (parts, incoming) = request.into_parts();
    let reply = match incoming.collect().await {
        Ok(body) => {
            let call = Call {
                path: parts.uri.path(),
                query: parts.uri.query().unwrap_or_default(),
                body: body.to_bytes(),
            };
            // Seeding takes a while, and the other threads are to go on meanwhile.
            tokio::task::block_in_place(|| route(app, &parts.method, &call))
        }
        Err(reason) => Err(format!("the body did not arrive: {reason}").into()),
    };
    reply
        .unwrap_or_else(|Refusal(status, reason)| Answer::error(status, reason))
        .into_response()
}

struct Call<'a> {
    path: &'a str,
    query: &'a str,
    body: Bytes,
}

fn route(app: &App, method: &Method, call: &Call<'_>) -> Reply {
    let allowed = match (method.as_str(), call.path) {
        ("GET", "/health") => return fine(json!({ "ok": true })),
        ("GET", "/stats") => return stats(app),
        ("POST", "/reset") => {
            app.reset();
            return fine(json!({ "ok": true }));
        }
        ("GET", "/tenants") => return tenants::list(app),
        ("POST", "/tenants") => return tenants::save(app, call.json()?),
        ("POST", "/seed") => return rows::seed(app, call.json()?),
        ("GET", "/rows") => return rows::list(app, call),
        ("POST", "/rows") => return rows::upsert(app, call.json()?),
        ("DELETE", "/rows") => return rows::delete(app, call.json()?),
        ("POST", "/touch") => return rows::touch(app, call.json()?),
        ("POST", "/behaviour") => return network::behaviour(app, call.json()?),
        ("POST", "/rtt") => return network::round_trip(call.json()?),
        ("GET", "/limits") => return network::limits(app, call),
        ("DELETE", "/limits") => return network::forget_counts(app, call),
        ("GET", "/faults") => return network::faults(app, call),
        ("POST", "/faults") => return network::plan(app, call.json()?),
        ("GET", "/requests") => return requests(app, call),
        ("DELETE", "/requests") => {
            app.log.clear();
            return fine(json!({ "ok": true }));
        }
        ("GET", "/webhooks") => return tenants::webhooks(app, call),
        ("GET", "/oauth") => return tenants::oauth(app, call),
        ("POST", "/oauth/expire") => return tenants::expire(app, call.json()?),
        (_, "/health" | "/stats" | "/oauth" | "/webhooks") => "GET",
        (_, "/tenants" | "/faults") => "GET, POST",
        (_, "/seed" | "/touch" | "/behaviour" | "/rtt" | "/oauth/expire" | "/reset") => "POST",
        (_, "/rows") => "GET, POST, DELETE",
        (_, "/requests" | "/limits") => "GET, DELETE",
        (method, path) => match path.strip_prefix("/tenants/").and_then(query::segment) {
            Some(id) if method == "DELETE" => return tenants::delete(app, &id),
            Some(_) => "DELETE",
            None => {
                let reason = format!("there is nothing at {path}: see the README");
                return Err(Refusal(StatusCode::NOT_FOUND, reason));
            }
        },
    };
    Ok(Answer::method_not_allowed(allowed))
}

fn stats(app: &App) -> Reply {
    fine(json!({
        "connections": app.stats.connections.load(Relaxed),
        "open": app.stats.open.load(Relaxed),
        "requests": app.stats.requests.load(Relaxed),
    }))
}

fn requests(app: &App, call: &Call<'_>) -> Reply {
    let [tenant, since] = call.parameters(["tenant", "since"])?;
    let since = match since {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| format!("\"since\" must be a request's number, not {text:?}"))?,
    };
    fine(Value::Array(app.log.list(tenant.as_deref(), since)))
}

impl Call<'_> {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(&self.body).map_err(|reason| format!("{}: {reason}", self.path).into())
    }

    /// The named query parameters; any other is refused.
    fn parameters<const N: usize>(&self, names: [&str; N]) -> Result<[Option<String>; N], Refusal> {
        let mut pairs = query::parse(self.query)?;
        if let Some((other, _)) = pairs.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            return Err(format!("{}: unknown parameter {other:?}", self.path).into());
        }
        Ok(names.map(|wanted| {
            let position = pairs.iter().position(|(name, _)| name == wanted)?;
            Some(pairs.swap_remove(position).1)
        }))
    }
}

fn fine(value: Value) -> Reply {
    Ok(Answer::value(StatusCode::OK, &value))
}

fn tenant(app: &App, id: &str) -> Result<Arc<Tenant>, Refusal> {
    app.tenants.by_id(id).ok_or_else(|| {
        let reason = format!("there is no tenant {id:?}: make it with POST /tenants");
        Refusal(StatusCode::NOT_FOUND, reason)
    })
}

/// For fields where null says something else than absence.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
