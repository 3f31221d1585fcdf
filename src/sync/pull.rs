//! A streaming pull: page after page is fetched and read on the I/O thread while the caller stores the one before.

use std::time::Duration;

use crate::crm::page::Page;
use crate::crm::request::Connection;
use crate::error::{Error, Kind, Result};
use crate::net::client::Client;
use crate::runtime::{self, Engine};
use crate::sync::mailbox::{Mailbox, Message};
use crate::sync::plan::Plan;
use crate::sync::walk::Flight;
use crate::sync::watermark::Watermark;

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
    /// Rows that are older than what was asked for: the CRM ignored the filter.
    pub unasked: usize,
}

/// The receiving end of a pull under way.
#[derive(Debug)]
pub struct Stream {
    mailbox: Mailbox,
    /// `None` once it has ended.
    flight: Option<Flight>,
}

impl Stream {
    /// Starts fetching.
    #[must_use]
    pub fn start(engine: &Engine, client: Client, plan: Plan) -> Self {
        let mailbox = Mailbox::new();
        let flight = Flight::start(engine, client, plan, &mailbox, 0);
        Self {
            mailbox,
            flight: Some(flight),
        }
    }

    /// The next batch; `None` after the last one. `renew` gives the connection with a new token.
    pub fn next(
        &mut self,
        interrupted: &mut dyn FnMut() -> bool,
        renew: &mut dyn FnMut() -> Result<Connection>,
    ) -> Result<Option<Batch>> {
        let Some(flight) = &self.flight else {
            return Ok(None);
        };
        let receiver = match self.mailbox.receiver() {
            Ok(receiver) => receiver,
            Err(forked) => {
                self.flight = None;
                return Err(forked);
            }
        };
        let batch = loop {
            match runtime::wait(receiver, interrupted).map(|(_, message)| message) {
                Ok(Message::Batch(batch)) => break *batch,
                // The walk has ended meanwhile: then its last message says why.
                Ok(Message::Renew(answer)) => drop(answer.send(renew())),
                Ok(Message::Gone) => break Err(gone()),
                Err(error) => break Err(error),
            }
        };
        flight.taken();
        if batch.as_ref().map_or(true, |batch| batch.is_last) {
            self.flight = None;
        }
        batch.map(Some)
    }
}

/// The failure of a walk that said nothing.
pub(super) fn gone() -> Error {
    Error::new(Kind::Transport, "the I/O thread ended before it answered")
}
