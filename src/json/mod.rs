//! A JSON reader that accepts and refuses exactly what PHP's `json_decode( $s, true )` does.
//!
//! It only reads: what becomes of the values is the business of a [`Sink`] (PHP arrays in `php/json.rs`, fingerprints
//! in `crm/page.rs`). No crate fits: serde_json and sonic-rs refuse numbers beyond a double and nesting that PHP
//! takes, and round or cut where PHP does not.

mod members;
mod path;
mod reader;
mod scan;

pub use members::{joined, members, object, quoted};
pub use path::{Path, Step, scalar};
pub use reader::{Reader, is_next};

/// Arrays and objects inside one another that `json_decode` takes with its default depth of 512, which counts what is in
/// the innermost one as a level.
pub const MAX_DEPTH: usize = 511;

/// Why a document is refused; one for one PHP's `JSON_ERROR_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `JSON_ERROR_DEPTH`
    #[error("Maximum stack depth exceeded")]
    Depth,
    /// `JSON_ERROR_CTRL_CHAR`
    #[error("Control character error, possibly incorrectly encoded")]
    ControlCharacter,
    /// `JSON_ERROR_SYNTAX`
    #[error("Syntax error")]
    Syntax,
    /// `JSON_ERROR_UTF8`
    #[error("Malformed UTF-8 characters, possibly incorrectly encoded")]
    Utf8,
    /// `JSON_ERROR_UTF16`
    #[error("Single unpaired high surrogate in Unicode escape")]
    Utf16,
    /// No fault of the document: the sink has no room for more of it.
    #[error("it does not fit into memory_limit")]
    Stopped,
}

/// What a document is turned into, value by value, in the document's order.
pub trait Sink {
    /// Whether texts and numbers are wanted; otherwise they are only checked, and come as nothing.
    const KEEPS: bool = true;
    /// A finished value.
    type Value;
    /// A list that is being filled.
    type List;
    /// An object that is being filled.
    type Map;
    /// A member's name, kept while its value is read.
    type Key;

    /// Whether to stop reading; asked after each value.
    #[inline]
    fn is_stopped(&mut self) -> bool {
        false
    }
    /// `null`
    fn null(&mut self) -> Self::Value;
    /// `true` or `false`
    fn boolean(&mut self, value: bool) -> Self::Value;
    /// A number without fraction or exponent that fits.
    fn integer(&mut self, value: i64) -> Self::Value;
    /// Any other number.
    fn float(&mut self, value: f64) -> Self::Value;
    /// Text, unescaped.
    fn text(&mut self, value: &str) -> Self::Value;
    /// The start of a list that has at least one element.
    fn list(&mut self) -> Self::List;
    /// One more element.
    fn push(&mut self, list: &mut Self::List, value: Self::Value);
    /// The end of a list; `None` for `[]`.
    fn end_list(&mut self, list: Option<Self::List>) -> Self::Value;
    /// The start of an object that has at least one member.
    fn map(&mut self) -> Self::Map;
    /// The name of the next member where it is foreseen, and its length: `rest` is what follows the opening quote, and begins with it.
    /// Names that are written with escapes cannot be foreseen.
    #[inline]
    fn guess(&self, _map: Option<&Self::Map>, _rest: &[u8]) -> Option<(Self::Key, usize)> {
        None
    }
    /// A member's name, unescaped.
    fn key(&mut self, name: &str) -> Self::Key;
    /// One more member; a name that comes again replaces the earlier value.
    fn insert(&mut self, map: &mut Self::Map, key: Self::Key, value: Self::Value);
    /// The end of an object; `None` for `{}`.
    fn end_map(&mut self, map: Option<Self::Map>) -> Self::Value;
}

/// Reads a whole document.
pub fn read<S: Sink>(document: &[u8], sink: &mut S) -> Result<S::Value, Refusal> {
    let (text, whole) = valid_prefix(document);
    let mut reader = Reader::new(text);
    let result = reader.document(sink);
    match result {
        // What stands before the first malformed byte ended too early: the byte is the reason.
        Err(Refusal::Syntax | Refusal::ControlCharacter) if !whole && reader.peek_token().is_none() => {
            Err(Refusal::Utf8)
        }
        Ok(_) if !whole => Err(Refusal::Utf8),
        result => result,
    }
}

/// The bytes as text, if they are UTF-8.
#[must_use]
pub fn utf8(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}

fn valid_prefix(document: &[u8]) -> (&str, bool) {
    if let Some(text) = utf8(document) {
        return (text, true);
    }
    match std::str::from_utf8(document) {
        Ok(text) => (text, true),
        Err(error) => {
            let valid = document.get(..error.valid_up_to()).unwrap_or_default();
            (std::str::from_utf8(valid).unwrap_or_default(), false)
        }
    }
}
