//! Pages for people: one page group, one file. A handler reads rows and files, fills a struct of `pages`
//! and answers with it; what a form changes goes through the same functions that the API uses. Every
//! address here is built by `pages::links`, and private repositories do not exist for others.
//!
//! ```text
//! visit, pieces, commit_lines   what every handler begins with     error, sign_in, settings, admin
//! home, repository, browse, commits, repository_forms, repository_settings
//! pipelines, pipeline, start_form, run, run_view, run_log, run_live
//! registry, image, trace, question     activity, health, badges
//! ```

mod browse;
mod commit_lines;
pub mod error;
mod home;
mod pieces;
mod repository;
mod run;
mod run_live;
mod run_log;
mod run_view;
mod sign_in;
mod visit;

use actix_web::middleware::from_fn;
use actix_web::web::{self, get, post};

pub use visit::Shared;

/// Every page. The fixed names come first: no account can have one of them.
pub fn routes(cfg: &mut web::ServiceConfig) {
    let pages = web::scope("")
        .wrap(from_fn(visit::spend_notice))
        .route("/", get().to(home::home))
        .route("/sign-in", get().to(sign_in::form))
        .route("/sign-in", post().to(sign_in::sign_in))
        .route("/sign-out", post().to(sign_in::sign_out))
        .route("/language", post().to(sign_in::language))
        .route("/theme", post().to(sign_in::theme))
        .configure(of_repositories)
        .default_service(web::to(error::nothing));
    cfg.service(pages);
}

fn of_repositories(cfg: &mut web::ServiceConfig) {
    const RUN: &str = "/{owner}/{repo}/pipelines/{pipeline}/runs/{number}";
    cfg.route("/{owner}/{name}", get().to(repository::show))
        .route("/{owner}/{name}/files/{path:.*}", get().to(browse::files))
        .route("/{owner}/{name}/raw/{path:.*}", get().to(browse::raw))
        .route(RUN, get().to(run::show))
        .route(&format!("{RUN}/live"), get().to(run_live::live))
        .route(&format!("{RUN}/cancel"), post().to(run::cancel))
        .route(&format!("{RUN}/rerun"), post().to(run::rerun));
}
