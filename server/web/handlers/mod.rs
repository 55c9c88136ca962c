//! Pages for people: one page group, one file. A handler reads rows and files, fills a struct of `pages`
//! and answers with it; what a form changes goes through the same functions that the API uses. Every
//! address here is built by `pages::links`, and private repositories do not exist for others.
//!
//! ```text
//! visit, pieces, commit_lines, kept, provenance   what several handlers begin with     error    failures as pages
//! live_part       what stays current on an open page
//! home, repository, browse, commits, new, repository_settings                    sign_in, settings, admin
//! pipelines, start_form, run (run_view: its rows, run_log: its logs, run_live: while it goes on)
//! causality (and impact)   registry, trace (question: what was pasted)       activity, health, badges
//! endpoints, variables     streams, triggers
//! webhooks (webhook_form), deliveries, image_rows   Docker triggers and what came to them
//! ```

mod activity;
mod admin;
mod badges;
mod browse;
mod causality;
mod commit_lines;
mod commits;
mod deliveries;
mod endpoints;
pub mod error;
mod health;
mod home;
mod image_rows;
mod kept;
mod live_part;
mod new;
mod pieces;
mod pipelines;
mod provenance;
mod question;
mod registry;
mod repository;
mod repository_settings;
mod run;
mod run_live;
mod run_log;
mod run_view;
mod settings;
mod sign_in;
mod start_form;
mod stream_new;
mod streams;
mod trace;
mod trace_records;
mod triggers;
mod variables;
mod visit;
mod webhook_form;
mod webhooks;

use actix_web::middleware::from_fn;
use actix_web::web::{self, get, post};

pub use visit::Shared;

/// Every page. The fixed names come first: no account can have one of them.
pub fn routes(cfg: &mut web::ServiceConfig) {
    let pages = web::scope("")
        .wrap(from_fn(visit::spend_notice))
        .configure(of_the_house)
        .configure(of_accounts)
        .configure(of_webhooks)
        .configure(of_endpoints)
        .configure(of_streams)
        .configure(of_repositories)
        .configure(of_pipelines)
        .default_service(web::to(error::nothing));
    cfg.service(pages);
}

fn of_the_house(cfg: &mut web::ServiceConfig) {
    cfg.route("/", get().to(home::home))
        .route("/health", get().to(health::health))
        .route("/activity", get().to(activity::list))
        .route("/activity/live", get().to(activity::live))
        .route("/registry", get().to(registry::repositories))
        .route("/registry/repositories/{name:.+}", get().to(registry::tags))
        .route("/registry/images/{digest}", get().to(registry::image))
        .route("/registry/impact", get().to(causality::impact))
        .route("/causality/{event}", get().to(causality::of_event))
        .route("/causality/{event}/live", get().to(causality::event_live))
        .route("/trace", get().to(trace::trace))
        .route("/trace", post().to(trace::posted))
        .route("/badges/{owner}/{name}", get().to(badges::badge))
        .route("/cc.xml", get().to(badges::cc));
}

fn of_accounts(cfg: &mut web::ServiceConfig) {
    cfg.route("/sign-in", get().to(sign_in::form))
        .route("/sign-in", post().to(sign_in::sign_in))
        .route("/sign-out", post().to(sign_in::sign_out))
        .route("/language", post().to(sign_in::language))
        .route("/theme", post().to(sign_in::theme))
        .route("/settings", get().to(settings::form))
        .route("/settings/tokens", post().to(settings::create_token))
        .route("/settings/tokens/{id}/rotate", post().to(settings::rotate_token))
        .route("/settings/tokens/{id}/delete", post().to(settings::delete_token))
        .route("/settings/variables", get().to(variables::list))
        .route("/settings/variables", post().to(variables::create))
        .route("/settings/variables/{name}", post().to(variables::change))
        .route("/settings/variables/{name}/delete", post().to(variables::delete))
        .route("/settings/password", post().to(settings::change_password))
        .route("/settings/language", post().to(sign_in::language))
        .route("/admin", get().to(admin::list))
        .route("/admin/users", post().to(admin::create))
        .route("/admin/users/{name}", post().to(admin::change));
}

fn of_webhooks(cfg: &mut web::ServiceConfig) {
    cfg.route("/webhooks", get().to(webhooks::list))
        .route("/webhooks/new", get().to(webhook_form::new))
        .route("/webhooks/new", post().to(webhook_form::create))
        .route("/webhooks/deliveries", get().to(deliveries::list))
        .route("/webhooks/deliveries/{id}", get().to(deliveries::show))
        .route("/webhooks/deliveries/{id}/replay", post().to(deliveries::replay))
        .route("/webhooks/{name}", get().to(webhooks::show))
        .route("/webhooks/{name}/live", get().to(webhooks::live))
        .route("/webhooks/{name}/edit", get().to(webhook_form::edit))
        .route("/webhooks/{name}/edit", post().to(webhook_form::change))
        .route("/webhooks/{name}/test", get().to(webhooks::test_form))
        .route("/webhooks/{name}/test", post().to(webhooks::test))
        .route("/webhooks/{name}/rotate", post().to(webhooks::rotate))
        .route("/webhooks/{name}/mirror", post().to(webhooks::mirror))
        .route("/webhooks/{name}/delete", post().to(webhooks::delete));
}

fn of_endpoints(cfg: &mut web::ServiceConfig) {
    cfg.route("/endpoints", get().to(endpoints::list))
        .route("/endpoints", post().to(endpoints::create))
        .route("/endpoints/new", get().to(endpoints::new))
        .route("/endpoints/{name}", get().to(endpoints::show))
        .route("/endpoints/{name}", post().to(endpoints::change))
        .route("/endpoints/{name}/edit", get().to(endpoints::edit))
        .route("/endpoints/{name}/validate", post().to(endpoints::validate))
        .route("/endpoints/{name}/delete", post().to(endpoints::delete))
        .route("/endpoints/{name}/certificate", get().to(endpoints::certificate))
        .route("/endpoints/{name}/certificate", post().to(endpoints::accept));
}

fn of_streams(cfg: &mut web::ServiceConfig) {
    const STREAM: &str = "/image-streams/{owner}/{name}";
    const TAG: &str = "/image-streams/{owner}/{name}/tags/{tag}";
    cfg.route("/image-streams", get().to(streams::list))
        .route("/image-streams/new", get().to(stream_new::form))
        .route("/image-streams/new", post().to(stream_new::create))
        .route(STREAM, get().to(streams::show))
        .route(&format!("{STREAM}/tag"), post().to(streams::set))
        .route(&format!("{STREAM}/delete"), post().to(streams::delete))
        .route(TAG, get().to(streams::tag))
        .route(&format!("{TAG}/live"), get().to(streams::tag_live))
        .route(&format!("{TAG}/import"), post().to(streams::import))
        .route(&format!("{TAG}/rollback"), post().to(streams::roll_back))
        .route(&format!("{TAG}/untag"), post().to(streams::untag));
}

fn of_repositories(cfg: &mut web::ServiceConfig) {
    cfg.route("/new", get().to(new::form))
        .route("/new", post().to(new::create))
        .route("/new/mirror", get().to(new::mirror_form))
        .route("/new/mirror", post().to(new::create_mirror))
        .route("/{owner}/{name}", get().to(repository::show))
        .route("/{owner}/{name}/settings", get().to(repository_settings::form))
        .route("/{owner}/{name}/settings", post().to(repository_settings::change))
        .route("/{owner}/{name}/delete", post().to(repository_settings::delete))
        .route("/{owner}/{name}/files/{path:.*}", get().to(browse::files))
        .route("/{owner}/{name}/raw/{path:.*}", get().to(browse::raw))
        .route("/{owner}/{name}/commits", get().to(commits::list))
        .route("/{owner}/{name}/commits/{id}", get().to(commits::show));
}

fn of_pipelines(cfg: &mut web::ServiceConfig) {
    const PIPELINE: &str = "/{owner}/{name}/pipelines/{pipeline}";
    const RUN: &str = "/{owner}/{repo}/pipelines/{pipeline}/runs/{number}";
    cfg.route("/{owner}/{name}/pipelines", get().to(pipelines::list))
        .route("/{owner}/{name}/new-pipeline", get().to(pipelines::form))
        .route("/{owner}/{name}/new-pipeline", post().to(pipelines::create))
        .route(PIPELINE, get().to(pipelines::show))
        .route(&format!("{PIPELINE}/start"), get().to(start_form::form))
        .route(&format!("{PIPELINE}/start"), post().to(start_form::start))
        .route(&format!("{PIPELINE}/delete"), post().to(pipelines::delete))
        .route(&format!("{PIPELINE}/triggers"), post().to(triggers::add))
        .route(&format!("{PIPELINE}/triggers/{{id}}/pause"), post().to(triggers::pause))
        .route(&format!("{PIPELINE}/triggers/{{id}}/delete"), post().to(triggers::delete))
        .route(RUN, get().to(run::show))
        .route(&format!("{RUN}/live"), get().to(run_live::live))
        .route(&format!("{RUN}/causality"), get().to(causality::of_run))
        .route(&format!("{RUN}/causality/live"), get().to(causality::run_live))
        .route(&format!("{RUN}/cancel"), post().to(run::cancel))
        .route(&format!("{RUN}/rerun"), post().to(run::rerun));
}
