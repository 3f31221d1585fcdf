//! One field of a mapping: its grammar, and which declarations make no sense.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::table::Table;
use crate::json::{Path, Step};

/// More steps than any CRM nests; building them is recursive.
const STEP_LIMIT: usize = 16;

/// A field as declared.
#[derive(Debug, Clone)]
pub struct Entry {
    pub source: Source,
    pub shape: Shape,
    pub clean: Vec<Clean>,
    pub values: Table,
    pub kind: Option<Kind>,
    pub to: Option<To>,
    /// JSON text of the neutral value that stands for null.
    pub default: Option<String>,
    pub false_is_null: Option<bool>,
    pub read_only: bool,
}

/// A path, and where a record's value at it is kept while the record is read.
#[derive(Debug, Clone)]
pub struct Found {
    pub path: Path,
    pub slot: usize,
}

/// Where the value is.
#[derive(Debug, Clone)]
pub enum Source {
    One(Found),
    Joined { paths: Vec<Found>, with: String },
}

/// What is found there.
#[derive(Debug, Clone)]
pub enum Shape {
    /// The value.
    Plain,
    /// A list of objects, one of which counts.
    Pick(Pick),
    /// Odoo's `[7, "Ada"]`.
    Many2One(Many2One),
    /// Text whose parts are separated by this.
    List(String),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "{\"prefer\": {\"path\": …, \"equals\": …}, \"value\": PATH, \"with\": {…}}"
)]
pub struct Pick {
    pub prefer: Option<Prefer>,
    /// Path to the value in an element; the element itself by default.
    #[serde(default)]
    pub value: Path,
    /// More members of an element that is written.
    #[serde(default)]
    pub with: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "{\"path\": PATH, \"equals\": …}")]
pub struct Prefer {
    pub path: Path,
    pub equals: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Many2One {
    Id,
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clean {
    Trim,
    Lower,
    Upper,
}

/// The type of the neutral value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Number,
    Boolean,
    Time,
    /// A time of which the offset, if one is written, is not of the digits: they are in the zone.
    LocalTime,
}

impl Kind {
    /// Whether it is a time.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Time | Self::LocalTime)
    }
}

/// The form in which the CRM wants the value written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    Text,
    Number,
    Boolean,
    Rfc3339,
    Naive,
    Date,
    Seconds,
    Milliseconds,
}

impl To {
    const fn is_time(self) -> bool {
        !matches!(self, Self::Text | Self::Number | Self::Boolean)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "{\"paths\": [PATH, PATH], \"with\": \" \"}")]
struct Join {
    paths: Vec<Path>,
    #[serde(default = "blank")]
    with: String,
}

fn blank() -> String {
    String::from(" ")
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Declared {
    from: Option<Path>,
    join: Option<Join>,
    pick: Option<Pick>,
    many2one: Option<Many2One>,
    list: Option<String>,
    #[serde(default)]
    clean: Vec<Clean>,
    #[serde(default)]
    values: Table,
    r#as: Option<Kind>,
    to: Option<To>,
    default: Option<Value>,
    false_is_null: Option<bool>,
    #[serde(default)]
    read_only: bool,
}

impl Entry {
    /// The paths that it reads.
    pub fn paths(&self) -> impl Iterator<Item = &Found> {
        match &self.source {
            Source::One(path) => std::slice::from_ref(path).iter(),
            Source::Joined { paths, .. } => paths.iter(),
        }
    }

    /// The paths that it reads, to be given their slots.
    pub fn paths_mut(&mut self) -> impl Iterator<Item = &mut Found> {
        match &mut self.source {
            Source::One(path) => std::slice::from_mut(path).iter_mut(),
            Source::Joined { paths, .. } => paths.iter_mut(),
        }
    }

    /// Whether false is a value of it.
    pub fn is_boolean(&self) -> bool {
        self.kind == Some(Kind::Boolean)
    }

    /// Whether nothing happens to the value on its way.
    pub fn is_verbatim(&self) -> bool {
        matches!((&self.source, &self.shape), (Source::One(_), Shape::Plain))
            && self.clean.is_empty()
            && self.values.is_empty()
            && self.kind.is_none()
            && self.to.is_none()
    }

    fn check(&self) -> Result<(), String> {
        for Found { path, .. } in self.paths() {
            check_path(path, self.read_only)?;
        }
        if let Source::Joined { paths, with } = &self.source {
            if paths.len() < 2 {
                return Err(String::from("join: name at least two paths"));
            }
            if with.is_empty() {
                return Err(String::from("join: \"with\" is empty, so nothing could be split again"));
            }
            if !matches!(self.shape, Shape::Plain) || self.to.is_some() {
                return Err(String::from(
                    "join makes one text of several: pick, many2one, list and to do not go with it",
                ));
            }
        }
        self.check_shape()?;
        match (self.kind, self.to) {
            (Some(kind), Some(to)) if kind.is_time() && !to.is_time() => Err(String::from(
                "a time is written as rfc3339, naive, date, seconds or milliseconds",
            )),
            (kind, Some(to)) if to.is_time() && !kind.is_some_and(Kind::is_time) => Err(String::from(
                "only a time is written in this form: add \"as\": \"time\"",
            )),
            _ => Ok(()),
        }
    }

    fn check_shape(&self) -> Result<(), String> {
        match &self.shape {
            Shape::Plain | Shape::Many2One(Many2One::Id) => Ok(()),
            Shape::Many2One(Many2One::Name) if self.read_only => Ok(()),
            Shape::Many2One(Many2One::Name) => Err(String::from(
                "a relation is written by its id: take \"many2one\": \"id\" or add \"read_only\": true",
            )),
            Shape::List(separator) if separator.is_empty() => Err(String::from("list: the separator is empty")),
            Shape::List(_) => Ok(()),
            Shape::Pick(pick) => {
                if let Some(prefer) = &pick.prefer {
                    check_path(&prefer.path, self.read_only)?;
                    if prefer.equals.is_array() || prefer.equals.is_object() {
                        return Err(String::from(
                            "pick: \"equals\" is a text, a number, true, false or null",
                        ));
                    }
                }
                if pick.value.is_root() {
                    if pick.prefer.is_some() || !pick.with.is_empty() {
                        return Err(String::from(
                            "pick: \"value\" is missing, the path to the value in an element",
                        ));
                    }
                    return Ok(());
                }
                check_path(&pick.value, self.read_only)
            }
        }
    }
}

fn check_path(path: &Path, read_only: bool) -> Result<(), String> {
    if path.first_member().is_none() {
        return Err(format!("the path \"{path}\" does not start with a field's name"));
    }
    if path.steps().len() > STEP_LIMIT {
        return Err(format!("a path has more than {STEP_LIMIT} steps"));
    }
    let through_list = path.steps().iter().any(|step| matches!(step, Step::Index(_)));
    if through_list && !read_only {
        return Err(format!(
            "the path \"{path}\" goes through a list, which cannot be written in part: take pick or add \"read_only\": true"
        ));
    }
    Ok(())
}

impl TryFrom<Declared> for Entry {
    type Error = String;

    fn try_from(declared: Declared) -> Result<Self, String> {
        let found = |path| Found { path, slot: 0 };
        let source = match (declared.from, declared.join) {
            (Some(path), None) => Source::One(found(path)),
            (None, Some(join)) => Source::Joined {
                paths: join.paths.into_iter().map(found).collect(),
                with: join.with,
            },
            _ => return Err(String::from("give either \"from\" or \"join\"")),
        };
        let mut shapes = [
            declared.pick.map(Shape::Pick),
            declared.many2one.map(Shape::Many2One),
            declared.list.map(Shape::List),
        ]
        .into_iter()
        .flatten();
        let shape = shapes.next().unwrap_or(Shape::Plain);
        if shapes.next().is_some() {
            return Err(String::from("give only one of pick, many2one and list"));
        }
        let entry = Self {
            source,
            shape,
            clean: declared.clean,
            values: declared.values,
            kind: declared.r#as,
            to: declared.to,
            default: declared.default.map(|value| value.to_string()),
            false_is_null: declared.false_is_null,
            read_only: declared.read_only,
        };
        entry.check()?;
        Ok(entry)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Entry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name, a list of steps to it, or an object with \"from\" or \"join\"")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Entry, E> {
                simple(Path::member(name))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Entry, A::Error> {
                simple(Path::deserialize(de::value::SeqAccessDeserializer::new(list))?)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                let declared = Declared::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Entry::try_from(declared).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn simple<E: de::Error>(path: Path) -> Result<Entry, E> {
    let declared = Declared {
        from: Some(path),
        ..Declared::default()
    };
    Entry::try_from(declared).map_err(E::custom)
}
