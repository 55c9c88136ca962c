//! The door for people, git and programs: actix-web and askama live here and nowhere else. It has no
//! arrow to a loop: a button writes a row, and a page shows what the rows and files say.
//!
//! ```text
//! state  what handlers reach       auth, gate, attempts, sessions, csrf   who comes in, and may do what
//! errors from errors to answers    headers   what goes out with every answer
//! git, push, first_push            git over HTTP            api/    JSON for programs
//! held  what a copy of another server's data refuses
//! causality, impact  what led to what
//! start  runs by hand              live      a run as it happens     pages/, handlers/  HTML for people
//! hooks  what registries send       webhooks, deliveries  Docker triggers, and what came
//! endpoints, variables             what may be said about them, for the API and the pages
//! streams  changes of image streams and triggers
//! ```

pub mod ansi;
mod api;
pub mod assets;
mod attempts;
mod auth;
mod causality;
mod csrf;
mod deliveries;
mod endpoints;
mod errors;
mod first_push;
mod gate;
mod git;
mod handlers;
mod headers;
mod health;
mod held;
mod hooks;
mod impact;
mod live;
pub mod pages;
mod push;
mod sessions;
mod start;
mod state;
mod streams;
#[cfg(test)]
mod tests;
mod variables;
mod webhooks;

use std::net::TcpListener;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

pub use gate::Gate;
pub use state::{Door, Settings};

use crate::model::{Error, Result};

/// For a whole request head to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long answers under way may take when the server is asked to stop.
const STOP_TIMEOUT: u64 = 5;

/// Serves on `listener`. The server runs when it is polled, and stops by its handle.
pub fn serve(door: Door, listener: TcpListener, workers: usize) -> Result<actix_web::dev::Server> {
    let door = web::Data::new(door);
    let shared = web::Data::new(handlers::Shared::new());
    let refusals = web::Data::new(hooks::Refusals::default());
    let app = move || {
        App::new()
            .app_data(door.clone())
            .app_data(shared.clone())
            .app_data(refusals.clone())
            .configure(api::refusals)
            // Tried in this order, those with names in them by a regular expression each: what comes by the thousand
            // stands first. No account can have the names these addresses begin with.
            .configure(hooks::routes)
            .route("/api/v1/openapi.json", web::get().to(api::document))
            .service(web::scope(api::PREFIX).configure(api::routes))
            .configure(git::routes)
            .configure(routes)
            .default_service(web::to(handlers::error::nothing))
            .wrap(from_fn(headers::survive))
            .wrap(from_fn(headers::plain_bodies))
            .wrap(from_fn(held::refuse))
            .wrap(from_fn(csrf::check_origin))
            .wrap(from_fn(errors::present))
            .wrap(from_fn(headers::secure))
    };
    let server = HttpServer::new(app)
        .workers(workers)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(STOP_TIMEOUT)
        // Else the end of an answer waits until the client has acknowledged its beginning, which takes a client that
        // has nothing to send 40 ms.
        .tcp_nodelay(true)
        .disable_signals()
        .listen(listener)
        .map_err(|e| Error::internal("listen", e))?;
    Ok(server.run())
}

fn routes(cfg: &mut web::ServiceConfig) {
    cfg.route("/healthz", web::get().to(health::alive))
        .route("/static/{name}", web::get().to(assets::serve))
        .configure(handlers::routes);
}
