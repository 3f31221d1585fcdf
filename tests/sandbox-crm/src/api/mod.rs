//! The CRM's API: from a request to its answer, with log, limit, latency and faults in their places on the way.

mod item;
mod list;
mod rest;
mod write;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, WWW_AUTHENTICATE};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use jiff::Timestamp;

use crate::answer::Answer;
use crate::app::{App, Known};
use crate::body::Body;
use crate::dialects::{self, Credential, Crm};
use crate::faults::{Kind, Outcome};
use crate::limit::{Moment, Refused};
use crate::listen::Conn;
use crate::log::Entry;
use crate::oauth::{self, Endpoint};
use crate::tenant::Tenant;

/// Larger requests are a 413.
const REQUEST_LIMIT: usize = 16 * 1024 * 1024;

pub async fn serve(app: Arc<App>, conn: Arc<Conn>, request: Request<Incoming>) -> Response<Body> {
    let (parts, incoming) = request.into_parts();
    app.stats.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let token = Endpoint::of_path(parts.uri.path());
    let credentials = Credential::all(&parts.headers, parts.uri.query().unwrap_or_default());
    let known = match token {
        Some(_) => None,
        None => app.tenants.authenticate(&credentials),
    };
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
        answered: None,
    });
    let exchange = Exchange {
        origin: origin(&conn, &parts),
        app,
        conn,
        parts,
        number,
    };
    let outcome = match (known, token) {
        (Some(known), _) => {
            exchange
                .disturbed(Purpose::Call(known), Arriving::Incoming(incoming))
                .await
        }
        (None, token) => match read(incoming).await {
            // Read first: some say in the body who they are, and the log shows what an unknown client sent.
            Ok(body) => {
                exchange.app.log.body(number, &body);
                match exchange.purpose(token, &credentials, &body) {
                    Ok(purpose) => {
                        exchange.app.log.tenant(number, &purpose.tenant().id);
                        exchange.disturbed(purpose, Arriving::Read(body)).await
                    }
                    Err(refusal) => Outcome::Answer(refusal.into_response()),
                }
            }
            Err(refusal) => Outcome::Answer(refusal.into_response()),
        },
    };
    match outcome {
        Outcome::Answer(response) => {
            exchange.app.log.answered(number, response.status());
            response
        }
        Outcome::Cut(last_words) => {
            exchange.conn.cut(last_words);
            std::future::pending().await
        }
    }
}

/// A request without its body, and all that its answer depends on.
struct Exchange {
    app: Arc<App>,
    conn: Arc<Conn>,
    parts: Parts,
    number: u64,
    origin: String,
}

/// What somebody known wants.
enum Purpose {
    Call(Known),
    Token(Arc<Tenant>, oauth::Ask),
}

impl Purpose {
    fn tenant(&self) -> &Arc<Tenant> {
        match self {
            Self::Call(known) => &known.tenant,
            Self::Token(tenant, _) => tenant,
        }
    }
}

/// A body that is still on its way, or one that had to be read to know whose it is.
enum Arriving {
    Incoming(Incoming),
    Read(Bytes),
}

impl Exchange {
    /// What a request wants whose headers did not say whose it is; or the refusal of a stranger.
    fn purpose(&self, token: Option<Endpoint>, credentials: &[Credential], body: &Bytes) -> Result<Purpose, Answer> {
        if let Some(endpoint) = token {
            let query = self.parts.uri.query().unwrap_or_default();
            let ask = oauth::Ask::read(endpoint, &self.parts.method, query, &self.parts.headers, body);
            return match oauth::tenant(&self.app.tenants, &ask) {
                Some(tenant) => Ok(Purpose::Token(tenant, ask)),
                None => Err(oauth::stranger(&ask)),
            };
        }
        let in_body = Credential::in_body(self.parts.uri.path(), body);
        if let Some(known) = self.app.tenants.authenticate(in_body.as_slice()) {
            return Ok(Purpose::Call(known));
        }
        let first = credentials.iter().cloned().chain(in_body).next();
        Err(self.stranger(body, first))
    }

    /// Limit, then fault, then the round trip's latency, then the work.
    async fn disturbed(&self, purpose: Purpose, arriving: Arriving) -> Outcome {
        let tenant = purpose.tenant().clone();
        // Token servers are others than the ones that are limited.
        let refused = match purpose {
            Purpose::Call(_) => {
                let mut limiter = tenant.limiter.lock();
                limiter
                    .admit(self.parts.method.as_str(), self.target(), Moment::now())
                    .err()
            }
            Purpose::Token(..) => None,
        };
        let is_refused = refused.is_some();
        let fault = match refused {
            Some(_) => None,
            None => tenant.faults.lock().take(self.parts.method.as_str(), self.target()),
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
            self.app.log.body(self.number, body);
        }
        let behaviour = tenant.behaviour.read().clone();
        let latency = behaviour.latency + jitter(behaviour.jitter, self.number);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let answer = match (body, refused) {
            (Err(refusal), None) => refusal,
            (_, None) if fault.as_ref().is_some_and(|fault| !fault.process) => Answer::empty(StatusCode::OK),
            (body, refused) => self.answer(purpose, body.unwrap_or_default(), refused),
        };
        let answer = tenant.limiter.lock().tell(answer);
        let outcome = match (fault, behaviour.bytes_per_s) {
            (Some(fault), _) => fault.kind.apply(answer, &self.conn).await,
            (None, Some(rate)) => {
                let seconds = answer.body.len() as f64 / rate.max(1) as f64;
                let body = Body::spread(answer.body.clone(), Duration::from_secs_f64(seconds));
                Outcome::Answer(answer.respond(body))
            }
            (None, None) => Outcome::Answer(answer.into_response()),
        };
        // Salesforce's refusal is a 403.
        let is_429 = matches!(&outcome, Outcome::Answer(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS);
        if is_refused || is_429 {
            tenant.limiter.lock().counts.told();
        }
        outcome
    }

    /// Path and query, as they came.
    fn target(&self) -> &str {
        self.parts.uri.path_and_query().map_or("", |target| target.as_str())
    }

    fn answer(&self, purpose: Purpose, body: Bytes, refused: Option<Refused>) -> Answer {
        let known = match purpose {
            Purpose::Token(tenant, ask) => return oauth::serve(&self.app.tenants, &tenant, &ask, &self.origin),
            Purpose::Call(known) => known,
        };
        let Some(dialect) = known.tenant.config().dialect.dialect() else {
            return match (refused, known.expired) {
                (Some(refused), _) => refused.answer(),
                (None, true) => expired(),
                (None, false) => rest::route(&known.tenant, &self.origin, &self.parts, body),
            };
        };
        let scheme = known.credential.scheme;
        match dialects::Request::new(&self.parts, &body, self.origin.clone(), Some(known.credential)) {
            Err(reason) => Answer::error(StatusCode::BAD_REQUEST, reason),
            Ok(request) => match refused {
                Some(refused) => dialect.limited(&request, &refused),
                None if !dialect.schemes().contains(&scheme) => dialect.unauthorized(&request),
                None if known.expired => dialect.expired(&request),
                None => dialect.serve(&known.tenant, &request),
            },
        }
    }

    /// In the form of the CRM that the request looks meant for.
    fn stranger(&self, body: &Bytes, credential: Option<Credential>) -> Answer {
        if let Ok(request) = dialects::Request::new(&self.parts, body, self.origin.clone(), credential)
            && let Some(dialect) = Crm::guess(&request)
        {
            return dialect.unauthorized(&request);
        }
        if !self.parts.uri.path().starts_with("/api/") {
            return Answer::error(StatusCode::NOT_FOUND, "There is nothing at this path.");
        }
        let message = match self.parts.headers.contains_key(AUTHORIZATION) {
            true => "This API key is unknown.",
            false => "An API key is needed: Authorization: Bearer KEY.",
        };
        Answer::error(StatusCode::UNAUTHORIZED, message).with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }
}

fn expired() -> Answer {
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    Answer::error(StatusCode::UNAUTHORIZED, "This access token has expired.").with(WWW_AUTHENTICATE, challenge)
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

    #[test]
    fn jitter_stays_in_its_bounds_and_differs() {
        let most = Duration::from_millis(100);
        let all: Vec<Duration> = (0..1000).map(|number| jitter(most, number)).collect();
        assert!(all.iter().all(|one| *one < most));
        assert!(all.iter().any(|one| *one < most / 10) && all.iter().any(|one| *one > most * 9 / 10));
    }
}
