//! The CRM's API: from a request to its answer, with log, limit, latency and faults in their places on the way.

mod item;
mod list;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use jiff::Timestamp;

use crate::answer::Answer;
use crate::app::{App, Known};
use crate::body::Body;
use crate::dialects::{self, Credential, Crm, Dialect};
use crate::faults::{Kind, Outcome};
use crate::listen::Conn;
use crate::log::Entry;
use crate::query;
use crate::store::Object;
use crate::tenant::Tenant;

/// Larger requests are a 413.
const REQUEST_LIMIT: usize = 16 * 1024 * 1024;

pub async fn serve(app: Arc<App>, conn: Arc<Conn>, request: Request<Incoming>) -> Response<Body> {
    let (parts, incoming) = request.into_parts();
    app.stats.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let credentials = Credential::all(&parts.headers, parts.uri.query().unwrap_or_default());
    let known = app.tenants.authenticate(&credentials);
    let number = app.log.begin(Entry {
        tenant: known.as_ref().map(|known| known.tenant.id.clone()),
        method: parts.method.clone(),
        uri: parts.uri.clone(),
        headers: parts.headers.clone(),
        connection: conn.number,
        version: parts.version,
        at: Timestamp::now(),
        body: Bytes::new(),
        status: None,
    });
    let origin = origin(&conn, &parts);
    let outcome = match known {
        Some(known) => disturbed(&app, &conn, known, number, &parts, Arriving::Incoming(incoming)).await,
        None => match read(incoming).await {
            Ok(body) => {
                // Read all the same: the log shows what an unknown client sent, and a few carry their key in the body.
                app.log.body(number, &body);
                let in_body = Credential::in_body(parts.uri.path(), &body);
                match app.tenants.authenticate(in_body.as_slice()) {
                    Some(known) => {
                        app.log.tenant(number, &known.tenant.id);
                        disturbed(&app, &conn, known, number, &parts, Arriving::Read(body)).await
                    }
                    None => {
                        let first = credentials.into_iter().chain(in_body).next();
                        Outcome::Answer(unknown_client(&parts, &body, origin, first).into_response())
                    }
                }
            }
            Err(refusal) => Outcome::Answer(refusal.into_response()),
        },
    };
    match outcome {
        Outcome::Answer(response) => {
            app.log.answered(number, response.status());
            response
        }
        Outcome::Cut(last_words) => {
            conn.cut(last_words);
            std::future::pending().await
        }
    }
}

/// A known tenant's request: limit, then fault, then the round trip's latency, then the work.
async fn disturbed(
    app: &App,
    conn: &Arc<Conn>,
    known: Known,
    number: u64,
    parts: &Parts,
    arriving: Arriving,
) -> Outcome {
    let Known { tenant, credential } = known;
    let dialect = tenant.config().dialect.dialect();
    let refused = tenant.limiter.lock().admit(Instant::now()).err();
    let fault = match refused {
        Some(_) => None,
        None => {
            let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
            tenant.faults.lock().take(parts.method.as_str(), target)
        }
    };
    if let Some(fault) = &fault
        && fault.kind == Kind::CutBeforeRead
    {
        return Outcome::Cut(None);
    }
    let body = match arriving {
        Arriving::Incoming(incoming) => read(incoming).await,
        Arriving::Read(body) => Ok(body),
    };
    if let Ok(body) = &body {
        app.log.body(number, body);
    }
    let behaviour = tenant.behaviour.read().clone();
    let latency = behaviour.latency + jitter(behaviour.jitter, number);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let answer = match (refused, body) {
        (Some(refused), body) => match dialect {
            None => refused.answer(),
            Some(dialect) => {
                let body = body.unwrap_or_default();
                match dialects::Request::new(parts, &body, origin(conn, parts), Some(credential)) {
                    Ok(request) => dialect.limited(&request, &refused),
                    Err(_) => refused.answer(),
                }
            }
        },
        (None, Err(refused)) => refused,
        (None, Ok(_)) if fault.as_ref().is_some_and(|fault| !fault.process) => Answer::empty(StatusCode::OK),
        (None, Ok(body)) => match dialect {
            None => route(&tenant, conn, parts, body),
            Some(dialect) => speak(dialect, &tenant, conn, parts, &body, credential),
        },
    };
    match (fault, behaviour.bytes_per_s) {
        (Some(fault), _) => fault.kind.apply(answer, conn).await,
        (None, Some(rate)) => {
            let seconds = answer.body.len() as f64 / rate.max(1) as f64;
            let body = Body::spread(answer.body.clone(), Duration::from_secs_f64(seconds));
            Outcome::Answer(answer.respond(body))
        }
        (None, None) => Outcome::Answer(answer.into_response()),
    }
}

/// A tenant whose CRM is not the sandbox's own.
fn speak(
    dialect: &dyn Dialect,
    tenant: &Tenant,
    conn: &Conn,
    parts: &Parts,
    body: &Bytes,
    credential: Credential,
) -> Answer {
    let scheme = credential.scheme;
    match dialects::Request::new(parts, body, origin(conn, parts), Some(credential)) {
        Err(reason) => Answer::error(StatusCode::BAD_REQUEST, reason),
        Ok(request) if !dialect.schemes().contains(&scheme) => dialect.unauthorized(&request),
        Ok(request) => dialect.serve(tenant, &request),
    }
}

fn route(tenant: &Tenant, conn: &Conn, parts: &Parts, body: Bytes) -> Answer {
    let nowhere = || Answer::error(StatusCode::NOT_FOUND, "There is nothing at this path.");
    let Some(path) = parts.uri.path().strip_prefix("/api/v1/") else {
        return nowhere();
    };
    let (object, id) = match path.split_once('/') {
        Some((object, id)) => (object, Some(id)),
        None => (path, None),
    };
    let Some(object) = Object::from_name(object) else {
        return nowhere();
    };
    let id = match id.map(query::segment) {
        None => None,
        // Not "//", and no path below a row.
        Some(Some(text)) if !text.is_empty() && id.is_some_and(|id| !id.contains('/')) => Some(text),
        Some(_) => return nowhere(),
    };
    let allowed = match id {
        None => "GET, POST",
        Some(_) => "GET, PATCH, PUT, DELETE",
    };
    if !allowed.split(", ").any(|method| method == parts.method.as_str()) {
        return Answer::method_not_allowed(allowed);
    }
    if !accepts_json(&parts.headers) {
        return Answer::error(StatusCode::NOT_ACCEPTABLE, "Only application/json is served.");
    }
    let writes = matches!(parts.method, Method::POST | Method::PATCH | Method::PUT);
    if writes && !sends_json(&parts.headers) {
        return Answer::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be application/json.",
        );
    }
    let pairs = match query::parse(parts.uri.query().unwrap_or_default()) {
        Ok(pairs) => pairs,
        Err(reason) => return Answer::error(StatusCode::BAD_REQUEST, reason),
    };
    if let Some((name, _)) = pairs.first()
        && (id.is_some() || parts.method != Method::GET)
    {
        return list::unknown_parameter(name);
    }
    match (&parts.method, id) {
        (&Method::GET, None) => list::list(tenant, object, pairs, &origin(conn, parts)),
        (&Method::GET, Some(id)) => item::get(tenant, object, &id),
        (&Method::DELETE, Some(id)) => item::delete(tenant, object, &id),
        (&Method::PUT, Some(id)) => write::put(tenant, object, &id, &body),
        (_, Some(id)) => write::patch(tenant, object, &id, &body),
        (_, None) => write::create(tenant, object, &parts.headers, body),
    }
}

/// A body that is still on its way, or one that had to be read to know whose it is.
enum Arriving {
    Incoming(Incoming),
    Read(Bytes),
}

fn unknown_client(parts: &Parts, body: &Bytes, origin: String, credential: Option<Credential>) -> Answer {
    if let Ok(request) = dialects::Request::new(parts, body, origin, credential)
        && let Some(dialect) = Crm::guess(&request)
    {
        return dialect.unauthorized(&request);
    }
    if !parts.uri.path().starts_with("/api/") {
        return Answer::error(StatusCode::NOT_FOUND, "There is nothing at this path.");
    }
    let message = match parts.headers.contains_key(AUTHORIZATION) {
        true => "This API key is unknown.",
        false => "An API key is needed: Authorization: Bearer KEY.",
    };
    Answer::error(StatusCode::UNAUTHORIZED, message)
        .with(WWW_AUTHENTICATE, hyper::header::HeaderValue::from_static("Bearer"))
}

async fn read(incoming: Incoming) -> Result<Bytes, Answer> {
    match Limited::new(incoming, REQUEST_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(reason) if reason.is::<LengthLimitError>() => Err(Answer::error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The request's body is larger than 16 MiB.",
        )),
        Err(_) => Err(Answer::error(
            StatusCode::BAD_REQUEST,
            "The request's body did not arrive whole.",
        )),
    }
}

/// No Accept accepts everything.
fn accepts_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
            let refused = parameters
                .split(';')
                .filter_map(|parameter| parameter.trim().strip_prefix("q="))
                .any(|weight| weight.parse() == Ok(0.0));
            let kind = kind.trim();
            !refused
                && ["*/*", "application/*", "application/json"]
                    .iter()
                    .any(|known| kind.eq_ignore_ascii_case(known))
        })
}

fn sends_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// What the client called us, for absolute links.
fn origin(conn: &Conn, parts: &Parts) -> String {
    let host = parts
        .uri
        .authority()
        .map(|authority| authority.as_str())
        .or_else(|| parts.headers.get(HOST)?.to_str().ok())
        .unwrap_or("localhost");
    let scheme = if conn.tls { "https" } else { "http" };
    format!("{scheme}://{host}")
}

/// Evenly spread by the request's number: the same at every run.
fn jitter(most: Duration, number: u64) -> Duration {
    let share = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    most * (share as u32) / (1 << 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: hyper::header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn accept() {
        assert!(accepts_json(&HeaderMap::new()));
        for value in [
            "*/*",
            "application/json",
            "text/html, Application/*;q=0.5",
            "application/json; charset=utf-8",
        ] {
            assert!(accepts_json(&headers(ACCEPT, value)), "{value}");
        }
        for value in ["text/html", "application/json;q=0", "application/xml, text/*", ""] {
            assert!(!accepts_json(&headers(ACCEPT, value)), "{value}");
        }
    }

    #[test]
    fn content_type() {
        for (value, fine) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/json", false),
            ("application/jsonp", false),
        ] {
            assert_eq!(sends_json(&headers(CONTENT_TYPE, value)), fine, "{value}");
        }
        assert!(!sends_json(&HeaderMap::new()));
    }

    #[test]
    fn jitter_stays_in_its_bounds_and_differs() {
        let most = Duration::from_millis(100);
        let all: Vec<Duration> = (0..1000).map(|number| jitter(most, number)).collect();
        assert!(all.iter().all(|one| *one < most));
        assert!(all.iter().any(|one| *one < most / 10) && all.iter().any(|one| *one > most * 9 / 10));
    }
}
