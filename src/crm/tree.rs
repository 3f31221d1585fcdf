//! Types out of a JSON tree, with the place of a mistake: `objects.leads.map.name: unknown field …`.
//!
//! serde derives a type's code anew for each source it is read from, and connector files have many types. So all of them are read
//! from this one, which knows the place itself and takes objects for structs, nothing else.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::map::Iter as Members;
use serde_json::{Number, Value};

/// What a tree says.
///
/// # Errors
/// It does not fit the type.
pub fn typed<'t, T: Deserialize<'t>>(tree: &'t Value) -> Result<T, Misfit> {
    T::deserialize(Node(tree))
}

/// Where it does not fit, and why.
#[derive(Debug)]
pub struct Misfit {
    /// From the innermost place outwards.
    place: Vec<Step>,
    reason: String,
}

#[derive(Debug)]
enum Step {
    Member(String),
    Element(usize),
}

impl Misfit {
    /// Like `auth[0].headers`; `.` for the whole.
    #[must_use]
    pub fn place(&self) -> String {
        let mut place = String::new();
        for step in self.place.iter().rev() {
            match step {
                Step::Member(name) if place.is_empty() => place.push_str(name),
                Step::Member(name) => place.extend([".", name]),
                Step::Element(position) => place.push_str(&format!("[{position}]")),
            }
        }
        if place.is_empty() { String::from(".") } else { place }
    }

    /// Why, in one line.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    #[cold]
    fn below(mut self, name: &str) -> Self {
        self.place.push(Step::Member(name.to_owned()));
        self
    }

    #[cold]
    fn at(mut self, position: usize) -> Self {
        self.place.push(Step::Element(position));
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.reason)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    #[cold]
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self {
            place: Vec::new(),
            reason: reason.to_string(),
        }
    }

    #[cold]
    fn invalid_type(given: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        match given {
            // As JSON calls it.
            Unexpected::Unit => Self::custom(format_args!("invalid type: null, expected {expected}")),
            given => Self::custom(format_args!("invalid type: {given}, expected {expected}")),
        }
    }
}

/// A value.
#[derive(Clone, Copy)]
struct Node<'t>(&'t Value);

impl<'t> Node<'t> {
    #[cold]
    fn refused(self, expected: &dyn de::Expected) -> Misfit {
        de::Error::invalid_type(
            match self.0 {
                Value::Null => Unexpected::Unit,
                Value::Bool(value) => Unexpected::Bool(*value),
                Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                    (Some(number), _) => Unexpected::Unsigned(number),
                    (None, Some(number)) => Unexpected::Signed(number),
                    (None, None) => Unexpected::Float(number.as_f64().unwrap_or(f64::NAN)),
                },
                Value::String(text) => Unexpected::Str(text),
                Value::Array(_) => Unexpected::Seq,
                Value::Object(_) => Unexpected::Map,
            },
            expected,
        )
    }
}

fn number<'t, V: Visitor<'t>>(number: &Number, visitor: V) -> Result<V::Value, Misfit> {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => visitor.visit_u64(number),
        (None, Some(number)) => visitor.visit_i64(number),
        (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
    }
}

fn list<'t, V: Visitor<'t>>(values: &'t [Value], visitor: V) -> Result<V::Value, Misfit> {
    let mut elements = Elements { values, position: 0 };
    let read = visitor.visit_seq(&mut elements)?;
    match values.len() - elements.position {
        0 => Ok(read),
        _ => Err(de::Error::invalid_length(values.len(), &"fewer elements in array")),
    }
}

fn object<'t, V: Visitor<'t>>(members: &'t serde_json::Map<String, Value>, visitor: V) -> Result<V::Value, Misfit> {
    let mut left = Fields {
        members: members.iter(),
        value: None,
    };
    let read = visitor.visit_map(&mut left)?;
    match left.members.len() {
        0 => Ok(read),
        _ => Err(de::Error::invalid_length(members.len(), &"fewer elements in map")),
    }
}

impl<'t> Deserializer<'t> for Node<'t> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(found) => number(found, visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(values) => list(values, visitor),
            Value::Object(members) => object(members, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Array(values) => list(values, visitor),
            _ => Err(self.refused(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Object(members) => object(members, visitor),
            _ => Err(self.refused(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Variant { name, value: None }),
            Value::Object(members) => {
                let mut members = members.iter();
                match (members.next(), members.next()) {
                    (Some((name, value)), None) => visitor.visit_enum(Variant {
                        name,
                        value: Some(Node(value)),
                    }),
                    _ => Err(de::Error::invalid_value(Unexpected::Map, &"map with a single key")),
                }
            }
            _ => Err(self.refused(&"string or map")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct identifier
    }
}

/// The elements of a list.
struct Elements<'t> {
    values: &'t [Value],
    position: usize,
}

impl<'t> de::SeqAccess<'t> for &mut Elements<'t> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let position = self.position;
        let Some(value) = self.values.get(position) else {
            return Ok(None);
        };
        self.position += 1;
        let read = seed.deserialize(Node(value));
        read.map(Some).map_err(|misfit| misfit.at(position))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len() - self.position)
    }
}

/// The members of an object.
struct Fields<'t> {
    members: Members<'t>,
    /// Of the name that was read last.
    value: Option<(&'t str, Node<'t>)>,
}

impl<'t> de::MapAccess<'t> for &mut Fields<'t> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((name, value)) = self.members.next() else {
            return Ok(None);
        };
        self.value = Some((name, Node(value)));
        let read = seed.deserialize(BorrowedStrDeserializer::new(name));
        read.map(Some).map_err(|misfit: Misfit| misfit.below(name))
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((name, value)) = self.value.take() else {
            return Err(de::Error::custom("a value without a name"));
        };
        seed.deserialize(value).map_err(|misfit| misfit.below(name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

/// One of several forms.
struct Variant<'t> {
    name: &'t str,
    /// `None`: it is the name alone.
    value: Option<Node<'t>>,
}

impl<'t> de::EnumAccess<'t> for Variant<'t> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'t>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let read = seed.deserialize(BorrowedStrDeserializer::new(self.name))?;
        Ok((read, self))
    }
}

impl<'t> Variant<'t> {
    /// Its value; an error where there is none.
    fn value(&self, expected: &dyn de::Expected) -> Result<Node<'t>, Misfit> {
        let none = || de::Error::invalid_type(Unexpected::UnitVariant, expected);
        self.value.ok_or_else(none)
    }
}

impl<'t> de::VariantAccess<'t> for Variant<'t> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.value {
            Some(value) if !value.0.is_null() => Err(value.refused(&"unit").below(self.name)),
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, seed: T) -> Result<T::Value, Misfit> {
        let read = seed.deserialize(self.value(&"newtype variant")?);
        read.map_err(|misfit| misfit.below(self.name))
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        let read = self.value(&"tuple variant")?.deserialize_seq(visitor);
        read.map_err(|misfit| misfit.below(self.name))
    }

    fn struct_variant<V: Visitor<'t>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Misfit> {
        let read = self.value(&"struct variant")?.deserialize_map(visitor);
        read.map_err(|misfit| misfit.below(self.name))
    }
}
