//! What a caller wants pulled: arguments and options, checked before anything is opened or asked; and where its batches come from
//! then: a tenant's connection while it is read.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use ext_php_rs::exception::{PhpException, PhpResult};
use ext_php_rs::types::{ZendHashTable, Zval};

use crate::crm::object::{Listing, Object};
use crate::crm::request::Connection;
use crate::crm::shape::Shape;
use crate::error::{Error, Kind, Result};
use crate::net::trace::Trace;
use crate::php::batch::Batch;
use crate::php::exception::exception;
use crate::php::ini;
use crate::php::journal;
use crate::php::json::Arrays;
use crate::php::prepare::{Secrets, redacted};
use crate::php::settings::Settings;
use crate::php::zend::{PhpClass, new_object, pending};
use crate::sync::plan::{self, Plan};
use crate::sync::pull::Batch as Fetched;
use crate::sync::watermark::Watermark;

/// A pull that could begin.
pub struct Wanted {
    name: String,
    object: &'static Object,
    listing: &'static Listing,
    fields: Option<Vec<String>>,
    page_size: Option<u32>,
    from: Watermark,
    ids: Option<Vec<String>>,
    deleted: bool,
    /// The trace that it is part of: pages come while others are set.
    trace: Option<Trace>,
}

impl Wanted {
    /// Reads and checks the arguments of `pull()`.
    pub fn read(
        settings: &Settings,
        name: &str,
        watermark: Option<&str>,
        options: Option<&ZendHashTable>,
        deleted: bool,
    ) -> Result<Self> {
        let wrong = |message: &str| Error::new(Kind::Config, message);
        let option = |option: &str| {
            options
                .and_then(|options| options.get(option))
                .filter(|value| !value.is_null())
        };
        let fields = match option("fields") {
            None => None,
            Some(list) => {
                let list = list
                    .array()
                    .ok_or_else(|| wrong("the option fields must be a list of field names"))?;
                let names: Option<Vec<String>> = list.values().map(|name| name.str().map(str::to_owned)).collect();
                Some(names.ok_or_else(|| wrong("the option fields must hold names only"))?)
            }
        };
        let page_size = match option("page_size") {
            None => None,
            Some(size) => {
                let size = size.long().filter(|size| (1..=1000).contains(size));
                Some(
                    size.and_then(|size| u32::try_from(size).ok())
                        .ok_or_else(|| wrong("the option page_size must be a number from 1 to 1000"))?,
                )
            }
        };
        let ids = match option("ids") {
            None => None,
            Some(_) if deleted => return Err(wrong("the option ids is for records that are there")),
            Some(list) => Some(ids(list)?),
        };
        let from = Watermark::parse(watermark)?;
        let object = settings.connector.object(name)?;
        let listing = if deleted {
            let feed = object.read.deleted.as_ref();
            feed.ok_or_else(|| plan::cannot(object, name, "deleted", "be asked for when they are deleted"))?
        } else {
            plan::listing(object, name, &from)?
        };
        Ok(Self {
            name: name.to_owned(),
            object,
            listing,
            fields,
            page_size,
            from,
            ids,
            deleted,
            trace: journal::current_trace(),
        })
    }

    /// Opens the credentials, gets a token where one is needed, and makes the plan.
    pub fn source(&self, settings: &Rc<Settings>) -> Result<(Source, Plan)> {
        let prepared = journal::within(self.trace, || settings.prepare(None))?;
        let mut shape = settings.shape(&self.name, self.object, &self.listing.rows, &prepared.connection)?;
        if self.ids.is_none() {
            shape = shape.of_listing(self.listing);
        }
        if self.deleted {
            shape.mapping = None;
        }
        let fields = self.fields.clone();
        let plan = Plan {
            name: self.name.clone(),
            object: self.object,
            listing: self.listing,
            fields: plan::fields(self.object, shape.mapping.as_ref().or(self.object.map.as_ref())),
            shape: Shape { fields, ..shape },
            page_size: self.page_size,
            parallel: settings.parallel.min(ini::max_parallel()),
            config: prepared.config,
            timeout: prepared.timeout,
            connection: prepared.connection,
            from: self.from.clone(),
            ids: self.ids.clone(),
        };
        let source = Source {
            settings: Rc::clone(settings),
            secrets: RefCell::new(prepared.secrets),
            token: Cell::new(prepared.token),
            trace: self.trace,
            shape: Rc::new(plan.shape.clone()),
            arrays: Rc::new(RefCell::new(Arrays::new())),
        };
        Ok((source, plan))
    }
}

/// Records' ids: texts and numbers, each once.
fn ids(list: &Zval) -> Result<Vec<String>> {
    let wrong = || Error::new(Kind::Config, "the option ids must be a list of ids, texts or numbers");
    let list = list.array().ok_or_else(wrong)?;
    let mut seen = HashSet::new();
    let mut ids = Vec::with_capacity(list.len());
    for id in list.values() {
        let id = match (id.str(), id.long()) {
            (Some(text), _) if !text.is_empty() => text.to_owned(),
            (None, Some(number)) => number.to_string(),
            _ => return Err(wrong()),
        };
        if seen.insert(id.clone()) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Where batches come from: a tenant's connection while it is read.
pub struct Source {
    settings: Rc<Settings>,
    secrets: RefCell<Secrets>,
    /// Version of the token in use, where there is one.
    token: Cell<Option<u64>>,
    trace: Option<Trace>,
    shape: Rc<Shape>,
    arrays: Rc<RefCell<Arrays>>,
}

impl Source {
    /// The failure without this connection's secrets.
    pub fn redacted(&self, error: Error) -> Error {
        redacted(error, &self.secrets.borrow())
    }

    /// The exception for a failure.
    pub fn fail(&self, error: Error) -> PhpException {
        exception(&self.settings.tenant, &self.redacted(error))
    }

    /// The connection with another token than the one that has run out. PHP code may run: a token store's.
    pub fn renewed(&self) -> Result<Connection> {
        self.settings.refused();
        let at_least = self.token.get().map(|version| version.saturating_add(1));
        let prepared = journal::within(self.trace, || self.settings.prepare(at_least))?;
        self.token.set(prepared.token);
        self.secrets.borrow_mut().extend(prepared.secrets);
        Ok(prepared.connection)
    }

    /// A page as PHP sees it.
    pub fn batch(&self, fetched: Fetched) -> PhpResult<Zval> {
        let batch = Batch::new(
            self.settings.tenant.clone(),
            fetched,
            Rc::clone(&self.shape),
            Rc::clone(&self.arrays),
        );
        let class = Batch::class().entry().ok_or_else(pending)?;
        new_object(class, batch)
    }
}
