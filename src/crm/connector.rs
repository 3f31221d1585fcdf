//! A CRM is a file: the declarative schema, and the connectors that are compiled in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::error::{Error, Kind, Result};

/// The version of the schema that this build reads.
pub const SCHEMA: u32 = 1;

const BUILT_IN: &[(&str, &str)] = &[("rest", include_str!("catalog/rest.json"))];

/// One CRM.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Version of the schema.
    pub schema: u32,
    /// The name that settings use.
    pub name: String,
    /// The name that people read.
    pub title: String,
    /// How a request is authorised.
    pub auth: Auth,
    /// Headers of every request.
    pub headers: BTreeMap<String, String>,
    /// Object types by name; `*` stands for all others.
    pub objects: BTreeMap<String, Object>,
}

/// How a request is authorised.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// `Authorization: Bearer <api_key>`
    Bearer {},
}

/// One type of record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Path of the collection, resolved against the endpoint; `{object}` is the type's name.
    pub path: String,
    /// Member of the answer that holds the rows.
    pub rows: String,
    /// Member of a row that identifies it.
    pub id: String,
    /// Member of a row that tells when it was changed.
    pub updated_at: String,
    /// How to ask for changes only.
    pub since: Since,
    /// How to ask for a page's size.
    pub page_size: PageSize,
    /// Where the next page is; the first whose marker is in the answer counts.
    pub next: Vec<Next>,
    /// Method of an update.
    pub update: String,
}

/// How to ask for changes only.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// Query parameter.
    pub query: String,
    /// How much earlier than the newest change seen the next pull starts: rows become visible late.
    pub overlap_seconds: u32,
}

/// How to ask for a page's size.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSize {
    /// Query parameter.
    pub query: String,
}

/// Where the next page is. A path names nested members of the answer.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Next {
    /// A whole URL, or one relative to the endpoint; null on the last page.
    Link {
        /// Path to it.
        link: Vec<String>,
    },
    /// An opaque value to send back; null on the last page.
    Cursor {
        /// Path to it.
        cursor: Vec<String>,
        /// Query parameter that carries it.
        query: String,
    },
    /// Numbered pages.
    Page {
        /// Path to this page's number.
        page: Vec<String>,
        /// Path to the last page's number.
        last: Vec<String>,
        /// Path to the number of all rows.
        #[serde(default)]
        total: Vec<String>,
        /// Query parameter that carries the number.
        query: String,
    },
}

impl Connector {
    /// The connector of this name.
    pub fn find(name: &str) -> Result<&'static Self> {
        static CATALOG: LazyLock<BTreeMap<&'static str, Result<Connector>>> = LazyLock::new(|| {
            BUILT_IN
                .iter()
                .map(|(name, text)| (*name, Connector::parse(name, text)))
                .collect()
        });
        match CATALOG.get(name) {
            Some(Ok(connector)) => Ok(connector),
            Some(Err(error)) => Err(error.clone()),
            None => {
                let known: Vec<_> = CATALOG.keys().copied().collect();
                Err(Error::new(
                    Kind::Config,
                    format!(
                        "there is no connector '{}'; known: {}",
                        name.escape_default(),
                        known.join(", ")
                    ),
                ))
            }
        }
    }

    /// Reads and checks a connector file.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::new(Kind::Config, format!("connector {file}: {reason}"));
        let connector: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if connector.schema != SCHEMA {
            return Err(wrong(format!(
                "schema {} is not supported; this version reads schema {SCHEMA}",
                connector.schema
            )));
        }
        if connector.objects.is_empty() {
            return Err(wrong(String::from("objects: name at least one")));
        }
        Ok(connector)
    }

    /// What is known of an object type.
    pub fn object(&self, name: &str) -> Result<&Object> {
        let usable = !name.is_empty()
            && name.len() <= 64
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !usable {
            return Err(Error::new(
                Kind::Config,
                format!(
                    "'{}' is not an object type: use letters, digits, _ and -, 64 at most",
                    name.escape_default()
                ),
            ));
        }
        self.objects.get(name).or_else(|| self.objects.get("*")).ok_or_else(|| {
            Error::new(
                Kind::Config,
                format!("the connector {} has no object type '{name}'", self.name),
            )
        })
    }
}
