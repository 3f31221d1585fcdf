//! `TenantCRMSync::pull_many()` and `TenantCRMSync\Pulls`: many tenants' pulls in one loop, in fair turns. Whose turn it is, and what
//! travels meanwhile, is the business of `sync::many`, what PHP's thread does for it of `pulls`; here is how PHP sees it.

mod pulls;

use std::rc::Rc;
use std::time::Duration;

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::exception::{PhpException, PhpResult};
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ce;

use crate::error::{Error, Kind};
use crate::php::client::Client;
use crate::php::exception::exception;
use crate::php::many::pulls::{Current, Pulls};
use crate::php::register::{arg, handler, keep, method};
use crate::php::wanted::Wanted;
use crate::php::zend::{Call, PhpClass, integer, new_object, pending, state_of, to_bytes};

/// The members of a pull in the array that `pull_many()` takes.
const MEMBERS: [&str; 5] = ["client", "object", "watermark", "options", "weight"];

fn misuse(message: &str) -> PhpException {
    exception("", &Error::new(Kind::Config, message))
}

fn unusable(tenant: &str, key: &[u8], message: &str) -> PhpException {
    let key = String::from_utf8_lossy(key);
    exception(
        tenant,
        &Error::new(Kind::Config, format!("the pull \"{}\": {message}", key.escape_debug())),
    )
}

/// `pull_many( array $pulls = [], array $options = [] ): Pulls`
pub fn pull_many(call: &mut Call<'_>) -> PhpResult<Zval> {
    let wait = match call.count() {
        0 | 1 => None,
        _ => wait_of(call.array(1)?)?,
    };
    let pulls = Pulls::new(wait);
    if call.count() > 0 {
        let mut given = call.array(0)?.iter();
        while let Some((key, entry)) = given.next_zval() {
            add_entry(&pulls, to_bytes(&key)?, entry)?;
        }
    }
    let class = Pulls::class().entry().ok_or_else(pending)?;
    new_object(class, pulls)
}

fn wait_of(options: &ZendHashTable) -> PhpResult<Option<Duration>> {
    if let Some(name) = unknown(options, &["wait"]) {
        return Err(misuse(&format!("pull_many() has no option {name}: there is only wait")));
    }
    let given = options.get("wait").filter(|wait| !wait.dereference().is_null());
    given
        .map(|wait| {
            number(wait)
                .filter(|seconds| *seconds >= 0.0)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(|| misuse("the option wait must be a number of seconds, 0 or more"))
        })
        .transpose()
}

fn add_entry(pulls: &Pulls, key: Vec<u8>, entry: &Zval) -> PhpResult<()> {
    let wrong = |message: &str| unusable("", &key, message);
    let entry = entry
        .array()
        .ok_or_else(|| wrong("it must be an array with client and object"))?;
    if let Some(name) = unknown(entry, &MEMBERS) {
        return Err(wrong(&format!(
            "{name} means nothing here: there are {}",
            MEMBERS.join(", ")
        )));
    }
    let member = |name: &str| entry.get(name).map(Zval::dereference).filter(|value| !value.is_null());
    let client: Rc<Client> = member("client")
        .and_then(state_of)
        .ok_or_else(|| wrong("client must be a TenantCRMSync that has been constructed"))?;
    let object = member("object").and_then(Zval::str);
    let object = object.ok_or_else(|| wrong("object must be the name of an object type, like leads"))?;
    let watermark = member("watermark").map(|watermark| {
        watermark
            .str()
            .ok_or_else(|| wrong("watermark must be text, as Batch::watermark() gave it, or null"))
    });
    let options = member("options").map(|options| options.array().ok_or_else(|| wrong("options must be an array")));
    let weight = member("weight").map_or(Some(1.0), number);
    let weight = weight.ok_or_else(|| wrong("weight must be a number"))?;
    let wanted = Wanted::read(
        &client.settings,
        object,
        watermark.transpose()?,
        options.transpose()?,
        false,
    );
    pulls.add(key, &client, wanted, weight)
}

fn unknown(given: &ZendHashTable, names: &[&str]) -> Option<String> {
    given
        .iter()
        .map(|(key, _)| key.to_string())
        .find(|key| !names.contains(&key.as_str()))
        .map(|key| format!("\"{}\"", key.escape_debug()))
}

fn number(value: &Zval) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 it does not matter")]
    value.double().or_else(|| value.long().map(|whole| whole as f64))
}

/// `add( string $key, \TenantCRMSync $client, string $object, ?string $watermark = null, array $options = [], float $weight = 1.0 ): void`
pub fn add(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(3, 6)?;
    let this = call.this::<Pulls>()?;
    let key = call.text(0)?;
    let client: Rc<Client> = call.object(1, c"TenantCRMSync")?;
    let object = call.utf8(2, "object")?;
    let watermark = match call.arg(3).filter(|value| !value.is_null()) {
        Some(_) => Some(call.utf8(3, "watermark")?),
        None => None,
    };
    let options = if call.count() > 4 { Some(call.array(4)?) } else { None };
    let weight = if call.count() > 5 { call.number(5)? } else { 1.0 };
    let wanted = Wanted::read(&client.settings, &object, watermark.as_deref(), options, false);
    this.add(key, &client, wanted, weight)?;
    Ok(Zval::null())
}

/// `drop( string $key ): void`
pub fn drop_pull(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 1)?;
    let this = call.this::<Pulls>()?;
    let key = call.text(0)?;
    let tag = this.tags.borrow().get(&key).copied();
    if let Some(tag) = tag {
        this.many.borrow_mut().give_up(tag);
        this.forget(tag);
    }
    Ok(Zval::null())
}

/// `count(): int`
pub fn count(call: &mut Call<'_>) -> PhpResult<Zval> {
    let count = call.this::<Pulls>()?.many.borrow().len();
    Ok(integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// `rewind(): void`; a batch that nobody has gone on from stays, so that none is lost.
pub fn rewind(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Pulls>()?;
    let is_there = |current: &Current| !current.value.is_null();
    if !this.current.borrow().as_ref().is_some_and(is_there) {
        this.advance()?;
    }
    Ok(Zval::null())
}

/// `next(): void`
pub fn next(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.this::<Pulls>()?.advance()?;
    Ok(Zval::null())
}

/// `valid(): bool`
pub fn valid(call: &mut Call<'_>) -> PhpResult<Zval> {
    let mut valid = Zval::new();
    valid.set_bool(call.this::<Pulls>()?.current.borrow().is_some());
    Ok(valid)
}

/// `current(): Batch|Exception|null`
pub fn current(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Pulls>()?;
    let value = this
        .current
        .borrow()
        .as_ref()
        .map(|current| current.value.shallow_clone());
    value.ok_or_else(|| misuse("there is no batch here: call rewind() first, and valid()"))
}

/// `key(): ?string`
pub fn key(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Pulls>()?;
    let key = this
        .current
        .borrow()
        .as_ref()
        .map(|current| current.key.shallow_clone());
    Ok(key.unwrap_or_else(Zval::null))
}

/// Registers the class; while the module starts.
pub fn register() -> ext_php_rs::error::Result<()> {
    const PUBLIC: MethodFlags = MethodFlags::Public;
    const CLIENT: DataType = DataType::object("TenantCRMSync");
    let text = |name: &str| arg(name, DataType::String);
    ClassBuilder::new("TenantCRMSync\\Pulls")
        .flags(ClassFlags::Final)
        .implements((ce::iterator, "\\Iterator"))
        .implements((ce::countable, "\\Countable"))
        .method(
            method(
                "add",
                handler!(add),
                3,
                vec![
                    text("key"),
                    arg("client", CLIENT),
                    text("object"),
                    text("watermark").allow_null().default("null"),
                    arg("options", DataType::Array).default("[]"),
                    arg("weight", DataType::Double).default("1.0"),
                ],
            )
            .returns(DataType::Void, false, false),
            PUBLIC,
        )
        .method(
            method("drop", handler!(drop_pull), 1, vec![text("key")]).returns(DataType::Void, false, false),
            PUBLIC,
        )
        .method(
            method("count", handler!(count), 0, vec![]).returns(DataType::Long, false, false),
            PUBLIC,
        )
        .method(
            method("current", handler!(current), 0, vec![]).returns(DataType::Mixed, false, false),
            PUBLIC,
        )
        .method(
            method("key", handler!(key), 0, vec![]).returns(DataType::String, false, true),
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
            Pulls::class().bind::<Pulls>(entry);
        })
        .register()
}
