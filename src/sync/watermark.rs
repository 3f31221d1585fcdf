//! From where a pull goes on: opaque to the caller, the CRM's own times inside.
//!
//! A finished pull starts the next one at the newest change it saw, less the time it took (a row may have changed behind
//! its back), less an overlap (rows become visible late). All of it is the CRM's clock, so no zone or skew matters.

use serde::{Deserialize, Serialize};

use crate::crm::next::{Continue, Extent};
use crate::crm::page::Row;
use crate::crm::timestamp::{Moment, are_alike, later};
use crate::error::{Error, Kind, Result};

const VERSION: u32 = 1;

/// The state of a pull between two batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watermark {
    v: u32,
    /// What the CRM is asked for: changes after this time of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The CRM's own name for "changes after this pull", where it gives one instead of a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// The page that comes next; only while a pull is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Continue>,
    /// Rows to a page in a pull that is under way: numbered pages mean nothing without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u32>,
    /// What the CRM said of the whole, where pages are numbered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extent: Option<Extent>,
    /// Whether rows may have moved between numbered pages, so that some were passed over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_shifted: bool,
    /// The CRM that the times and pages are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The newest change seen so far in a pull that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// When the pull began, by this machine's clock; only its length counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<f64>,
}

impl Watermark {
    /// A pull of everything.
    #[must_use]
    pub const fn beginning() -> Self {
        Self {
            v: VERSION,
            since: None,
            resume: None,
            next: None,
            page_size: None,
            extent: None,
            has_shifted: false,
            origin: None,
            newest: None,
            started: None,
        }
    }

    /// Reads what was stored, or a bare timestamp of the CRM.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(Self::beginning());
        };
        if !text.starts_with('{') {
            return Ok(Self {
                since: Some(text.to_owned()),
                ..Self::beginning()
            });
        }
        let watermark: Self = serde_json::from_str(text).map_err(|_| unreadable())?;
        if watermark.v == VERSION {
            Ok(watermark)
        } else {
            Err(unreadable())
        }
    }

    /// The same pull from its first page.
    #[must_use]
    pub fn restarted(&self, now: f64) -> Self {
        Self {
            since: self.since.clone(),
            resume: self.resume.clone(),
            origin: self.origin.clone(),
            started: Some(now),
            ..Self::beginning()
        }
    }

    /// The form to store.
    #[must_use]
    pub fn store(&self) -> String {
        // A struct of texts and numbers can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes the rows of one page into account. A time in the future is a mistake in that row: as the next start it would hide
    /// every change until then.
    pub fn saw(&mut self, rows: &[Row], now: f64) {
        const A_DAY: f64 = 86_400.0;
        let before = self.newest.take();
        let mut newest = before.as_deref().map(|text| (text, Moment::parse(text)));
        let times = || rows.iter().filter_map(|row| row.updated_at.as_deref());
        // Where all are written alike, the last one is known by its text, and once it is read no other has to be.
        let one = times().next().unwrap_or_default();
        let last = times().max().filter(|_| times().all(|time| are_alike(one, time)));
        for time in last.into_iter().chain(times()) {
            let is_known = newest.as_ref().is_some_and(|(text, moment)| {
                *text == time || last.is_some() && moment.is_some() && time < *text && are_alike(text, time)
            });
            if is_known {
                continue;
            }
            let Some(moment) = Moment::parse(time).filter(|moment| moment.unix() <= now + A_DAY) else {
                continue;
            };
            let is_later = newest
                .as_ref()
                .and_then(|(_, newest)| moment.is_after(newest.as_ref()?))
                .unwrap_or(true);
            if is_later {
                newest = Some((time, Some(moment)));
            }
        }
        self.newest = newest.map(|(text, _)| text.to_owned());
    }

    /// What the next pull starts from, once the last page is stored.
    #[must_use]
    pub fn finished(&self, now: f64, overlap_seconds: u32, resume: Option<String>) -> Self {
        let took = (now - self.started.unwrap_or(now)).max(0.0).ceil();
        #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
        let back = i64::from(overlap_seconds).saturating_add(took as i64);
        let candidate = self
            .newest
            .as_deref()
            .and_then(Moment::parse)
            .and_then(|newest| newest.earlier(back));
        Self {
            since: match candidate {
                Some(candidate) => Some(later(self.since.clone(), &candidate)),
                None => self.since.clone(),
            },
            resume,
            origin: self.origin.clone(),
            ..Self::beginning()
        }
    }
}

fn unreadable() -> Error {
    Error::new(
        Kind::Config,
        "the watermark is not one of this version: store what Batch::watermark() returns unchanged, or pass null to pull everything again",
    )
}
