//! `TenantCRMSync\Pull` and `TenantCRMSync\Batch`: a streaming pull, and one page of it whose arrays are built on demand.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ext_php_rs::convert::IntoZval;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::BailoutGuard;

use crate::crm::request::Connection;
use crate::crm::shape::Shape;
use crate::error::{Error, Kind, Result};
use crate::php::client::{Secrets, redacted};
use crate::php::exception::exception;
use crate::php::json::Arrays;
use crate::php::settings::Settings;
use crate::php::zend::{self, Array, Call, Class, PhpClass, new_object, pending, string};
use crate::runtime;
use crate::sync::plan::Plan;
use crate::sync::pull::{Batch as Fetched, Stream};

/// A pull under way.
pub struct Pull {
    settings: Rc<Settings>,
    secrets: RefCell<Secrets>,
    /// Version of the token in use, where there is one.
    token: Cell<Option<u64>>,
    plan: Plan,
    shape: Rc<Shape>,
    stream: RefCell<Option<Stream>>,
    current: RefCell<Option<Zval>>,
    position: Cell<i64>,
    /// Whether the stream was started; it is started once.
    started: Cell<bool>,
    arrays: Rc<RefCell<Arrays>>,
}

impl PhpClass for Pull {
    fn class() -> &'static Class {
        static CLASS: Class = Class::new();
        &CLASS
    }
    fn duplicate(&self) -> Option<Self> {
        None
    }
}

impl Pull {
    /// A pull that starts when it is first looked at.
    pub fn new(settings: Rc<Settings>, plan: Plan, secrets: Secrets, token: Option<u64>) -> Self {
        Self {
            settings,
            secrets: RefCell::new(secrets),
            token: Cell::new(token),
            shape: Rc::new(plan.shape.clone()),
            plan,
            stream: RefCell::new(None),
            current: RefCell::new(None),
            position: Cell::new(0),
            started: Cell::new(false),
            arrays: Rc::new(RefCell::new(Arrays::new())),
        }
    }

    fn fail(&self, error: Error) -> ext_php_rs::exception::PhpException {
        exception(&self.settings.tenant, &redacted(error, &self.secrets.borrow()))
    }

    /// Starts the stream and fetches the first batch, unless that was done.
    fn start(&self) -> PhpResult<()> {
        if self.started.replace(true) {
            return Ok(());
        }
        let stream = runtime::engine()
            .and_then(|engine| {
                let client = engine.client(&self.plan.config.transport)?;
                Ok(Stream::start(engine, client, self.plan.clone()))
            })
            .map_err(|error| self.fail(error))?;
        self.stream.replace(Some(stream));
        self.advance()
    }

    /// The connection with another token than the one that has run out.
    fn renewed(&self) -> Result<Connection> {
        let at_least = self.token.get().map(|version| version.saturating_add(1));
        let prepared = self.settings.prepare(at_least)?;
        self.token.set(prepared.token);
        self.secrets.borrow_mut().extend(prepared.secrets);
        Ok(prepared.connection)
    }

    /// Fetches the next batch, or ends. Signal handlers may run meanwhile, so the stream is taken out of its cell.
    fn advance(&self) -> PhpResult<()> {
        self.current.replace(None);
        let Some(stream) = self.stream.take() else {
            return Ok(());
        };
        // A fatal error in a signal handler jumps over this frame; the stream must end all the same.
        let mut guard = BailoutGuard::new(stream);
        let next = guard.get_mut().next(&mut zend::interrupted, &mut || self.renewed());
        let stream = guard.into_inner();
        match next {
            Ok(Some(fetched)) => {
                let batch = Batch {
                    tenant: self.settings.tenant.clone(),
                    fetched,
                    shape: Rc::clone(&self.shape),
                    arrays: Rc::clone(&self.arrays),
                };
                self.stream.replace(Some(stream));
                let class = Batch::class().entry().ok_or_else(pending)?;
                self.current.replace(Some(new_object(class, batch)?));
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => Err(self.fail(error)),
        }
    }
}

/// `rewind(): void`
pub fn rewind(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Pull>()?;
    this.start()?;
    if this.position.get() > 0 || this.current.borrow().is_none() {
        return Err(this.fail(Error::new(
            Kind::Config,
            "a pull goes forward only: start a new one from the last watermark",
        )));
    }
    Ok(Zval::null())
}

/// `next(): void`
pub fn next(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Pull>()?;
    this.start()?;
    this.position.set(this.position.get() + 1);
    this.advance()?;
    Ok(Zval::null())
}

/// `valid(): bool`
pub fn valid(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Pull>()?;
    let mut valid = Zval::new();
    valid.set_bool(this.current.borrow().is_some());
    Ok(valid)
}

/// `current(): Batch`
pub fn current(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Pull>()?;
    let current = this.current.borrow().as_ref().map(Zval::shallow_clone);
    current.ok_or_else(|| {
        this.fail(Error::new(
            Kind::Config,
            "there is no batch here: call rewind() first, and valid()",
        ))
    })
}

/// `key(): int`
pub fn key(call: &mut Call<'_>) -> PhpResult<Zval> {
    Ok(integer(call.this::<Pull>()?.position.get()))
}

/// One page.
pub struct Batch {
    tenant: String,
    fetched: Fetched,
    shape: Rc<Shape>,
    arrays: Rc<RefCell<Arrays>>,
}

impl PhpClass for Batch {
    fn class() -> &'static Class {
        static CLASS: Class = Class::new();
        &CLASS
    }
    fn duplicate(&self) -> Option<Self> {
        None
    }
}

impl Batch {
    fn build(&self, position: usize) -> PhpResult<Zval> {
        let text = self.fetched.page.row_text(position).ok_or_else(|| no_row(position))?;
        self.array(position, text)
    }

    fn record(&self, position: usize) -> PhpResult<Zval> {
        let text = self.fetched.page.record(position).ok_or_else(|| no_row(position))?;
        self.array(position, &text)
    }

    fn array(&self, position: usize, text: &str) -> PhpResult<Zval> {
        let built = self.arrays.try_borrow_mut().map_err(|_| pending())?.decode_text(text);
        // The row was read once already: all that can be wrong now is the room for it.
        built.map_err(|refusal| {
            let message = format!(
                "record {position} of the batch: {refusal}; ask for smaller pages, or build fewer rows at once"
            );
            exception(&self.tenant, &Error::new(Kind::TooLarge, message))
        })
    }
}

fn no_row(position: impl std::fmt::Display) -> ext_php_rs::exception::PhpException {
    ext_php_rs::exception::PhpException::new(
        format!("there is no record at position {position}"),
        0,
        ext_php_rs::zend::ce::value_error(),
    )
}

fn integer(value: i64) -> Zval {
    let mut zval = Zval::new();
    zval.set_long(value);
    zval
}

fn size(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn list(values: impl Iterator<Item = Zval>) -> Zval {
    let mut array = Array::list();
    values.for_each(|value| array.push(value));
    array.into_value()
}

/// `count(): int`
pub fn count(call: &mut Call<'_>) -> PhpResult<Zval> {
    Ok(integer(size(call.this::<Batch>()?.fetched.page.rows.len())))
}

/// `ids(): array`
pub fn ids(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Batch>()?;
    Ok(list(this.fetched.page.rows.iter().map(|row| string(row.id.as_bytes()))))
}

/// `fingerprints(): array`
pub fn fingerprints(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Batch>()?;
    Ok(list(this.fetched.page.rows.iter().map(|row| string(&row.fingerprint))))
}

/// `updated_at(): array`
pub fn updated_at(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Batch>()?;
    let time = |time: &Option<String>| time.as_ref().map_or_else(Zval::null, |time| string(time.as_bytes()));
    Ok(list(this.fetched.page.rows.iter().map(|row| time(&row.updated_at))))
}

fn position(call: &Call<'_>) -> PhpResult<usize> {
    call.at_least(1, 1)?;
    let position = call.integer(0)?;
    usize::try_from(position).map_err(|_| no_row(position))
}

/// `row( int $position ): array`
pub fn row(call: &mut Call<'_>) -> PhpResult<Zval> {
    let position = position(call)?;
    call.this::<Batch>()?.build(position)
}

/// `rows(): array`
pub fn rows(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Batch>()?;
    let mut array = Array::list();
    for position in 0..this.fetched.page.rows.len() {
        array.push(this.build(position)?);
    }
    Ok(array.into_value())
}

/// `record( int $position ): array`
pub fn record(call: &mut Call<'_>) -> PhpResult<Zval> {
    let position = position(call)?;
    call.this::<Batch>()?.record(position)
}

/// `records(): array`
pub fn records(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Batch>()?;
    let mut array = Array::list();
    for position in 0..this.fetched.page.rows.len() {
        array.push(this.record(position)?);
    }
    Ok(array.into_value())
}

/// `snapshot( int $position ): string`
pub fn snapshot(call: &mut Call<'_>) -> PhpResult<Zval> {
    let position = position(call)?;
    let this = call.this::<Batch>()?;
    this.fetched
        .page
        .snapshot(position, &this.shape)
        .map(|json| string(json.as_bytes()))
        .ok_or_else(|| no_row(position))
}

/// `refused(): array`
pub fn refused(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Batch>()?;
    let mut array = Array::list();
    for row in &this.fetched.page.refused {
        let mut entry = ZendHashTable::new();
        entry.insert("position", size(row.position))?;
        entry.insert("id", row.id.as_deref())?;
        entry.insert("reason", row.reason.as_str())?;
        array.push(entry.into_zval(false)?);
    }
    Ok(array.into_value())
}

/// `watermark(): string`
pub fn watermark(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Batch>()?;
    Ok(string(this.fetched.watermark.store().as_bytes()))
}

/// `is_last(): bool`
pub fn is_last(call: &mut Call<'_>) -> PhpResult<Zval> {
    let mut last = Zval::new();
    last.set_bool(call.this::<Batch>()?.fetched.is_last);
    Ok(last)
}

/// `stats(): array`
pub fn stats(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Batch>()?;
    let mut table = ZendHashTable::new();
    table.insert("page", i64::from(this.fetched.number))?;
    table.insert("bytes", size(this.fetched.bytes))?;
    table.insert("milliseconds", this.fetched.elapsed.as_secs_f64() * 1000.0)?;
    table.insert("attempts", i64::from(this.fetched.attempts))?;
    table.insert("skipped", size(this.fetched.page.skipped))?;
    table.insert("unasked", size(this.fetched.unasked))?;
    Ok(table.into_zval(false)?)
}
