//! The cursor that reads JSON.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::scan::plain_until;
use crate::json::{MAX_DEPTH, Refusal, Sink};

/// A cursor over one document or a part of it.
pub struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth: 0,
        }
    }

    /// Reads a whole document.
    pub fn document<S: Sink>(&mut self, sink: &mut S) -> Result<S::Value, Refusal> {
        let value = self.value(sink)?;
        self.end()?;
        Ok(value)
    }

    /// Nothing but white space may follow.
    pub fn end(&mut self) -> Result<(), Refusal> {
        match self.peek_token() {
            None => Ok(()),
            Some(byte) => Err(unexpected(byte)),
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte that is not white space.
    #[inline]
    pub fn peek_token(&mut self) -> Option<u8> {
        match self.peek() {
            // Most documents have no white space.
            Some(byte) if byte > b' ' => Some(byte),
            _ => self.after_space(),
        }
    }

    #[cold]
    fn after_space(&mut self) -> Option<u8> {
        while let Some(byte) = self.peek() {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Where the cursor stands.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Reads one value into `sink`.
    pub fn value<S: Sink>(&mut self, sink: &mut S) -> Result<S::Value, Refusal> {
        match self.peek_token() {
            Some(b'"') if !S::KEEPS => {
                self.pass_string()?;
                Ok(sink.text(""))
            }
            Some(b'"') => self.text_value(sink),
            Some(b'{') => self.object(sink),
            Some(b'[') => self.array(sink),
            Some(b'-' | b'0'..=b'9') if !S::KEEPS => self.pass_number().map(|_| sink.null()),
            Some(b'-' | b'0'..=b'9') => match self.number()? {
                Number::Integer(value) => Ok(sink.integer(value)),
                Number::Float(value) => Ok(sink.float(value)),
            },
            Some(b't') => self.literal("true").map(|()| sink.boolean(true)),
            Some(b'f') => self.literal("false").map(|()| sink.boolean(false)),
            Some(b'n') => self.literal("null").map(|()| sink.null()),
            Some(byte) => Err(unexpected(byte)),
            None => Err(Refusal::Syntax),
        }
    }

    fn enter(&mut self) -> Result<(), Refusal> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Refusal::Depth);
        }
        Ok(())
    }

    fn array<S: Sink>(&mut self, sink: &mut S) -> Result<S::Value, Refusal> {
        let mut list = None;
        self.each_element(|reader| {
            let value = reader.value(sink)?;
            let list = list.get_or_insert_with(|| sink.list());
            sink.push(list, value);
            go_on(sink)
        })?;
        Ok(sink.end_list(list))
    }

    fn object<S: Sink>(&mut self, sink: &mut S) -> Result<S::Value, Refusal> {
        let mut map = None;
        self.enter()?;
        if self.peek_token() == Some(b'}') {
            self.leave();
            return Ok(sink.end_map(None));
        }
        loop {
            let key = match self.guessed(sink, map.as_ref()) {
                Some(key) => {
                    self.colon()?;
                    key
                }
                None => {
                    let name = self.name()?;
                    sink.key(&name)
                }
            };
            // Most values are texts: those are not to travel through memory.
            let value = if S::KEEPS && self.peek_token() == Some(b'"') {
                self.text_value(sink)?
            } else {
                self.value(sink)?
            };
            let map_of = map.get_or_insert_with(|| sink.map());
            sink.insert(map_of, key, value);
            go_on(sink)?;
            if self.separator(b'}')? {
                return Ok(sink.end_map(map));
            }
        }
    }

    /// A member's name that the sink has foreseen, passed over.
    #[inline]
    fn guessed<S: Sink>(&mut self, sink: &S, map: Option<&S::Map>) -> Option<S::Key> {
        if self.peek_token() != Some(b'"') {
            return None;
        }
        let (key, length) = sink.guess(map, self.bytes.get(self.at + 1..)?)?;
        self.at += length + 2;
        Some(key)
    }

    /// Reads a list; `each` must read one value.
    pub fn each_element(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Refusal>) -> Result<(), Refusal> {
        self.enter()?;
        if self.peek_token() == Some(b']') {
            self.leave();
            return Ok(());
        }
        loop {
            each(self)?;
            if self.separator(b']')? {
                return Ok(());
            }
        }
    }

    /// Reads an object; `each` gets a member's name and must read its value.
    pub fn each_member(
        &mut self,
        each: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.each_member_like(&[], each)
    }

    /// The same where the members are probably those of an object that was read before.
    pub fn each_member_like(
        &mut self,
        before: &[(Cow<'a, str>, Range<usize>)],
        mut each: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.enter()?;
        if self.peek_token() == Some(b'}') {
            self.leave();
            return Ok(());
        }
        let mut before = before.iter();
        loop {
            let name = match before.next() {
                Some((Cow::Borrowed(name), _)) if self.is_name(name) => {
                    self.at += name.len() + 2;
                    self.colon()?;
                    Cow::Borrowed(*name)
                }
                _ => self.name()?,
            };
            each(self, name)?;
            if self.separator(b'}')? {
                return Ok(());
            }
        }
    }

    /// Whether this name comes next; it must be one that is written as it is.
    #[inline]
    fn is_name(&mut self, name: &str) -> bool {
        self.peek_token() == Some(b'"') && is_next(self.bytes.get(self.at + 1..).unwrap_or_default(), name.as_bytes())
    }

    /// Reads one value, whatever it is, and says where it stands.
    #[inline]
    pub fn span(&mut self) -> Result<Range<usize>, Refusal> {
        let first = self.peek_token();
        let start = self.at;
        match first {
            Some(b'"') => self.pass_string()?,
            _ => self.value(&mut Skip)?,
        }
        Ok(start..self.at)
    }

    fn leave(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    /// `,` goes on, `close` ends.
    #[inline]
    fn separator(&mut self, close: u8) -> Result<bool, Refusal> {
        match self.peek_token() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.leave();
                Ok(true)
            }
            Some(byte) => Err(unexpected(byte)),
            None => Err(Refusal::Syntax),
        }
    }

    /// A member's name and its colon.
    fn name(&mut self) -> Result<Cow<'a, str>, Refusal> {
        match self.peek_token() {
            Some(b'"') => {}
            Some(byte) => return Err(unexpected(byte)),
            None => return Err(Refusal::Syntax),
        }
        let name = self.string()?;
        self.colon()?;
        Ok(name)
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Refusal> {
        match self.peek_token() {
            Some(b':') => {
                self.at += 1;
                Ok(())
            }
            Some(byte) => Err(unexpected(byte)),
            None => Err(Refusal::Syntax),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), Refusal> {
        let end = self.at + word.len();
        match self.bytes.get(self.at..end) {
            Some(found) if found == word.as_bytes() => {
                self.at = end;
                Ok(())
            }
            _ => Err(Refusal::Syntax),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    /// Passes a number over; says whether it has a fraction or an exponent.
    fn pass_number(&mut self) -> Result<bool, Refusal> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => {
                self.digits();
            }
            _ => return Err(Refusal::Syntax),
        }
        let mut float = self.fraction();
        float |= self.exponent();
        Ok(float)
    }

    fn number(&mut self) -> Result<Number, Refusal> {
        let start = self.at;
        let float = self.pass_number()?;
        let token = self.text.get(start..self.at).unwrap_or_default();
        if !float && let Ok(value) = token.parse() {
            return Ok(Number::Integer(value));
        }
        token.parse().map(Number::Float).map_err(|_| Refusal::Syntax)
    }

    fn fraction(&mut self) -> bool {
        let start = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() > 0 {
                return true;
            }
            self.at = start;
        }
        false
    }

    fn exponent(&mut self) -> bool {
        let start = self.at;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() > 0 {
                return true;
            }
            self.at = start;
        }
        false
    }

    /// A string; the cursor stands on its opening quote.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'a, str>, Refusal> {
        let start = self.at + 1;
        match self.plain(start) {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.escaped(start).map(Cow::Owned),
        }
    }

    /// The same for a sink.
    #[inline]
    fn text_value<S: Sink>(&mut self, sink: &mut S) -> Result<S::Value, Refusal> {
        let start = self.at + 1;
        match self.plain(start) {
            Some(text) => Ok(sink.text(text)),
            None => self.escaped(start).map(|text| sink.text(&text)),
        }
    }

    /// The text from there to the closing quote; without it the cursor stands where it is no longer written as it is.
    #[inline]
    fn plain(&mut self, start: usize) -> Option<&'a str> {
        self.at = plain_until(self.bytes, start);
        if self.peek() != Some(b'"') {
            return None;
        }
        let text = self.text.get(start..self.at)?;
        self.at += 1;
        Some(text)
    }

    /// Passes a string over; refuses what `string` refuses.
    #[inline]
    fn pass_string(&mut self) -> Result<(), Refusal> {
        self.at += 1;
        loop {
            self.at = plain_until(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                _ => return Err(Refusal::ControlCharacter),
            }
        }
    }

    #[cold]
    fn escaped(&mut self, start: usize) -> Result<String, Refusal> {
        // Room for most texts, so that it seldom moves.
        let mut out = String::with_capacity(self.at - start + 192);
        out.push_str(self.text.get(start..self.at).unwrap_or_default());
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    out.push(character);
                }
                // PHP takes the end of the document inside a string for a NUL.
                _ => return Err(Refusal::ControlCharacter),
            }
            let from = self.at;
            self.at = plain_until(self.bytes, from);
            out.push_str(self.text.get(from..self.at).unwrap_or_default());
        }
    }

    fn escape(&mut self) -> Result<char, Refusal> {
        let byte = self.peek().ok_or(Refusal::Syntax)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(Refusal::Syntax),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, Refusal> {
        let first = self.hex4().ok_or(Refusal::Syntax)?;
        let code = match first {
            0xD800..=0xDBFF => {
                let low = self
                    .bytes
                    .get(self.at..self.at + 2)
                    .filter(|next| *next == b"\\u")
                    .and_then(|_| {
                        self.at += 2;
                        self.hex4()
                    })
                    .filter(|low| (0xDC00..=0xDFFF).contains(low))
                    .ok_or(Refusal::Utf16)?;
                0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).ok_or(Refusal::Utf16)
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// Reads and forgets.
struct Skip;

impl Sink for Skip {
    const KEEPS: bool = false;
    type Value = ();
    type List = ();
    type Map = ();
    type Key = ();
    fn null(&mut self) {}
    fn boolean(&mut self, _: bool) {}
    fn integer(&mut self, _: i64) {}
    fn float(&mut self, _: f64) {}
    fn text(&mut self, _: &str) {}
    fn list(&mut self) {}
    fn push(&mut self, (): &mut (), (): ()) {}
    fn end_list(&mut self, _: Option<()>) {}
    fn map(&mut self) {}
    fn key(&mut self, _: &str) {}
    fn insert(&mut self, (): &mut (), (): (), (): ()) {}
    fn end_map(&mut self, _: Option<()>) {}
}

enum Number {
    Integer(i64),
    Float(f64),
}

#[inline]
fn go_on<S: Sink>(sink: &mut S) -> Result<(), Refusal> {
    if sink.is_stopped() {
        Err(Refusal::Stopped)
    } else {
        Ok(())
    }
}

/// Whether a string's text is `name`; what follows its opening quote is given.
#[inline]
pub fn is_next(rest: &[u8], name: &[u8]) -> bool {
    rest.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'"'))
}

/// The error for a byte where no token can start.
fn unexpected(byte: u8) -> Refusal {
    if byte < 0x20 {
        Refusal::ControlCharacter
    } else {
        Refusal::Syntax
    }
}
