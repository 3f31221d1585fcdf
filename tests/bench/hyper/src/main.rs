//! The limit that pulls are compared with: hyper alone fetches numbered pages over one HTTP/2 connection, some at once, and keeps the
//! bytes. No JSON is read, nothing is retried, counted or checked. Prints the seconds it took, then leaves the pages in a file.
//!
//! hyper-limit PORT CA_FILE KEY PAGES PER_PAGE AT_ONCE OUT

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// As large as ours.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

struct Task {
    port: u16,
    ca_file: String,
    key: String,
    pages: usize,
    per_page: usize,
    at_once: usize,
    out: String,
}

fn main() -> ExitCode {
    let Some(task) = task() else {
        eprintln!("usage: hyper-limit PORT CA_FILE KEY PAGES PER_PAGE AT_ONCE OUT");
        return ExitCode::from(2);
    };
    let start = Instant::now();
    match fetch(&task) {
        Ok(pages) => {
            println!("{{\"wall\":{}}}", start.elapsed().as_secs_f64());
            match write(&task.out, &pages) {
                Ok(()) => ExitCode::SUCCESS,
                Err(reason) => failed(&reason.into()),
            }
        }
        Err(reason) => failed(&reason),
    }
}

fn failed(reason: &Failure) -> ExitCode {
    eprintln!("hyper-limit: {reason}");
    ExitCode::FAILURE
}

fn task() -> Option<Task> {
    let mut words = std::env::args().skip(1);
    let task = Task {
        port: words.next()?.parse().ok()?,
        ca_file: words.next()?,
        key: words.next()?,
        pages: words.next()?.parse().ok()?,
        per_page: words.next()?.parse().ok()?,
        at_once: words.next()?.parse().ok()?,
        out: words.next()?,
    };
    words.next().is_none().then_some(task)
}

/// A page a line: their JSON has no line ends.
fn write(out: &str, pages: &[Bytes]) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(out)?);
    for page in pages {
        file.write_all(page)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

fn fetch(task: &Task) -> Result<Vec<Bytes>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(pages(task))
}

async fn pages(task: &Task) -> Result<Vec<Bytes>, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&task.ca_file)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", task.port)).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let (sender, connection) = Builder::new(TokioExecutor::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .handshake(TokioIo::new(stream))
        .await?;
    let driver = tokio::spawn(connection);

    let turns = Arc::new(Semaphore::new(task.at_once));
    let mut flights = JoinSet::new();
    for number in 1..=task.pages {
        let (sender, turns) = (sender.clone(), turns.clone());
        let url = format!(
            "https://localhost:{}/api/v1/leads?page={number}&per_page={}",
            task.port, task.per_page
        );
        let request = Request::get(url)
            .header("authorization", format!("Bearer {}", task.key))
            .header("accept", "application/json")
            .body(Empty::<Bytes>::new())?;
        flights.spawn(async move {
            let _turn = turns.acquire().await?;
            Ok::<_, Failure>((number, page(sender, request).await?))
        });
    }
    let mut pages = vec![Bytes::new(); task.pages];
    while let Some(landed) = flights.join_next().await {
        let (number, body) = landed??;
        if let Some(page) = pages.get_mut(number - 1) {
            *page = body;
        }
    }
    driver.abort();
    Ok(pages)
}

async fn page(mut sender: SendRequest<Empty<Bytes>>, request: Request<Empty<Bytes>>) -> Result<Bytes, Failure> {
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    if answer.status() != 200 {
        return Err(format!("HTTP {}", answer.status()).into());
    }
    Ok(answer.into_body().collect().await?.to_bytes())
}
