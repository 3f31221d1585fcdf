//! Sockets: accepts, counts and numbers connections, and can cut one from inside a request. What is answered is not
//! known here.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::body::Body;
use crate::{api, control as control_api};

/// One accepted connection, as a request sees it.
pub struct Conn {
    pub number: u64,
    pub tls: bool,
    cut: Notify,
    last_words: Mutex<Option<Bytes>>,
}

impl Conn {
    /// Ends the connection. A waiting answer is never sent; `last_words` go out as they are.
    pub fn cut(&self, last_words: Option<Bytes>) {
        *self.last_words.lock() = last_words;
        self.cut.notify_one();
    }
}

pub async fn api_tls(listener: TcpListener, acceptor: TlsAcceptor, app: Arc<App>) {
    loop {
        let stream = accept(&listener).await;
        let (acceptor, app) = (acceptor.clone(), app.clone());
        tokio::spawn(async move {
            let open = app.stats.accepted();
            // A client that does not trust the CA ends here; it is counted as a connection all the same.
            if let Ok(stream) = acceptor.accept(stream).await {
                serve_api(stream, true, open.number, app.clone()).await;
            }
        });
    }
}

pub async fn api_plain(listener: TcpListener, app: Arc<App>) {
    loop {
        let stream = accept(&listener).await;
        let app = app.clone();
        tokio::spawn(async move {
            let open = app.stats.accepted();
            serve_api(stream, false, open.number, app.clone()).await;
        });
    }
}

pub async fn control(listener: TcpListener, app: Arc<App>) {
    loop {
        let stream = accept(&listener).await;
        let app = app.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let app = app.clone();
                async move { Ok::<_, Infallible>(control_api::serve(&app, request).await) }
            });
            // An error here is a client that went away.
            let _gone = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers must not wait for Nagle; a socket that refuses the option still works.
                let _slower = stream.set_nodelay(true);
                return stream;
            }
            // Out of file descriptors, mostly: some will be free again soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn serve_api<S>(stream: S, tls: bool, number: u64, app: Arc<App>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let conn = Arc::new(Conn {
        number,
        tls,
        cut: Notify::new(),
        last_words: Mutex::new(None),
    });
    let mut io = Shared(Arc::new(Mutex::new(stream)));
    let handler = conn.clone();
    serve_until_cut(io.clone(), &conn, move |request| {
        let (app, conn) = (app.clone(), handler.clone());
        async move { api::serve(app, conn, request).await }
    })
    .await;
    let last_words = conn.last_words.lock().take();
    if let Some(last_words) = last_words {
        // The client may be gone already; there is nobody left to tell.
        let _sent = io.write_all(&last_words).await;
        let _ended = io.shutdown().await;
    }
}

/// Returns when the client is done or the connection was cut; hyper's half of the socket is dropped then.
async fn serve_until_cut<S, F, A>(io: Shared<S>, conn: &Conn, handler: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http2()
        .max_concurrent_streams(1024)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .max_send_buf_size(1 << 20);
    let serving = builder.serve_connection(TokioIo::new(io), service);
    tokio::select! {
        _ = serving => {}
        () = conn.cut.notified() => {}
    }
}

/// A socket with two handles, so that something can still be written after hyper has let go of it.
struct Shared<S>(Arc<Mutex<S>>);

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Shared<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shared<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_shutdown(context)
    }
}
