//! Many pulls at once on the one I/O thread, their pages in fair turns.
//!
//! Every pull has one page travelling or waiting while the caller stores another's. What only the caller's thread can do (opening a
//! credential, asking for a token) are errands, which come between pages: those that were there before an errand go first,
//! so an errand holds up nobody longer than it lasts. Nothing here calls back: the caller asks for the next step, so it holds no
//! borrow while it runs code that is not ours.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::crm::request::Connection;
use crate::error::Result;
use crate::net::client::Client;
use crate::runtime;
use crate::sync::fair::Fair;
use crate::sync::mailbox::{Mailbox, Message, Tag};
use crate::sync::plan::Plan;
use crate::sync::pull::{Batch, gone};
use crate::sync::walk::Flight;

/// How long errands may go on while a page waits.
const SLICE: Duration = Duration::from_millis(20);

/// Something that the caller's thread has to do.
#[derive(Debug)]
pub enum Errand {
    /// Prepare a pull: see [`Many::begin`].
    Begin,
    /// Get another token: see [`Many::renewed`].
    Renew(oneshot::Sender<Result<Connection>>),
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// To be done, and then the next step.
    Errand(Tag, Errand),
    /// A batch, or why this pull has ended without its last one.
    Page(Tag, Box<Result<Batch>>),
    /// Nothing has come yet: see [`Many::wait`].
    Wait,
    /// There is no pull any more.
    End,
}

/// Pulls under way.
#[derive(Debug, Default)]
pub struct Many {
    mailbox: Mailbox,
    pulls: HashMap<Tag, OnePull>,
    turns: Fair<Tag>,
    errands: VecDeque<(u64, Tag, Errand)>,
    /// When the pages that wait have arrived: counts with the errands.
    waiting: BTreeSet<u64>,
    arrivals: u64,
    last_tag: Tag,
    /// Whose batch the caller works on, or whose errand, and since when.
    at_work: Option<(Tag, Instant)>,
    /// What errands have taken since the last page.
    on_errands: Duration,
}

#[derive(Debug, Default)]
struct OnePull {
    /// `None` until it has begun.
    flight: Option<Flight>,
    /// What has come of it; a second one only where the first is a page and the second the reason why it was the last.
    come: VecDeque<(u64, Box<Result<Batch>>)>,
}

impl Many {
    /// One more. It begins with an errand.
    pub fn add(&mut self, weight: f64) -> Tag {
        self.last_tag += 1;
        let tag = self.last_tag;
        self.pulls.insert(tag, OnePull::default());
        self.turns.join(tag, weight);
        self.arrivals += 1;
        self.errands.push_back((self.arrivals, tag, Errand::Begin));
        tag
    }

    /// One less: what it has fetched is forgotten, what travels is given up.
    pub fn give_up(&mut self, tag: Tag) {
        if let Some(pull) = self.pulls.remove(&tag) {
            for (arrival, _) in &pull.come {
                self.waiting.remove(arrival);
            }
        }
        self.turns.leave(&tag);
        self.errands.retain(|(_, whose, _)| *whose != tag);
    }

    /// Ends them all.
    pub fn clear(&mut self) {
        let tags: Vec<Tag> = self.pulls.keys().copied().collect();
        tags.into_iter().for_each(|tag| self.give_up(tag));
        self.at_work = None;
    }

    /// How many have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pulls.len()
    }

    /// Whether all have ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pulls.is_empty()
    }

    /// The caller is through with the batch that it got last, and asks for another: what it took is that pull's cost.
    pub fn asked(&mut self) {
        self.charge();
        self.on_errands = Duration::ZERO;
    }

    /// What comes next; never waits.
    pub fn step(&mut self) -> Result<Step> {
        while let Ok((tag, message)) = self.mailbox.receiver()?.try_recv() {
            self.file(tag, message);
        }
        let is_due = |(since, ..): &(u64, Tag, Errand)| self.waiting.first().is_none_or(|page| page > since);
        let may_go_on =
            (self.waiting.is_empty() || self.on_errands < SLICE) && self.errands.front().is_some_and(is_due);
        if may_go_on && let Some((_, tag, errand)) = self.errands.pop_front() {
            self.at_work = Some((tag, Instant::now()));
            return Ok(Step::Errand(tag, errand));
        }
        while let Some(tag) = self.turns.pick() {
            if let Some(page) = self.take(tag) {
                return Ok(Step::Page(tag, page));
            }
        }
        Ok(if self.is_empty() { Step::End } else { Step::Wait })
    }

    /// Waits so long for something to come.
    pub fn wait(&mut self, at_most: Duration) -> Result<()> {
        match self.mailbox.receiver()?.recv_timeout(at_most) {
            Ok((tag, message)) => self.file(tag, message),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(gone()),
        }
        Ok(())
    }

    /// The errand of beginning was run: the pull starts, or its failure will have its turn.
    pub fn begin(&mut self, tag: Tag, prepared: Result<(Client, Plan)>) {
        self.end_errand();
        let Some(pull) = self.pulls.get_mut(&tag) else {
            return;
        };
        let flight = prepared.and_then(|(client, plan)| {
            let engine = runtime::engine()?;
            Ok(Flight::start(engine, client, plan, &self.mailbox, tag))
        });
        match flight {
            Ok(flight) => pull.flight = Some(flight),
            Err(error) => self.file(tag, Message::Batch(Box::new(Err(error)))),
        }
    }

    /// The errand of renewing was run.
    pub fn renewed(&mut self, answer: oneshot::Sender<Result<Connection>>, connection: Result<Connection>) {
        self.end_errand();
        // The pull was dropped meanwhile: then nobody listens.
        drop(answer.send(connection));
    }

    /// The errand could not be run, because the caller was interrupted; it is the first thing to be done when it comes again.
    pub fn put_back(&mut self, tag: Tag, errand: Errand) {
        self.end_errand();
        if self.pulls.contains_key(&tag) {
            self.errands.push_front((0, tag, errand));
        }
    }

    fn charge(&mut self) -> Duration {
        let Some((tag, since)) = self.at_work.take() else {
            return Duration::ZERO;
        };
        let cost = since.elapsed();
        self.turns.charge(&tag, cost);
        cost
    }

    fn end_errand(&mut self) {
        let took = self.charge();
        self.on_errands += took;
    }

    /// Takes a message in, unless its pull has been dropped.
    fn file(&mut self, tag: Tag, message: Message) {
        let Some(pull) = self.pulls.get_mut(&tag) else {
            return;
        };
        self.arrivals += 1;
        let batch = match message {
            Message::Renew(answer) => {
                self.errands.push_back((self.arrivals, tag, Errand::Renew(answer)));
                return;
            }
            Message::Batch(batch) => batch,
            Message::Gone => Box::new(Err(gone())),
        };
        pull.come.push_back((self.arrivals, batch));
        self.waiting.insert(self.arrivals);
        self.turns.ready(&tag);
    }

    /// What has come of a pull whose turn it is; with its last batch, or a failure, it has ended.
    fn take(&mut self, tag: Tag) -> Option<Box<Result<Batch>>> {
        let pull = self.pulls.get_mut(&tag)?;
        let (arrival, page) = pull.come.pop_front()?;
        self.waiting.remove(&arrival);
        if page.as_ref().as_ref().map_or(true, |batch| batch.is_last) {
            self.give_up(tag);
            return Some(page);
        }
        if let Some(flight) = &pull.flight {
            flight.taken();
        }
        if !pull.come.is_empty() {
            self.turns.ready(&tag);
        }
        self.at_work = Some((tag, Instant::now()));
        Some(page)
    }
}
