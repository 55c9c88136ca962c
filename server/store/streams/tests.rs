//! Streams in a real database: what moves, what stays, what is kept, and who wins when looks overtake each other.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::model::*;
use crate::msg;
use crate::store::{Store, settings, tags};
use imports::Due;

const HOST: &str = "registry.local:5000";

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
}

fn digest(n: u8) -> Digest {
    Digest::new(format!("sha256:{}", format!("{n:02x}").repeat(32))).unwrap()
}

fn address() -> TagAddress {
    TagAddress { host: HOST.into(), repository: "base".into(), tag: "1".into() }
}

fn tag(name: &str, source: TagSource) -> TagSpec {
    TagSpec { source: Some(source), scheduled: true, ..TagSpec::bare(name.into()) }
}

fn wanted(tags: Vec<TagSpec>) -> StreamSpec {
    StreamSpec {
        repository: Some(format!("{HOST}/ada/base")),
        tags,
        ..StreamSpec::bare("ada/base".parse().unwrap())
    }
}

fn name(tag: &str) -> StreamTagName {
    StreamTagName { stream: "ada/base".parse().unwrap(), tag: tag.into() }
}

fn image(tag: &str) -> TagSpec {
    self::tag(tag, TagSource::DockerImage(format!("{HOST}/base:1")))
}

fn now_names(c: &Connection, tag: &str) -> Option<Digest> {
    current(c, &name(tag)).unwrap().and_then(|item| item.digest)
}

fn only_due(c: &Connection, now: Timestamp) -> Due {
    let mut due = imports::due(c, now).unwrap();
    assert_eq!(due.len(), 1, "{due:?}");
    due.remove(0)
}

fn import(c: &Connection, n: u8, now: Timestamp) -> bool {
    let due = only_due(c, now);
    let found = digest(n);
    let next = Some(now + SignedDuration::from_mins(15));
    imports::imported(c, &due, (&address().pinned(&found), Some(&found)), (next, now)).unwrap()
}

async fn with_store(test: impl FnOnce(&Connection) + Send + 'static) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store
        .write(move |c| {
            test(c);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_roll_back_stays_until_the_source_moves_or_a_person_imports() {
    with_store(|c| {
        let alias = tag("stable", TagSource::ImageStreamTag("1".into()));
        let spec = wanted(vec![image("1"), alias]);
        assert_eq!(spec::apply(c, &spec, "ada", at(0)).unwrap(), spec::Applied::Created);
        assert!(only_due(c, at(0)).asked);
        assert!(import(c, 1, at(0)));
        assert!(!only_due(c, at(15)).asked, "now by the schedule alone");
        assert!(import(c, 2, at(15)));
        assert_eq!((now_names(c, "1"), now_names(c, "stable")), (Some(digest(2)), Some(digest(2))));
        let stream = spec::by_path(c, &spec.path).unwrap().unwrap();
        let first = items(c, stream.id, "1", 9).unwrap().pop().unwrap();
        by_hand::roll_back(c, (stream.id, "1"), first.id, ("ada", at(16))).unwrap();
        assert_eq!(now_names(c, "stable"), Some(digest(1)), "the alias follows");
        assert!(!import(c, 2, at(30)), "the schedule does not undo it");
        assert_eq!(now_names(c, "1"), Some(digest(1)));
        by_hand::import_now(c, &name("1"), "ada", at(31)).unwrap();
        assert!(only_due(c, at(31)).asked && import(c, 2, at(31)), "a person does");
        by_hand::roll_back(c, (stream.id, "1"), first.id, ("ada", at(32))).unwrap();
        assert!(import(c, 3, at(46)), "and so does the source, when it moves");
        assert_eq!(spec::apply(c, &spec, "ada", at(47)).unwrap(), spec::Applied::Unchanged);
        let other = wanted(vec![tag("1", TagSource::DockerImage(format!("{HOST}/base:2")))]);
        assert_eq!(spec::apply(c, &other, "ada", at(48)).unwrap(), spec::Applied::Configured);
        let after = spec::tag(c, stream.id, "1").unwrap().unwrap();
        assert_eq!((after.spec.generation, after.import_at), (3, Some(at(48))));
        assert_eq!(spec::tag(c, stream.id, "stable").unwrap().unwrap().spec.source, None);
        assert_eq!(now_names(c, "stable"), Some(digest(3)), "what is no longer wanted stays as it is");
    })
    .await;
}

#[tokio::test]
async fn who_looked_first_does_not_overwrite_who_looked_later() {
    with_store(|c| {
        spec::apply(c, &wanted(vec![image("1")]), "ada", at(0)).unwrap();
        let see = |before: Option<&tags::Seen>, n: u8, now| {
            let found = Sighting::Image(digest(n));
            tags::observe_since(c, (&address(), before), (&found, None), now).unwrap()
        };
        assert!(see(None, 1, at(1)));
        let early = tags::get(c, &address()).unwrap();
        assert!(see(early.as_ref(), 2, at(2)), "the tag moved, and this one saw it");
        assert!(!see(early.as_ref(), 1, at(3)), "this one asked before and was slow");
        assert_eq!(now_names(c, "1"), Some(digest(2)));
        assert_eq!(items(c, 1, "1", 9).unwrap().len(), 2);
        let gone = tags::get(c, &address()).unwrap();
        tags::observe_since(c, (&address(), gone.as_ref()), (&Sighting::Gone, None), at(4)).unwrap();
        assert_eq!(now_names(c, "1"), Some(digest(2)), "the image may still be there by digest");
        assert_eq!(spec::tag(c, 1, "1").unwrap().unwrap().condition.unwrap().reason, "NotFound");
    })
    .await;
}

#[tokio::test]
async fn an_image_without_a_digest_is_something_else_than_none() {
    with_store(|c| {
        spec::apply(c, &wanted(vec![image("1")]), "ada", at(0)).unwrap();
        let see = |found: Sighting, minute| tags::observe(c, &address(), (&found, None), at(minute)).unwrap();
        let reference = || items(c, 1, "1", 1).unwrap().pop().map(|item| item.reference);
        tags::failed(c, &address(), &msg!("streams-internal"), at(0)).unwrap();
        assert!(see(Sighting::NoDigest, 1).is_some() && see(Sighting::NoDigest, 2).is_none());
        assert_eq!(reference(), Some(address().to_string()));
        assert!(see(Sighting::Gone, 3).is_some() && see(Sighting::NoDigest, 4).is_some());
        assert!(see(Sighting::Image(digest(1)), 5).is_some() && see(Sighting::NoDigest, 6).is_some());
        assert_eq!((reference(), items(c, 1, "1", 9).unwrap().len()), (Some(address().to_string()), 3));
    })
    .await;
}

#[tokio::test]
async fn one_reason_is_told_once() {
    with_store(|c| {
        spec::apply(c, &wanted(vec![image("1")]), "ada", at(0)).unwrap();
        let told = |c: &Connection| {
            let filter = events::Filter { kind: Some("import-failed".into()), ..Default::default() };
            events::page(c, &filter, 10).unwrap().len()
        };
        for (minute, reason, events) in
            [(0, "Unreachable", 1), (15, "Unreachable", 1), (30, "Unauthorized", 2), (45, "Unreachable", 3)]
        {
            let due = only_due(c, at(minute));
            let next = Some(at(minute + 15));
            let why = (reason, &msg!("streams-internal"));
            imports::import_failed(c, &due, why, (next, at(minute))).unwrap();
            assert_eq!(told(c), events, "at {minute}");
        }
        // Another sentence for the same reason is shown, and is no event.
        let other = ("Unreachable", &Message::new("registry-timeout"));
        imports::import_failed(c, &only_due(c, at(60)), other, (Some(at(60)), at(60))).unwrap();
        let condition = spec::tag(c, 1, "1").unwrap().unwrap().condition.unwrap();
        assert_eq!((told(c), &*condition.message.key, condition.at), (3, "registry-timeout", at(45)));
        assert!(import(c, 1, at(60)));
        assert!(spec::tag(c, 1, "1").unwrap().unwrap().condition.is_none());
        // Asked again while an import was under way: the request stays.
        let due = only_due(c, at(75));
        imports::ask(c, (1, "1"), at(76)).unwrap();
        let found = digest(1);
        imports::imported(c, &due, (&address().pinned(&found), Some(&found)), (None, at(76))).unwrap();
        assert_eq!(imports::next_after(c, at(75)).unwrap(), Some(at(76)));
    })
    .await;
}

#[tokio::test]
async fn history_is_pruned_but_never_what_is_used() {
    with_store(|c| {
        spec::apply(c, &wanted(Vec::new()), "ada", at(0)).unwrap();
        let set = |tag: &str, n: u8, now| {
            let found = digest(n);
            let reference = format!("{HOST}/ada/base@{found}");
            let new = NewItem { reference, digest: Some(&found), by: None, cause_id: None };
            by_hand::set(c, (1, tag), &new, now).unwrap();
        };
        for n in 0..9 {
            set("1", n, at(i64::from(n)));
        }
        set("kept", 1, at(9));
        assert!(history::prunable(c, &BTreeSet::new(), at(30)).unwrap().is_empty(), "all of it is young");
        let running = BTreeSet::from([digest(2)]);
        let later = at(600);
        // Of 0..=5 remain: 1 is another tag's, 2 runs.
        assert_eq!(history::prunable(c, &running, later).unwrap().len(), 4);
        c.execute_batch(
            "INSERT INTO repositories (id, owner, name, created_at) VALUES (1, 'ada', 'x', 0);
             INSERT INTO pipelines (id, repository_id, name, path, branches, discovered, created_at)
                VALUES (1, 1, 'default', 'x', '[]', 0, 0);",
        )
        .unwrap();
        let last = format!("{{\"w\":\"{HOST}/ada/base@{}\"}}", digest(3));
        c.execute(
            "INSERT INTO image_triggers (pipeline_id, last, created_at, created_by) VALUES (1, ?1, 0, 'ada')",
            [last],
        )
        .unwrap();
        assert_eq!(history::prune(c, &running, later).unwrap(), 3, "3 is what a trigger had last");
        let left: Vec<_> = items(c, 1, "1", 20).unwrap().into_iter().filter_map(|item| item.digest).collect();
        assert_eq!(left, [8, 7, 6, 3, 2, 1].map(digest));
    })
    .await;
}

#[tokio::test]
async fn a_stream_gets_what_its_repository_has() {
    with_store(|c| {
        let whole = TagAddress { repository: "ada/base".into(), ..address() };
        tags::observe(c, &whole, (&Sighting::Image(digest(1)), None), at(0)).unwrap();
        spec::apply(c, &wanted(Vec::new()), "ada", at(1)).unwrap();
        let behind = whole::behind(c).unwrap();
        assert_eq!(behind, BTreeSet::from([1]));
        assert_eq!(whole::whole_repositories(c, HOST).unwrap(), ["ada/base"]);
        whole::catch_up(c, &behind, at(2)).unwrap();
        assert_eq!(now_names(c, "1"), Some(digest(1)));
        assert!(
            whole::behind(c).unwrap().is_empty() && settings::get(c, "streams-behind").unwrap().is_some()
        );
        by_hand::untag(c, &name("1"), "ada", at(3)).unwrap();
        assert_eq!(now_names(c, "1"), None);
        tags::observe(c, &whole, (&Sighting::Image(digest(2)), None), at(4)).unwrap();
        assert_eq!(now_names(c, "1"), Some(digest(2)), "pushed again, it is back");
        let page = |after: Option<&StreamPath>| spec::page(c, after, 10).unwrap().len();
        assert_eq!((page(None), page(Some(&"ADA/base".parse().unwrap()))), (1, 0));
        spec::delete(c, &"ada/base".parse().unwrap(), "ada", at(5)).unwrap();
        assert_eq!(page(None), 0);
    })
    .await;
}
