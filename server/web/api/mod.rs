//! The API below `/api/v1`: JSON for programs, with an OpenAPI document made from this very code. Where
//! Gogs or Gitea have the same thing, addresses and field names are theirs.

pub mod activity;
mod causality;
mod commits;
mod deliveries;
mod endpoint_shapes;
mod endpoints;
mod live;
mod logs;
pub mod paging;
pub mod pipelines;
mod registry;
pub mod repositories;
mod run_shape;
pub mod runs;
mod shapes;
mod stream_apply;
mod stream_shape;
mod streams;
pub mod triggers;
pub mod users;
mod variables;
mod webhook_shapes;
mod webhooks;

use std::sync::OnceLock;

use actix_web::dev::HttpServiceFactory;
use actix_web::{App, HttpResponse, web};
use utoipa::OpenApi;
use utoipa_actix_web::{AppExt as _, OpenApiFactory};

pub use run_shape::RunShape;

use super::errors::Failure;
use crate::model::Error;
use crate::msg;

pub const PREFIX: &str = "/api/v1";
/// Longest JSON body.
pub const LONGEST_BODY: usize = 1024 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ropewalk",
        description = "Git host, build loop, registry client and dashboard. Sign requests with `Authorization: token T`, \
                       `Bearer T` or Basic. Errors are `{\"error\": {\"code\", \"message\", \"id\"?}}`; lists take `limit` \
                       and name what follows in a `Link` header.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Security)
)]
pub struct Document;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
        let components = document.components.get_or_insert_default();
        for (name, scheme) in [("token", HttpAuthScheme::Bearer), ("basic", HttpAuthScheme::Basic)] {
            components.add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
        }
        let empty: [&str; 0] = [];
        let either = ["token", "basic"].map(|name| SecurityRequirement::new(name, empty));
        document.security = Some(either.to_vec());
    }
}

/// Where routes go: into the server, or into the document.
pub trait Routes {
    fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(&mut self, one: F) -> &mut Self;
}

impl Routes for web::ServiceConfig {
    fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(&mut self, one: F) -> &mut Self {
        web::ServiceConfig::service(self, one)
    }
}

impl Routes for utoipa_actix_web::service_config::ServiceConfig<'_> {
    fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(&mut self, one: F) -> &mut Self {
        utoipa_actix_web::service_config::ServiceConfig::service(self, one)
    }
}

/// The document, made when it is first asked for: as a tree it takes more memory than all else that an idle worker has.
pub async fn document() -> HttpResponse {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let json = DOCUMENT.get_or_init(|| {
        let app = App::new().into_utoipa_app().openapi(Document::openapi());
        let scope = utoipa_actix_web::scope(PREFIX).configure(|cfg| routes(cfg));
        app.service(scope).split_for_parts().1.to_json().unwrap_or_default()
    });
    HttpResponse::Ok().content_type("application/json").body(json.as_str())
}

/// Every route; registering one here is also what puts it into the document.
pub fn routes(cfg: &mut impl Routes) {
    cfg.service(users::me)
        .service(repositories::list)
        .service(repositories::create)
        .service(users::tokens)
        .service(users::create_token)
        .service(users::rotate_token)
        .service(users::delete_token)
        .service(users::user)
        .service(users::create_user)
        .service(users::edit_user)
        .service(repositories::mirror)
        .service(repositories::show)
        .service(repositories::edit)
        .service(repositories::remove)
        .service(commits::branches)
        .service(commits::commits)
        .service(pipelines::list)
        .service(pipelines::create)
        .service(runs::list)
        .service(runs::create)
        .service(logs::of_stage)
        .service(logs::of_run)
        .service(live::events)
        .service(runs::cancel)
        .service(runs::rerun)
        .service(runs::show)
        .service(triggers::list)
        .service(triggers::create)
        .service(triggers::edit)
        .service(triggers::remove)
        .service(pipelines::show)
        .service(pipelines::remove)
        .service(registry::registry_tags)
        .service(registry::registry_repositories)
        .service(registry::registry_image)
        .service(causality::impact_of)
        .service(causality::causality_of_event)
        .service(streams::list)
        .service(stream_apply::apply)
        .service(streams::import)
        .service(streams::roll_back)
        .service(streams::tag)
        .service(streams::untag)
        .service(streams::show)
        .service(streams::remove)
        .service(activity::list);
    endpoint_routes(cfg);
    variable_routes(cfg);
    of_webhooks(cfg);
}

fn endpoint_routes(cfg: &mut impl Routes) {
    cfg.service(endpoints::list)
        .service(endpoints::create)
        .service(endpoints::validate)
        .service(endpoints::certificate)
        .service(endpoints::accept)
        .service(endpoints::show)
        .service(endpoints::change)
        .service(endpoints::remove);
}

fn variable_routes(cfg: &mut impl Routes) {
    cfg.service(variables::list)
        .service(variables::create)
        .service(variables::show)
        .service(variables::change)
        .service(variables::remove);
}

fn of_webhooks(cfg: &mut impl Routes) {
    cfg.service(webhooks::registry)
        .service(webhooks::list)
        .service(webhooks::create)
        .service(webhooks::show)
        .service(webhooks::edit)
        .service(webhooks::rotate)
        .service(webhooks::mirror)
        .service(webhooks::remove)
        .service(webhooks::test)
        .service(deliveries::list)
        .service(deliveries::show)
        .service(deliveries::replay);
}

/// How bodies, addresses and queries that cannot be read are refused.
pub fn refusals(cfg: &mut web::ServiceConfig) {
    use actix_web::error::JsonPayloadError as Json;
    let invalid = |cause: &dyn std::fmt::Display| {
        let cause = cause.to_string().chars().take(200).collect::<String>().escape_debug().to_string();
        Failure::Known(Error::Invalid(msg!("api-malformed", cause = cause)))
    };
    let json = web::JsonConfig::default().limit(LONGEST_BODY).error_handler(move |error, _| {
        let failure = match &error {
            Json::Overflow { .. } | Json::OverflowKnownLength { .. } => Failure::TooLarge,
            Json::ContentType => Failure::Unsupported(msg!("api-json-wanted")),
            other => invalid(other),
        };
        failure.into()
    });
    cfg.app_data(json)
        .app_data(web::PayloadConfig::new(LONGEST_BODY))
        .app_data(web::PathConfig::default().error_handler(|_, _| Failure::not_found().into()))
        .app_data(web::QueryConfig::default().error_handler(move |error, _| invalid(&error).into()));
}
