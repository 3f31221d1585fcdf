//! A cold origin is connected to by one request first: if it speaks HTTP/2, all others travel on that connection. Without it, fifty
//! tenants of one CRM that begin at once make fifty handshakes, of which forty-nine were for nothing. Others wait no longer
//! than the connection takes: an answer that is late holds up nobody.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::{Response, Url, Version};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tower_layer::Layer;
use tower_service::Service;

use crate::net::client::IDLE;

/// A connection that takes longer is waited for by nobody else.
const PATIENCE: Duration = Duration::from_millis(500);
/// From the end of the handshakes to a connection that can be found in the pool; it takes microseconds.
const TO_THE_POOL: Duration = Duration::from_millis(1);

tokio::task_local! {
    /// The door that waits for the connection which this request makes.
    static OPENS: Arc<Door>;
}

/// The doors of one pool, by origin.
#[derive(Debug, Default)]
pub struct Doors(Mutex<HashMap<String, Arc<Door>>>);

/// The door to one origin.
#[derive(Debug, Default)]
struct Door {
    state: Mutex<State>,
    opened: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Whether a request connects for all.
    is_opening: bool,
    /// Until when there probably is a connection for all.
    warm_until: Option<Instant>,
    /// Each request needs a connection of its own.
    is_http1: bool,
}

impl Doors {
    /// Sends a request, after the one that connects if there is one.
    pub async fn send(
        &self,
        url: &Url,
        sending: impl Future<Output = reqwest::Result<Response>>,
    ) -> reqwest::Result<Response> {
        let door = Arc::clone(self.0.lock().entry(url.origin().ascii_serialization()).or_default());
        let result = if door.opens().await {
            let _opening = Opening(Arc::clone(&door));
            OPENS.scope(Arc::clone(&door), sending).await
        } else {
            sending.await
        };
        door.learn(&result);
        result
    }
}

impl Door {
    /// Waits while another request connects; true for the one that does.
    async fn opens(&self) -> bool {
        // Before the look at the state: it hears what is said from now on.
        let opened = self.opened.notified();
        {
            let mut state = self.state.lock();
            if state.is_http1 || state.warm_until.is_some_and(|until| Instant::now() < until) {
                return false;
            }
            if !state.is_opening {
                state.is_opening = true;
                return true;
            }
        }
        if timeout(PATIENCE, opened).await.is_ok() {
            sleep(TO_THE_POOL).await;
        }
        false
    }

    fn learn(&self, result: &reqwest::Result<Response>) {
        let mut state = self.state.lock();
        match result {
            Ok(response) => {
                state.is_http1 = response.version() < Version::HTTP_2;
                state.warm_until = Some(Instant::now() + IDLE);
            }
            Err(error) if error.is_connect() => state.warm_until = None,
            // What went wrong with one request need not concern the connection.
            Err(_) => {}
        }
    }

    /// There is a connection.
    fn open(&self) {
        self.state.lock().warm_until = Some(Instant::now() + IDLE);
        self.opened.notify_waiters();
    }
}

/// A request that connects for all; however it ends, the others go on.
struct Opening(Arc<Door>);

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.state.lock().is_opening = false;
        self.0.opened.notify_waiters();
    }
}

/// Sees connections being made, and opens the door that waits for one.
#[derive(Debug, Clone, Copy)]
pub struct Watch;

/// A way to connect that is watched.
#[derive(Debug, Clone)]
pub struct Watched<S>(S);

impl<S> Layer<S> for Watch {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched(inner)
    }
}

impl<S, R> Service<R> for Watched<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Response: 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: R) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move {
            let connected = connecting.await;
            // Nobody waits for a connection that is made in the background.
            let _ = OPENS.try_with(|door| door.open());
            connected
        })
    }
}
