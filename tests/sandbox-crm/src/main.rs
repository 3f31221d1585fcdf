//! sandbox-crm: the CRM that the demo, the tests and the benchmarks talk to.
//! This file starts the listeners, says that they are ready and ends them; what is served is in `api` and `control`.

mod answer;
mod api;
mod app;
mod args;
mod body;
mod control;
mod dialects;
mod faults;
mod filter;
mod limit;
mod listen;
mod log;
mod oauth;
mod paging;
mod query;
mod rtt;
mod seed;
mod store;
mod tenant;
mod tls;
mod validate;

use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::args::Args;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{}", args::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(reason) => {
            eprintln!("sandbox-crm: {reason}\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(reason) => {
            eprintln!("sandbox-crm: cannot start threads: {reason}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("sandbox-crm: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    std::fs::create_dir_all(&args.dir).map_err(|reason| format!("cannot make {}: {reason}", args.dir.display()))?;
    let pid_file = args.dir.join("sandbox.pid");
    let ready_file = args.dir.join("sandbox.json");
    // A killed predecessor's files would say "ready" with ports that nobody answers.
    remove(&ready_file)?;
    remove(&pid_file)?;
    // Before the files say "ready": whoever reads the pid may send the signal at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let acceptor = tls::acceptor(&args.dir)?;
    let app = Arc::new(App::new(args.log_limit));
    let tls = bind(args.tls_port).await?;
    let plain = bind(args.plain_port).await?;
    let control = bind(args.control_port).await?;
    let ready = json!({
        "tls_port": tls.local_addr()?.port(),
        "plain_port": plain.local_addr()?.port(),
        "control_port": control.local_addr()?.port(),
        "pid": std::process::id(),
    });

    tokio::spawn(listen::api_tls(tls, acceptor, app.clone()));
    tokio::spawn(listen::api_plain(plain, app.clone()));
    tokio::spawn(listen::control(control, app));

    replace(&pid_file, &format!("{}\n", std::process::id()))?;
    replace(&ready_file, &format!("{ready}\n"))?;

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    remove(&ready_file)?;
    remove(&pid_file)
}

async fn bind(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|reason| format!("cannot listen on 127.0.0.1:{port}: {reason}").into())
}

/// Written aside and renamed: whoever waits for the file never reads half of it.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let aside = path.with_extension("new");
    std::fs::write(&aside, text)
        .and_then(|()| std::fs::rename(&aside, path))
        .map_err(|reason| format!("cannot write {}: {reason}", path.display()).into())
}

/// A file that is not there, perhaps with its whole folder, is as good as removed.
fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(reason) if reason.kind() != ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {reason}", path.display()).into())
        }
        _ => Ok(()),
    }
}
