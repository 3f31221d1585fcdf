//! One call: the request, its redirects, its repetitions and its bounds, until there is a whole answer or a reason.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};
use tokio::time::Instant;

use crate::chance;
use crate::config::Config;
use crate::crm::limit::Costs;
use crate::error::{Error, Kind, Result};
use crate::net::client::Client;
use crate::net::egress;
use crate::net::failure::failed;
use crate::net::journal::Pending;
use crate::net::lane::{Lane, Turn};
use crate::net::retry::{self, Repeat};
use crate::net::trace;

const MAX_REDIRECTS: u32 = 5;
/// How long an error's body is waited for.
const ERROR_BODY_PATIENCE: Duration = Duration::from_millis(500);
/// What is set aside at most for a body before it has come.
const ROOM: usize = 256 * 1024;
/// What is read of an error's body.
const MAX_ERROR_BODY: usize = 1 << 20;
/// What is kept of it.
const MAX_EXCERPT: usize = 16 * 1024;
/// This part of a call's time is not waited away: a request that had nearly none would be sent for nothing, and of a write nobody
/// would know what became of it.
const FOR_THE_ANSWER: u32 = 10;

/// Says what an answer means: the connector does.
pub trait Judge: std::fmt::Debug + Send + Sync {
    /// The meaning of an answer, of which `body` may be the beginning only where the status is no success.
    fn judge(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict;
    /// Whether an answer with a status of success has to be judged, too.
    fn concerns_success(&self) -> bool;
}

/// What an answer means.
#[derive(Debug)]
pub enum Verdict {
    /// It is what was asked for.
    Success,
    /// It is a list without rows.
    NoRows,
    /// It is not.
    Failure(Error),
}

/// A request with everything that decides about its fate.
#[derive(Debug, Clone)]
pub struct Call {
    /// Says what the answer means.
    pub judge: &'static dyn Judge,
    /// HTTP method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers, the authorisation among them (marked sensitive).
    pub headers: HeaderMap,
    /// Body, if any.
    pub body: Option<Bytes>,
    /// What may be repeated.
    pub repeat: Repeat,
    /// The host's rules and bounds.
    pub config: Config,
    /// Bound on the whole call, waiting for its turn included.
    pub timeout: Duration,
    /// What it costs.
    pub costs: Costs,
    /// On whose behalf it is made; without one nothing is counted and nothing is written down.
    pub lane: Option<Arc<Lane>>,
}

/// A whole answer with a status of success.
#[derive(Debug)]
pub struct Reply {
    /// As `Call::operation` says it.
    pub operation: String,
    /// HTTP status.
    pub status: StatusCode,
    /// Whether it says that there are no rows.
    pub no_rows: bool,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, unpacked.
    pub body: Bytes,
    /// Requests that were sent.
    pub attempts: u32,
    /// From the first request to the last byte.
    pub elapsed: Duration,
}

impl Call {
    /// `GET https://crm.example/api/v1/leads`: no query, which may hold personal data.
    #[must_use]
    pub fn operation(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        // A user and password in an endpoint are credentials; failing to remove them leaves only the origin.
        if url.set_username("").is_err() || url.set_password(None).is_err() {
            return format!("{} {}", self.method, url.origin().ascii_serialization());
        }
        format!("{} {url}", self.method)
    }
}

/// Sends a call. A failure's body excerpt is raw: the caller redacts it.
pub async fn send(client: Client, mut call: Call) -> Result<Reply> {
    let lane = call.lane.clone();
    let operation = call.operation();
    let result = attempts(&client, &mut call, &operation).await;
    if let Some(lane) = lane {
        lane.ended(result.as_ref().err());
    }
    result.map_err(|error| error.during(&operation))
}

async fn attempts(client: &Client, call: &mut Call, operation: &str) -> Result<Reply> {
    let start = Instant::now();
    let deadline = start + call.timeout;
    let latest = start + (call.timeout - call.timeout / FOR_THE_ANSWER);
    let lane = call.lane.clone();
    let mut attempt = 1;
    let mut earlier: Option<Error> = None;
    loop {
        let turn = match turn(lane.as_deref(), &call.costs, latest).await {
            Ok(turn) => turn,
            // What the CRM said itself says more than that it is not asked again.
            Err(refusal) => return Err(earlier.unwrap_or(refusal)),
        };
        let mut told = Told {
            pending: lane
                .as_ref()
                .map(|lane| lane.begin(&call.method, operation, attempt, call.body.as_ref())),
            headers: None,
        };
        let mut result = tokio::time::timeout_at(deadline, once(client, call, &mut told))
            .await
            .unwrap_or_else(|_| Err(timed_out(call.timeout)));
        if let Err(error) = &mut result {
            error.attempts = attempt;
        }
        if let (Some(lane), Some(turn)) = (&lane, turn) {
            lane.learn(turn, told.headers.as_ref(), result.as_mut().err()).await;
            if let Some(pending) = told.pending {
                match &result {
                    Ok(answer) => pending.succeeded(answer.status.as_u16(), answer.body.len()),
                    Err(error) => pending.failed(error, error.body.as_ref().map_or(0, String::len), &lane.secrets),
                }
            }
        }
        let error = match result {
            Ok(answer) => {
                return Ok(Reply {
                    operation: operation.to_owned(),
                    status: answer.status,
                    no_rows: answer.no_rows,
                    headers: told.headers.unwrap_or_default(),
                    body: answer.body,
                    attempts: attempt,
                    elapsed: start.elapsed(),
                });
            }
            Err(error) => error,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        match retry::pause(call.repeat, &error, attempt, chance::share()) {
            Some(pause) if pause < left => {
                earlier = Some(error);
                tokio::time::sleep(pause).await;
            }
            _ => return Err(said(error, earlier, call.repeat)),
        }
        attempt += 1;
    }
}

/// What counts where the time ran out. The last request of a write may have been processed: then that it had no answer. Otherwise
/// what went wrong before says more than that there was no time left to try it again.
fn said(error: Error, earlier: Option<Error>, repeat: Repeat) -> Error {
    match earlier {
        Some(mut earlier) if error.kind == Kind::Timeout && repeat != Repeat::OnlyIfUnprocessed => {
            earlier.attempts = error.attempts;
            earlier
        }
        _ => error,
    }
}

async fn turn<'l>(lane: Option<&'l Lane>, costs: &Costs, latest: Instant) -> Result<Option<Turn<'l>>> {
    match lane {
        Some(lane) => lane.turn(costs, latest).await.map(Some),
        None => Ok(None),
    }
}

fn timed_out(timeout: Duration) -> Error {
    Error::new(
        Kind::Timeout,
        format!("no complete answer within {} s", timeout.as_secs_f64()),
    )
}

/// What is known of a request before its result is.
struct Told {
    /// Where it is written down.
    pending: Option<Pending>,
    /// The answer's headers count whatever the answer means.
    headers: Option<HeaderMap>,
}

struct Answer {
    status: StatusCode,
    no_rows: bool,
    body: Bytes,
}

/// One request with its redirects.
async fn once(client: &Client, call: &mut Call, told: &mut Told) -> Result<Answer> {
    let (mut url, mut method, mut body) = (call.url.clone(), call.method.clone(), call.body.clone());
    for _ in 0..=MAX_REDIRECTS {
        egress::check(&url, &call.config)?;
        let mut request = client
            .pool
            .request(method.clone(), url.clone())
            .headers(call.headers.clone());
        if let Some(trace) = told.pending.as_ref().and_then(Pending::traceparent) {
            request = request.header(trace::HEADER, trace);
        }
        if let Some(body) = &body {
            request = request.body(body.clone());
        }
        let sent = client.doors.send(&url, request.send()).await;
        let mut response = sent.map_err(|error| failed(&error))?;
        let status = response.status();
        if let Some(pending) = &mut told.pending {
            pending.status(status.as_u16());
        }
        if status.is_redirection() && response.headers().contains_key(LOCATION) {
            url = redirected(call, &url, &response)?;
            if status == StatusCode::SEE_OTHER {
                // The write was processed. Whatever happens to the read of its result, it is not sent again.
                call.url = url.clone();
                call.method = Method::GET;
                call.body = None;
                call.repeat = Repeat::AfterAnyTransientFailure;
                (method, body) = (Method::GET, None);
            }
            continue;
        }
        let headers = std::mem::take(response.headers_mut());
        let body = if status.is_success() {
            whole_body(response, call.config.max_response_bytes).await?
        } else {
            excerpt(response).await.into()
        };
        let answer = judged(call.judge, status, &headers, body);
        told.headers = Some(headers);
        return answer;
    }
    Err(Error::new(
        Kind::Http,
        format!("more than {MAX_REDIRECTS} redirects: check the endpoint"),
    ))
}

/// Where a redirect leads, if it may be followed with the credential.
fn redirected(call: &Call, from: &Url, response: &Response) -> Result<Url> {
    let status = response.status();
    let to = response
        .headers()
        .get(LOCATION)
        .and_then(|location| std::str::from_utf8(location.as_bytes()).ok())
        .and_then(|location| from.join(location).ok());
    let error = |kind, message: String| {
        let mut error = Error::new(kind, message);
        error.status = Some(status.as_u16());
        Err(error)
    };
    let Some(to) = to else {
        return error(Kind::Http, format!("HTTP {status} without a usable location"));
    };
    if to.origin() != from.origin() {
        return error(
            Kind::Egress,
            format!(
                "HTTP {status} to another origin, {}: the credential is not sent there; change the tenant's endpoint if it has moved",
                to.origin().ascii_serialization()
            ),
        );
    }
    let read = matches!(call.method, Method::GET | Method::HEAD);
    // 303: the write was processed, and this is where its result is. 307 and 308: the same request, elsewhere.
    let safe = matches!(status.as_u16(), 303 | 307 | 308);
    if !read && !safe {
        return error(
            Kind::Http,
            format!(
                "HTTP {status}: following it would turn the {} into a read and lose the data; correct the endpoint",
                call.method
            ),
        );
    }
    Ok(to)
}

async fn whole_body(mut response: Response, most: usize) -> Result<Bytes> {
    let too_large = || {
        Error::new(
            Kind::TooLarge,
            format!(
                "the answer is larger than {most} bytes: ask for smaller pages or raise tenant_crm_sync.max_response_bytes"
            ),
        )
    };
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let told = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    let Some(first) = response.chunk().await.map_err(|error| failed(&error))? else {
        return Ok(Bytes::new());
    };
    let mut body: Vec<u8> = Vec::new();
    let mut next = response.chunk().await.map_err(|error| failed(&error))?;
    if next.is_none() && first.len() <= most {
        return Ok(first);
    }
    // What is told is within the bound, but need not be true: that much is set aside, and no more.
    body.reserve(told.unwrap_or_default().min(ROOM).max(first.len()));
    body.extend_from_slice(&first);
    while let Some(chunk) = next {
        if body.len().saturating_add(chunk.len()) > most {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
        next = response.chunk().await.map_err(|error| failed(&error))?;
    }
    if body.len() > most {
        return Err(too_large());
    }
    Ok(body.into())
}

/// The start of an error's body; a failure to read it changes nothing.
async fn excerpt(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = MAX_ERROR_BODY - body.len();
            body.extend(chunk.iter().take(room));
            if body.len() >= MAX_ERROR_BODY {
                break;
            }
        }
    };
    // A body that does not come must not hide the status.
    let _ = tokio::time::timeout(ERROR_BODY_PATIENCE, read).await;
    body
}

fn judged(judge: &dyn Judge, status: StatusCode, headers: &HeaderMap, body: Bytes) -> Result<Answer> {
    let verdict = if status.is_success() && !judge.concerns_success() {
        Verdict::Success
    } else {
        judge.judge(status, headers, &body)
    };
    match verdict {
        Verdict::Failure(mut error) => {
            error.status = Some(status.as_u16());
            error.body = Some(String::from_utf8_lossy(body.get(..MAX_EXCERPT).unwrap_or(&body)).into_owned());
            Err(error)
        }
        verdict => Ok(Answer {
            status,
            no_rows: matches!(verdict, Verdict::NoRows),
            body,
        }),
    }
}
