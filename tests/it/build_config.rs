//! What OpenShift's documents say of build configs and of the tags of image streams, through the front door and with a
//! real registry. `docs/reference/build-config.md` and `image-streams.md` name these tests.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ropewalk::model::{Cause, Run, Status, StreamTagName};
use ropewalk::store::{events, streams};
use serde_json::{Value, json};

use crate::hooks::{push_image, push_labelled, repository};
use crate::hostile_registry::{Moody, endpoint};
use crate::kit::{Copy, House, one_step};

const REGISTRY: &str = "registry.local:5000";
const TRIGGERS: &str = "/api/v1/repos/admin/app/pipelines/default/triggers";

/// Of a build config of `admin/app`, with these triggers and whatever else is in its `spec`.
fn build_config(triggers: &[&str], more: &str) -> String {
    let triggers: String = triggers.iter().map(|one| format!("  - {one}\n")).collect();
    format!(
        "apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata:\n  name: default\n  annotations: {{ropewalk.io/repository: admin/app}}\n\
         spec:\n  triggers:\n{triggers}{more}"
    )
}

async fn poll(house: &House) {
    house.app.watch.poll_tags().await.unwrap();
    let undecided = |house: &House| house.app.store.read(|c| events::undecided(c, 1)).unwrap();
    house.wait_for("every event to be decided", |house| undecided(house).is_empty().then_some(())).await;
}

fn names(house: &House, tag: &str) -> Option<String> {
    let tag: StreamTagName = tag.parse().unwrap();
    Some(house.app.store.read(|c| streams::current(c, &tag)).unwrap()?.reference)
}

fn new_images(run: &Run) -> Vec<String> {
    let Cause::ImageChange { changes } = &run.cause else { panic!("{:?}", run.cause) };
    changes.iter().map(|change| change.new.rsplit('@').next().unwrap().to_owned()).collect()
}

/// The pipeline's triggers by what they watch; its own bases are `own`.
async fn triggers(house: &House) -> BTreeMap<String, Value> {
    let all = house.json(TRIGGERS).await;
    let all = all.as_array().unwrap().iter();
    all.map(|one| (one["from"].as_str().unwrap_or("own").to_owned(), one.clone())).collect()
}

fn codes(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect()
}

/// What came of the newest event of the kind.
async fn newest_outcome(house: &House, kind: &str) -> String {
    let all = house.json(&format!("/api/v1/activity?kind={kind}&limit=1")).await;
    all[0]["outcomes"][0]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn build_configs_do_what_openshift_says() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let [base, tools, extra] = ["bc-base", "bc-tools", "bc-extra"].map(repository);
    for (name, tag) in [(&base, "1"), (&tools, "1"), (&extra, "1"), (&extra, "2")] {
        push_image(name, tag, "first").await;
    }
    let copy = Copy::new();
    let dockerfile = format!("FROM {REGISTRY}/{base}:1\nCOPY --from={REGISTRY}/{tools}:1 /x /x\n");
    copy.write("ropewalk.yml", &one_step("true")).write("Dockerfile", &dockerfile).commit("One");
    copy.push(&house.remote("admin/app")).await;
    house.run_ended("admin/app", "default", 1).await;
    let stream = |name: &str, tag: &str| {
        format!(
            "---\nkind: ImageStream\napiVersion: v1\nmetadata: {{name: {name}}}\nspec:\n  tags:\n  \
             - {{name: '1', from: {{kind: DockerImage, name: '{REGISTRY}/{extra}:{tag}'}}}}\n"
        )
    };
    house.applied(&format!("{}{}", stream("bc-one", "1"), stream("bc-two", "2"))).await;
    for stream in ["admin/bc-one:1", "admin/bc-two:1"] {
        house.wait_for(stream, |house| names(house, stream)).await;
    }

    // Paused from the start, nothing starts, whatever moves. What is not carried out is named.
    let paused = build_config(
        &[
            "{type: ImageChange, imageChange: {paused: true, lastTriggeredImageID: 'x@sha256:1'}}",
            "{type: ImageChange, imageChange: {paused: true, from: {kind: ImageStreamTag, name: 'bc-one:1'}}}",
            "{type: ImageChange, imageChange: {paused: true, from: {kind: ImageStreamTag, name: 'bc-two:1', namespace: admin}}}",
            "{type: ConfigChange}",
            "{type: GitHub, github: {secretReference: {name: s}}}",
            "{type: GitLab, gitlab: {secretReference: {name: s}}}",
            "{type: Bitbucket, bitbucket: {secretReference: {name: s}}}",
            "{type: Generic, generic: {allowEnv: true}}",
        ],
        "  runPolicy: Parallel\n  successfulBuildsHistoryLimit: 5\n  strategy: {dockerStrategy: {from: {kind: ImageStreamTag, name: 'x:1'}}}\n",
    );
    let (status, report) = house.apply(&paused).await;
    assert_eq!((status, &report["applied"][0]["result"]), (200, &json!("configured")), "{report}");
    let mut noted = codes(&report["notes"]);
    noted.sort_unstable();
    let others = [&["openshift-strategy-from"][..], &["openshift-trigger-type"; 5]].concat();
    assert_eq!(noted, [&["openshift-not-carried-out"; 4][..], &others].concat());
    let mut moved = Vec::new();
    for (name, tag) in [(&base, "1"), (&tools, "1"), (&extra, "1"), (&extra, "2")] {
        push_image(name, tag, "second").await;
        moved.push(push_image(name, tag, "third").await);
        poll(&house).await;
    }
    assert_eq!(newest_outcome(&house, "stream-tag-moved").await, "trigger-paused");
    assert!(house.find_run("admin/app", "default", 2).is_none());
    let waiting = triggers(&house).await;
    let pending = |of: &str| waiting[of]["pending"].as_array().unwrap().len();
    assert_eq!((pending("own"), pending("admin/bc-one:1"), pending("admin/bc-two:1")), (2, 1, 1));

    // Let go on: one run with all of them, pinned to them, and every trigger has had its image.
    let active = paused.replace("paused: true, ", "");
    house.applied(&active).await;
    let run = house.run_ended("admin/app", "default", 2).await;
    let (mut found, mut wanted) = (new_images(&run), moved.clone());
    found.sort();
    wanted.sort();
    assert_eq!((run.status, found), (Status::Passed, wanted));
    let shown = house.json("/api/v1/repos/admin/app/pipelines/default/runs/2").await;
    let pinned = shown["base_images"].to_string();
    assert!(pinned.contains(&moved[0]) && pinned.contains(&moved[1]), "{shown}");
    let fired = triggers(&house).await;
    for (name, trigger) in &fired {
        assert!(trigger["last_at"].is_string() && trigger["pending"] == json!([]), "{name}: {trigger}");
    }
    assert_eq!(fired["admin/bc-one:1"]["last"]["admin/bc-one:1"], format!("{REGISTRY}/{extra}@{}", moved[2]));

    // A run for another reason has the images, too: they start none later, and only who starts one has a new time.
    let id = fired["admin/bc-one:1"]["id"].as_i64().unwrap();
    house.patch(&format!("{TRIGGERS}/{id}"), json!({"paused": true})).await;
    let fourth = push_image(&extra, "1", "fourth").await;
    poll(&house).await;
    let by_hand = "/api/v1/repos/admin/app/pipelines/default/runs";
    assert_eq!(house.post(by_hand, json!({"ref": "main"})).await.0, 201);
    house.run_ended("admin/app", "default", 3).await;
    let after = triggers(&house).await;
    let one = &after["admin/bc-one:1"];
    assert!(one["last"].to_string().contains(&fourth) && one["pending"] == json!([]), "{one}");
    assert_eq!(one["last_at"], fired["admin/bc-one:1"]["last_at"]);
    house.patch(&format!("{TRIGGERS}/{id}"), json!({"paused": false})).await;
    poll(&house).await;
    let fifth = push_image(&extra, "2", "fifth").await;
    poll(&house).await;
    let run = house.run_ended("admin/app", "default", 4).await;
    assert_eq!(new_images(&run), [fifth]);
    let after = triggers(&house).await;
    assert_eq!(after["own"]["last_at"], fired["own"]["last_at"]);
    assert_ne!(after["admin/bc-two:1"]["last_at"], fired["admin/bc-two:1"]["last_at"]);

    what_is_refused(&house, &active).await;
    // There a trigger went and came again: a new one starts what it has not had.
    assert_eq!(new_images(&house.run_ended("admin/app", "default", 5).await), [fourth]);

    // What cannot start says why, and the image stays due.
    copy.git(&["rm", "-q", "ropewalk.yml"]);
    copy.commit("No definition");
    copy.push(&house.remote("admin/app")).await;
    let sixth = push_image(&base, "1", "sixth").await;
    poll(&house).await;
    assert_eq!(newest_outcome(&house, "tag-moved").await, "trigger-no-definition");
    let after = triggers(&house).await;
    assert!(after["own"]["pending"].to_string().contains(&sixth), "{after:?}");
    assert!(house.find_run("admin/app", "default", 6).is_none());
    house.stop().await;
}

/// Nothing of it changes a trigger.
async fn what_is_refused(house: &House, active: &str) {
    let before = house.json(TRIGGERS).await;
    for (from, to, code) in [
        ("{type: ConfigChange}", "{type: ImageChange, imageChange: {}}", "openshift-trigger-twice"),
        (
            "kind: ImageStreamTag, name: 'bc-one:1'",
            "kind: DockerImage, name: 'bc-one:1'",
            "openshift-trigger-kind",
        ),
        ("name: 'bc-one:1'", "name: bc-one", "openshift-stream-tag"),
        ("{type: ConfigChange}", "{type: Moon}", "openshift-value"),
        ("{type: ConfigChange}", "{}", "openshift-missing"),
        ("runPolicy", "ranPolicy", "pipeline-key-similar"),
    ] {
        let wrong = active.replace(from, to);
        assert_ne!(wrong, active, "{from}");
        let (status, refused) = house.apply(&wrong).await;
        assert_eq!((status, &refused["findings"][0]["code"]), (422, &json!(code)), "{refused}");
    }
    let elsewhere = "kind: BuildConfig\napiVersion: v1\nmetadata: {name: default}\nspec: {source: {git: {uri: 'https://git.example.org/a/b.git'}}}\n";
    assert_eq!(house.apply(elsewhere).await.1["error"]["code"], "streams-source-elsewhere");
    let (status, missing) = house.apply(&active.replace("name: default", "name: other")).await;
    assert_eq!((status, &missing["error"]["code"]), (404, &json!("streams-no-pipeline")));
    assert_eq!(house.json(TRIGGERS).await, before);

    // Streams of nobody in particular are the namespace's. One that is not there yet is waited for.
    let spaced = active.replace("  name: default\n", "  name: default\n  namespace: admin\n");
    assert_eq!(house.apply(&spaced).await.1["applied"][0]["result"], "unchanged");
    let (status, report) = house.apply(&active.replace("'bc-one:1'", "'not-yet:1'")).await;
    assert_eq!((status, &report["applied"][0]["result"]), (200, &json!("configured")), "{report}");
    assert!(triggers(house).await.contains_key("admin/not-yet:1"));
    assert_eq!(house.apply(active).await.0, 200);

    // Without a list of triggers they stay; the annotation that pauses a config pauses each of them.
    let none = "kind: BuildConfig\napiVersion: v1\nmetadata: {name: default, annotations: {ropewalk.io/repository: admin/app}}\n";
    assert_eq!(house.apply(none).await.1["applied"][0]["result"], "unchanged");
    let annotation = "ropewalk.io/repository: admin/app, openshift.io/build-config.paused: 'true'";
    let held = active.replace("ropewalk.io/repository: admin/app", annotation);
    assert_eq!(house.apply(&held).await.0, 200);
    assert!(triggers(house).await.values().all(|one| one["paused"] == true));
    assert_eq!(house.apply(active).await.0, 200);
    assert!(triggers(house).await.values().all(|one| one["paused"] == false));
}

/// A definition whose step says that it pushed this image.
fn pushes(name: &str, digest: &str) -> String {
    one_step(&format!(
        "echo 'The push refers to repository [{REGISTRY}/{name}]'\necho '1: digest: {digest} size: 528'"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_that_start_each_other_in_a_circle_are_stopped_with_the_way_the_image_came() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let [here, there] = ["bc-here", "bc-there"].map(repository);
    for (repository, image) in [("admin/here", &here), ("admin/there", &there)] {
        // As a build labels it: it is the run's.
        let run = format!("ropewalk-{}-circle-1", repository.replace('/', "-"));
        let digest = push_labelled(image, "1", &json!({"build_tag": run})).await;
        let copy = Copy::new();
        copy.write("ropewalk.yml", &format!("triggers: {{push: false}}\n{}", pushes(image, &digest)))
            .commit("One");
        copy.push(&house.remote(repository)).await;
        house.create_pipeline(repository, "circle", "ropewalk.yml").await;
    }
    let (status, _) =
        house.post("/api/v1/repos/admin/here/pipelines/circle/runs", json!({"ref": "main"})).await;
    assert_eq!(status, 201);
    house.run_ended("admin/here", "circle", 1).await;
    let watches = async |repository: &str, stream: &str, image: &str| {
        let yaml = format!(
            "kind: ImageStream\napiVersion: v1\nmetadata: {{name: {stream}}}\nspec:\n  tags:\n  \
             - {{name: '1', from: {{kind: DockerImage, name: '{REGISTRY}/{image}:1'}}}}\n---\nkind: BuildConfig\n\
             apiVersion: v1\nmetadata:\n  name: circle\n  annotations: {{ropewalk.io/repository: {repository}}}\nspec:\n  \
             triggers:\n  - {{type: ImageChange, imageChange: {{from: {{kind: ImageStreamTag, name: '{stream}:1'}}}}}}\n"
        );
        let (status, report) = house.apply(&yaml).await;
        assert_eq!(status, 200, "{report}");
    };
    watches("admin/there", "bc-of-here", &here).await;
    let run = house.run_ended("admin/there", "circle", 1).await;
    assert_eq!(run.status, Status::Passed, "{:?}", run.message);
    watches("admin/here", "bc-of-there", &there).await;
    house.wait_for("the stream", |house| names(house, "admin/bc-of-there:1")).await;
    poll(&house).await;
    let all = house.json("/api/v1/activity?kind=stream-tag-moved&limit=1").await;
    let outcome = &all[0]["outcomes"][0];
    assert_eq!(outcome["code"], "trigger-loop", "{all}");
    let way = "admin/here/circle → admin/there/circle → admin/here/circle";
    assert!(outcome["message"].as_str().unwrap().contains(way), "{outcome}");
    assert!(house.find_run("admin/here", "circle", 2).is_none());
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_imported_as_their_policies_say() {
    let registry = Moody::start().await;
    let house = House::with(&[("poll-seconds", "3600")]).await;
    endpoint(&house, "team", &format!("http://{}", registry.stand.host)).await;
    let image = |name: &str| format!("{{kind: DockerImage, name: '{}/team/{name}:1'}}", registry.stand.host);
    let yaml = |tags: &[String]| {
        let tags: String = tags.iter().map(|tag| format!("  - {{{tag}}}\n")).collect();
        format!(
            "kind: ImageStream\napiVersion: image.openshift.io/v1\nmetadata: {{name: tools}}\nspec:\n  tags:\n{tags}"
        )
    };
    let clock = format!("name: clock, from: {}, importPolicy: {{scheduled: true}}", image("clock"));
    let once = format!("name: once, from: {}", image("once"));
    let only_named =
        format!("name: named, annotations: {{team: walk}}, reference: true, from: {}", image("named"));
    house.applied(&yaml(&[clock.clone(), once.clone(), only_named.clone()])).await;
    let digest = |name: &str| {
        format!("{}/team/{name}@{}", registry.stand.host, registry.digest(&format!("team/{name}")))
    };
    for name in ["clock", "once"] {
        let wanted = digest(name);
        house
            .wait_for(name, |house| names(house, &format!("admin/tools:{name}")).filter(|now| *now == wanted))
            .await;
    }
    let next = |name: &str| {
        let tag: StreamTagName = format!("admin/tools:{name}").parse().unwrap();
        let read = house.app.store.read(|c| {
            let stream = streams::spec::by_path(c, &tag.stream)?.unwrap();
            streams::spec::tag(c, stream.id, &tag.tag)
        });
        read.unwrap().unwrap().import_at
    };
    // Every quarter of an hour, and a little so that not all come together; the others when somebody asks.
    let due = next("clock").expect("a schedule");
    let wait = due.duration_since(Timestamp::now());
    assert!(wait > SignedDuration::from_mins(14) && wait < SignedDuration::from_mins(17), "{wait}");
    assert_eq!((next("once"), next("named"), names(&house, "admin/tools:named")), (None, None, None));
    let asked = |name: &str| registry.stand.times(&format!("HEAD /v2/team/{name}/manifests/1"));
    assert_eq!(asked("named"), 0, "a reference is never imported");

    registry.pushed();
    let then = due.checked_add(SignedDuration::from_secs(1)).unwrap();
    let imported = async {
        // The house's own loop may not have left the registry's lane yet.
        while names(&house, "admin/tools:clock") != Some(digest("clock")) {
            house.app.watch.import_due(then).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), imported).await.expect("the scheduled import");
    assert_ne!(names(&house, "admin/tools:once"), Some(digest("once")));
    let later = next("clock").unwrap();
    assert!(later > due);
    // A person's import puts the schedule off.
    assert_eq!(house.post("/api/v1/image-streams/admin/tools/tags/clock/import", json!({})).await.0, 202);
    house
        .wait_for("the schedule", |_| next("clock").filter(|next| *next != later && *next > Timestamp::now()))
        .await;

    // Generation 0 asks once more.
    let again = once.replace("name: once", "name: once, generation: 0");
    house.applied(&yaml(&[clock.clone(), again, only_named.clone()])).await;
    let wanted = digest("once");
    house.wait_for("once more", |house| names(house, "admin/tools:once").filter(|now| *now == wanted)).await;

    // An image of the stream's own history, whatever its tag names now.
    let stream = house.json("/api/v1/image-streams/admin/tools").await;
    let wanted_tags = stream["spec"]["tags"].as_array().unwrap();
    let of_named = wanted_tags.iter().find(|one| one["name"] == "named").unwrap();
    assert_eq!((&of_named["annotations"]["team"], &of_named["reference"]), (&json!("walk"), &json!(true)));
    let of_once =
        stream["status"]["tags"].as_array().unwrap().iter().find(|one| one["tag"] == "once").unwrap();
    let items = of_once["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["dockerImageReference"]), (2, &json!(wanted)), "newest first");
    assert!(items[0]["generation"].as_i64() > items[1]["generation"].as_i64(), "{stream}");
    let first = items[1]["image"].as_str().unwrap().to_owned();
    let old = format!("name: old, from: {{kind: ImageStreamImage, name: 'tools@{first}'}}");
    house.applied(&yaml(&[clock, once, only_named, old])).await;
    assert!(names(&house, "admin/tools:old").unwrap().ends_with(&first));
    assert_eq!(stream["status"]["dockerImageRepository"], format!("{REGISTRY}/admin/tools"));
    house.stop().await;
}
