//! This process's connections to Redis: made when they are first needed, bounded in time, and made again after a failure, at most
//! once a second. What is said over them is the business of `script` and of `redis.rs`.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::error::{Error, Kind, Result};
use crate::secret::redact;

use super::address::Address;
use super::stream::Dialer;

/// Bound on one command, and on connecting with all that belongs to it.
const PATIENCE: Duration = Duration::from_millis(500);
/// A server that failed is left alone for so long.
const PAUSE: Duration = Duration::from_secs(1);
/// Routers forget connections that nothing has passed for some minutes, and tell nobody.
const IDLE: Duration = Duration::from_secs(120);
const EXCERPT: usize = 200;

/// The way to one server.
pub(super) struct Link {
    address: Address,
    dialer: Dialer,
    /// Whoever finds no connection makes one; the others wait for it rather than take the server to be away.
    state: tokio::sync::Mutex<State>,
    /// The last connection that a call waited on, until the next call.
    parked: Mutex<Option<Live>>,
    /// What went wrong last, until something goes right.
    problem: Mutex<Option<Error>>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// Since when the server is away, and what is said about it meanwhile.
    failed: Option<(Instant, Error)>,
}

/// One connection; it ends with its last user.
#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    /// What the server calls its data: another name after each start and each change of the primary. Empty where it does not say.
    history: Arc<str>,
    driver: Arc<Driver>,
    /// When it was used last; `None`: never.
    used: Arc<Mutex<Option<Instant>>>,
}

struct Driver {
    task: JoinHandle<()>,
    made: Instant,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Live {
    fn is_good(&self) -> bool {
        let used = self.used.lock().unwrap_or(self.driver.made);
        !self.driver.task.is_finished() && used.elapsed() < IDLE
    }
}

impl Link {
    pub(super) fn new(address: Address, dialer: Dialer) -> Self {
        Self {
            address,
            dialer,
            state: tokio::sync::Mutex::default(),
            parked: Mutex::default(),
            problem: Mutex::default(),
        }
    }

    /// What went wrong last, if nothing has gone right since.
    pub(super) fn problem(&self) -> Option<String> {
        self.problem.lock().as_ref().map(|error| error.message.clone())
    }

    /// Lets `speak` speak over the connection that all commands share, for as long as one command may take.
    pub(super) async fn command<T, F>(&self, speak: impl Fn(MultiplexedConnection, Arc<str>) -> F + Send) -> Result<T>
    where
        F: Future<Output = RedisResult<T>> + Send,
    {
        let mut may_repeat = true;
        let result = loop {
            let live = match self.shared().await {
                Ok(live) => live,
                Err(error) => break Err(error),
            };
            may_repeat &= live.used.lock().is_some();
            match timeout(PATIENCE, speak(live.connection.clone(), Arc::clone(&live.history))).await {
                Ok(Ok(value)) => {
                    *live.used.lock() = Some(Instant::now());
                    break Ok(value);
                }
                // A server closes what has been idle for long. What it counted twice errs on the safe side.
                Ok(Err(error)) if may_repeat && error.is_connection_dropped() => {
                    may_repeat = false;
                    self.give_up(&live, None).await;
                }
                Ok(Err(error)) => {
                    let said = self.failure(&error);
                    if breaks(&error) {
                        self.give_up(&live, Some(said.clone())).await;
                    }
                    break Err(said);
                }
                Err(_) => {
                    let said = self.says("it did not answer within half a second");
                    self.give_up(&live, Some(said.clone())).await;
                    break Err(said);
                }
            }
        };
        self.noted(result)
    }

    /// Lets `speak` wait for at most `longest` over a connection of its own. A wait that is given up takes it along.
    pub(super) async fn wait<T, F>(
        &self,
        longest: Duration,
        speak: impl FnOnce(MultiplexedConnection) -> F + Send,
    ) -> Result<T>
    where
        F: Future<Output = RedisResult<T>> + Send,
    {
        let parked = self.parked.lock().take().filter(Live::is_good);
        let live = match parked {
            Some(live) => live,
            None => {
                let connected = self.attempt(&mut *self.state.lock().await).await;
                self.noted(connected)?
            }
        };
        let result = match timeout(longest.saturating_add(PATIENCE), speak(live.connection.clone())).await {
            Ok(result) => result.map_err(|error| self.failure(&error)),
            Err(_) => Err(self.says("it did not answer in time")),
        };
        if result.is_ok() {
            *live.used.lock() = Some(Instant::now());
            *self.parked.lock() = Some(live);
        }
        self.noted(result)
    }

    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        *self.problem.lock() = result.as_ref().err().cloned();
        result
    }

    async fn shared(&self) -> Result<Live> {
        let mut state = self.state.lock().await;
        if let Some(live) = state.live.as_ref().filter(|live| live.is_good()) {
            return Ok(live.clone());
        }
        state.live = None;
        let live = self.attempt(&mut state).await?;
        state.live = Some(live.clone());
        Ok(live)
    }

    /// Connects, unless that has failed just now.
    async fn attempt(&self, state: &mut State) -> Result<Live> {
        if let Some((since, error)) = &state.failed
            && since.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        // In case nobody waits for the end of this attempt.
        state.failed = Some((Instant::now(), self.says("connecting was given up")));
        let result = match timeout(PATIENCE, self.connect()).await {
            Ok(result) => result,
            Err(_) => Err(self.says("it could not be connected to within half a second")),
        };
        state.failed = result.as_ref().err().map(|error| (Instant::now(), error.clone()));
        result
    }

    async fn connect(&self) -> Result<Live> {
        let stream = self
            .dialer
            .dial()
            .await
            .map_err(|error| self.says(&error.to_string()))?;
        let mut login = RedisConnectionInfo::default()
            .set_db(self.address.database.into())
            .set_lib_name("tenant_crm_sync", env!("CARGO_PKG_VERSION"));
        if let Some(user) = &self.address.user {
            login = login.set_username(user);
        }
        if let Some(password) = &self.address.password {
            login = login.set_password(password.as_str());
        }
        // How long an answer may take is the caller's to say.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let (mut connection, driver) = MultiplexedConnection::new_with_config(&login, stream, config)
            .await
            .map_err(|error| self.failure(&error))?;
        let driver = Arc::new(Driver {
            task: tokio::spawn(driver),
            made: Instant::now(),
        });
        let history = history(&mut connection).await.map_err(|error| self.failure(&error))?;
        Ok(Live {
            connection,
            history,
            driver,
            used: Arc::default(),
        })
    }

    /// This connection is of no use any more. With an error the server is away: everybody hears so at once, for a second.
    async fn give_up(&self, broken: &Live, error: Option<Error>) {
        let mut state = self.state.lock().await;
        // Unless somebody has connected again meanwhile.
        if state
            .live
            .as_ref()
            .is_some_and(|live| Arc::ptr_eq(&live.driver, &broken.driver))
        {
            state.live = None;
            state.failed = error.map(|error| (Instant::now(), error));
        }
    }

    fn failure(&self, error: &RedisError) -> Error {
        match error.kind() {
            ErrorKind::AuthenticationFailed => {
                self.says("it refuses the user or the password of tenant_crm_sync.redis_url")
            }
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot) => {
                self.says("it is one node of a cluster, and not the one that keeps our keys; name that one, or a proxy")
            }
            ErrorKind::Server(ServerErrorKind::ReadOnly) => self.says("it is a replica; name the primary"),
            ErrorKind::Parse => self.says("it does not speak Redis's language; if it wants TLS, write rediss://"),
            _ if error.is_connection_dropped() => {
                self.says("it closed the connection; if it wants TLS, write rediss://")
            }
            _ => {
                let code = error.code().unwrap_or_default();
                match error.detail() {
                    Some(detail) if code == "NOAUTH" => {
                        self.says(&format!("it wants a password in tenant_crm_sync.redis_url ({detail})"))
                    }
                    Some(detail) => self.says(format!("{code} {detail}").trim()),
                    None => self.says(&error.to_string()),
                }
            }
        }
    }

    /// What Redis and the system say can hold what they were given.
    fn says(&self, reason: &str) -> Error {
        let password = self.address.password.as_ref().map(|password| password.as_bytes());
        let reason = redact(reason, password.as_slice(), EXCERPT);
        Error::new(
            Kind::Transport,
            format!("Redis at {} cannot be used: {reason}", self.address),
        )
    }
}

/// Whether the connection, or the server behind it, is of no use any more.
fn breaks(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
        || matches!(
            error.kind(),
            ErrorKind::Parse
                | ErrorKind::AuthenticationFailed
                | ErrorKind::Server(
                    ServerErrorKind::BusyLoading
                        | ServerErrorKind::ClusterDown
                        | ServerErrorKind::MasterDown
                        | ServerErrorKind::Moved
                        | ServerErrorKind::ReadOnly
                )
        )
}

/// What the server calls its data. A user who may not ask, or a proxy that does not know, is no failure.
async fn history(connection: &mut MultiplexedConnection) -> RedisResult<Arc<str>> {
    let about: String = match redis::cmd("INFO").arg("replication").query_async(connection).await {
        Ok(about) => about,
        Err(error) if breaks(&error) => return Err(error),
        Err(_) => String::new(),
    };
    let name = about.lines().find_map(|line| line.strip_prefix("master_replid:"));
    let is_name = |name: &&str| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Ok(Arc::from(name.map(str::trim).filter(is_name).unwrap_or_default()))
}
