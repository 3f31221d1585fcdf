//! What a connector says of one type of record: how it is read, and mapped to the neutral shape. How it is written is in
//! `write.rs`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::crm::condition::Condition;
use crate::crm::limit::Cost;
use crate::crm::mapping::Mapping;
use crate::crm::reply::StatusPattern;
use crate::crm::write::Write;
use crate::json::Path;
use crate::template::{Json, Template, Value, Values};

/// One type of record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// The CRM's name for it: `{remote}` in templates. Default: the object's own name.
    pub remote: Option<String>,
    /// Where a row's id is.
    #[serde(default = "id")]
    pub id: Path,
    /// Where a row's time of the last change is.
    #[serde(default)]
    pub updated_at: Updated,
    /// Where a row's fields are; the row itself if it is empty.
    #[serde(default)]
    pub fields_at: Path,
    /// The neutral shape. Without it rows are passed on as they are.
    #[serde(default)]
    pub map: Option<Mapping>,
    /// Fields that reading asks for besides the mapped ones, in `{fields}`.
    #[serde(default)]
    pub ask_for: Vec<String>,
    /// How it is read.
    #[serde(default)]
    pub read: Read,
    /// How it is written.
    #[serde(default)]
    pub write: Write,
    /// What the CRM cannot do, by capability, and why.
    #[serde(default)]
    pub cannot: BTreeMap<String, String>,
}

fn id() -> Path {
    Path::member("id")
}

/// Where a row's time is, and how the CRM writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Updated {
    /// The first that has a value counts: some CRMs leave it empty until the first update.
    pub at: Vec<Path>,
    /// Whether the offset that the CRM writes is not of the digits before it: they are of `zone` then.
    #[serde(default)]
    pub ignore_offset: bool,
    /// Zone of times without an offset: a name of the tz database, or `{zone}` for the connection's.
    #[serde(default)]
    pub zone: Option<Template>,
}

impl Default for Updated {
    fn default() -> Self {
        Self {
            at: vec![Path::member("updated_at")],
            ignore_offset: false,
            zone: None,
        }
    }
}

/// How records are read.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Every record; with `{since}` in it also those that changed.
    pub full: Option<Listing>,
    /// Records that changed.
    pub since: Option<Listing>,
    /// One record.
    pub one: Option<Operation>,
    /// Several records.
    pub by_ids: Option<ByIds>,
    /// Records that were deleted.
    pub deleted: Option<Listing>,
    /// The fields that records can have.
    pub fields: Option<Describe>,
}

/// One request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// HTTP method.
    pub method: String,
    /// Path below the connector's base; each value is one encoded segment.
    pub path: Template,
    /// Query; what has no value is left out.
    #[serde(default)]
    pub query: BTreeMap<String, Json>,
    /// Headers besides the connector's.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// JSON body.
    #[serde(default)]
    pub body: Option<Json>,
    /// Members of `{data}` that the CRM needs, where the caller does not give them.
    #[serde(default)]
    pub with: BTreeMap<String, Json>,
    /// Where in the answer the record is.
    #[serde(default)]
    pub record: Path,
    /// Where in the answer a new record's id is, if the answer is not the record.
    #[serde(default)]
    pub id: Option<Path>,
    /// A header whose last segment, or what stands in its last brackets, is a new record's id.
    #[serde(default)]
    pub id_header: Option<String>,
    /// Whether the same request twice has the effect of one.
    #[serde(default)]
    pub repeatable: Option<bool>,
    /// What it costs, by the unit of a limit.
    #[serde(default)]
    pub costs: BTreeMap<String, Cost>,
}

/// A list of records, page by page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// The request for a page. Its values: `{size}`, `{since}`, `{fields}`, and of the page `{cursor}`, `{page}`,
    /// `{offset}` or `{after}`.
    pub request: Operation,
    /// Where the rows are.
    pub rows: Path,
    /// Statuses that mean "no rows" here, and something else elsewhere.
    #[serde(default)]
    pub no_rows: Vec<StatusPattern>,
    /// Where the next page is; the first rule whose marker is in the answer counts.
    #[serde(default)]
    pub next: Vec<Next>,
    /// Where the last page names the request that the next pull starts from, instead of a time.
    #[serde(default)]
    pub resume: Option<Path>,
    /// How `{since}` is written.
    #[serde(default)]
    pub since: Since,
    /// Rows to a page.
    #[serde(default)]
    pub size: Size,
    /// Most fields that one request may name.
    #[serde(default)]
    pub max_fields: Option<usize>,
    /// Rows that do not hold it are passed over.
    #[serde(default)]
    pub keep: Option<Condition>,
    /// Where a row's id is, if not where the object says.
    #[serde(default)]
    pub id: Option<Path>,
    /// Where a row's time is, if not where the object says.
    #[serde(default)]
    pub time: Option<Path>,
}

/// How the time from which on changes are wanted is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// In which form.
    #[serde(default)]
    pub format: TimeFormat,
    /// How much earlier than the newest change seen the next pull starts: rows become visible late.
    #[serde(default = "overlap")]
    pub overlap_seconds: u32,
}

const fn overlap() -> u32 {
    120
}

impl Default for Since {
    fn default() -> Self {
        Self {
            format: TimeFormat::default(),
            overlap_seconds: overlap(),
        }
    }
}

/// A form of writing a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// As the CRM wrote it.
    #[default]
    AsWritten,
    /// `2026-11-01T10:00:00Z`
    Rfc3339,
    /// `2026-11-01T10:00:00.000Z`
    Rfc3339Ms,
    /// `2026-11-01T10:00:00+00:00`
    Offset,
    /// `2026-11-01 10:00:00.000Z`
    SpaceMsZ,
    /// `2026-11-01 10:00:00` in the zone of the object's times, UTC without one.
    Naive,
    /// The same in UTC, whatever the zone of the object's times.
    NaiveUtc,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMs,
}

/// How many rows a page has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Where the caller does not say. Without it `{size}` has no value then.
    pub default: Option<u32>,
    /// What the CRM takes at most; wishes above it are lowered.
    pub max: Option<u32>,
}

/// Where the next page is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Next {
    /// A URL, whole or relative, in the answer; null on the last page.
    Link {
        /// Where.
        at: Path,
    },
    /// An opaque value in the answer, for `{cursor}`; null on the last page.
    Cursor {
        /// Where.
        at: Path,
        /// Where the answer says whether there is more.
        #[serde(default)]
        more: Option<Path>,
    },
    /// Numbered pages, for `{page}`.
    Page {
        /// The number of the first one.
        #[serde(default = "one")]
        first: u64,
        /// Where this page's number is. Without it pages are counted.
        #[serde(default)]
        number: Option<Path>,
        /// Where the last page's number is.
        #[serde(default)]
        last: Option<Path>,
        /// Where the number of all rows is.
        #[serde(default)]
        total: Option<Path>,
        /// Where the answer says whether there is more.
        #[serde(default)]
        more: Option<Path>,
    },
    /// Rows are counted, for `{offset}`. Each page starts with the last row of the one before, so that a shift is noticed.
    Offset {
        /// Where the answer says whether there is more.
        #[serde(default)]
        more: Option<Path>,
        /// Where the number of all rows is.
        #[serde(default)]
        total: Option<Path>,
    },
    /// Rows are sorted by id, and the next page has those after the last one's, for `{after}`. Loses no row, however many
    /// move or have one time.
    Keyset {
        /// What `{after}` is on the first page.
        start: String,
        /// Where the answer says whether there is more.
        #[serde(default)]
        more: Option<Path>,
        /// Whether a page with fewer rows than asked for is the last. Without it the last one is empty.
        #[serde(default)]
        short_page_is_last: bool,
    },
}

const fn one() -> u64 {
    1
}

/// How several records are read at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByIds {
    /// The request; its values are `{ids}` and `{items}` (JSON).
    pub request: Operation,
    /// One record in `{items}`: `{id}`.
    #[serde(default)]
    pub item: Option<Json>,
    /// Where the rows are.
    pub rows: Path,
    /// Most ids to a request.
    pub max: usize,
}

/// How the CRM tells which fields there are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The request.
    pub request: Operation,
    /// Where the list of fields, or the object of fields by name, is.
    pub rows: Path,
    /// Where a field's name is; without it the fields are members of an object.
    #[serde(default)]
    pub name: Option<Path>,
    /// Where the name for people is.
    #[serde(default)]
    pub label: Option<Path>,
    /// Where the type is.
    #[serde(default)]
    pub kind: Option<Path>,
    /// Holds for fields that cannot be written.
    #[serde(default)]
    pub read_only: Option<Condition>,
}

impl ByIds {
    /// Sets the values of its request.
    pub fn set(&self, values: &mut Values, ids: &[String]) -> Option<()> {
        let mut items = Vec::new();
        if let Some(item) = &self.item {
            for id in ids {
                items.push(item.render(&values.clone().with("id", Value::text(id)))?);
            }
        }
        values.set("items", Value::Json(format!("[{}]", items.join(","))));
        values.set("ids", Value::List(ids.to_vec()));
        Some(())
    }
}
