//! The values that a template's names stand for. They may be secret: nothing here shows them.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

/// What a name stands for.
#[derive(Clone)]
pub enum Value {
    /// Text, or bytes that are meant as such.
    Text(Zeroizing<Vec<u8>>),
    /// A whole number.
    Number(i64),
    /// Several texts.
    List(Vec<String>),
    /// JSON, to be set into JSON as it is.
    Json(String),
}

impl Value {
    /// Text.
    #[must_use]
    pub fn text(text: impl AsRef<[u8]>) -> Self {
        Self::Text(Zeroizing::new(text.as_ref().to_vec()))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.to_vec(),
            Self::Number(number) => number.to_string().into_bytes(),
            Self::List(list) => list.join(",").into_bytes(),
            Self::Json(json) => json.clone().into_bytes(),
        }
    }
}

/// Values by name. Later ones replace earlier ones.
#[derive(Clone, Default)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    /// No values.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// One more value.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.set(name, value);
        self
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value of this name, byte by byte.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(self.get(name)?.bytes()))
    }

    /// The value of this name as text, if it is UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        String::from_utf8(self.get(name)?.bytes()).ok()
    }
}

/// Values may be secret: only their names are shown.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
