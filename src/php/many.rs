//! `TenantCRMSync::pull_many()` and `TenantCRMSync\Pulls`: many tenants' pulls in one loop, in fair turns. Whose turn it is, and what
//! travels meanwhile, is the business of `sync::many`; here is what PHP's thread does for it, and how PHP sees it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::exception::{PhpException, PhpResult};
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::{BailoutGuard, ce};

use crate::error::{Error, Kind, Result};
use crate::php::client::Client;
use crate::php::exception::{exception, object};
use crate::php::register::{arg, handler, keep, method};
use crate::php::settings::Settings;
use crate::php::wanted::{Source, Wanted};
use crate::php::zend::{self, Call, Class, PhpClass, integer, new_object, pending, state_of, string, to_bytes};
use crate::runtime::{self, SLICE};
use crate::sync::fair::WEIGHTS;
use crate::sync::mailbox::Tag;
use crate::sync::many::{Errand, Many, Step};
use crate::sync::pull::Batch;

/// The members of a pull in the array that `pull_many()` takes.
const MEMBERS: [&str; 5] = ["client", "object", "watermark", "options", "weight"];

/// Pulls under way.
pub struct Pulls {
    many: RefCell<Many>,
    entries: RefCell<HashMap<Tag, Rc<Entry>>>,
    tags: RefCell<HashMap<Vec<u8>, Tag>>,
    /// How long to wait before PHP gets `null`; `None`: for ever.
    wait: Option<Duration>,
    current: RefCell<Option<Current>>,
    /// Whether somebody waits for the next value.
    is_busy: Cell<bool>,
}

/// One pull.
struct Entry {
    key: Vec<u8>,
    settings: Rc<Settings>,
    wanted: Wanted,
    /// `None` until it has begun.
    source: RefCell<Option<Rc<Source>>>,
}

/// A value of the iterator: null where nothing has come in time.
struct Current {
    key: Zval,
    value: Zval,
}

impl PhpClass for Pulls {
    fn class() -> &'static Class {
        static CLASS: Class = Class::new();
        &CLASS
    }
    fn duplicate(&self) -> Option<Self> {
        None
    }
}

/// Marks that somebody waits. A fatal error in a signal handler or token store jumps over the frame that waits; then the
/// pulls must end all the same, though nobody will drop their object's state.
struct Waiting {
    pulls: Rc<Pulls>,
    has_returned: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.pulls.is_busy.set(false);
        if !self.has_returned
            && let Ok(mut many) = self.pulls.many.try_borrow_mut()
        {
            many.clear();
        }
    }
}

impl Pulls {
    fn new(wait: Option<Duration>) -> Self {
        Self {
            many: RefCell::default(),
            entries: RefCell::default(),
            tags: RefCell::default(),
            wait,
            current: RefCell::new(None),
            is_busy: Cell::new(false),
        }
    }

    fn add(&self, key: Vec<u8>, client: &Client, wanted: Result<Wanted>, weight: f64) -> PhpResult<()> {
        let settings = Rc::clone(&client.settings);
        let wrong = |message: &str| Err(unusable(&settings.tenant, &key, message));
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(error) => return wrong(&error.message),
        };
        if !WEIGHTS.contains(&weight) {
            return wrong(&format!(
                "the weight must be a number from {} to {}",
                WEIGHTS.start(),
                WEIGHTS.end()
            ));
        }
        if self.tags.borrow().contains_key(&key) {
            return wrong("a pull of this key is under way: drop() it first, or choose another key");
        }
        let tag = self.many.borrow_mut().add(weight);
        self.tags.borrow_mut().insert(key.clone(), tag);
        let entry = Entry {
            key,
            settings,
            wanted,
            source: RefCell::new(None),
        };
        self.entries.borrow_mut().insert(tag, Rc::new(entry));
        Ok(())
    }

    fn forget(&self, tag: Tag) {
        let entry = self.entries.borrow_mut().remove(&tag);
        if let Some(entry) = entry {
            self.tags.borrow_mut().remove(&entry.key);
        }
    }

    fn entry(&self, tag: Tag) -> Option<Rc<Entry>> {
        self.entries.borrow().get(&tag).cloned()
    }

    /// Goes on to the next value. No borrow is held while PHP code may run.
    fn advance(self: &Rc<Self>) -> PhpResult<()> {
        if self.is_busy.replace(true) {
            return Err(misuse(
                "the next batch is being waited for already: what runs meanwhile can add and drop pulls, but not ask",
            ));
        }
        let mut waiting = BailoutGuard::new(Waiting {
            pulls: Rc::clone(self),
            has_returned: false,
        });
        // An exception's trace may hold the last reference to an object with a destructor.
        drop(self.current.replace(None));
        let next = self.next_value();
        waiting.has_returned = true;
        drop(waiting);
        self.current.replace(next?);
        Ok(())
    }

    fn next_value(&self) -> PhpResult<Option<Current>> {
        let until = self.wait.map(|wait| (Instant::now(), wait));
        self.many.borrow_mut().asked();
        loop {
            let step = self.many.borrow_mut().step();
            match step.map_err(|error| exception("", &error))? {
                Step::End => return Ok(None),
                Step::Page(tag, page) => return self.value(tag, *page).map(Some),
                Step::Errand(tag, errand) => self.run(tag, errand)?,
                Step::Wait => {
                    let left = until.map(|(since, wait)| wait.saturating_sub(since.elapsed()));
                    if left.is_some_and(|left| left.is_zero()) {
                        return Ok(Some(Current {
                            key: Zval::null(),
                            value: Zval::null(),
                        }));
                    }
                    let waited = self.many.borrow_mut().wait(left.map_or(SLICE, |left| left.min(SLICE)));
                    waited.map_err(|error| exception("", &error))?;
                }
            }
            if zend::interrupted() {
                return Err(interrupted());
            }
        }
    }

    /// What the I/O thread cannot do: credentials and tokens, and with them PHP code of a token store.
    fn run(&self, tag: Tag, errand: Errand) -> PhpResult<()> {
        let Some(entry) = self.entry(tag) else {
            return Ok(());
        };
        match errand {
            Errand::Begin => {
                let prepared = entry.wanted.source(&entry.settings).and_then(|(source, plan)| {
                    let client = runtime::engine()?.client(&plan.config.transport)?;
                    Ok((source, client, plan))
                });
                if was_interrupted(&prepared) {
                    self.many.borrow_mut().put_back(tag, Errand::Begin);
                    return Err(interrupted());
                }
                let prepared = prepared.map(|(source, client, plan)| {
                    entry.source.replace(Some(Rc::new(source)));
                    (client, plan)
                });
                self.many.borrow_mut().begin(tag, prepared);
            }
            Errand::Renew(answer) => {
                let source = entry.source.borrow().clone();
                let Some(source) = source else {
                    return Ok(());
                };
                let connection = source.renewed();
                if was_interrupted(&connection) {
                    self.many.borrow_mut().put_back(tag, Errand::Renew(answer));
                    return Err(interrupted());
                }
                self.many.borrow_mut().renewed(answer, connection);
            }
        }
        Ok(())
    }

    /// A batch, or the failure that ended a pull, as PHP sees it.
    fn value(&self, tag: Tag, page: Result<Batch>) -> PhpResult<Current> {
        let entry = self.entry(tag).ok_or_else(pending)?;
        let source = entry.source.borrow().clone();
        if page.as_ref().map_or(true, |batch| batch.is_last) {
            self.forget(tag);
        }
        let value = match (page, source) {
            (Ok(batch), Some(source)) => source.batch(batch)?,
            // A pull that has not begun has no batch.
            (Ok(_), None) => return Err(pending()),
            (Err(error), Some(source)) => object(&entry.settings.tenant, &source.redacted(error)),
            (Err(error), None) => object(&entry.settings.tenant, &error),
        };
        Ok(Current {
            key: string(&entry.key),
            value,
        })
    }
}

fn was_interrupted<T>(result: &Result<T>) -> bool {
    zend::exception_pending() || result.as_ref().is_err_and(|error| error.kind == Kind::Cancelled)
}

/// An exception that is under way already wins.
fn interrupted() -> PhpException {
    if zend::exception_pending() {
        return pending();
    }
    exception("", &Error::new(Kind::Cancelled, "PHP interrupted the call"))
}

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
