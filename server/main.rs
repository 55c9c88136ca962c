//! The program: reads its arguments and hands over, to a verb of the command line or to the server.
//!
//! What only a process has is here: signals, the log's form, the listening socket.

use std::io::IsTerminal as _;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use ropewalk::app::{App, Ended};
use ropewalk::cli;
use ropewalk::config::Serve;
use ropewalk::model::{Error, Result};
use ropewalk::msg;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    cli::run(serve)
}

/// Runs the server until SIGTERM or SIGINT.
fn serve(settings: Serve) -> Result<()> {
    start_log(&settings)?;
    // reqwest and rustls take the one that is installed; nothing else may choose before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|e| Error::internal("start the runtime", e))?.block_on(carry_on(settings))
}

async fn carry_on(settings: Serve) -> Result<()> {
    let stop = stop_signal()?;
    let address = settings.listen;
    // Bound before anything is opened: a port that is taken must not cost a migration or a recovery.
    let listener = TcpListener::bind(address)
        .map_err(|cause| Error::Conflict(msg!("cli-listen", address = address, cause = cause)))?;
    let url = settings.url.clone();
    tokio::pin!(stop);
    loop {
        let app = App::open(settings.clone()).await?;
        if let Some(password) = &app.first_password {
            cli::tell_first_password(password);
        }
        tracing::info!(%address, %url, version = env!("CARGO_PKG_VERSION"), "serving");
        let door = listener.try_clone().map_err(|e| Error::internal("keep the listening socket", e))?;
        // A copy that was adopted is opened again, as the house.
        if Arc::new(app).serve(door, &mut stop).await? == Ended::Stopped {
            return Ok(());
        }
    }
}

/// Resolves at the first SIGTERM or SIGINT.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).map_err(|e| Error::internal("listen for signals", e));
    let (mut term, mut int) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

fn start_log(settings: &Serve) -> Result<()> {
    let refuse =
        |_| Error::Invalid(msg!("cli-setting-value", name = "log", value = settings.log.escape_debug()));
    let filter = EnvFilter::try_new(&settings.log).map_err(refuse)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    if settings.log_json {
        log.json().init()
    } else {
        log.with_target(false).init()
    }
    Ok(())
}
