//! Where the next page is: by a link, a cursor, a number, a count of rows, or the last row's id.

use crate::crm::object::Next;
use crate::crm::page::Page;
use crate::error::{Error, Kind, Result};
use crate::json::{Path, scalar};

/// Where the next page is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Continue {
    /// A URL, absolute or relative.
    Link(String),
    /// An opaque value.
    Cursor(String),
    /// A number.
    Page(u64),
    /// How many rows stand before it, and the id of the last of them.
    Offset(u64, String),
    /// The id that all of its rows come after.
    After(String),
}

/// How many numbered pages and rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Extent {
    /// The number of the last page.
    pub last_page: Option<u64>,
    /// Rows in all, where the CRM tells.
    pub total: Option<u64>,
}

/// What the page is that was just read.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Where it was; `None`: at the beginning.
    pub at: Option<&'a Continue>,
    /// Rows in it, refused and skipped ones too.
    pub rows: u64,
    /// Rows that were asked for.
    pub size: Option<u32>,
    /// Id of its last row.
    pub last_id: Option<&'a str>,
}

/// The next page, and how much there is in all.
pub fn next(page: &Page, rules: &[Next], place: Place<'_>) -> Result<(Option<Continue>, Option<Extent>)> {
    for rule in rules {
        if let Some(found) = by_rule(page, rule, place)? {
            return Ok(found);
        }
    }
    Ok((None, None))
}

type Found = Option<(Option<Continue>, Option<Extent>)>;

/// What one rule says; `None` where its marker is not in the answer.
fn by_rule(page: &Page, rule: &Next, place: Place<'_>) -> Result<Found> {
    let says_more = |more: &Option<Path>| more.as_ref().map(|path| page.other(path) == Some("true"));
    let number = |path: &Option<Path>| {
        path.as_ref()
            .and_then(|path| scalar(page.other(path)?)?.parse::<u64>().ok())
    };
    Ok(match rule {
        Next::Link { at } => page
            .other(at)
            .map(|found| (scalar(found).filter(|url| !url.is_empty()).map(Continue::Link), None)),
        Next::Cursor { at, more } => page.other(at).map(|found| {
            let cursor = scalar(found).filter(|cursor| !cursor.is_empty() && says_more(more) != Some(false));
            (cursor.map(Continue::Cursor), None)
        }),
        Next::Page {
            first,
            number: at,
            last,
            total,
            more,
        } => {
            if (at.is_some() && number(at).is_none()) || (last.is_some() && number(last).is_none()) {
                return Ok(None);
            }
            let counted = match place.at {
                Some(Continue::Page(page)) => *page,
                _ => *first,
            };
            let current = number(at).unwrap_or(counted);
            let extent = Extent {
                last_page: number(last),
                total: number(total),
            };
            let goes_on = match (says_more(more), extent.last_page) {
                (Some(more), _) => more,
                (None, Some(last)) => current < last,
                (None, None) => place.rows > 0,
            };
            let extent = (extent.last_page.is_some() || extent.total.is_some()).then_some(extent);
            Some((goes_on.then(|| Continue::Page(current.saturating_add(1))), extent))
        }
        Next::Offset { more, total } => {
            // What was asked for again, to see whether rows have shifted, is not new.
            let before = match place.at {
                Some(Continue::Offset(at, _)) => *at,
                _ => 0,
            };
            let again = u64::from(before > 0);
            let seen = before.saturating_add(place.rows.saturating_sub(again));
            let total = number(total);
            let goes_on = match (says_more(more), total) {
                (Some(more), _) => more,
                (None, Some(total)) => seen < total,
                (None, None) => true,
            };
            let extent = total.map(|total| Extent {
                last_page: None,
                total: Some(total),
            });
            if !goes_on || place.rows <= again {
                return Ok(Some((None, extent)));
            }
            Some((Some(Continue::Offset(seen, last_id(place)?)), extent))
        }
        Next::Keyset {
            more,
            short_page_is_last,
            ..
        } => {
            let is_short = *short_page_is_last && place.size.is_some_and(|size| place.rows < u64::from(size));
            if place.rows == 0 || is_short || says_more(more) == Some(false) {
                return Ok(Some((None, None)));
            }
            Some((Some(Continue::After(last_id(place)?)), None))
        }
    })
}

fn last_id(place: Place<'_>) -> Result<String> {
    place.last_id.map(str::to_owned).ok_or_else(|| {
        Error::new(
            Kind::Decode,
            "no row of the page has an id, so the next page cannot be asked for",
        )
    })
}
