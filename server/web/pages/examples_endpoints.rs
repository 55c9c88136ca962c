//! The pages of endpoints and variables with example data, some of it hostile; asked in `examples`.

use askama::Template as _;

use super::endpoints::{
    CertificateRow, Endpoint, EndpointCertificate, EndpointForm, EndpointRow, Endpoints, VariableFields,
    VariableRow, Variables,
};
use super::examples::{HOSTILE, Render, ago};
use crate::model::CheckStep;
use crate::msg;

fn row(name: &str, checked: Option<bool>) -> EndpointRow {
    EndpointRow {
        name: name.into(),
        description: HOSTILE.into(),
        host: "registry.team.example:5000".into(),
        url: "https://registry.team.example:5000".into(),
        checked: checked.map(|good| (good, ago(90))),
    }
}

fn certificate(subject: &str) -> CertificateRow {
    CertificateRow {
        subject: subject.into(),
        issuer: HOSTILE.into(),
        not_before: ago(900_000),
        not_after: ago(-9_000_000),
        fingerprint: ["AB:CD:EF:01"; 8].join(":"),
    }
}

pub const PAGES: &[(&str, &str, Render)] = &[
    ("endpoints", "/endpoints", |page| {
        let rows = vec![row("team", Some(true)), row("old", Some(false)), row(HOSTILE, None)];
        Endpoints { page, rows }.render()
    }),
    ("endpoints-none", "/endpoints", |page| Endpoints { page, rows: Vec::new() }.render()),
    ("endpoint", "/endpoints/team", |page| {
        let step = |ok, message| CheckStep { ok, message };
        let steps = vec![
            step(true, msg!("endpoints-step-resolved", name = HOSTILE, addresses = "10.0.0.5, 10.0.0.6")),
            step(true, msg!("endpoints-step-connected", port = 5000)),
            step(false, msg!("endpoints-certificate-changed", host = HOSTILE, found = ["AB"; 32].join(":"))),
        ];
        Endpoint {
            page,
            row: row(HOSTILE, Some(false)),
            hub: false,
            user: Some(HOSTILE.into()),
            authentication: "password",
            secure: true,
            certificate_by: Some(HOSTILE.into()),
            allowed: HOSTILE.into(),
            steps,
        }
        .render()
    }),
    ("endpoint-form", "/endpoints/team/edit", |page| {
        EndpointForm {
            page,
            known: Some(HOSTILE.into()),
            name: HOSTILE.into(),
            description: HOSTILE.into(),
            hub: true,
            url: HOSTILE.into(),
            user: HOSTILE.into(),
            bearer: true,
            has_secret: true,
            has_certificate: true,
            certificate: HOSTILE.into(),
            allowed: HOSTILE.into(),
            error: Some(msg!("endpoints-not-found", name = HOSTILE)),
        }
        .render()
    }),
    ("endpoint-certificate", "/endpoints/team/certificate", |page| {
        EndpointCertificate {
            page,
            name: HOSTILE.into(),
            host: HOSTILE.into(),
            presented: vec![certificate(HOSTILE), certificate("CN=Team Authority")],
            accepted: vec![certificate("CN=registry.team.example")],
            accepted_by: HOSTILE.into(),
            is_accepted: false,
            error: Some(msg!("endpoints-certificate-other", host = HOSTILE)),
        }
        .render()
    }),
    ("variables", "/settings/variables", |page| {
        let row = |name: &str, value: Option<&str>| VariableRow {
            name: name.into(),
            description: HOSTILE.into(),
            value: value.map(str::to_owned),
            updated_at: ago(90),
        };
        Variables {
            page,
            rows: vec![row("REGION", Some(HOSTILE)), row("DEPLOY_KEY", None)],
            typed: VariableFields {
                name: HOSTILE.into(),
                description: HOSTILE.into(),
                value: HOSTILE.into(),
                secret: false,
            },
            error: Some(msg!("variables-name-invalid", name = HOSTILE)),
        }
        .render()
    }),
];
