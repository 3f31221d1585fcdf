//! A CRM is a file: what a connector says of a CRM as a whole. What it says of records is in `object.rs`, where the files
//! come from in `catalog.rs`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Tree;

use crate::auth::oauth2::Oauth2;
use crate::crm::limit::Limit;
use crate::crm::object::{Object, Operation};
use crate::crm::reply::Errors;
use crate::crm::tree::typed;
use crate::crm::webhook::Webhooks;
use crate::error::{Error, Kind, Result};
use crate::template::{Template, Values};

/// The version of the schema that this build reads.
pub const SCHEMA: u32 = 1;

/// One CRM.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// For editors: where the JSON Schema is.
    #[serde(default, rename = "$schema")]
    pub schema_file: Option<String>,
    /// Version of the schema.
    pub schema: u32,
    /// The name that settings use.
    pub name: String,
    /// The name that people read.
    pub title: String,
    /// What people should know about it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What a connection has to be told besides `api_endpoint` and `api_key`, or what is to be said of those.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// What all paths are below. Absolute: `{api_endpoint}`, `{origin}` (that of the endpoint) or a captured URL first.
    pub base: Template,
    /// How a request can be authorised; the first is the default.
    pub auth: Vec<AuthMethod>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// What answers mean.
    #[serde(default)]
    pub errors: Errors,
    /// How much the CRM takes.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// What names the CRM's account, of what a token answer tells: `{hub_id}`. Tenants of one account share its limits.
    #[serde(default)]
    pub account: Option<Template>,
    /// The request that tells whether a connection works.
    #[serde(default)]
    pub probe: Option<Operation>,
    /// Object types by name; `*` stands for all others.
    pub objects: BTreeMap<String, Object>,
    /// How its webhooks are verified and read.
    #[serde(default)]
    pub webhooks: Option<Webhooks>,
}

/// What a connection has to be told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What people read.
    pub title: String,
    /// Where to find it.
    #[serde(default)]
    pub help: Option<String>,
    /// Whether it is sealed, and never shown again.
    #[serde(default)]
    pub secret: bool,
    /// What it is where nothing is given.
    #[serde(default)]
    pub default: Option<String>,
    /// For secrets: the field whose origin it belongs to.
    #[serde(default)]
    pub bound_to: Option<String>,
}

/// The field that names the CRM's address.
pub const ENDPOINT: &str = "api_endpoint";

/// How a request is authorised.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthMethod {
    /// The name that settings use.
    pub name: String,
    /// What people read.
    pub title: String,
    /// The fields that it needs.
    pub fields: Vec<String>,
    /// Headers that carry the authorisation.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// User and password in one header.
    #[serde(default)]
    pub basic: Option<Basic>,
    /// A signature of method and path.
    #[serde(default)]
    pub hmac: Option<Hmac>,
    /// Tokens; gives `{access_token}` and what is captured.
    #[serde(default)]
    pub oauth2: Option<Oauth2>,
}

/// User and password in one header.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// Before the colon.
    pub user: Template,
    /// After it.
    pub password: Template,
    /// Which header.
    #[serde(default = "authorization")]
    pub header: String,
    /// What stands before the encoded pair.
    #[serde(default = "basic")]
    pub prefix: String,
}

fn authorization() -> String {
    String::from("authorization")
}

fn basic() -> String {
    String::from("Basic ")
}

/// HMAC-SHA256 of method and path in a header: base64 of the key's name, a colon, and the raw signature.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hmac {
    /// Which header.
    pub header: String,
    /// The key's name.
    pub user: Template,
    /// The key.
    pub key: Template,
    /// What is signed; `{method}` and `{path}`, which is below the base and without query.
    pub message: Template,
}

impl Connector {
    /// Reads and checks a connector file.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::new(Kind::Config, format!("connector {file}: {reason}"));
        let mut tree: Tree = serde_json::from_str(text).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
        let version = tree.get("schema").and_then(Tree::as_u64);
        if version != Some(u64::from(SCHEMA)) {
            return Err(wrong(match version {
                Some(version) => format!("schema {version} is not supported; this version reads schema {SCHEMA}"),
                None => format!("schema: write \"schema\": {SCHEMA} at its top"),
            }));
        }
        inherit(&mut tree);
        let connector: Self =
            typed(&tree).map_err(|misfit| wrong(format!("{misfit}; see src/crm/catalog/README.md")))?;
        connector.check().map_err(wrong)?;
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
            let known: Vec<_> = self.objects.keys().map(String::as_str).collect();
            Error::new(
                Kind::Config,
                format!(
                    "the connector {} has no object type '{name}'; it has {}",
                    self.name,
                    known.join(", ")
                ),
            )
        })
    }

    /// The way of authorisation of this name; without a name the first.
    pub fn auth_method(&self, name: Option<&str>) -> Result<&AuthMethod> {
        let found = match name {
            None => self.auth.first(),
            Some(name) => self.auth.iter().find(|method| method.name == name),
        };
        found.ok_or_else(|| {
            let known: Vec<_> = self.auth.iter().map(|method| method.name.as_str()).collect();
            Error::new(
                Kind::Config,
                format!(
                    "the setting auth of a {} connection is one of {}",
                    self.name,
                    known.join(", ")
                ),
            )
        })
    }

    /// Whether a connection cannot do without this setting.
    #[must_use]
    pub fn default_of(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.default.as_deref()
    }

    /// The values that every template of an object may use.
    #[must_use]
    pub fn object_values(values: &Values, name: &str, object: &Object) -> Values {
        values.clone().with("object", crate::template::Value::text(name)).with(
            "remote",
            crate::template::Value::text(object.remote.as_deref().unwrap_or(name)),
        )
    }
}

impl Operation {
    /// The name of a value that is there, but is no number where only a number fits.
    #[must_use]
    pub fn misfit(&self, values: &Values) -> Option<&str> {
        let path = self.path.misfit(values);
        path.or_else(|| self.query.values().find_map(|value| value.misfit(values)))
            .or_else(|| self.body.as_ref()?.misfit(values))
    }

    /// The names of all values in it.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.path.names().collect();
        names.extend(self.headers.values().flat_map(Template::names));
        names.extend(self.query.values().flat_map(crate::template::Json::names));
        names.extend(self.body.iter().flat_map(crate::template::Json::names));
        names
    }
}

/// Sets `object_defaults` under every object; an object's own null takes a default away.
fn inherit(tree: &mut Tree) {
    let Some(tree) = tree.as_object_mut() else { return };
    let Some(defaults) = tree.remove("object_defaults") else {
        return;
    };
    let objects = tree.get_mut("objects").and_then(Tree::as_object_mut);
    for object in objects.into_iter().flat_map(|objects| objects.values_mut()) {
        let own = std::mem::take(object);
        *object = defaults.clone();
        merge(object, own);
    }
}

fn merge(under: &mut Tree, over: Tree) {
    match (under, over) {
        (Tree::Object(under), Tree::Object(over)) => {
            for (name, value) in over {
                if value.is_null() {
                    under.remove(&name);
                } else if let Some(slot) = under.get_mut(&name) {
                    merge(slot, value);
                } else {
                    under.insert(name, value);
                }
            }
        }
        (under, over) => *under = over,
    }
}
