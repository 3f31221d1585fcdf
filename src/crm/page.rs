//! A page is read once: where each row stands in the body, its id, its time, its fingerprint, and where the next page is.
//! PHP arrays are built later, and only for the rows that are asked for.

use std::borrow::Cow;
use std::ops::Range;

use crate::crm::connector::{Next, Object};
use crate::crm::fingerprint::{Fingerprint, fingerprint};
use crate::error::{Error, Kind, Result};
use crate::json::{Reader, Refusal};

/// Longer ids are no ids; the plugin's tables hold as much.
const MAX_ID: usize = 1024;

/// One record.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where its object stands in the body.
    pub span: Range<usize>,
    /// The CRM's id, always as text.
    pub id: String,
    /// The CRM's time of the last change, as it wrote it.
    pub updated_at: Option<String>,
    /// Equal for rows that are equal in the mapped fields.
    pub fingerprint: Fingerprint,
}

/// A row that cannot be taken.
#[derive(Debug, Clone)]
pub struct RefusedRow {
    /// Position in the page, from 0.
    pub position: usize,
    /// Its id, if that could be read.
    pub id: Option<String>,
    /// Why.
    pub reason: String,
}

/// Where the next page is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Continue {
    /// A URL, absolute or relative.
    Link(String),
    /// An opaque value and the query parameter that carries it.
    Cursor(String, String),
    /// A number and the query parameter that carries it.
    Page(u64, String),
}

/// How many numbered pages and rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Extent {
    /// The number of the last page.
    pub last_page: u64,
    /// Rows in all, where the CRM tells.
    pub total: Option<u64>,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// The body; bytes that are not UTF-8 are replaced (their rows are refused).
    pub text: String,
    /// What could be read.
    pub rows: Vec<Row>,
    /// What could not.
    pub refused: Vec<RefusedRow>,
    /// Where the next page is; `None` on the last.
    pub next: Option<Continue>,
    /// How much there is in all, where pages are numbered.
    pub extent: Option<Extent>,
}

impl Page {
    /// The JSON text of one row.
    #[must_use]
    pub fn row_text(&self, position: usize) -> Option<&str> {
        self.text.get(self.rows.get(position)?.span.clone())
    }

    /// A JSON object of one row's mapped fields, as the CRM wrote them.
    #[must_use]
    pub fn snapshot(&self, position: usize, object: &Object, fields: Option<&[String]>) -> Option<String> {
        let row = self.row_text(position)?;
        let members = members(&mut Reader::new(row)).ok()?;
        let mut out = String::with_capacity(row.len().min(1024));
        out.push('{');
        for (name, span) in mapped(&members, object, fields) {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&serde_json::to_string(name).ok()?);
            out.push(':');
            out.push_str(row.get(span.clone())?);
        }
        out.push('}');
        Some(out)
    }
}

/// Reads a page.
pub fn scan(body: &[u8], object: &Object, fields: Option<&[String]>) -> Result<Page> {
    let (text, broken) = readable(body);
    let mut page = Page {
        text,
        rows: Vec::new(),
        refused: Vec::new(),
        next: None,
        extent: None,
    };
    let not_json = |refusal: Refusal| Error::new(Kind::Decode, format!("the answer is not JSON: {refusal}"));
    let mut reader = Reader::new(&page.text);
    let mut rows = Rows {
        text: &page.text,
        broken: &broken,
        object,
        fields,
        position: 0,
        rows: Vec::new(),
        refused: Vec::new(),
    };
    let mut found = false;
    let mut others: Vec<(String, Range<usize>)> = Vec::new();
    match reader.peek_token() {
        Some(b'[') => {
            found = true;
            rows.read(&mut reader).map_err(not_json)?;
        }
        Some(b'{') => reader
            .each_member(|reader, name| {
                if name == object.rows && reader.peek_token() == Some(b'[') {
                    found = true;
                    return rows.read(reader);
                }
                let span = reader.span()?;
                others.push((name.into_owned(), span));
                Ok(())
            })
            .map_err(not_json)?,
        _ => return Err(not_json(Refusal::Syntax)),
    }
    if reader.peek_token().is_some() {
        return Err(not_json(Refusal::Syntax));
    }
    if !found {
        return Err(Error::new(
            Kind::Decode,
            format!(
                "the answer has no list '{}': is the endpoint the one of this CRM?",
                object.rows
            ),
        ));
    }
    let (rows, refused) = (rows.rows, rows.refused);
    let (next, extent) = continuation(&page.text, &others, &object.next)?;
    page.rows = rows;
    page.refused = refused;
    page.next = next;
    page.extent = extent;
    Ok(page)
}

/// The body as text, and the positions of bytes that are not UTF-8 (replaced by as many question marks).
fn readable(body: &[u8]) -> (String, Vec<usize>) {
    let mut broken = Vec::new();
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        for _ in chunk.invalid() {
            broken.push(text.len());
            text.push('?');
        }
    }
    (text, broken)
}

struct Rows<'a> {
    text: &'a str,
    broken: &'a [usize],
    object: &'a Object,
    fields: Option<&'a [String]>,
    position: usize,
    rows: Vec<Row>,
    refused: Vec<RefusedRow>,
}

impl Rows<'_> {
    fn read(&mut self, reader: &mut Reader<'_>) -> std::result::Result<(), Refusal> {
        reader.each_element(|reader| {
            let is_object = reader.peek_token() == Some(b'{');
            let span = reader.span()?;
            self.take(span, is_object);
            self.position += 1;
            Ok(())
        })
    }

    fn take(&mut self, span: Range<usize>, is_object: bool) {
        let row = self.text.get(span.clone()).unwrap_or_default();
        let members = if is_object {
            // The span was read once already, so it is an object.
            members(&mut Reader::new(row)).unwrap_or_default()
        } else {
            return self.refuse(None, "it is not an object");
        };
        let value = |name: &str| {
            members
                .iter()
                .rev()
                .find(|(member, _)| member == name)
                .and_then(|(_, at)| row.get(at.clone()))
        };
        let id = value(&self.object.id).and_then(scalar);
        let is_broken =
            self.broken.partition_point(|at| *at < span.start) < self.broken.partition_point(|at| *at < span.end);
        if is_broken {
            return self.refuse(id, "it has bytes that are not UTF-8");
        }
        match id {
            Some(id) if !id.is_empty() && id.len() <= MAX_ID => self.rows.push(Row {
                updated_at: value(&self.object.updated_at).and_then(scalar),
                fingerprint: fingerprint(row, &mapped(&members, self.object, self.fields)),
                span,
                id,
            }),
            Some(_) => self.refuse(None, "its id is empty or longer than 1024 bytes"),
            None => self.refuse(None, "it has no id that is text or a number"),
        }
    }

    fn refuse(&mut self, id: Option<String>, reason: &str) {
        self.refused.push(RefusedRow {
            position: self.position,
            id,
            reason: String::from(reason),
        });
    }
}

type Members = Vec<(String, Range<usize>)>;

fn members(reader: &mut Reader<'_>) -> std::result::Result<Members, Refusal> {
    let mut members = Members::with_capacity(16);
    reader.each_member(|reader, name| {
        let span = reader.span()?;
        members.push((name.into_owned(), span));
        Ok(())
    })?;
    Ok(members)
}

/// The members that fingerprints and snapshots cover, each once, in an order that does not depend on the CRM's.
fn mapped<'m>(members: &'m Members, object: &Object, fields: Option<&[String]>) -> Vec<(&'m str, &'m Range<usize>)> {
    let mut chosen: Vec<(&str, &Range<usize>)> = members
        .iter()
        .map(|(name, span)| (name.as_str(), span))
        .filter(|(name, _)| match fields {
            Some(fields) => fields.iter().any(|field| field == name),
            None => *name != object.updated_at,
        })
        .collect();
    // The sort is stable and `dedup_by` keeps the earlier of two: reversed, the last of repeated names counts.
    chosen.reverse();
    chosen.sort_by_key(|(name, _)| *name);
    chosen.dedup_by_key(|(name, _)| *name);
    chosen
}

/// A string or number as text; nothing else identifies or dates a row.
fn scalar(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => Reader::new(json).string().ok().map(Cow::into_owned),
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => None,
    }
}

fn continuation(
    text: &str,
    others: &[(String, Range<usize>)],
    rules: &[Next],
) -> Result<(Option<Continue>, Option<Extent>)> {
    let lookup = |path: &[String]| -> Option<&str> {
        let (first, rest) = path.split_first()?;
        let (_, span) = others.iter().rev().find(|(name, _)| name == first)?;
        let mut value = text.get(span.clone())?;
        for name in rest {
            if !value.starts_with('{') {
                return None;
            }
            let members = members(&mut Reader::new(value)).ok()?;
            let (_, span) = members.iter().rev().find(|(member, _)| member == name)?;
            value = value.get(span.clone())?;
        }
        Some(value)
    };
    for rule in rules {
        match rule {
            Next::Link { link } => {
                if let Some(value) = lookup(link) {
                    return Ok((scalar(value).filter(|url| !url.is_empty()).map(Continue::Link), None));
                }
            }
            Next::Cursor { cursor, query } => {
                if let Some(value) = lookup(cursor) {
                    let next = scalar(value).filter(|cursor| !cursor.is_empty());
                    return Ok((next.map(|cursor| Continue::Cursor(cursor, query.clone())), None));
                }
            }
            Next::Page {
                page,
                last,
                total,
                query,
            } => {
                let number = |path| lookup(path).and_then(scalar)?.parse::<u64>().ok();
                if let (Some(page), Some(last)) = (number(page), number(last)) {
                    let next = (page < last).then(|| Continue::Page(page + 1, query.clone()));
                    let extent = Extent {
                        last_page: last,
                        total: number(total),
                    };
                    return Ok((next, Some(extent)));
                }
            }
        }
    }
    Ok((None, None))
}
