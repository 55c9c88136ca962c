//! Every address of the dashboard, built in this one place and percent-encoded, so that a branch or a
//! file may be called anything. The routes of `web` are written to match.
//!
//! A revision (branch, tag or commit id) travels as the query field `at`, never in the path: refs have
//! slashes, and a path could not tell where they end.

use std::fmt::Write as _;

/// Everything but unreserved characters; `/` stays when `slashes`.
fn encode(text: &str, slashes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || slashes && byte == b'/'
        {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn with_query(mut address: String, fields: &[(&str, &str)]) -> String {
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        let _ = write!(address, "{name}={}", encode(value, true));
    }
    address
}

/// `/?q=&after=`.
pub fn home(query: &str, after: &str) -> String {
    with_query("/".to_owned(), &[("q", query), ("after", after)])
}

/// `.../settings`: the form, and where it is posted to.
pub fn repository_settings(repo: &str) -> String {
    format!("{}/settings", repository(repo))
}

/// `/{owner}/{name}`, `repository` being `owner/name`.
pub fn repository(repository: &str) -> String {
    format!("/{}", encode(repository, true))
}

/// `.../files/{path}?at=`: a folder or a file.
pub fn file(repo: &str, at: &str, path: &str) -> String {
    with_query(format!("{}/files/{}", repository(repo), encode(path, true)), &[("at", at)])
}

/// `.../raw/{path}?at=`: the bytes.
pub fn raw(repo: &str, at: &str, path: &str) -> String {
    with_query(format!("{}/raw/{}", repository(repo), encode(path, true)), &[("at", at)])
}

/// `.../commits?at=&after=`.
pub fn commits(repo: &str, at: &str, after: &str) -> String {
    with_query(format!("{}/commits", repository(repo)), &[("at", at), ("after", after)])
}

/// `.../commits/{id}`.
pub fn commit(repo: &str, id: &str) -> String {
    format!("{}/commits/{}", repository(repo), encode(id, false))
}

/// `.../pipelines`: all pipelines and the last runs.
pub fn pipelines(repo: &str) -> String {
    format!("{}/pipelines", repository(repo))
}

/// `.../pipelines?after=`.
pub fn pipelines_after(repo: &str, after: i64) -> String {
    format!("{}?after={after}", pipelines(repo))
}

/// `.../pipelines/{pipeline}?after=`.
pub fn pipeline_after(repo: &str, name: &str, after: u64) -> String {
    format!("{}?after={after}", pipeline(repo, name))
}

/// `POST .../pipelines/{pipeline}/delete`.
pub fn delete_pipeline(repo: &str, name: &str) -> String {
    format!("{}/delete", pipeline(repo, name))
}

/// `POST .../delete`.
pub fn delete_repository(repo: &str) -> String {
    format!("{}/delete", repository(repo))
}

/// `.../new-pipeline`: the form, and where it is posted to.
pub fn new_pipeline(repo: &str) -> String {
    format!("{}/new-pipeline", repository(repo))
}

/// `.../pipelines/{pipeline}`.
pub fn pipeline(repo: &str, pipeline: &str) -> String {
    format!("{}/pipelines/{}", repository(repo), encode(pipeline, false))
}

/// `.../pipelines/{pipeline}/start?at=`: the form, and where it is posted to.
pub fn start(repo: &str, name: &str, at: &str) -> String {
    with_query(format!("{}/start", pipeline(repo, name)), &[("at", at)])
}

/// `.../pipelines/{pipeline}/runs/{number}`.
pub fn run(repo: &str, name: &str, number: u64) -> String {
    format!("{}/runs/{number}", pipeline(repo, name))
}

/// `POST .../runs/{number}/cancel`.
pub fn cancel(repo: &str, name: &str, number: u64) -> String {
    format!("{}/cancel", run(repo, name, number))
}

/// `POST .../runs/{number}/rerun`.
pub fn rerun(repo: &str, name: &str, number: u64) -> String {
    format!("{}/rerun", run(repo, name, number))
}

/// `.../runs/{number}/live`: the page's own event stream (rendered pieces; programs use the API's).
pub fn live(repo: &str, name: &str, number: u64) -> String {
    format!("{}/live", run(repo, name, number))
}

/// The API's plain text of one stage's log.
pub fn stage_log(repo: &str, name: &str, number: u64, stage: u32) -> String {
    format!("/api/v1/repos{}/stages/{stage}/log", run(repo, name, number))
}

/// `/registry/repositories/{repository}`: its tags.
pub fn registry_repository(name: &str) -> String {
    format!("/registry/repositories/{}", encode(name, true))
}

/// `/registry?after=`.
pub fn registry_after(after: &str) -> String {
    with_query("/registry".to_owned(), &[("after", after)])
}

/// `/registry/repositories/{repository}?after=`.
pub fn registry_tags_after(name: &str, after: &str) -> String {
    with_query(registry_repository(name), &[("after", after)])
}

/// `/registry/images/{digest}?repository=`: one image.
pub fn image(name: &str, digest: &str) -> String {
    let digest = encode(digest, false).replace("%3A", ":");
    with_query(format!("/registry/images/{digest}"), &[("repository", name)])
}

/// `/registry/impact?image=`: what stands on an image or a stream's tag.
pub fn impact(image: &str) -> String {
    with_query("/registry/impact".to_owned(), &[("image", image)])
}

/// The same for an image of our registry.
pub fn impact_of_digest(repository: &str, digest: &str) -> String {
    impact(&format!("{repository}@{digest}"))
}

/// `/causality/{event}`: what led to an event, and what came of it.
pub fn causality(event: i64) -> String {
    format!("/causality/{event}")
}

/// `.../runs/{number}/causality`: how it came to the run, and what came of it.
pub fn run_causality(repo: &str, name: &str, number: u64) -> String {
    format!("{}/causality", run(repo, name, number))
}

/// `/endpoints/{name}`.
pub fn endpoint(name: &str) -> String {
    format!("/endpoints/{}", encode(name, false))
}

/// `/endpoints/{name}/{part}`: `edit`, `certificate`, `validate`, `delete`.
pub fn endpoint_part(name: &str, part: &'static str) -> String {
    format!("{}/{part}", endpoint(name))
}

/// `POST /settings/variables/{name}`.
pub fn variable(name: &str) -> String {
    format!("/settings/variables/{}", encode(name, false))
}

/// `/image-streams?after=`.
pub fn streams(after: &str) -> String {
    with_query("/image-streams".to_owned(), &[("after", after)])
}

/// `/image-streams/{owner}/{name}`.
pub fn stream(name: &str) -> String {
    format!("/image-streams/{}", encode(name, true))
}

/// `.../tags/{tag}`: its history.
pub fn stream_tag(stream_name: &str, tag: &str) -> String {
    format!("{}/tags/{}", stream(stream_name), encode(tag, false))
}

/// The API's YAML of a stream.
pub fn stream_export(name: &str) -> String {
    format!("/api/v1{}?format=yaml", stream(name))
}

/// `POST .../pipelines/{pipeline}/triggers`.
pub fn triggers(repo: &str, name: &str) -> String {
    format!("{}/triggers", pipeline(repo, name))
}

/// `/trace?q=`.
pub fn trace(question: &str) -> String {
    with_query("/trace".to_owned(), &[("q", question)])
}

/// `/sign-in?next=`.
pub fn sign_in(next: &str) -> String {
    with_query("/sign-in".to_owned(), &[("next", next)])
}

/// `/activity?repository=&kind=&after=`.
pub fn activity(repo: &str, kind: &str, after: &str) -> String {
    with_query("/activity".to_owned(), &[("repository", repo), ("kind", kind), ("after", after)])
}

/// As `activity`, with what events about images are narrowed to.
pub fn activity_of_images(address: String, fields: &[(&str, &str)]) -> String {
    with_query(address, fields)
}

/// The events of the journal's page at `address`, while they happen.
pub fn activity_live(address: &str) -> String {
    address.replacen("/activity", "/activity/live", 1)
}

/// `/webhooks/{name}`.
pub fn webhook(name: &str) -> String {
    format!("/webhooks/{}", encode(name, false))
}

/// `/webhooks/{name}/{what}`: its forms, and where they are posted to.
pub fn webhook_at(name: &str, what: &str) -> String {
    format!("{}/{}", webhook(name), encode(what, false))
}

/// `/webhooks/deliveries/{id}`.
pub fn delivery(id: i64) -> String {
    format!("/webhooks/deliveries/{id}")
}

/// `/webhooks/deliveries?after=`.
pub fn deliveries_after(after: i64) -> String {
    format!("/webhooks/deliveries?after={after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_cannot_leave_their_place() {
        assert_eq!(
            file("admin/numbers", "feature/x#1", "한글/a b?.txt"),
            "/admin/numbers/files/%ED%95%9C%EA%B8%80/a%20b%3F.txt?at=feature/x%231"
        );
        assert_eq!(commit("a/b", "\"><script>"), "/a/b/commits/%22%3E%3Cscript%3E");
        assert_eq!(run("a/b", "x/../y", 3), "/a/b/pipelines/x%2F..%2Fy/runs/3");
        assert_eq!(image("numbers/api", "sha256:ab"), "/registry/images/sha256:ab?repository=numbers/api");
    }
}
