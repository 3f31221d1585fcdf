//! One I/O thread per process, started at the first call and never shared with a forked child.
//!
//! PHP's thread never enters the runtime: it hands over a future and waits for the answer in short slices, in which it
//! looks whether PHP was interrupted. A child that inherits an engine leaks it, because dropping it would say goodbye on
//! the parent's sockets.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use nix::sys::signal::{SigSet, SigmaskHow};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::config::Transport;
use crate::error::{Error, Kind, Result};
use crate::net::client::{self, Client};
use crate::net::journal::Book;

/// How long PHP's thread waits before it looks for an interrupt.
pub const SLICE: Duration = Duration::from_millis(50);
/// How long an exiting process waits for its own I/O thread.
const FAREWELL: Duration = Duration::from_millis(100);

/// What a process needs to make calls.
pub struct Engine {
    pid: u32,
    handle: Handle,
    runtime: Mutex<Option<Runtime>>,
    clients: Mutex<HashMap<Transport, Client>>,
    requests: AtomicU64,
    journals: Book,
}

static ENGINE: Mutex<Option<&'static Engine>> = Mutex::new(None);

/// This process's engine; starts it if there is none.
pub fn engine() -> Result<&'static Engine> {
    let mut slot = ENGINE.lock();
    if let Some(engine) = slot.filter(|engine| engine.is_own()) {
        return Ok(engine);
    }
    let engine: &'static Engine = Box::leak(Box::new(Engine::start()?));
    *slot = Some(engine);
    Ok(engine)
}

/// This process's engine, if it has been started.
#[must_use]
pub fn running() -> Option<&'static Engine> {
    ENGINE.lock().filter(|engine| engine.is_own())
}

/// Stops this process's own I/O thread; what a parent process started is left alone.
pub fn stop() {
    if let Some(engine) = running() {
        let runtime = engine.runtime.lock().take();
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(FAREWELL);
        }
    }
}

impl Engine {
    fn start() -> Result<Self> {
        // PHP's signals are for PHP's thread: the new threads inherit a full mask.
        let before = SigSet::all()
            .thread_swap_mask(SigmaskHow::SIG_SETMASK)
            .map_err(|error| cannot_start(&error))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(4)
            .thread_keep_alive(Duration::from_secs(2))
            .thread_name("tenant-crm-io")
            .enable_all()
            .build();
        before.thread_set_mask().map_err(|error| cannot_start(&error))?;
        let runtime = runtime.map_err(|error| cannot_start(&error))?;
        Ok(Self {
            pid: std::process::id(),
            handle: runtime.handle().clone(),
            runtime: Mutex::new(Some(runtime)),
            clients: Mutex::new(HashMap::new()),
            requests: AtomicU64::new(0),
            journals: Book::default(),
        })
    }

    /// Whether this process started the engine (and not its parent).
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.pid == std::process::id()
    }

    /// Calls that were handed to the I/O thread.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Where this process's attempts are written down.
    #[must_use]
    pub const fn journals(&self) -> &Book {
        &self.journals
    }

    /// The pool for this configuration; kept as long as the process lives.
    pub fn client(&self, transport: &Transport) -> Result<Client> {
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(transport) {
            return Ok(client.clone());
        }
        let client = client::build(transport)?;
        clients.insert(transport.clone(), client.clone());
        Ok(client)
    }

    /// Starts `future` on the I/O thread.
    pub fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.handle.spawn(future)
    }

    /// Runs `future` on the I/O thread and waits for it; gives up, and stops it, when `interrupted` says so.
    pub fn call<F, T>(&self, future: F, interrupted: &mut dyn FnMut() -> bool) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        // Some have 8 KB, and would be moved four times; and the runtime's code is not made anew for each of them.
        let future: Pin<Box<dyn Future<Output = Result<T>> + Send>> = Box::pin(future);
        let task = self.spawn(async move {
            let result = future.await;
            // Nobody waits any more: the answer is of no use.
            let _ = sender.send(result);
        });
        match wait(&receiver, interrupted) {
            Ok(result) => result,
            Err(error) => {
                task.abort();
                Err(error)
            }
        }
    }
}

/// Waits for the next message of the I/O thread.
pub fn wait<T>(receiver: &Receiver<T>, interrupted: &mut dyn FnMut() -> bool) -> Result<T> {
    loop {
        match receiver.recv_timeout(SLICE) {
            Ok(message) => return Ok(message),
            Err(RecvTimeoutError::Timeout) => {
                if interrupted() {
                    return Err(Error::new(Kind::Cancelled, "PHP interrupted the call"));
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::new(Kind::Transport, "the I/O thread ended before it answered"));
            }
        }
    }
}

fn cannot_start(reason: &dyn std::fmt::Display) -> Error {
    Error::new(
        Kind::Config,
        format!("cannot start the I/O thread: {reason}; raise the host's limit of threads (ulimit -u) or memory"),
    )
}
