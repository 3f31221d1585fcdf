//! `TenantCRMSync\Batch`: one page of a pull, whose arrays are built on demand.

use std::cell::RefCell;
use std::rc::Rc;

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ce;

use crate::crm::shape::Shape;
use crate::error::{Error, Kind};
use crate::php::exception::exception;
use crate::php::json::Arrays;
use crate::php::register::{Handler, arg, handler, keep, method};
use crate::php::zend::{Array, Call, Class, PhpClass, integer, pending, string};
use crate::sync::pull::Batch as Fetched;

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
    /// A page of this tenant's.
    pub fn new(tenant: String, fetched: Fetched, shape: Rc<Shape>, arrays: Rc<RefCell<Arrays>>) -> Self {
        Self {
            tenant,
            fetched,
            shape,
            arrays,
        }
    }

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
    let prints = this.fetched.page.fingerprints(&this.shape);
    Ok(list(prints.iter().map(|print| string(print))))
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

/// Registers the class; while the module starts.
pub fn register() -> ext_php_rs::error::Result<()> {
    const PUBLIC: MethodFlags = MethodFlags::Public;
    let list = |name: &str, handler: Handler| method(name, handler, 0, vec![]).returns(DataType::Array, false, false);
    let position = || vec![arg("position", DataType::Long)];
    ClassBuilder::new("TenantCRMSync\\Batch")
        .flags(ClassFlags::Final)
        .implements((ce::countable, "\\Countable"))
        .method(
            method("count", handler!(count), 0, vec![]).returns(DataType::Long, false, false),
            PUBLIC,
        )
        .method(list("ids", handler!(ids)), PUBLIC)
        .method(list("fingerprints", handler!(fingerprints)), PUBLIC)
        .method(list("updated_at", handler!(updated_at)), PUBLIC)
        .method(
            method("row", handler!(row), 1, position()).returns(DataType::Array, false, false),
            PUBLIC,
        )
        .method(list("rows", handler!(rows)), PUBLIC)
        .method(
            method("record", handler!(record), 1, position()).returns(DataType::Array, false, false),
            PUBLIC,
        )
        .method(list("records", handler!(records)), PUBLIC)
        .method(
            method("snapshot", handler!(snapshot), 1, position()).returns(DataType::String, false, false),
            PUBLIC,
        )
        .method(list("refused", handler!(refused)), PUBLIC)
        .method(
            method("watermark", handler!(watermark), 0, vec![]).returns(DataType::String, false, false),
            PUBLIC,
        )
        .method(
            method("is_last", handler!(is_last), 0, vec![]).returns(DataType::Bool, false, false),
            PUBLIC,
        )
        .method(list("stats", handler!(stats)), PUBLIC)
        .registration(|entry, tables| {
            keep(tables);
            Batch::class().bind::<Batch>(entry);
        })
        .register()
}
