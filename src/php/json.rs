//! JSON to PHP arrays, value by value, with one PHP string for each member's name that comes again and again.

use std::rc::Rc;

use ext_php_rs::types::Zval;

use crate::json::{self, Reader, Refusal, Sink};
use crate::php::zend::{Array, Key, empty_array, exception_pending, passes_memory_limit, string};

/// Names longer than this are not kept.
const LONGEST_KEPT: usize = 64;
const SLOTS: usize = 256;
/// The memory is looked at after so many small values, and before each large one.
const VALUES_BETWEEN_LOOKS: u32 = 64;
const LARGE: usize = 64 * 1024;

/// Builds PHP values. Keep one for several documents of the same shape.
pub struct Arrays {
    keys: Vec<Option<Rc<Key>>>,
    size_hint: u32,
    /// Values since the memory was looked at.
    values: u32,
    /// Whether the next value would not fit.
    is_full: bool,
}

impl Arrays {
    /// An empty cache.
    pub fn new() -> Self {
        Self {
            keys: vec![None; SLOTS],
            size_hint: 8,
            values: 0,
            is_full: false,
        }
    }

    /// `json_decode( $document, true )`.
    pub fn decode(&mut self, document: &[u8]) -> Result<Zval, Refusal> {
        self.is_full = false;
        json::read(document, self)
    }

    /// The same for what is known to be UTF-8.
    pub fn decode_text(&mut self, document: &str) -> Result<Zval, Refusal> {
        self.is_full = false;
        Reader::new(document).document(self)
    }

    /// `json_decode( $document, true )['data'] ?? []`; values beside it are read, but not built.
    pub fn decode_member(&mut self, document: &[u8], member: &str) -> Result<Zval, Refusal> {
        let Some(text) = json::utf8(document) else {
            // Which error comes first is for the full reader to say.
            return self.decode(document);
        };
        self.is_full = false;
        let mut reader = Reader::new(text);
        if reader.peek_token() != Some(b'{') {
            // Whatever it is, it has no members; but it must be a document.
            return self.decode(document).map(|_| empty_array());
        }
        let mut found = Zval::null();
        reader.each_member(|reader, name| {
            if name == member {
                found = reader.value(self)?;
                Ok(())
            } else {
                reader.span().map(|_| ())
            }
        })?;
        reader.end()?;
        Ok(if found.is_null() { empty_array() } else { found })
    }

    #[inline]
    fn kept(&mut self, name: &str) -> Rc<Key> {
        let bytes = name.as_bytes();
        let at = |position: usize| bytes.get(position).copied().map_or(0, usize::from);
        let mixed = at(0).wrapping_mul(31)
            ^ at(bytes.len() / 2).wrapping_mul(131)
            ^ at(bytes.len().wrapping_sub(1)).wrapping_mul(7)
            ^ bytes.len().wrapping_mul(17);
        let Some(slot) = self.keys.get_mut((mixed ^ (mixed >> 8)) % SLOTS) else {
            return Rc::new(Key::new(bytes));
        };
        if let Some(key) = slot
            && key.bytes() == bytes
        {
            return Rc::clone(key);
        }
        let key = Rc::new(Key::new(bytes));
        if bytes.len() <= LONGEST_KEPT && !matches!(*key, Key::Index(_)) {
            *slot = Some(Rc::clone(&key));
        }
        key
    }
}

impl Sink for Arrays {
    type Value = Zval;
    type List = Array;
    type Map = (Array, u32);
    type Key = Rc<Key>;

    #[inline]
    fn is_stopped(&mut self) -> bool {
        self.values += 1;
        if self.values >= VALUES_BETWEEN_LOOKS {
            self.values = 0;
            self.is_full |= passes_memory_limit(0) || exception_pending();
        }
        self.is_full
    }
    #[inline]
    fn null(&mut self) -> Zval {
        Zval::null()
    }
    #[inline]
    fn boolean(&mut self, value: bool) -> Zval {
        let mut zval = Zval::new();
        zval.set_bool(value);
        zval
    }
    #[inline]
    fn integer(&mut self, value: i64) -> Zval {
        let mut zval = Zval::new();
        zval.set_long(value);
        zval
    }
    #[inline]
    fn float(&mut self, value: f64) -> Zval {
        let mut zval = Zval::new();
        zval.set_double(value);
        zval
    }
    #[inline]
    fn text(&mut self, value: &str) -> Zval {
        if value.len() >= LARGE && passes_memory_limit(value.len()) {
            self.is_full = true;
            return Zval::null();
        }
        string(value.as_bytes())
    }
    #[inline]
    fn list(&mut self) -> Array {
        Array::list()
    }
    #[inline]
    fn push(&mut self, list: &mut Array, value: Zval) {
        list.push(value);
    }
    fn end_list(&mut self, list: Option<Array>) -> Zval {
        list.map_or_else(empty_array, Array::into_value)
    }
    #[inline]
    fn map(&mut self) -> (Array, u32) {
        (Array::map(self.size_hint), 0)
    }
    #[inline]
    fn key(&mut self, name: &str) -> Rc<Key> {
        self.kept(name)
    }
    #[inline]
    fn insert(&mut self, map: &mut (Array, u32), key: Rc<Key>, value: Zval) {
        map.0.insert(&key, value);
        map.1 += 1;
    }
    fn end_map(&mut self, map: Option<(Array, u32)>) -> Zval {
        match map {
            Some((array, size)) => {
                self.size_hint = size.clamp(8, 1024);
                array.into_value()
            }
            None => empty_array(),
        }
    }
}
