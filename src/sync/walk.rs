//! The way from page to page of one pull: a task on the I/O thread that fetches, reads and hands over, one page ahead of whoever
//! stores them. What it has to say goes to a mailbox, which may be one pull's own or that of many.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::clock;
use crate::crm::next::{self, Continue, Extent, Place};
use crate::crm::page::Page;
use crate::crm::request::{self, Connection};
use crate::crm::timestamp::{Moment, are_alike};
use crate::error::{Error, Kind, Result};
use crate::net::client::Client;
use crate::runtime::Engine;
use crate::sync::mailbox::{Mailbox, Message, Outlet, Tag};
use crate::sync::plan::{Fetched, Plan, is_stale};
use crate::sync::pull::Batch;
use crate::sync::watermark::Watermark;

/// Pages that wait or travel while the caller works on one.
const AHEAD: usize = 1;
/// How often a walk over numbered pages is repeated because rows moved between them.
const MAX_REPEATS: u32 = 2;
/// How often one page's request is repeated with a new token.
const MAX_RENEWALS: u32 = 1;
/// A filter that is off by more than a zone's offset is none.
const A_DAY: f64 = 86_400.0;

/// A walk under way; dropping it ends it.
#[derive(Debug)]
pub struct Flight {
    room: Arc<Semaphore>,
    task: JoinHandle<()>,
    pid: u32,
}

impl Flight {
    /// Starts fetching.
    #[must_use]
    pub fn start(engine: &Engine, client: Client, plan: Plan, mailbox: &Mailbox, tag: Tag) -> Self {
        let room = Arc::new(Semaphore::new(AHEAD));
        let walk = Walk {
            room: Arc::clone(&room),
            outlet: mailbox.outlet(tag),
            watermark: starting_point(&plan),
            seen: HashSet::new(),
            hasher: RandomState::new(),
            repeats: 0,
            number: 0,
            client,
            plan,
        };
        Self {
            room,
            task: engine.spawn(walk.run()),
            pid: std::process::id(),
        }
    }

    /// A batch has been taken: the next page may be fetched.
    pub fn taken(&self) {
        self.room.add_permits(1);
    }
}

impl Drop for Flight {
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
    outlet: Outlet,
    /// Hashes of the places that were walked to: a place that comes again is a circle.
    seen: HashSet<u64>,
    hasher: RandomState,
    number: u32,
    repeats: u32,
}

impl Walk {
    async fn run(mut self) {
        if let Err(error) = self.walk().await {
            // The caller has gone: so has the need to tell it.
            self.outlet.say(Message::Batch(Box::new(Err(error))));
        }
    }

    async fn walk(&mut self) -> Result<()> {
        if self.watermark.started.is_none() {
            self.watermark.started = Some(clock::unix_now());
        }
        if let Some(ids) = self.plan.ids.take() {
            return self.named(&ids).await;
        }
        loop {
            if !self.has_room().await {
                return Ok(());
            }
            let at = self.watermark.next.clone();
            let mut fetched = match self.fetch(at.as_ref()).await {
                Err(error) if self.number == 0 && self.is_stale(&error, at.as_ref()) => {
                    self.start_over();
                    continue;
                }
                fetched => fetched?,
            };
            let (following, extent) = self.following(&fetched.page, at.as_ref())?;
            self.check_anchor(&mut fetched.page, at.as_ref());
            self.compare(extent);
            if following.is_none() && self.watermark.has_shifted && self.repeats < MAX_REPEATS {
                self.repeats += 1;
                if !self.deliver_and_repeat(fetched) {
                    return Ok(());
                }
                continue;
            }
            if let Some(following) = &following
                && !self.seen.insert(self.hasher.hash_one(following))
            {
                return Err(Error::new(
                    Kind::Decode,
                    "the CRM's pages go round in a circle: the same next page was named twice",
                ));
            }
            if !self.deliver(fetched, following.clone()) {
                return Ok(());
            }
            match (following, extent.and_then(|extent| extent.last_page)) {
                (None, _) => return Ok(()),
                (Some(Continue::Page(first)), Some(last)) if self.plan.parallel > 1 => {
                    return self.side_by_side(first, last).await;
                }
                _ => {}
            }
        }
    }

    /// One page; with a new token where the old one has run out.
    async fn fetch(&mut self, at: Option<&Continue>) -> Result<Fetched> {
        let mut renewals = 0;
        loop {
            match self.plan.fetch(&self.client, &self.watermark, at, None).await {
                Err(error) if self.plan.connection.is_expired(&error) && renewals < MAX_RENEWALS => {
                    renewals += 1;
                    self.plan.connection = self.renewed().await?;
                }
                fetched => return fetched,
            }
        }
    }

    /// The records that are asked for by their ids; nothing is learnt of how far the CRM was read.
    async fn named(&mut self, ids: &[String]) -> Result<()> {
        let mut chunks = ids.chunks(self.plan.named_size()).peekable();
        loop {
            if !self.has_room().await {
                return Ok(());
            }
            let chunk = chunks.next().unwrap_or_default();
            let mut renewals = 0;
            let fetched = loop {
                match self.plan.named(&self.client, chunk).await {
                    Err(error) if self.plan.connection.is_expired(&error) && renewals < MAX_RENEWALS => {
                        renewals += 1;
                        self.plan.connection = self.renewed().await?;
                    }
                    fetched => break fetched?,
                }
            };
            let is_last = chunks.peek().is_none();
            if !self.hand_over(fetched, self.plan.from.clone(), is_last) || is_last {
                return Ok(());
            }
        }
    }

    async fn renewed(&mut self) -> Result<Connection> {
        let (sender, receiver) = oneshot::channel();
        let gone = || Error::new(Kind::Cancelled, "the pull was given up while its token was renewed");
        if !self.outlet.say(Message::Renew(sender)) {
            return Err(gone());
        }
        receiver.await.map_err(|_| gone())?
    }

    fn is_stale(&self, error: &Error, at: Option<&Continue>) -> bool {
        match at {
            Some(at) => is_stale(error, at),
            None => self
                .watermark
                .resume
                .as_ref()
                .is_some_and(|link| is_stale(error, &Continue::Link(link.clone()))),
        }
    }

    fn following(&self, page: &Page, at: Option<&Continue>) -> Result<(Option<Continue>, Option<Extent>)> {
        let rows = page.rows.len() + page.refused.len() + page.skipped;
        let place = Place {
            at,
            rows: u64::try_from(rows).unwrap_or(u64::MAX),
            size: self.plan.size(),
            last_id: page.last_id.as_deref(),
        };
        next::next(page, &self.plan.listing.next, place)
    }

    /// Where rows are counted, the last row of the page before comes again first; if another does, rows have moved.
    fn check_anchor(&mut self, page: &mut Page, at: Option<&Continue>) {
        let Some(Continue::Offset(before, anchor)) = at else {
            return;
        };
        if *before == 0 {
            return;
        }
        if page.first_id.as_ref() == Some(anchor) {
            if page.rows.first().is_some_and(|row| row.id == *anchor) {
                page.rows.remove(0);
            }
        } else if page.last_id.is_some() {
            self.watermark.has_shifted = true;
        }
    }

    /// Numbered pages whose order is stable: several travel at once, and are delivered in order.
    async fn side_by_side(&mut self, first: u64, last: u64) -> Result<()> {
        let mut flights = JoinSet::new();
        let mut landed: BTreeMap<u64, Result<Fetched>> = BTreeMap::new();
        let mut to_start = first;
        let mut to_deliver = first;
        let turns = Arc::new(Semaphore::new(self.plan.parallel));
        // A page that is late holds up its followers' delivery, but not at once their requests.
        let ahead = u64::try_from(self.plan.parallel).unwrap_or(1).saturating_mul(2);
        // Whoever has its turn takes the newest, whose token may be another by now.
        let plan = Arc::new(Mutex::new(Arc::new(self.plan.clone())));
        let from = Arc::new(self.watermark.clone());
        while to_deliver <= last {
            while to_start <= last && to_start < to_deliver.saturating_add(ahead) {
                let (client, plan, from) = (self.client.clone(), Arc::clone(&plan), Arc::clone(&from));
                let (turns, number) = (Arc::clone(&turns), to_start);
                let next = Continue::Page(number);
                flights.spawn(async move {
                    let turn = turns.acquire_owned().await.ok();
                    let plan = Arc::clone(&plan.lock());
                    (number, plan.fetch(&client, &from, Some(&next), turn).await)
                });
                to_start += 1;
            }
            if let Some(fetched) = landed.remove(&to_deliver) {
                if !self.has_room().await {
                    return Ok(());
                }
                let fetched = match fetched {
                    Err(error) if self.plan.connection.is_expired(&error) => {
                        let fetched = self.fetch(Some(&Continue::Page(to_deliver))).await?;
                        *plan.lock() = Arc::new(self.plan.clone());
                        fetched
                    }
                    fetched => fetched?,
                };
                to_deliver += 1;
                let following = (to_deliver <= last).then_some(Continue::Page(to_deliver));
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
            let resume = self.plan.listing.resume.as_ref();
            let resume = resume.and_then(|path| crate::json::scalar(fetched.page.other(path)?));
            // The next pull asks for changes, whatever this one read.
            let changes = self
                .plan
                .object
                .read
                .since
                .as_ref()
                .filter(|_| !self.plan.is_of_deleted());
            let next = changes.unwrap_or(self.plan.listing);
            let overlap = next.since.overlap_seconds;
            self.watermark.finished(clock::unix_now(), overlap, resume)
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
            unasked: self.unasked(&fetched.page),
            page: fetched.page,
            watermark,
            is_last,
            number: self.number,
            bytes: fetched.bytes,
            elapsed: fetched.elapsed,
            attempts: fetched.attempts,
        };
        self.outlet.say(Message::Batch(Box::new(Ok(batch))))
    }

    /// How many rows are older than what was asked for: unknown filters and dates are ignored in silence by many CRMs.
    fn unasked(&self, page: &Page) -> usize {
        let Some(written) = self.watermark.since.as_deref() else {
            return 0;
        };
        let Some(since) = Moment::parse(written) else {
            return 0;
        };
        let oldest = since.unix() - A_DAY;
        let times = page.rows.iter().filter_map(|row| row.updated_at.as_deref());
        // Nearly all are known by their text not to be older.
        let times = times.filter(|time| *time < written || !are_alike(written, time));
        let times = times.filter_map(Moment::parse);
        times.filter(|time| time.unix() < oldest).count()
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
    let base = plan
        .connection
        .base()
        .ok()
        .and_then(|base| request::endpoint(&base).ok());
    let origin = base.map(|base| request::origin(&base));
    let mut from = plan.from.clone();
    if from.origin.is_some() && from.origin != origin {
        from = Watermark::beginning();
    }
    let is_counted = matches!(from.next, Some(Continue::Page(..) | Continue::Offset(..)));
    if is_counted && from.page_size != plan.page_size {
        from = from.restarted(clock::unix_now());
    }
    from.origin = origin;
    from.page_size = plan.page_size;
    from
}
