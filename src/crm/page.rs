//! A page is read once: where each row stands in the body, its id, its time and its neutral record. Fingerprints and PHP arrays are
//! made later, and only where they are asked for. Where the next page is, `next.rs` finds out.

use std::ops::Range;

use crate::crm::fingerprint::Fingerprint;
use crate::crm::shape::{Choice, Members, Shape, members, of_object};
use crate::error::{Error, Kind, Result};
use crate::json::{Path, Reader, Refusal, joined, object, quoted, scalar, utf8};

/// Longer ids are no ids; the plugin's tables hold as much.
const MAX_ID: usize = 1024;

/// One record.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where its object stands in the page's text.
    pub span: Range<usize>,
    /// The CRM's id, always as text.
    pub id: String,
    /// The CRM's time of the last change, as it wrote it.
    pub updated_at: Option<String>,
    /// The neutral record without id and time, where a mapping makes one.
    pub mapped: Option<String>,
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

/// One page.
#[derive(Debug, Default)]
pub struct Page {
    /// The body; bytes that are not UTF-8 are replaced (their rows are refused).
    pub text: String,
    /// What could be read.
    pub rows: Vec<Row>,
    /// What could not.
    pub refused: Vec<RefusedRow>,
    /// How many rows were passed over.
    pub skipped: usize,
    /// Id of the first row, whatever became of it.
    pub first_id: Option<String>,
    /// Id of the last row that has one, whatever became of it.
    pub last_id: Option<String>,
    /// Where the answer's other members stand; none where the answer is a list.
    others: Vec<(String, Range<usize>)>,
}

impl Page {
    /// The JSON text of one row.
    #[must_use]
    pub fn row_text(&self, position: usize) -> Option<&str> {
        self.text.get(self.rows.get(position)?.span.clone())
    }

    /// What is equal for rows that are equal in the mapped fields, in the order of the rows. `shape` is what they were read with.
    #[must_use]
    pub fn fingerprints(&self, shape: &Shape) -> Vec<Fingerprint> {
        let mut choice = Choice::default();
        let of = |row: &Row| match &row.mapped {
            Some(mapped) => of_object(mapped),
            None => choice.fingerprint(shape, self.text.get(row.span.clone()).unwrap_or_default()),
        };
        self.rows.iter().map(of).collect()
    }

    /// A JSON object of one row's mapped fields; where nothing is mapped, of the chosen ones as the CRM wrote them.
    #[must_use]
    pub fn snapshot(&self, position: usize, shape: &Shape) -> Option<String> {
        if let Some(mapped) = &self.rows.get(position)?.mapped {
            return Some(mapped.clone());
        }
        let row = self.row_text(position)?;
        let members = members(row)?;
        let chosen = shape.chosen(&members);
        Some(object(
            chosen
                .into_iter()
                .filter_map(|(name, span)| Some((name, row.get(span.clone())?))),
        ))
    }

    /// The neutral record: id and time, then the mapped fields. Where nothing is mapped, the row as it is.
    #[must_use]
    pub fn record(&self, position: usize) -> Option<String> {
        let row = self.rows.get(position)?;
        let Some(mapped) = &row.mapped else {
            return self.row_text(position).map(str::to_owned);
        };
        let own = [
            ("id", quoted(&row.id)),
            (
                "updated_at",
                row.updated_at.as_deref().map_or_else(|| String::from("null"), quoted),
            ),
        ];
        let own = object(own.iter().map(|(name, value)| (*name, value.as_str())));
        Some(joined(&own, mapped))
    }

    /// What stands at a path of the answer besides the rows.
    #[must_use]
    pub fn other(&self, path: &Path) -> Option<&str> {
        let (first, rest) = path.split_member()?;
        let (_, span) = self.others.iter().rev().find(|(name, _)| name == first)?;
        rest.text(self.text.get(span.clone())?)
    }

    /// Adds the rows of another page.
    pub fn append(&mut self, more: &Self) {
        let offset = self.text.len();
        let before = self.rows.len() + self.refused.len();
        self.refused.extend(more.refused.iter().map(|row| RefusedRow {
            position: before + row.position,
            ..row.clone()
        }));
        self.text.push_str(&more.text);
        self.rows.extend(more.rows.iter().map(|row| Row {
            span: offset + row.span.start..offset + row.span.end,
            ..row.clone()
        }));
    }

    /// Takes the fields of the same records that another request brought. Rows that it did not bring have gone meanwhile:
    /// they are refused, and the next pull brings them if they are still there.
    pub fn absorb(&mut self, more: &Self, shape: &Shape) {
        for (position, mut row) in std::mem::take(&mut self.rows).into_iter().enumerate() {
            let found = more.rows.iter().position(|other| other.id == row.id);
            let both = found.and_then(|at| merged(shape, self.text.get(row.span.clone())?, more.row_text(at)?));
            let Some(both) = both else {
                self.refused.push(RefusedRow {
                    position,
                    id: Some(row.id),
                    reason: String::from("it changed while it was read in parts; the next pull brings it"),
                });
                continue;
            };
            if let Some(mapping) = &shape.mapping {
                row.mapped = Some(shape.neutral(mapping, &both));
            }
            let start = self.text.len();
            self.text.push_str(&both);
            row.span = start..self.text.len();
            self.rows.push(row);
        }
    }
}

/// A row with the fields of another version of it added.
fn merged(shape: &Shape, row: &str, more: &str) -> Option<String> {
    let both = joined(shape.fields_at.text(row)?, shape.fields_at.text(more)?);
    match shape.fields_at.first_member() {
        None => Some(both),
        Some(name) => Some(joined(row, &object(std::iter::once((name, both.as_str()))))),
    }
}

/// Reads a page.
pub fn scan(body: &[u8], shape: &Shape) -> Result<Page> {
    let (text, broken) = readable(body);
    let not_json = |refusal: Refusal| Error::new(Kind::Decode, format!("the answer is not JSON: {refusal}"));
    let mut rows = Rows {
        text: &text,
        offset: 0,
        broken: &broken,
        shape,
        position: 0,
        page: Page::default(),
    };
    let mut reader = Reader::new(&text);
    let mut found = false;
    let mut others: Vec<(String, Range<usize>)> = Vec::new();
    match reader.peek_token() {
        Some(b'[') if shape.rows.is_root() => {
            found = true;
            rows.read(&mut reader).map_err(not_json)?;
        }
        // Some APIs leave the wrapping out.
        Some(b'[') if shape.rows.as_member().is_some() => {
            found = true;
            rows.read(&mut reader).map_err(not_json)?;
        }
        Some(b'{') => reader
            .each_member(|reader, name| {
                if shape.rows.as_member() == Some(&*name) && reader.peek_token() == Some(b'[') {
                    found = true;
                    return rows.read(reader);
                }
                let span = reader.span()?;
                others.push((name.into_owned(), span));
                Ok(())
            })
            .map_err(not_json)?,
        Some(b'[') => {
            reader.span().map_err(not_json)?;
        }
        _ => return Err(not_json(Refusal::Syntax)),
    }
    if reader.peek_token().is_some() {
        return Err(not_json(Refusal::Syntax));
    }
    if !found && let Some(span) = nested(&text, &shape.rows) {
        found = true;
        rows.offset = span.start;
        let mut reader = Reader::new(text.get(span).unwrap_or_default());
        rows.read(&mut reader).map_err(not_json)?;
    }
    if !found {
        return Err(Error::new(
            Kind::Decode,
            format!(
                "the answer has no list '{}': is the endpoint the one of this CRM?",
                shape.rows
            ),
        ));
    }
    let mut page = rows.page;
    page.others = others;
    page.text = text;
    Ok(page)
}

/// Where a list deeper in the answer stands.
fn nested(text: &str, path: &Path) -> Option<Range<usize>> {
    if path.steps().len() < 2 {
        return None;
    }
    path.find(text).filter(|span| {
        text.get(span.clone())
            .is_some_and(|text| text.trim_start().starts_with('['))
    })
}

/// The body as text, and the positions of bytes that are not UTF-8 (replaced by as many question marks).
fn readable(body: &[u8]) -> (String, Vec<usize>) {
    let mut broken = Vec::new();
    if let Some(text) = utf8(body) {
        return (text.to_owned(), broken);
    }
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
    /// Where the reader's text begins in `text`.
    offset: usize,
    broken: &'a [usize],
    shape: &'a Shape,
    position: usize,
    page: Page,
}

impl<'a> Rows<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> std::result::Result<(), Refusal> {
        let mut members = Members::with_capacity(16);
        let mut before = Members::with_capacity(16);
        reader.each_element(|reader| {
            if reader.peek_token() == Some(b'{') {
                let start = reader.position();
                // Rows of a page have the same members, mostly in the same order.
                std::mem::swap(&mut members, &mut before);
                members.clear();
                reader.each_member_like(&before, |reader, name| {
                    let span = reader.span()?;
                    members.push((name, span.start - start..span.end - start));
                    Ok(())
                })?;
                self.take(self.offset + start..self.offset + reader.position(), &members);
            } else {
                reader.span()?;
                self.refuse(None, "it is not an object");
            }
            self.position += 1;
            Ok(())
        })
    }

    fn take(&mut self, span: Range<usize>, members: &Members<'_>) {
        let shape = self.shape;
        let row = self.text.get(span.clone()).unwrap_or_default();
        let value = |path: &Path| {
            let (first, rest) = path.split_member()?;
            let (_, at) = members.iter().rev().find(|(member, _)| member == first)?;
            let text = row.get(at.clone())?;
            if rest.is_root() { Some(text) } else { rest.text(text) }
        };
        let id = value(&shape.id).and_then(scalar);
        if self.position == 0 {
            self.page.first_id.clone_from(&id);
        }
        if id.is_some() {
            self.page.last_id.clone_from(&id);
        }
        if shape.keep.as_ref().is_some_and(|keep| !keep.holds(row)) {
            self.page.skipped += 1;
            return;
        }
        let is_broken =
            self.broken.partition_point(|at| *at < span.start) < self.broken.partition_point(|at| *at < span.end);
        if is_broken {
            return self.refuse(id, "it has bytes that are not UTF-8");
        }
        match id {
            Some(id) if !id.is_empty() && id.len() <= MAX_ID => {
                let mapped = shape.mapping.as_ref().map(|mapping| shape.neutral(mapping, row));
                self.page.rows.push(Row {
                    updated_at: shape
                        .times
                        .iter()
                        .find_map(|path| value(path).and_then(scalar).filter(|time| !time.is_empty()))
                        .map(|time| shape.time(time)),
                    mapped,
                    span,
                    id,
                });
            }
            Some(_) => self.refuse(None, "its id is empty or longer than 1024 bytes"),
            None => self.refuse(None, "it has no id that is text or a number"),
        }
    }

    fn refuse(&mut self, id: Option<String>, reason: &str) {
        self.page.refused.push(RefusedRow {
            position: self.position,
            id,
            reason: String::from(reason),
        });
    }
}
