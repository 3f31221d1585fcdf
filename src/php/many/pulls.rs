//! The state behind `TenantCRMSync\Pulls`: what PHP's thread does while the pulls travel. Its methods, as PHP calls them, are in `many`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ext_php_rs::exception::{PhpException, PhpResult};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::BailoutGuard;

use crate::error::{Error, Kind, Result};
use crate::php::client::Client;
use crate::php::exception::{exception, object};
use crate::php::many::{misuse, unusable};
use crate::php::settings::Settings;
use crate::php::wanted::{Source, Wanted};
use crate::php::zend::{self, Class, PhpClass, pending, string};
use crate::runtime::{self, SLICE};
use crate::sync::fair::WEIGHTS;
use crate::sync::mailbox::Tag;
use crate::sync::many::{Errand, Many, Step};
use crate::sync::pull::Batch;

/// Pulls under way.
pub struct Pulls {
    pub(super) many: RefCell<Many>,
    entries: RefCell<HashMap<Tag, Rc<Entry>>>,
    pub(super) tags: RefCell<HashMap<Vec<u8>, Tag>>,
    /// How long to wait before PHP gets `null`; `None`: for ever.
    wait: Option<Duration>,
    pub(super) current: RefCell<Option<Current>>,
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
pub(super) struct Current {
    pub(super) key: Zval,
    pub(super) value: Zval,
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
    pub(super) fn new(wait: Option<Duration>) -> Self {
        Self {
            many: RefCell::default(),
            entries: RefCell::default(),
            tags: RefCell::default(),
            wait,
            current: RefCell::new(None),
            is_busy: Cell::new(false),
        }
    }

    pub(super) fn add(&self, key: Vec<u8>, client: &Client, wanted: Result<Wanted>, weight: f64) -> PhpResult<()> {
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

    pub(super) fn forget(&self, tag: Tag) {
        let entry = self.entries.borrow_mut().remove(&tag);
        if let Some(entry) = entry {
            self.tags.borrow_mut().remove(&entry.key);
        }
    }

    fn entry(&self, tag: Tag) -> Option<Rc<Entry>> {
        self.entries.borrow().get(&tag).cloned()
    }

    /// Goes on to the next value. No borrow is held while PHP code may run.
    pub(super) fn advance(self: &Rc<Self>) -> PhpResult<()> {
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
