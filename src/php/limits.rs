//! Limits as PHP sees them: what is left of a connection's windows, a limiter for calls that other code makes, the counts that
//! the plugin keeps in its database, and the bell that wakes workers on all hosts.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::convert::IntoZval;
use ext_php_rs::exception::PhpResult;
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::{ZendHashTable, Zval};
use ring::digest;

use crate::clock;
use crate::error::{Error, Kind, Result};
use crate::limit::budget::Window;
use crate::limit::local::{NO_GATE, Usage};
use crate::limit::{Count, Decision, Draw, Key, Now, Rule, limiter};
use crate::php::client::{Client, boolean};
use crate::php::exception::exception;
use crate::php::zend::{self, Array, Call, Class, PhpClass, new_object, pending, string};
use crate::php::{credential, ini};
use crate::runtime;

/// Longer windows are counted by portions, not evenly.
const LONG: Duration = Duration::from_secs(3600);
const MOST_SECONDS: f64 = 32.0 * 86_400.0;
/// How often a waiting worker's call returns to look whether PHP was interrupted, at least.
const MOST_WAIT: Duration = Duration::from_secs(3600);

/// A limiter for calls that other code makes.
pub struct Limiter {
    limiter: Arc<limiter::Limiter>,
    draw: Draw,
}

impl PhpClass for Limiter {
    fn class() -> &'static Class {
        static CLASS: Class = Class::new();
        &CLASS
    }
    fn duplicate(&self) -> Option<Self> {
        Some(Self {
            limiter: Arc::clone(&self.limiter),
            draw: self.draw,
        })
    }
}

/// Registers the class `TenantCRMSync\Limiter`; while the module starts.
pub fn register() -> ext_php_rs::error::Result<()> {
    extern "C" fn admit_handler(frame: &mut ext_php_rs::zend::ExecuteData, result: &mut Zval) {
        if !zend::run_alone(frame, result, admit_here) {
            zend::run(frame, result, admit);
        }
    }
    ClassBuilder::new("TenantCRMSync\\Limiter")
        .flags(ClassFlags::Final)
        .method(
            FunctionBuilder::new("admit", admit_handler)
                .arg(ext_php_rs::args::Arg::new("cost", DataType::Long).default("1"))
                .required_args(0)
                .returns(DataType::Double, false, false),
            MethodFlags::Public,
        )
        .registration(|entry, tables| {
            std::mem::forget(tables);
            Limiter::class().bind::<Limiter>(entry);
        })
        .register()
}

/// `limiter( string $name, int $amount, float $seconds, ?int $burst = null ): Limiter`
pub fn limiter(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(3, 4)?;
    let name = call.text(0)?;
    let (amount, seconds) = (call.integer(1)?, call.number(2)?);
    let burst = match call.arg(3).filter(|burst| !burst.is_null()) {
        Some(_) => Some(call.integer(3)?),
        None => None,
    };
    let rule = rule(amount, seconds, burst).map_err(|error| exception("", &error))?;
    let site = credential::site();
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [b"limiter".as_slice(), site.as_bytes(), &name] {
        context.update(&part.len().to_le_bytes());
        context.update(part);
    }
    let hash = context.finish();
    let key = hash
        .as_ref()
        .first_chunk::<16>()
        .map(|bytes| u128::from_le_bytes(*bytes));
    let key = Key(key.ok_or_else(pending)?);
    let made = Limiter {
        limiter: limiter::at(&ini::limits()),
        draw: Draw { key, rule, cost: 1 },
    };
    let class = Limiter::class().entry().ok_or_else(pending)?;
    new_object(class, made)
}

fn rule(amount: i64, seconds: f64, burst: Option<i64>) -> Result<Rule> {
    let wrong = |message: &str| Err(Error::new(Kind::Config, message));
    let Some(amount) = u64::try_from(amount).ok().filter(|amount| *amount >= 2) else {
        return wrong("a limiter's amount must be 2 or more");
    };
    if !(seconds > 0.0 && seconds <= MOST_SECONDS) {
        return wrong("a limiter's seconds must be more than 0, and 32 days at most");
    }
    let burst = match burst {
        None => (amount / 10).max(1),
        Some(burst) => match u64::try_from(burst).ok().filter(|burst| (1..amount).contains(burst)) {
            Some(burst) => burst,
            None => return wrong("a limiter's burst must be 1 or more, and less than its amount"),
        },
    };
    let period = Duration::from_secs_f64(seconds);
    Ok(Rule {
        amount,
        period,
        burst,
        count: if period >= LONG { Count::Rolling } else { Count::Paced },
    })
}

/// `admit( int $cost = 1 ): float`
fn admit(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Limiter>()?;
    let mut draw = this.draw;
    if call.count() > 0 {
        let cost = call.integer(0)?;
        draw.cost = u64::try_from(cost)
            .ok()
            .filter(|cost| *cost > 0 && *cost <= draw.rule.amount)
            .ok_or_else(|| {
                let message = "the cost must be 1 or more, and no more than the limiter's amount";
                exception("", &Error::new(Kind::Config, message))
            })?;
    }
    let decision = if this.limiter.is_local() {
        this.limiter.take_here(NO_GATE, &[draw], Now::of(&draw.rule))
    } else {
        // A child of the process that made it has a connection of its own.
        let limiter = limiter::at(&ini::limits());
        asked(async move { Ok(limiter.take(NO_GATE, &[draw]).await) }).map_err(|error| exception("", &error))?
    };
    Ok(told(decision))
}

/// The same, where nobody else has to be asked.
#[inline]
fn admit_here(call: &mut Call<'_>) -> Option<Zval> {
    if call.count() > 0 {
        return None;
    }
    let this = call.constructed::<Limiter>()?;
    let draws = std::slice::from_ref(&this.draw);
    let is_local = this.limiter.is_local();
    is_local.then(|| told(this.limiter.take_here(NO_GATE, draws, Now::of(&this.draw.rule))))
}

/// Seconds to wait.
fn told(decision: Decision) -> Zval {
    zend::float(match decision {
        Decision::Go => 0.0,
        Decision::Wait(nanos, _) => Duration::from_nanos(nanos.max(1)).as_secs_f64(),
    })
}

/// `limits(): array`
pub fn limits(call: &mut Call<'_>) -> PhpResult<Zval> {
    let this = call.this::<Client>()?;
    let result = this.prepare(None).and_then(|prepared| {
        let lane = prepared
            .connection
            .lane
            .ok_or_else(|| Error::new(Kind::Config, "the connection has no limits"))?;
        let draws: Vec<Draw> = lane.windows.iter().map(Window::least).collect();
        let limiter = Arc::clone(&lane.limiter);
        let usages = if limiter.is_local() {
            draws.iter().map(|draw| limiter.usage_here(draw)).collect()
        } else {
            asked(async move {
                let mut usages = Vec::with_capacity(draws.len());
                for draw in &draws {
                    usages.push(limiter.usage(draw).await);
                }
                Ok(usages)
            })?
        };
        Ok((lane, usages))
    });
    let (lane, usages): (_, Vec<Usage>) = result.map_err(|error| exception(&this.settings.tenant, &error))?;
    let now = clock::unix_now();
    let mut list = Array::list();
    for (window, usage) in lane.windows.iter().zip(usages) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let at = |wait: Option<Duration>| wait.map(|wait| now + wait.as_secs_f64());
        let mut table = ZendHashTable::new();
        table.insert("name", window.name.as_str())?;
        table.insert("unit", window.unit.as_str())?;
        table.insert("scope", window.scope.name())?;
        table.insert("amount", number(window.rule.amount))?;
        table.insert("seconds", number(window.seconds))?;
        table.insert("daily", window.daily)?;
        table.insert("used", number(usage.used))?;
        table.insert("left", number(usage.left))?;
        table.insert("free_at", at(usage.free_in))?;
        table.insert("held_until", at(usage.held_for))?;
        list.push(table.into_zval(false)?);
    }
    Ok(list.into_value())
}

/// `checkpoint_limits(): string`
pub fn checkpoint(_: &mut Call<'_>) -> PhpResult<Zval> {
    use base64::Engine as _;
    let counts = limiter::at(&ini::limits()).checkpoint();
    Ok(string(
        base64::engine::general_purpose::STANDARD.encode(counts).as_bytes(),
    ))
}

/// `restore_limits( string $checkpoint ): int`
pub fn restore(call: &mut Call<'_>) -> PhpResult<Zval> {
    use base64::Engine as _;
    call.at_least(1, 1)?;
    let given = call.text(0)?;
    let counts = base64::engine::general_purpose::STANDARD.decode(&given).map_err(|_| {
        let message = "this is not what checkpoint_limits() returned: the counts start anew";
        exception("", &Error::new(Kind::Config, message))
    })?;
    let restored = limiter::at(&ini::limits()).restore(&counts);
    let mut count = Zval::new();
    count.set_long(i64::try_from(restored).unwrap_or(i64::MAX));
    Ok(count)
}

thread_local! {
    /// The last ring of each bell that this process has heard.
    static HEARD: RefCell<std::collections::BTreeMap<String, String>> = const { RefCell::new(std::collections::BTreeMap::new()) };
}

/// `wake( string $channel = '' ): bool`
pub fn wake(call: &mut Call<'_>) -> PhpResult<Zval> {
    let channel = channel(call, 0)?;
    let limiter = limiter::at(&ini::limits());
    if limiter.is_local() {
        return Ok(boolean(false));
    }
    let rung = asked(async move { limiter.wake(&channel).await });
    // Workers look into the queue by themselves; the bell only makes it sooner.
    Ok(boolean(rung.is_ok()))
}

/// `wait_for_wake( float $seconds, string $channel = '' ): ?bool`
pub fn wait_for_wake(call: &mut Call<'_>) -> PhpResult<Zval> {
    call.at_least(1, 2)?;
    let seconds = call.number(0)?;
    let channel = channel(call, 1)?;
    let limiter = limiter::at(&ini::limits());
    if limiter.is_local() {
        return Ok(Zval::null());
    }
    let wait = Duration::try_from_secs_f64(seconds.max(0.0)).map_or(MOST_WAIT, |wait| wait.min(MOST_WAIT));
    let last = HEARD.with_borrow(|heard| heard.get(&channel).cloned());
    let name = channel.clone();
    let heard = asked(async move { limiter.wait_for_wake(&name, last.as_deref(), wait).await });
    Ok(match heard {
        Ok(Some(ring)) => {
            HEARD.with_borrow_mut(|heard| heard.insert(channel, ring.id));
            boolean(ring.is_new)
        }
        Ok(None) => boolean(false),
        Err(_) => Zval::null(),
    })
}

/// Bells of different sites are different.
fn channel(call: &Call<'_>, position: usize) -> PhpResult<String> {
    let name = if call.count() > position {
        call.text(position)?
    } else {
        Vec::new()
    };
    let site = credential::site();
    let hash = digest::digest(&digest::SHA256, &[site.as_bytes(), b"\0", &name].concat());
    Ok(hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// Asks on the I/O thread, where Redis is asked.
fn asked<T: Send + 'static>(question: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    if zend::is_preloading() {
        return Err(Error::new(
            Kind::Config,
            "no limit can be asked for while scripts are preloaded: threads and sockets do not survive the fork that follows",
        ));
    }
    runtime::engine()?.call(question, &mut zend::interrupted)
}
