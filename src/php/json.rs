//! JSON to PHP arrays, value by value, with one PHP string for each member's name that comes again and again.

use std::rc::Rc;

use ext_php_rs::types::Zval;

use crate::json::{self, Reader, Refusal, Sink, is_next};
use crate::php::zend::{Array, Key, Value, empty_array, exception_pending, passes_memory_limit};

/// Names longer than this are not kept.
const LONGEST_KEPT: usize = 64;
const SLOTS: usize = 256;
/// The memory is looked at after so many small values, and before each large one.
const VALUES_BETWEEN_LOOKS: u32 = 64;
const LARGE: usize = 64 * 1024;

/// A member's name.
pub struct Name {
    key: Key,
    /// Where it is kept.
    slot: Option<u8>,
    /// Whether it is written as it is: then it can be known by its bytes.
    is_plain: bool,
}

/// A name that is kept.
#[derive(Clone)]
struct Slot {
    name: Rc<Name>,
    /// Which name came after it in an object, by its slot.
    next: Option<u8>,
}

/// An object that is being filled: its array, its size and its last name's slot.
pub struct Filling {
    array: Array,
    size: u32,
    last: Option<u8>,
}

/// Builds PHP values. Keep one for several documents of the same shape.
pub struct Arrays {
    keys: Vec<Option<Slot>>,
    /// The slot of the name that an object began with.
    first: Option<u8>,
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
            first: None,
            size_hint: 8,
            values: 0,
            is_full: false,
        }
    }

    /// `json_decode( $document, true )`.
    pub fn decode(&mut self, document: &[u8]) -> Result<Zval, Refusal> {
        self.is_full = false;
        json::read(document, self).map(Value::into_zval)
    }

    /// The same for what is known to be UTF-8.
    pub fn decode_text(&mut self, document: &str) -> Result<Zval, Refusal> {
        self.is_full = false;
        Reader::new(document).document(self).map(Value::into_zval)
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
                found = reader.value(self)?.into_zval();
                Ok(())
            } else {
                reader.span().map(|_| ())
            }
        })?;
        reader.end()?;
        Ok(if found.is_null() { empty_array() } else { found })
    }

    #[inline]
    fn kept(&mut self, name: &str) -> Rc<Name> {
        let bytes = name.as_bytes();
        let at = |position: usize| bytes.get(position).copied().map_or(0, usize::from);
        let mixed = at(0).wrapping_mul(31)
            ^ at(bytes.len() / 2).wrapping_mul(131)
            ^ at(bytes.len().wrapping_sub(1)).wrapping_mul(7)
            ^ bytes.len().wrapping_mul(17);
        let [number, ..] = (mixed ^ (mixed >> 8)).to_le_bytes();
        let slot = self.keys.get_mut(usize::from(number));
        if let Some(Some(kept)) = &slot
            && kept.name.key.bytes() == bytes
        {
            return Rc::clone(&kept.name);
        }
        let key = Key::new(bytes);
        let is_kept = bytes.len() <= LONGEST_KEPT && !matches!(key, Key::Index(_));
        let name = Rc::new(Name {
            key,
            slot: is_kept.then_some(number),
            is_plain: bytes.iter().all(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1F)),
        });
        if let Some(slot) = slot.filter(|_| is_kept) {
            *slot = Some(Slot {
                name: Rc::clone(&name),
                next: None,
            });
        }
        name
    }

    fn slot(&self, number: u8) -> Option<&Slot> {
        self.keys.get(usize::from(number))?.as_ref()
    }
}

impl Sink for Arrays {
    type Value = Value;
    type List = Array;
    type Map = Filling;
    type Key = Rc<Name>;

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
    fn null(&mut self) -> Value {
        Value::null()
    }
    #[inline]
    fn boolean(&mut self, value: bool) -> Value {
        Value::boolean(value)
    }
    #[inline]
    fn integer(&mut self, value: i64) -> Value {
        Value::integer(value)
    }
    #[inline]
    fn float(&mut self, value: f64) -> Value {
        Value::float(value)
    }
    #[inline]
    fn text(&mut self, value: &str) -> Value {
        if value.len() >= LARGE && passes_memory_limit(value.len()) {
            self.is_full = true;
            return Value::null();
        }
        Value::text(value.as_bytes())
    }
    #[inline]
    fn list(&mut self) -> Array {
        Array::list()
    }
    #[inline]
    fn push(&mut self, list: &mut Array, value: Value) {
        list.push(value);
    }
    fn end_list(&mut self, list: Option<Array>) -> Value {
        list.map_or_else(empty_array, Array::into_value).into()
    }
    #[inline]
    fn map(&mut self) -> Filling {
        Filling {
            array: Array::map(self.size_hint),
            size: 0,
            last: None,
        }
    }
    #[inline]
    fn guess(&self, map: Option<&Filling>, rest: &[u8]) -> Option<(Rc<Name>, usize)> {
        let number = match map {
            Some(map) => self.slot(map.last?)?.next?,
            None => self.first?,
        };
        let name = &self.slot(number)?.name;
        let bytes = name.key.bytes();
        (name.is_plain && is_next(rest, bytes)).then(|| (Rc::clone(name), bytes.len()))
    }
    #[inline]
    fn key(&mut self, name: &str) -> Rc<Name> {
        self.kept(name)
    }
    #[inline]
    fn insert(&mut self, map: &mut Filling, name: Rc<Name>, value: Value) {
        map.array.insert(&name.key, value);
        if map.size == 0 {
            self.first = name.slot;
        } else if let Some(last) = map.last
            && let Some(Some(last)) = self.keys.get_mut(usize::from(last))
        {
            last.next = name.slot;
        }
        map.last = name.slot;
        map.size += 1;
    }
    fn end_map(&mut self, map: Option<Filling>) -> Value {
        match map {
            Some(map) => {
                self.size_hint = map.size.clamp(8, 1024);
                map.array.into_value().into()
            }
            None => empty_array().into(),
        }
    }
}
