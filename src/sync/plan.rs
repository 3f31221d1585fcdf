//! What a pull asks for: the list of a connector that fits, and the request for each of its pages.

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::config::Config;
use crate::crm::connector::Connector;
use crate::crm::mapping::Mapping;
use crate::crm::next::Continue;
use crate::crm::object::{Listing, Next, Object, TimeFormat};
use crate::crm::page::{self, Page};
use crate::crm::request::{Connection, MAX_URL, Request, append_query, has_parameter, parameter_of};
use crate::crm::shape::Shape;
use crate::crm::timestamp::Moment;
use crate::error::{Error, Kind, Reason, Result};
use crate::net::client::Client;
use crate::net::retry::Repeat;
use crate::net::send::{Call, Reply, send};
use crate::sync::watermark::Watermark;
use crate::template::{Value, Values};

/// What is pulled, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The connection, renewed where its token runs out.
    pub connection: Connection,
    /// Name of the object type.
    pub name: String,
    /// What is known of it.
    pub object: &'static Object,
    /// The list that is read.
    pub listing: &'static Listing,
    /// What is read of its rows.
    pub shape: Shape,
    /// Names of the CRM's fields to ask for.
    pub fields: Vec<String>,
    /// Rows to a page; `None`: as the CRM likes.
    pub page_size: Option<u32>,
    /// Pages side by side; more than one only where order and totals are stable.
    pub parallel: usize,
    /// The host's rules and bounds, for each page.
    pub config: Config,
    /// Bound on each page.
    pub timeout: Duration,
    /// Where to start.
    pub from: Watermark,
    /// Only these records, wherever they are in the list.
    pub ids: Option<Vec<String>>,
}

/// One page as it came.
#[derive(Debug)]
pub struct Fetched {
    /// Its rows.
    pub page: Page,
    /// Size of the answers.
    pub bytes: usize,
    /// What the requests took.
    pub elapsed: Duration,
    /// Requests it took.
    pub attempts: u32,
}

impl Fetched {
    /// What an answer brought.
    #[must_use]
    pub const fn of(reply: &Reply, page: Page) -> Self {
        Self {
            bytes: reply.body.len(),
            elapsed: reply.elapsed,
            attempts: reply.attempts,
            page,
        }
    }

    /// Adds what another request brought.
    pub(super) fn add(&mut self, more: &Self) {
        self.bytes += more.bytes;
        self.elapsed += more.elapsed;
        self.attempts += more.attempts;
        self.page.append(&more.page);
    }
}

/// The list to read: of changes, if there is a time to ask with and the CRM can tell them; otherwise of everything.
pub fn listing(object: &'static Object, name: &str, from: &Watermark) -> Result<&'static Listing> {
    let changes = object.read.since.as_ref().filter(|_| from.since.is_some());
    changes
        .or(object.read.full.as_ref())
        .ok_or_else(|| cannot(object, name, "full", "be listed"))
}

/// The refusal of what a CRM cannot do.
#[must_use]
pub fn cannot(object: &Object, name: &str, capability: &str, what: &str) -> Error {
    let reason = object.cannot.get(capability);
    Error::new(
        Kind::Config,
        format!(
            "{name} cannot {what} in this CRM{}{}",
            if reason.is_some() { ": " } else { "" },
            reason.map_or("", String::as_str)
        ),
    )
}

/// The CRM's fields to ask for.
#[must_use]
pub fn fields(object: &Object, mapping: Option<&Mapping>) -> Vec<String> {
    let mut fields = object.ask_for.clone();
    for source in mapping.map(Mapping::sources).unwrap_or_default() {
        if !fields.contains(&source) {
            fields.push(source);
        }
    }
    fields
}

/// Sets `{fields}`, if there are any; no more than one request may name.
pub fn set_fields(values: &mut Values, most: Option<usize>, fields: &[String]) {
    let some = fields.get(..most.unwrap_or(usize::MAX)).unwrap_or(fields);
    if !some.is_empty() {
        values.set("fields", Value::List(some.to_vec()));
    }
}

/// What `{after}` is on the first page.
#[must_use]
pub fn start(listing: &Listing) -> Option<&str> {
    listing.next.iter().find_map(|next| match next {
        Next::Keyset { start, .. } => Some(start.as_str()),
        _ => None,
    })
}

/// The refusal of what is no time.
#[must_use]
pub fn no_time(since: &str) -> Error {
    Error::new(
        Kind::Config,
        format!(
            "'{}' is no time to pull from: write it like 2026-11-01T10:00:00Z",
            since.escape_default()
        ),
    )
}

impl Plan {
    /// Whether what was deleted is read.
    #[must_use]
    pub fn is_of_deleted(&self) -> bool {
        self.object
            .read
            .deleted
            .as_ref()
            .is_some_and(|feed| std::ptr::eq(feed, self.listing))
    }

    /// Rows to a page: what is wished, within what the CRM takes.
    #[must_use]
    pub fn size(&self) -> Option<u32> {
        let wished = self.page_size.or(self.listing.size.default);
        match (wished, self.listing.size.max) {
            (Some(wished), Some(max)) => Some(wished.min(max)),
            (wished, _) => wished,
        }
    }

    pub(super) fn values(&self, watermark: &Watermark, fields: &[String]) -> Result<Values> {
        let mut values = Connector::object_values(&self.connection.values, &self.name, self.object);
        if let Some(size) = self.size() {
            values.set("size", Value::Number(i64::from(size)));
        }
        set_fields(&mut values, None, fields);
        if let Some(since) = &watermark.since {
            values.set("since", Value::text(self.since(since)?));
        }
        Ok(values)
    }

    /// The time of the watermark in the form that the CRM wants.
    fn since(&self, since: &str) -> Result<String> {
        let format = self.listing.since.format;
        if format == TimeFormat::AsWritten {
            return Ok(since.to_owned());
        }
        Moment::parse(since)
            .and_then(|moment| moment.write(format, &self.shape.zone))
            .ok_or_else(|| no_time(since))
    }

    /// The request for one page.
    pub fn request(&self, watermark: &Watermark, at: Option<&Continue>, fields: &[String]) -> Result<Request> {
        let mut values = self.values(watermark, fields)?;
        let operation = &self.listing.request;
        if let Some(start) = start(self.listing) {
            values.set("after", Value::text(start));
        }
        let link = match at {
            None => watermark.resume.as_deref(),
            Some(Continue::Link(link)) => Some(link.as_str()),
            Some(Continue::Cursor(cursor)) => {
                values.set("cursor", Value::text(cursor));
                None
            }
            Some(Continue::Page(number)) => {
                values.set("page", number_value(*number));
                None
            }
            Some(Continue::Offset(before, _)) => {
                // The last row of the page before comes again, so that a shift is noticed.
                values.set("offset", number_value(before.saturating_sub(1)));
                None
            }
            Some(Continue::After(id)) => {
                values.set("after", Value::text(id));
                None
            }
        };
        let Some(link) = link else {
            return self.connection.request(operation, &values);
        };
        let mut request = self.connection.linked(operation, &values, link)?;
        // Some frameworks leave the filter out of links to numbered pages; opaque ones are complete.
        if parameter_of(operation, "page").is_some_and(|name| has_parameter(&request.url, name)) {
            for name in ["since", "size"] {
                let value = values.text(name);
                if let (Some(parameter), Some(value)) = (parameter_of(operation, name), value)
                    && !has_parameter(&request.url, parameter)
                {
                    append_query(&mut request.url, parameter, value.as_bytes());
                }
            }
        }
        Ok(request)
    }

    /// The fields that the first request can name, and the others.
    fn portions(&self, watermark: &Watermark, at: Option<&Continue>) -> Result<(usize, Request)> {
        let most = self.listing.max_fields.unwrap_or(usize::MAX);
        let mut count = self.fields.len().min(most);
        loop {
            let some = self.fields.get(..count).unwrap_or_default();
            let request = self.request(watermark, at, some)?;
            if request.url.as_str().len() <= MAX_URL || count <= 1 {
                return Ok((count, request));
            }
            count = count.div_ceil(2);
        }
    }

    /// Fetches one page; where not all fields fit into one request, the others are fetched by id and added. As soon as the page has
    /// come the next one may have its turn, and goes out before this one is read.
    pub async fn fetch(
        &self,
        client: &Client,
        watermark: &Watermark,
        at: Option<&Continue>,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<Fetched> {
        let (count, request) = self.portions(watermark, at)?;
        let rest = self.fields.get(count..).unwrap_or_default();
        let reply = self.ask(client, request).await;
        if turn.is_some() {
            drop(turn);
            tokio::task::yield_now().await;
        }
        let fetched = self.scanned(reply, &self.shape)?;
        if rest.is_empty() || fetched.page.rows.is_empty() {
            return Ok(fetched);
        }
        self.complete(client, fetched, rest).await
    }

    pub(super) async fn scan(&self, client: &Client, request: Request, shape: &Shape) -> Result<Fetched> {
        self.scanned(self.ask(client, request).await, shape)
    }

    fn scanned(&self, reply: Result<Reply>, shape: &Shape) -> Result<Fetched> {
        let reply = match reply {
            Err(error) if self.is_empty_page(&error) => {
                return Ok(Fetched {
                    page: Page::default(),
                    bytes: 0,
                    elapsed: Duration::ZERO,
                    attempts: error.attempts,
                });
            }
            reply => reply?,
        };
        Ok(Fetched::of(&reply, read(&reply, shape)?))
    }

    /// One read.
    pub(super) async fn ask(&self, client: &Client, request: Request) -> Result<Reply> {
        let call = Call {
            judge: &self.connection.connector.errors,
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            repeat: Repeat::AfterAnyTransientFailure,
            config: self.config.clone(),
            timeout: self.timeout,
            costs: request.costs,
            lane: self.connection.lane.clone(),
        };
        send(client.clone(), call).await
    }

    fn is_empty_page(&self, error: &Error) -> bool {
        let status = error.status.unwrap_or_default();
        self.listing.no_rows.iter().any(|pattern| pattern.fits(status))
    }
}

/// The page in an answer.
pub fn read(reply: &Reply, shape: &Shape) -> Result<Page> {
    if reply.no_rows {
        return Ok(Page::default());
    }
    page::scan(&reply.body, shape).map_err(|mut error| {
        error.status = Some(reply.status.as_u16());
        error.attempts = reply.attempts;
        error.during(&reply.operation)
    })
}

pub(super) fn most_fields(listing: &Listing) -> usize {
    listing.max_fields.unwrap_or(usize::MAX)
}

fn number_value(number: u64) -> Value {
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Whether the CRM no longer knows a stored cursor, page or link.
#[must_use]
pub fn is_stale(error: &Error, at: &Continue) -> bool {
    match error.kind {
        Kind::Http => error.reason == Some(Reason::StaleCursor) || matches!(error.status, Some(400 | 404 | 410 | 422)),
        Kind::Egress => matches!(at, Continue::Link(_)),
        _ => false,
    }
}
