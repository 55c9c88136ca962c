//! Health for people; programs that ask at the same address get JSON.

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;

use super::visit::{Answer, Visit};
use crate::model::{Check, Condition, Message};
use crate::msg;
use crate::web::health as machine;
use crate::web::pages::health::{Health, Part, State};
use crate::web::pages::respond;

/// `GET /health`: a page for whoever asks for one.
pub async fn health(request: HttpRequest, visit: Visit) -> Answer {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/html") {
        return Ok(machine::health(request, visit.door).await);
    }
    let seen = visit.door.surroundings.borrow().clone();
    Ok(respond(&Health {
        page: visit.page,
        overall: state(seen.condition()),
        parts: seen.checks.into_iter().map(part).collect(),
        version: visit.door.settings.version.clone(),
        started_at: visit.shared.started_at,
    }))
}

const fn state(condition: Condition) -> State {
    match condition {
        Condition::Ok => State::Good,
        Condition::Degraded => State::Degraded,
        Condition::Failing => State::Failing,
    }
}

fn part(check: Check) -> Part {
    Part { name: name(check.part), state: state(check.condition), found: check.message, at: check.at }
}

fn name(part: &'static str) -> Message {
    match part {
        "database" => msg!("pages-part-database"),
        "disk" => msg!("pages-part-disk"),
        "git" => msg!("pages-part-git"),
        "docker" => msg!("pages-part-docker"),
        "registry" => msg!("pages-part-registry"),
        "poll" => msg!("pages-part-poll"),
        "queue" => msg!("pages-part-queue"),
        "repositories" => msg!("pages-part-repositories"),
        "loops" => msg!("pages-part-loops"),
        "lease" => msg!("pages-part-lease"),
        "sealed" => msg!("pages-part-sealed"),
        other => Message::new(other),
    }
}
