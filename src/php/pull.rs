//! `TenantCRMSync\Pull`: a streaming pull of one connection.

use std::cell::{Cell, RefCell};

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{BailoutGuard, ce};

use crate::error::{Error, Kind};
use crate::php::register::{BATCH, handler, keep, method};
use crate::php::wanted::Source;
use crate::php::zend::{self, Call, Class, PhpClass, integer};
use crate::runtime;
use crate::sync::plan::Plan;
use crate::sync::pull::Stream;

/// A pull under way.
pub struct Pull {
    source: Source,
    plan: Plan,
    stream: RefCell<Option<Stream>>,
    current: RefCell<Option<Zval>>,
    position: Cell<i64>,
    /// Whether the stream was started; it is started once.
    started: Cell<bool>,
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
    pub fn new(source: Source, plan: Plan) -> Self {
        Self {
            source,
            plan,
            stream: RefCell::new(None),
            current: RefCell::new(None),
            position: Cell::new(0),
            started: Cell::new(false),
        }
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
            .map_err(|error| self.source.fail(error))?;
        self.stream.replace(Some(stream));
        self.advance()
    }

    /// Fetches the next batch, or ends. Signal handlers may run meanwhile, so the stream is taken out of its cell.
    fn advance(&self) -> PhpResult<()> {
        self.current.replace(None);
        let Some(stream) = self.stream.take() else {
            return Ok(());
        };
        // A fatal error in a signal handler jumps over this frame; the stream must end all the same.
        let mut guard = BailoutGuard::new(stream);
        let next = guard
            .get_mut()
            .next(&mut zend::interrupted, &mut || self.source.renewed());
        let stream = guard.into_inner();
        match next {
            Ok(Some(fetched)) => {
                self.stream.replace(Some(stream));
                self.current.replace(Some(self.source.batch(fetched)?));
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => Err(self.source.fail(error)),
        }
    }
}

/// `rewind(): void`
pub fn rewind(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Pull>()?;
    this.start()?;
    if this.position.get() > 0 || this.current.borrow().is_none() {
        return Err(this.source.fail(Error::new(
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
        this.source.fail(Error::new(
            Kind::Config,
            "there is no batch here: call rewind() first, and valid()",
        ))
    })
}

/// `key(): int`
pub fn key(call: &mut Call<'_>) -> PhpResult<Zval> {
    Ok(integer(call.this::<Pull>()?.position.get()))
}

/// Registers the class; while the module starts.
pub fn register() -> ext_php_rs::error::Result<()> {
    const PUBLIC: MethodFlags = MethodFlags::Public;
    ClassBuilder::new("TenantCRMSync\\Pull")
        .flags(ClassFlags::Final)
        .implements((ce::iterator, "\\Iterator"))
        .method(
            method("current", handler!(current), 0, vec![]).returns(BATCH, false, false),
            PUBLIC,
        )
        .method(
            method("key", handler!(key), 0, vec![]).returns(DataType::Long, false, false),
            PUBLIC,
        )
        .method(
            method("next", handler!(next), 0, vec![]).returns(DataType::Void, false, false),
            PUBLIC,
        )
        .method(
            method("rewind", handler!(rewind), 0, vec![]).returns(DataType::Void, false, false),
            PUBLIC,
        )
        .method(
            method("valid", handler!(valid), 0, vec![]).returns(DataType::Bool, false, false),
            PUBLIC,
        )
        .registration(|entry, tables| {
            keep(tables);
            Pull::class().bind::<Pull>(entry);
        })
        .register()
}
