//! Docker triggers: what Code Stream calls a webhook for Docker. Which announced image concerns one, which
//! values it gives a run, and why it starts nothing; the rules alone, for the trigger loop and for dry runs.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::{Announced, Error, Message, Result};
use crate::msg;

/// Longest name and longest pattern, in bytes.
const LONGEST_NAME: usize = 64;
const LONGEST_PATTERN: usize = 1000;
/// Largest compiled pattern, in bytes.
const LARGEST_PATTERN: usize = 256 * 1024;

/// What sends the deliveries. The words are Code Stream's, but for the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerType {
    DockerHub,
    #[serde(rename = "Docker_Trusted_Registry")]
    DockerTrustedRegistry,
    #[default]
    Distribution,
}

impl ServerType {
    pub const ALL: [ServerType; 3] =
        [ServerType::Distribution, ServerType::DockerTrustedRegistry, ServerType::DockerHub];

    pub const fn as_str(self) -> &'static str {
        match self {
            ServerType::DockerHub => "DockerHub",
            ServerType::DockerTrustedRegistry => "Docker_Trusted_Registry",
            ServerType::Distribution => "Distribution",
        }
    }
}

impl fmt::Display for ServerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ServerType {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let found = ServerType::ALL.into_iter().find(|kind| kind.as_str() == text);
        let shown = || text.chars().take(40).collect::<String>().escape_debug().to_string();
        found.ok_or_else(|| Error::Invalid(msg!("webhook-server-type", value = shown())))
    }
}

/// A Docker trigger as it is kept. Its token and API token are elsewhere.
#[derive(Clone, Debug)]
pub struct DockerWebhook {
    pub id: i64,
    pub name: String,
    pub description: String,
    pub project: String,
    pub pipeline_id: Option<i64>,
    /// `None` is the stack's own registry, or Docker Hub itself for its kind of server.
    pub endpoint_id: Option<i64>,
    /// Regular expressions for the whole name; empty takes everything.
    pub image_pattern: String,
    pub tag_pattern: String,
    pub server_type: ServerType,
    /// SHA-256 of the API token in whose owner's name runs are started.
    pub api_token: Option<[u8; 32]>,
    pub enabled: bool,
    /// Values for the pipeline's inputs, by name; `${DOCKER_TAG}` and its like are put in.
    pub inputs: BTreeMap<String, String>,
    /// At Docker Hub: what the webhook is called there, and why the last change did not get there.
    pub remote_id: Option<String>,
    pub remote_error: Option<Message>,
    pub version: i64,
    pub created_at: Timestamp,
    pub created_by: String,
    pub updated_at: Timestamp,
    pub updated_by: String,
}

/// Letters, digits, `.`, `_` and `-`, as it stands in addresses.
pub fn check_webhook_name(name: &str) -> Result<()> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let good = name.chars().all(letter) && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    match good && name.len() <= LONGEST_NAME && !matches!(name, "new" | "deliveries") {
        true => Ok(()),
        false => {
            let shown: String = name.chars().take(80).collect();
            Err(Error::Invalid(msg!("webhook-name", name = shown.escape_debug())))
        }
    }
}

/// Compiles a pattern for whole names. `Invalid` says what is wrong and where.
pub fn pattern(text: &str) -> Result<Option<Regex>> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > LONGEST_PATTERN {
        return Err(Error::Invalid(msg!("webhook-pattern-long", longest = LONGEST_PATTERN)));
    }
    let build = |text: &str| RegexBuilder::new(text).size_limit(LARGEST_PATTERN).nest_limit(50).build();
    // Alone first: what is wrong by itself could become right between brackets.
    let compiled = build(text).and_then(|_| build(&format!("^(?:{text})$")));
    compiled.map(Some).map_err(|cause| Error::Invalid(wrong_pattern(text, &cause)))
}

/// The crate's own words are lines with a mark below the place.
fn wrong_pattern(text: &str, cause: &regex::Error) -> Message {
    let pattern = text.chars().take(200).collect::<String>();
    let said = cause.to_string();
    let mark = said.lines().find(|line| line.trim_start().starts_with('^'));
    let place = mark.and_then(|line| line.find('^')).map_or(0, |at| at.saturating_sub(3));
    let reason = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    match place {
        0 => msg!("webhook-pattern", pattern = pattern.escape_debug(), cause = reason),
        place => {
            msg!("webhook-pattern-at", pattern = pattern.escape_debug(), place = place, cause = reason)
        }
    }
}

/// Whether the owner of a webhook's API token may start runs of its pipeline at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRight {
    /// The webhook has none and needs none.
    NotSet,
    Good,
    /// Unknown, expired, of a disabled account, or without the permission.
    Bad,
}

/// What is known of the world when a webhook is looked at.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// `owner/name` and the pipeline's name, while it exists.
    pub pipeline: Option<String>,
    /// The branch whose newest commit would run.
    pub branch: Option<String>,
    pub token: TokenRight,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub good: bool,
    pub message: Message,
}

impl DockerWebhook {
    /// Every question in its order. The first that is not good decides.
    pub fn checks(&self, image: &Announced, around: &Circumstances) -> Result<Vec<Check>> {
        let check =
            |good: bool, yes: Message, no: Message| Check { good, message: if good { yes } else { no } };
        let enabled = check(self.enabled, msg!("webhook-enabled"), msg!("webhook-disabled"));
        let name = &image.repository;
        let fits = pattern(&self.image_pattern)?.is_none_or(|wanted| wanted.is_match(name));
        let of_image = check(
            fits,
            msg!("webhook-image-fits", image = name),
            msg!("webhook-image-missed", image = name, pattern = self.image_pattern),
        );
        let fits = pattern(&self.tag_pattern)?.is_none_or(|wanted| wanted.is_match(&image.tag));
        let of_tag = check(
            fits,
            msg!("webhook-tag-fits", tag = image.tag),
            msg!("webhook-tag-missed", tag = image.tag, pattern = self.tag_pattern),
        );
        let known = around.pipeline.clone().unwrap_or_default();
        let of_pipeline = check(
            around.pipeline.is_some(),
            msg!("webhook-pipeline-found", pipeline = known),
            msg!("webhook-no-pipeline"),
        );
        let branch = around.branch.clone().unwrap_or_default();
        let of_branch = check(
            around.branch.is_some(),
            msg!("webhook-branch-found", branch = branch),
            msg!("webhook-no-branch"),
        );
        let mut all = vec![enabled, of_image, of_tag];
        all.extend(image.objection.clone().map(|message| Check { good: false, message }));
        all.extend([of_pipeline, of_branch]);
        match around.token {
            TokenRight::NotSet => {}
            right => all.push(check(
                right == TokenRight::Good,
                msg!("webhook-token-good"),
                msg!("webhook-token-bad"),
            )),
        }
        Ok(all)
    }
}

/// What every run that an announced image starts is given.
pub fn announced_values(image: &Announced) -> BTreeMap<String, String> {
    let reference = match &image.digest {
        Some(digest) => format!("{}/{}@{digest}", image.host, image.repository),
        None => format!("{}/{}:{}", image.host, image.repository, image.tag),
    };
    let digest = image.digest.as_ref().map(ToString::to_string).unwrap_or_default();
    let pairs = [
        ("DOCKER_EVENT_OWNER_NAME", image.owner.clone()),
        ("DOCKER_IMAGE", image.repository.clone()),
        ("DOCKER_REPO_NAME", image.name.clone()),
        ("DOCKER_REPO_NAMESPACE", image.namespace.clone()),
        ("DOCKER_TAG", image.tag.clone()),
        ("DOCKER_DIGEST", digest),
        ("DOCKER_IMAGE_REF", reference),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// `text` with `${DOCKER_TAG}` and its like, also as `${input.DOCKER_TAG}`, put in; other names stay as they are.
pub fn put_in(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let found = after.split_once('}').and_then(|(name, after)| {
            let name = name.strip_prefix("input.").unwrap_or(name);
            Some((values.get(name)?, after))
        });
        match found {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push_str("${");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn image() -> Announced {
        Announced {
            host: "registry.local:5000".into(),
            repository: "numbers/api".into(),
            namespace: "numbers".into(),
            name: "api".into(),
            tag: "1.2".into(),
            owner: "yuna".into(),
            digest: None,
            tag_digest: None,
            pushed_at: None,
            objection: None,
        }
    }

    fn webhook() -> DockerWebhook {
        DockerWebhook {
            id: 1,
            name: "base".into(),
            description: String::new(),
            project: String::new(),
            pipeline_id: Some(1),
            endpoint_id: None,
            image_pattern: String::new(),
            tag_pattern: String::new(),
            server_type: ServerType::Distribution,
            api_token: None,
            enabled: true,
            inputs: BTreeMap::new(),
            remote_id: None,
            remote_error: None,
            version: 1,
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "admin".into(),
            updated_at: Timestamp::UNIX_EPOCH,
            updated_by: "admin".into(),
        }
    }

    fn first_bad(webhook: &DockerWebhook, around: &Circumstances) -> String {
        let checks = webhook.checks(&image(), around).unwrap();
        checks.into_iter().find(|c| !c.good).map_or_else(String::new, |c| c.message.key.to_string())
    }

    #[test]
    fn the_first_objection_in_the_order_of_the_checks_decides() {
        let good = Circumstances {
            pipeline: Some("admin/numbers default".into()),
            branch: Some("main".into()),
            token: TokenRight::Good,
        };
        let all_bad = Circumstances { pipeline: None, branch: None, token: TokenRight::Bad };
        assert_eq!(first_bad(&webhook(), &good), "");
        let off =
            DockerWebhook { enabled: false, image_pattern: "x".into(), tag_pattern: "x".into(), ..webhook() };
        assert_eq!(first_bad(&off, &all_bad), "webhook-disabled");
        let on = DockerWebhook { enabled: true, ..off };
        assert_eq!(first_bad(&on, &all_bad), "webhook-image-missed");
        let fits = DockerWebhook { image_pattern: "numbers/(api|web)".into(), ..on };
        assert_eq!(first_bad(&fits, &all_bad), "webhook-tag-missed");
        let fits = DockerWebhook { tag_pattern: r"\d+\.\d+".into(), ..fits };
        assert_eq!(first_bad(&fits, &all_bad), "webhook-no-pipeline");
        let found = Circumstances { pipeline: good.pipeline.clone(), ..all_bad };
        assert_eq!(first_bad(&fits, &found), "webhook-no-branch");
        let found = Circumstances { branch: good.branch.clone(), ..found };
        assert_eq!(first_bad(&fits, &found), "webhook-token-bad");
    }

    #[test]
    fn a_pattern_is_for_the_whole_name_and_a_bad_one_is_refused_with_its_place() {
        for (text, name, fits) in [
            ("1", "1.2", false),
            ("1.*", "1.2", true),
            ("a|1", "1.2", false),
            ("a|1\\.2", "1.2", true),
            ("", "1.2", true),
        ] {
            assert_eq!(pattern(text).unwrap().is_none_or(|p| p.is_match(name)), fits, "{text}");
        }
        let refused = |text: &str| pattern(text).unwrap_err().message().cloned().unwrap();
        let message = refused("numbers/(api");
        assert_eq!((&*message.key, &*message.args["place"]), ("webhook-pattern-at", "9"), "{message:?}");
        assert_eq!(refused("a)|(b").key, "webhook-pattern-at");
        assert_eq!(refused("(a{1000}){1000}").key, "webhook-pattern");
        assert_eq!(refused(&"a".repeat(1001)).key, "webhook-pattern-long");
    }

    #[test]
    fn references_are_put_in_once_and_unknown_ones_stay() {
        let values = announced_values(&image());
        assert_eq!(put_in("v${DOCKER_TAG}-${input.DOCKER_REPO_NAME}", &values), "v1.2-api");
        assert_eq!(put_in("${OTHER} ${DOCKER_TAG ${", &values), "${OTHER} ${DOCKER_TAG ${");
        assert_eq!(values["DOCKER_IMAGE_REF"], "registry.local:5000/numbers/api:1.2");
        let nested = BTreeMap::from([("DOCKER_TAG".to_owned(), "${DOCKER_TAG}".to_owned())]);
        assert_eq!(put_in("${DOCKER_TAG}", &nested), "${DOCKER_TAG}");
    }

    #[test]
    fn names_stand_in_addresses() {
        check_webhook_name("numbers-base_1.x").unwrap();
        for bad in ["", "a b", "-a", "a/b", "한글", "new", "deliveries", &"a".repeat(65)] {
            assert!(check_webhook_name(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,60}", name in "\\PC{0,40}") {
            if let Ok(Some(compiled)) = pattern(&text) {
                let _ = compiled.is_match(&name);
            }
            let _ = put_in(&text, &announced_values(&image()));
            let _ = check_webhook_name(&name);
        }
    }
}
