//! A streaming pull: page after page is fetched and read on the I/O thread while the caller stores the one before.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Url};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use crate::clock;
use crate::config::Config;
use crate::crm::connector::{Next, Object};
use crate::crm::page::{self, Continue, Extent, Page};
use crate::crm::request::append_query;
use crate::error::{Error, Kind, Result};
use crate::net::retry::Repeat;
use crate::net::send::{Call, send};
use crate::runtime::{self, Engine};
use crate::sync::watermark::Watermark;

/// Pages that wait or travel while the caller works on one.
const AHEAD: usize = 1;
/// How often a walk over numbered pages is repeated because rows moved between them.
const MAX_REPEATS: u32 = 2;

/// What is pulled, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is known of the object type.
    pub object: &'static Object,
    /// The collection.
    pub address: Url,
    /// Headers of each request.
    pub headers: HeaderMap,
    /// Names of the mapped fields; `None`: all.
    pub fields: Option<Arc<[String]>>,
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
}

/// One page and from where to go on after it.
#[derive(Debug)]
pub struct Batch {
    /// The rows.
    pub page: Page,
    /// To be stored after the rows.
    pub watermark: Watermark,
    /// Whether the pull ends here.
    pub is_last: bool,
    /// Counts from 1 in this pull.
    pub number: u32,
    /// Size of the answer.
    pub bytes: usize,
    /// What the request took.
    pub elapsed: Duration,
    /// Requests it took.
    pub attempts: u32,
}

/// The receiving end of a pull under way.
#[derive(Debug)]
pub struct Stream {
    receiver: Receiver<Result<Batch>>,
    room: Arc<Semaphore>,
    task: JoinHandle<()>,
    ended: bool,
    pid: u32,
}

impl Stream {
    /// Starts fetching.
    #[must_use]
    pub fn start(engine: &Engine, client: Client, plan: Plan) -> Self {
        let (sender, receiver) = mpsc::channel();
        let room = Arc::new(Semaphore::new(AHEAD));
        let walk = Walk {
            room: Arc::clone(&room),
            sender,
            watermark: starting_point(&plan),
            seen: HashSet::new(),
            repeats: 0,
            number: 0,
            client,
            plan,
        };
        let task = engine.spawn(walk.run());
        Self {
            receiver,
            room,
            task,
            ended: false,
            pid: std::process::id(),
        }
    }

    /// The next batch; `None` after the last one.
    pub fn next(&mut self, interrupted: &mut dyn FnMut() -> bool) -> Result<Option<Batch>> {
        if self.ended {
            return Ok(None);
        }
        if self.pid != std::process::id() {
            self.ended = true;
            return Err(Error::new(
                Kind::Config,
                "a pull cannot be continued in a forked process: start a new one from the last watermark",
            ));
        }
        let batch = runtime::wait(&self.receiver, interrupted).and_then(|batch| batch);
        self.room.add_permits(1);
        self.ended = batch.as_ref().map_or(true, |batch| batch.is_last);
        if self.ended {
            self.task.abort();
        }
        batch.map(Some)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.pid == std::process::id() {
            self.task.abort();
        }
    }
}

struct Walk {
    client: Client,
    plan: Plan,
    watermark: Watermark,
    room: Arc<Semaphore>,
    sender: Sender<Result<Batch>>,
    seen: HashSet<Continue>,
    number: u32,
    repeats: u32,
}

struct Fetched {
    page: Page,
    bytes: usize,
    elapsed: Duration,
    attempts: u32,
}

impl Walk {
    async fn run(mut self) {
        if let Err(error) = self.walk().await {
            // The caller has gone: so has the need to tell it.
            let _ = self.sender.send(Err(error));
        }
    }

    async fn walk(&mut self) -> Result<()> {
        if self.watermark.started.is_none() {
            self.watermark.started = Some(clock::unix_now());
        }
        loop {
            if !self.has_room().await {
                return Ok(());
            }
            let next = self.watermark.next.clone();
            let fetched = match fetch(&self.client, &self.plan, &self.watermark, next.as_ref()).await {
                Err(error) if self.number == 0 && next.as_ref().is_some_and(|next| is_stale(&error, next)) => {
                    self.start_over();
                    continue;
                }
                fetched => fetched?,
            };
            let following = fetched.page.next.clone();
            let extent = fetched.page.extent;
            self.compare(extent);
            if following.is_none() && self.watermark.has_shifted && self.repeats < MAX_REPEATS {
                self.repeats += 1;
                if !self.deliver_and_repeat(fetched) {
                    return Ok(());
                }
                continue;
            }
            if let Some(following) = &following
                && !self.seen.insert(following.clone())
            {
                return Err(Error::new(
                    Kind::Decode,
                    "the CRM's pages go round in a circle: the same next page was named twice",
                ));
            }
            if !self.deliver(fetched, following.clone()) {
                return Ok(());
            }
            match (following, extent) {
                (None, _) => return Ok(()),
                (Some(Continue::Page(first, query)), Some(extent)) if self.plan.parallel > 1 => {
                    return self.side_by_side(first, extent.last_page, &query).await;
                }
                _ => {}
            }
        }
    }

    /// Numbered pages whose order is stable: several travel at once, and are delivered in order.
    async fn side_by_side(&mut self, first: u64, last: u64, query: &str) -> Result<()> {
        let mut flights = JoinSet::new();
        let mut landed = BTreeMap::new();
        let mut to_start = first;
        let mut to_deliver = first;
        let window = u64::try_from(self.plan.parallel).unwrap_or(1);
        while to_deliver <= last {
            while to_start <= last && to_start < to_deliver.saturating_add(window) {
                let (client, plan) = (self.client.clone(), self.plan.clone());
                let (watermark, number) = (self.watermark.clone(), to_start);
                let next = Continue::Page(number, query.to_owned());
                flights.spawn(async move { (number, fetch(&client, &plan, &watermark, Some(&next)).await) });
                to_start += 1;
            }
            if let Some(fetched) = landed.remove(&to_deliver) {
                if !self.has_room().await {
                    return Ok(());
                }
                let fetched: Fetched = fetched?;
                to_deliver += 1;
                let following = (to_deliver <= last).then(|| Continue::Page(to_deliver, query.to_owned()));
                if !self.deliver(fetched, following) {
                    return Ok(());
                }
                continue;
            }
            match flights.join_next().await {
                Some(Ok((number, fetched))) => {
                    landed.insert(number, fetched);
                }
                Some(Err(_)) | None => {
                    return Err(Error::new(Kind::Transport, "a page's request ended early"));
                }
            }
        }
        Ok(())
    }

    /// Rows that are deleted move those behind them to an earlier page, which may have been read already.
    fn compare(&mut self, extent: Option<Extent>) {
        if self.watermark.extent.is_some() && self.watermark.extent != extent {
            self.watermark.has_shifted = true;
        }
        self.watermark.extent = extent;
    }

    /// Waits until the caller has taken enough; false if it has gone.
    async fn has_room(&self) -> bool {
        match self.room.acquire().await {
            Ok(permit) => {
                permit.forget();
                true
            }
            Err(_) => false,
        }
    }

    fn deliver(&mut self, fetched: Fetched, following: Option<Continue>) -> bool {
        self.watermark.saw(&fetched.page.rows, clock::unix_now());
        let is_last = following.is_none();
        let watermark = if is_last {
            self.watermark
                .finished(clock::unix_now(), self.plan.object.since.overlap_seconds)
        } else {
            self.watermark.next = following;
            self.watermark.clone()
        };
        self.hand_over(fetched, watermark, is_last)
    }

    /// Delivers the last page of a walk that may have passed rows over, and begins the next walk. What was read twice is
    /// equal in its fingerprints.
    fn deliver_and_repeat(&mut self, fetched: Fetched) -> bool {
        self.watermark.saw(&fetched.page.rows, clock::unix_now());
        self.watermark.next = None;
        self.watermark.extent = None;
        self.watermark.has_shifted = false;
        self.seen.clear();
        let watermark = self.watermark.clone();
        self.hand_over(fetched, watermark, false)
    }

    fn hand_over(&mut self, fetched: Fetched, watermark: Watermark, is_last: bool) -> bool {
        self.number += 1;
        let batch = Batch {
            page: fetched.page,
            watermark,
            is_last,
            number: self.number,
            bytes: fetched.bytes,
            elapsed: fetched.elapsed,
            attempts: fetched.attempts,
        };
        self.sender.send(Ok(batch)).is_ok()
    }

    /// The page that an earlier process wanted next is no longer there: begin where that pull began.
    fn start_over(&mut self) {
        self.watermark = self.watermark.restarted(clock::unix_now());
        // The attempt took its turn without a batch.
        self.room.add_permits(1);
    }
}

/// Where a pull begins: where the one before ended, unless that means nothing to this CRM or with this size of pages.
fn starting_point(plan: &Plan) -> Watermark {
    let origin = plan.address.origin().ascii_serialization();
    let mut from = plan.from.clone();
    if from.origin.as_ref().is_some_and(|earlier| *earlier != origin) {
        from = Watermark::beginning();
    }
    if matches!(from.next, Some(Continue::Page(..))) && from.page_size != plan.page_size {
        from = from.restarted(clock::unix_now());
    }
    from.origin = Some(origin);
    from.page_size = plan.page_size;
    from
}

/// Whether the CRM no longer knows a stored cursor, page or link.
fn is_stale(error: &Error, next: &Continue) -> bool {
    match error.kind {
        Kind::Http => matches!(error.status, Some(400 | 404 | 410 | 422)),
        Kind::Egress => matches!(next, Continue::Link(_)),
        _ => false,
    }
}

async fn fetch(client: &Client, plan: &Plan, watermark: &Watermark, next: Option<&Continue>) -> Result<Fetched> {
    let call = Call {
        method: Method::GET,
        url: page_address(plan, watermark, next)?,
        headers: plan.headers.clone(),
        body: None,
        repeat: Repeat::AfterAnyTransientFailure,
        config: plan.config.clone(),
        timeout: plan.timeout,
    };
    let reply = send(client.clone(), call).await?;
    let page = page::scan(&reply.body, plan.object, plan.fields.as_deref()).map_err(|mut error| {
        error.status = Some(reply.status.as_u16());
        error.attempts = reply.attempts;
        error.during(&reply.operation)
    })?;
    Ok(Fetched {
        bytes: reply.body.len(),
        elapsed: reply.elapsed,
        attempts: reply.attempts,
        page,
    })
}

fn page_address(plan: &Plan, watermark: &Watermark, next: Option<&Continue>) -> Result<Url> {
    let mut url = plan.address.clone();
    if let Some(Continue::Link(link)) = next {
        let linked = url.join(link).ok().filter(|to| to.origin() == url.origin());
        let mut linked = linked.ok_or_else(|| {
            Error::new(
                Kind::Egress,
                "the CRM's link to the next page leads to another origin: the credential is not sent there",
            )
        })?;
        if is_numbered(&linked, plan.object) {
            complete(&mut linked, plan, watermark);
        }
        return Ok(linked);
    }
    complete(&mut url, plan, watermark);
    match next {
        Some(Continue::Cursor(cursor, query)) => append_query(&mut url, query, cursor),
        Some(Continue::Page(number, query)) => append_query(&mut url, query, &number.to_string()),
        _ => {}
    }
    Ok(url)
}

/// Whether a link is to a numbered page. Some frameworks leave the filter out of such links; opaque ones are complete.
fn is_numbered(link: &Url, object: &Object) -> bool {
    object.next.iter().any(|rule| match rule {
        Next::Page { query, .. } => has_parameter(link, query),
        _ => false,
    })
}

fn has_parameter(url: &Url, name: &str) -> bool {
    url.query_pairs().any(|(found, _)| found == name)
}

/// Adds the filter and the size of pages where they are wanted and not there.
fn complete(url: &mut Url, plan: &Plan, watermark: &Watermark) {
    let wanted = [
        (&plan.object.since.query, watermark.since.clone()),
        (
            &plan.object.page_size.query,
            plan.page_size.map(|size| size.to_string()),
        ),
    ];
    for (name, value) in wanted {
        if let Some(value) = value.filter(|_| !has_parameter(url, name)) {
            append_query(url, name, &value);
        }
    }
}
