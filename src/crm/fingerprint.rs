//! Fingerprints: equal for records whose fields are equal in value, whatever their order and spelling.

use std::ops::Range;

use ring::digest::{Context, SHA256};

use crate::json::{Reader, Sink};

/// 128 bits of SHA-256 over fields in canonical form.
pub type Fingerprint = [u8; 16];

/// The fingerprint of a record's fields, which are given by name and by where their values stand in `record`.
#[must_use]
pub fn fingerprint(record: &str, fields: &[(&str, &Range<usize>)]) -> Fingerprint {
    let mut canon = Canon(Vec::with_capacity(record.len()));
    for (name, span) in fields {
        canon.bytes(b'k', name.as_bytes());
        let value = record.get((*span).clone()).unwrap_or_default();
        match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            // As it stands.
            Some(text) if !text.contains('\\') => {
                canon.text(text);
            }
            // Read once already: it is JSON.
            _ => {
                let _ = Reader::new(value).value(&mut canon);
            }
        }
    }
    let digest = ring::digest::digest(&SHA256, &canon.0);
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

/// Writes values so that equal ones give equal bytes: members by name, nested values as digests.
struct Canon(Vec<u8>);

impl Canon {
    fn bytes(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        self.0.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn close(&mut self, tag: u8, start: usize, digest: &ring::digest::Digest) {
        self.0.truncate(start);
        self.bytes(tag, digest.as_ref());
    }
}

impl Sink for Canon {
    /// Where the value's bytes start; they end where the next one starts.
    type Value = usize;
    type List = usize;
    type Map = (usize, Vec<(String, Range<usize>)>);
    type Key = (String, usize);

    fn null(&mut self) -> usize {
        let start = self.0.len();
        self.0.push(b'n');
        start
    }
    fn boolean(&mut self, value: bool) -> usize {
        let start = self.0.len();
        self.0.push(if value { b't' } else { b'f' });
        start
    }
    fn integer(&mut self, value: i64) -> usize {
        let start = self.0.len();
        self.bytes(b'i', &value.to_le_bytes());
        start
    }
    fn float(&mut self, value: f64) -> usize {
        let start = self.0.len();
        self.bytes(b'd', &value.to_bits().to_le_bytes());
        start
    }
    fn text(&mut self, value: &str) -> usize {
        let start = self.0.len();
        self.bytes(b's', value.as_bytes());
        start
    }
    fn list(&mut self) -> usize {
        usize::MAX
    }
    fn push(&mut self, list: &mut usize, value: usize) {
        *list = (*list).min(value);
    }
    fn end_list(&mut self, list: Option<usize>) -> usize {
        let start = list.unwrap_or(self.0.len());
        let digest = ring::digest::digest(&SHA256, self.0.get(start..).unwrap_or_default());
        self.close(b'l', start, &digest);
        start
    }
    fn map(&mut self) -> Self::Map {
        (usize::MAX, Vec::new())
    }
    fn key(&mut self, name: &str) -> Self::Key {
        (name.to_owned(), self.0.len())
    }
    fn insert(&mut self, map: &mut Self::Map, (name, start): Self::Key, _: usize) {
        map.0 = map.0.min(start);
        map.1.push((name, start..self.0.len()));
    }
    fn end_map(&mut self, map: Option<Self::Map>) -> usize {
        let (start, mut members) = map.unwrap_or((self.0.len(), Vec::new()));
        let start = start.min(self.0.len());
        // A stable sort keeps repeated names in order, and the last of them counts.
        members.sort_by(|a, b| a.0.cmp(&b.0));
        let mut context = Context::new(&SHA256);
        for (position, (name, span)) in members.iter().enumerate() {
            if members.get(position + 1).is_some_and(|next| next.0 == *name) {
                continue;
            }
            context.update(&(name.len() as u64).to_le_bytes());
            context.update(name.as_bytes());
            context.update(self.0.get(span.clone()).unwrap_or_default());
        }
        let digest = context.finish();
        self.close(b'm', start, &digest);
        start
    }
}
