//! The Validate button: tries an endpoint step by step and says of each how it went, the last with how to mend it.
//! It sends what any other request to the endpoint would send, and nothing more.

use jiff::Timestamp;

use super::certificate::{self, Certificate};
use super::client::Client;
use super::patience::Patience;
use super::state::{Condition, RegistryState, Trouble};
use crate::model::{CheckStep, Message};
use crate::msg;

fn ok(message: Message) -> CheckStep {
    CheckStep { ok: true, message }
}

fn bad(message: Message) -> CheckStep {
    CheckStep { ok: false, message }
}

/// What was tried, in order; ends with the first step that failed.
pub(super) async fn steps(client: &Client) -> Vec<CheckStep> {
    let mut steps = Vec::new();
    match reached(client, &mut steps).await {
        Ok(()) => {}
        Err(trouble) => {
            steps.push(bad(trouble.message));
            return steps;
        }
    }
    let state = client.with_patience(Patience::NONE).state().await;
    if client.wire.base.is_tls() && secured(client, &state, &mut steps).await.is_err() {
        return steps;
    }
    answered(client, state, &mut steps);
    steps
}

/// Name and port.
async fn reached(client: &Client, steps: &mut Vec<CheckStep>) -> Result<(), Trouble> {
    let wire = &client.wire;
    let found = certificate::addresses(&wire.base, &wire.guard).await?;
    let listed: Vec<String> = found.iter().take(8).map(ToString::to_string).collect();
    steps.push(ok(msg!("endpoints-step-resolved", name = wire.base.name, addresses = listed.join(", "))));
    certificate::connect(&wire.base, &wire.guard).await?;
    steps.push(ok(msg!("endpoints-step-connected", port = wire.base.port())));
    if !wire.base.is_tls() && !wire.login.is_anonymous() {
        steps.push(ok(msg!("endpoints-step-plain")));
    }
    Ok(())
}

/// The certificate; `Err` when it is not believed.
async fn secured(client: &Client, state: &RegistryState, steps: &mut Vec<CheckStep>) -> Result<(), ()> {
    let presented = certificate::presented(&client.wire.base, &client.wire.guard).await;
    let first = presented.ok().and_then(|chain| chain.into_iter().next());
    if state.condition == Condition::Tls {
        steps.push(bad(state.message.clone()));
        if let Some(certificate) = first {
            let until = certificate.not_after.strftime("%Y-%m-%d");
            let (subject, fingerprint) = (certificate.subject, certificate.fingerprint);
            steps.push(bad(msg!(
                "endpoints-step-certificate-unknown",
                subject = subject,
                until = until,
                fingerprint = fingerprint
            )));
        }
        return Err(());
    }
    if let Some(certificate) = first {
        steps.push(ok(described(&certificate)));
    }
    Ok(())
}

fn described(certificate: &Certificate) -> Message {
    let until = certificate.not_after.strftime("%Y-%m-%d");
    let (subject, fingerprint) = (&certificate.subject, &certificate.fingerprint);
    match certificate.is_out_of_date(Timestamp::now()) {
        true => msg!(
            "endpoints-step-certificate-old",
            subject = subject,
            until = until,
            fingerprint = fingerprint
        ),
        false => {
            msg!("endpoints-step-certificate", subject = subject, until = until, fingerprint = fingerprint)
        }
    }
}

/// `/v2/`, and who we are there.
fn answered(client: &Client, state: RegistryState, steps: &mut Vec<CheckStep>) {
    let registry = || ok(msg!("endpoints-step-registry", host = client.host()));
    let login = &client.wire.login;
    match state.condition {
        Condition::Ok => {
            steps.push(registry());
            steps.push(ok(match (login.is_anonymous(), login.was_asked()) {
                (true, _) => msg!("endpoints-step-anonymous"),
                (false, _) if login.is_token() => msg!("endpoints-step-token"),
                (false, true) => msg!("endpoints-step-signed-in"),
                (false, false) => msg!("endpoints-step-not-asked"),
            }));
        }
        Condition::NeedsCredentials => steps.extend([registry(), bad(state.message)]),
        _ => steps.push(bad(state.message)),
    }
}
