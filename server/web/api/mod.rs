//! The API below `/api/v1`: JSON for programs, with an OpenAPI document made from this very code. Where
//! Gogs or Gitea have the same thing, addresses and field names are theirs.

pub mod activity;
mod commits;
mod deliveries;
mod live;
mod logs;
pub mod paging;
pub mod pipelines;
mod registry;
pub mod repositories;
mod run_shape;
pub mod runs;
mod shapes;
pub mod users;
mod webhook_shapes;
mod webhooks;

use actix_web::web;
use utoipa::OpenApi;
use utoipa_actix_web::service_config::ServiceConfig;

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

/// Every route; registering one here is also what puts it into the document.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(users::me)
        .service(repositories::list)
        .service(repositories::create)
        .service(users::tokens)
        .service(users::create_token)
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
        .service(pipelines::show)
        .service(pipelines::remove)
        .service(registry::registry_tags)
        .service(registry::registry_repositories)
        .service(registry::registry_image)
        .service(activity::list);
    of_webhooks(cfg);
}

fn of_webhooks(cfg: &mut ServiceConfig) {
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
