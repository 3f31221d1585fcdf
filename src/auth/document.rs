//! What a secrets manager keeps under one path: named values, or one text. It never leaves this process.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A value that is text, or can be written as one.
pub struct Scalar(pub Option<Zeroizing<String>>);

/// A secret.
#[derive(Default)]
pub struct Document {
    /// Its values by name; others than texts, numbers and truth values are left out.
    pub values: BTreeMap<String, Scalar>,
    /// The whole of it, where it is one text.
    pub whole: Option<Zeroizing<String>>,
}

impl Document {
    /// What a reference's field names; else why there is none, in words that show names alone.
    pub fn get(&self, field: Option<&str>) -> Result<&str, String> {
        let Some(field) = field else {
            return self
                .whole
                .as_deref()
                .map(String::as_str)
                .ok_or_else(|| String::from("has no text: name one of its fields behind a #"));
        };
        let found = self.values.get(field).and_then(|value| value.0.as_deref());
        match found {
            Some(value) if value.is_empty() => Err(format!("has an empty field {field}")),
            Some(value) => Ok(value),
            None if self.values.is_empty() => Err(format!("has no field {field}: it is one text, or empty")),
            None => {
                let names: Vec<String> = self
                    .values
                    .keys()
                    .take(10)
                    .map(|name| name.escape_default().to_string())
                    .collect();
                Err(format!("has no field {field}, it has: {}", names.join(", ")))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(Some(Zeroizing::new(text.to_owned()))))
            }
            fn visit_string<E>(self, text: String) -> Result<Scalar, E> {
                Ok(Scalar(Some(Zeroizing::new(text))))
            }
            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Scalar, E> {
                self.visit_string(value.to_string())
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Scalar, E> {
                self.visit_string(value.to_string())
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Scalar, E> {
                self.visit_string(value.to_string())
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Scalar, E> {
                self.visit_string(value.to_string())
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar(None))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
