//! Image streams and image triggers through the front door, with a real registry and a real engine: what is pushed
//! is found by the poll alone, moves once, and starts what depends on it once.

use ropewalk::model::{Cause, Run, Sighting, Status, StreamTagName, TagAddress};
use ropewalk::store::{events, streams};
use serde_json::{Value, json};

use crate::kit::{Copy, House, PASSWORD, one_step};

const REGISTRY: &str = "registry.local:5000";

async fn docker(args: &[&str]) -> String {
    let mut command = tokio::process::Command::new("docker");
    let output = command.args(args).stdin(std::process::Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Pushes a new, empty image under `repository:tag`; its digest at the registry.
pub async fn push(repository: &str, tag: &str, what: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.tar");
    std::fs::write(&empty, [0; 1024]).unwrap();
    let name = format!("{REGISTRY}/{repository}:{tag}");
    docker(&["import", "--change", &format!("LABEL what={what}"), empty.to_str().unwrap(), &name]).await;
    docker(&["push", "--quiet", &name]).await;
    docker(&["rmi", &name]).await;
    digest(repository, tag).await
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn digest(repository: &str, tag: &str) -> String {
    let accept =
        "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
    let url = format!("http://{REGISTRY}/v2/{repository}/manifests/{tag}");
    let answer = http().head(url).header("Accept", accept).send().await.unwrap();
    answer.headers()["docker-content-digest"].to_str().unwrap().to_owned()
}

/// A repository name of this test run's own in the registry.
pub fn fresh(name: &str) -> String {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("streams-test/{name}-{nanos:x}")
}

pub fn names(house: &House, tag: &str) -> Option<String> {
    let name: StreamTagName = tag.parse().unwrap();
    let item = house.app.store.read(|c| streams::current(c, &name)).unwrap()?;
    Some(item.reference.rsplit('@').next().unwrap().to_owned())
}

pub async fn until_names(house: &House, tag: &str, digest: &str) {
    house
        .wait_for(&format!("{tag} to name {digest}"), |house| names(house, tag).filter(|now| now == digest))
        .await;
}

pub fn stream_yaml(name: &str, tag: &str, image: &str) -> String {
    format!(
        "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {{name: {name}}}\nspec:\n  tags:\n  \
         - name: '{tag}'\n    from: {{kind: DockerImage, name: '{image}'}}\n"
    )
}

/// The poll, by hand; and everything that follows from what it found is decided.
pub async fn poll(house: &House) {
    house.app.watch.poll_tags().await.unwrap();
    let undecided = |house: &House| house.app.store.read(|c| events::undecided(c, 1)).unwrap();
    house.wait_for("every event to be decided", |house| undecided(house).is_empty().then_some(())).await;
}

fn moved_to(run: &Run) -> Vec<String> {
    let Cause::ImageChange { changes } = &run.cause else { panic!("{:?}", run.cause) };
    changes.iter().map(|change| change.new.rsplit('@').next().unwrap().to_owned()).collect()
}

fn moves(house: &House) -> usize {
    let filter = events::Filter { kind: Some("stream-tag-moved".into()), ..Default::default() };
    house.app.store.read(|c| events::page(c, &filter, 1000)).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_base_image_starts_its_dependants_once_and_a_roll_back_does_too() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/app")).await;
    house.run_ended("admin/app", "default", 1).await;

    let base = fresh("base");
    let first = push(&base, "1", "a").await;
    let (status, report) = house.apply(&stream_yaml("base", "1", &format!("{REGISTRY}/{base}:1"))).await;
    assert_eq!((status, &report["applied"][0]["result"]), (200, &json!("created")), "{report}");
    until_names(&house, "admin/base:1", &first).await;

    // The trigger, as OpenShift writes it: it starts at once what has not had the image.
    let build = format!(
        "apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata: {{name: default}}\nspec:\n  source: {{git: {{uri: '{}/admin/app.git'}}}}\n  \
         triggers:\n  - {{type: ImageChange, imageChange: {{from: {{kind: ImageStreamTag, name: 'base:1'}}}}}}\n  - type: ConfigChange\n",
        house.url
    );
    let (status, report) = house.apply(&build).await;
    assert_eq!((status, &report["applied"][0]["result"]), (200, &json!("configured")), "{report}");
    assert_eq!(report["notes"][0]["code"], "openshift-trigger-type");
    let run = house.run_ended("admin/app", "default", 2).await;
    assert_eq!((run.status, moved_to(&run)), (Status::Passed, vec![first.clone()]));
    assert_eq!(house.apply(&build).await.1["applied"][0]["result"], "unchanged");

    // Found by the poll alone, once, however often it looks.
    let second = push(&base, "1", "b").await;
    poll(&house).await;
    let run = house.run_ended("admin/app", "default", 3).await;
    assert_eq!(moved_to(&run), std::slice::from_ref(&second));
    assert_eq!(moves(&house), 2);
    let writes = house.app.store.writes();
    poll(&house).await;
    assert_eq!(house.app.store.writes(), writes, "nothing moved: nothing is written");
    assert!(house.find_run("admin/app", "default", 4).is_none());

    // Paused: three pushes, and one run when it is let go on.
    let triggers = "/api/v1/repos/admin/app/pipelines/default/triggers";
    let id = house.json(triggers).await[0]["id"].as_i64().unwrap();
    let (status, _) = house.patch(&format!("{triggers}/{id}"), json!({"paused": true})).await;
    assert_eq!(status, 200);
    let mut newest = String::new();
    for what in ["c", "d", "e"] {
        newest = push(&base, "1", what).await;
        poll(&house).await;
    }
    assert!(house.find_run("admin/app", "default", 4).is_none());
    let pending = &house.json(triggers).await[0]["pending"];
    assert_eq!(pending.as_array().unwrap().len(), 1, "what would run is shown before: {pending}");
    assert!(
        pending[0]["new"].as_str().unwrap().ends_with(&newest)
            && pending[0]["old"].as_str().unwrap().ends_with(&second)
    );
    house.patch(&format!("{triggers}/{id}"), json!({"paused": false})).await;
    let run = house.run_ended("admin/app", "default", 4).await;
    assert_eq!(moved_to(&run), [newest.clone()]);

    // Rolled back, the dependants follow; the next look at the source does not undo it.
    let tag = "/api/v1/image-streams/admin/base/tags/1";
    let (status, stream) = house.post(&format!("{tag}/rollback"), json!({"image": second})).await;
    assert_eq!(
        (status, &stream["status"]["tags"][0]["items"][0]["image"]),
        (200, &json!(second)),
        "{stream}"
    );
    let run = house.run_ended("admin/app", "default", 5).await;
    assert_eq!(moved_to(&run), std::slice::from_ref(&second));
    poll(&house).await;
    assert_eq!(names(&house, "admin/base:1").as_deref(), Some(second.as_str()));
    assert!(house.find_run("admin/app", "default", 6).is_none());

    // A delivery's look ends in the same place, and is remembered as its reason.
    let last = push(&base, "1", "f").await;
    let address = TagAddress { host: REGISTRY.into(), repository: base.clone(), tag: "1".into() };
    let seen = house.app.watch.look_at_tag(&address, Some(7)).await.unwrap();
    assert!(matches!(seen, Sighting::Image(found) if found.as_str() == last));
    assert!(matches!(house.app.watch.look_at_tag(&address, Some(8)).await.unwrap(), Sighting::Image(_)));
    assert_eq!(moved_to(&house.run_ended("admin/app", "default", 6).await), [last]);
    let filter = events::Filter { kind: Some("tag-moved".into()), ..Default::default() };
    let event = house.app.store.read(|c| events::page(c, &filter, 1)).unwrap().remove(0);
    assert!(serde_json::to_string(&event.happened).unwrap().contains("\"delivery_id\":7"), "{event:?}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_what_their_yaml_says() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let base = fresh("yaml");
    let image = push(&base, "1", "a").await;
    let from = format!("{REGISTRY}/{base}");
    let yaml = format!(
        "{}  - name: stable\n    from: {{kind: ImageStreamTag, name: '1'}}\n  - name: gone\n    from: {{kind: DockerImage, name: '{from}:no'}}\n  \
         - name: elsewhere\n    from: {{kind: DockerImage, name: 'registry.example.org/x:1'}}\n    importPolicy: {{scheduled: true}}\n  \
         - name: pinned\n    from: {{kind: DockerImage, name: '{from}@{image}'}}\n",
        stream_yaml("tools", "1", &format!("{from}:1"))
    );
    let (status, report) = house.apply(&yaml).await;
    assert_eq!(status, 200, "{report}");
    for tag in ["1", "stable", "pinned"] {
        until_names(&house, &format!("admin/tools:{tag}"), &image).await;
    }
    let condition = |stream: &Value, tag: &str| {
        let tags = stream["status"]["tags"].as_array().unwrap();
        tags.iter().find(|one| one["tag"] == tag).map(|one| one["conditions"][0]["reason"].clone())
    };
    let failed = |house: &House| {
        let filter = events::Filter { kind: Some("import-failed".into()), ..Default::default() };
        house.app.store.read(|c| events::page(c, &filter, 10)).unwrap().len()
    };
    house.wait_for("two imports to fail", |house| (failed(house) == 2).then_some(())).await;
    let stream = house.json("/api/v1/image-streams/admin/tools").await;
    for (tag, reason) in [("gone", "NotFound"), ("elsewhere", "NotConfigured")] {
        assert_eq!(condition(&stream, tag), Some(json!(reason)), "{stream}");
    }
    // By hand again: the reason is no news, and the schedule begins anew.
    let (status, _) = house.post("/api/v1/image-streams/admin/tools/tags/gone/import", json!({})).await;
    assert_eq!(status, 202);
    assert_eq!(house.post("/api/v1/image-streams/admin/tools/tags/nothing/import", json!({})).await.0, 404);

    // What is exported can be applied again, and changes nothing.
    let export = house.get("/api/v1/image-streams/admin/tools?format=yaml").await.text().await.unwrap();
    let (status, report) = house.apply(&export).await;
    assert_eq!(
        (status, &report["applied"][0]["result"], &report["notes"]),
        (200, &json!("unchanged"), &json!([])),
        "{export}"
    );
    let (status, refused) = house.apply(&yaml.replace("scheduled", "sheduled")).await;
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("pipeline-key-similar")), "{refused}");
    assert_eq!(refused["findings"][0]["line"], 14);

    // Tags by hand: from an image, from another tag; away again. The alias goes along.
    let other = push(&base, "2", "b").await;
    let tag = |tag: &str| format!("/api/v1/image-streams/admin/tools/tags/{tag}");
    let (status, answer) = house.post(&tag("1"), json!({"image": format!("{from}:2")})).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(names(&house, "admin/tools:stable"), Some(other.clone()));
    assert_eq!(house.post(&tag("new"), json!({"tag": "pinned"})).await.0, 200);
    assert_eq!(names(&house, "admin/tools:new"), Some(image));
    assert_eq!(house.post(&tag("1"), json!({"image": format!("{from}:no")})).await.0, 404);
    assert_eq!(house.post(&tag("1"), json!({"image": "registry.example.org/x:1"})).await.0, 403);
    assert_eq!(house.post(&tag("1"), json!({})).await.0, 422);
    assert_eq!((house.delete(&tag("new")).await, house.delete(&tag("new")).await), (204, 404));

    // Its own repository is followed without a word, also what was there before.
    let name = fresh("own").replace("streams-test/", "");
    let own = push(&format!("admin/{name}"), "1", "x").await;
    let yaml = format!("{{apiVersion: v1, kind: ImageStream, metadata: {{name: {name}}}}}");
    house.applied(&yaml).await;
    until_names(&house, &format!("admin/{name}:1"), &own).await;
    let newer = push(&format!("admin/{name}"), "1", "y").await;
    poll(&house).await;
    assert_eq!(names(&house, &format!("admin/{name}:1")), Some(newer));

    // A local reference policy copies the image, now and whenever the source moves.
    let copies = fresh("copy").replace("streams-test/", "");
    let yaml = stream_yaml(&copies, "kept", &format!("{from}:2"));
    house.applied(&format!("{yaml}    referencePolicy: {{type: Local}}\n")).await;
    let kept = format!("admin/{copies}:kept");
    until_names(&house, &kept, &other).await;
    assert_eq!(digest(&format!("admin/{copies}"), "kept").await, other);
    let moved = push(&base, "2", "c").await;
    poll(&house).await;
    until_names(&house, &kept, &moved).await;
    let item = house.app.store.read(|c| streams::current(c, &kept.parse().unwrap())).unwrap().unwrap();
    assert_eq!(item.reference, format!("{REGISTRY}/admin/{copies}@{moved}"));
    assert_eq!(digest(&format!("admin/{copies}"), "kept").await, moved);

    who_may_what(&house).await;
    pages(&house).await;
    let address = format!("/api/v1/image-streams/admin/{name}");
    assert_eq!((house.delete(&address).await, house.delete(&address).await), (204, 404));
    house.stop().await;
}

async fn who_may_what(house: &House) {
    let password = "three quiet kettles";
    house.post("/api/v1/admin/users", json!({"username": "eve", "password": password})).await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/secret")).await;
    house.run_ended("admin/secret", "default", 1).await;
    house.patch("/api/v1/repos/admin/secret", json!({"private": true})).await;
    let eve = |method: reqwest::Method, path: &str, body: String| {
        let request =
            house.http.request(method, format!("{}{path}", house.url)).basic_auth("eve", Some(password));
        let request = request.header("Content-Type", "application/json").body(body);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    use reqwest::Method;
    let stream = "/api/v1/image-streams/admin/tools";
    let triggers = "/api/v1/repos/admin/secret/pipelines/default/triggers";
    assert_eq!(eve(Method::GET, stream, String::new()).await, 200);
    assert_eq!(eve(Method::DELETE, stream, String::new()).await, 403);
    assert_eq!(
        eve(Method::POST, &format!("{stream}/tags/1"), json!({"tag": "stable"}).to_string()).await,
        403
    );
    assert_eq!(eve(Method::POST, &format!("{stream}/tags/1/rollback"), "{}".into()).await, 403);
    let yaml = stream_yaml("x", "1", "base:1").replace("{name: x}", "{name: x, namespace: admin}");
    assert_eq!(eve(Method::POST, "/api/v1/image-streams", yaml).await, 403);
    assert_eq!(eve(Method::GET, triggers, String::new()).await, 404);
    assert_eq!(eve(Method::POST, triggers, "{}".into()).await, 404);
    let build = "{apiVersion: v1, kind: BuildConfig, metadata: {name: default, annotations: {ropewalk.io/repository: admin/secret}}, spec: {triggers: []}}";
    assert_eq!(eve(Method::POST, "/api/v1/image-streams", build.into()).await, 404);
    assert_eq!(house.http.get(format!("{}{stream}", house.url)).send().await.unwrap().status(), 401);
}

async fn pages(house: &House) {
    let form = |path: &str, fields: &[(&str, &str)]| {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = house.http.post(format!("{}{path}", house.url)).basic_auth("admin", Some(PASSWORD));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        async move { request.send().await.unwrap() }
    };
    let made = form("/image-streams/new", &[("name", "admin/formed"), ("tag", ""), ("image", "")]).await;
    assert_eq!(made.headers()["location"], "/image-streams/admin/formed");
    let twice = form("/image-streams/new", &[("name", "admin/formed")]).await;
    assert_eq!(twice.status(), 409);
    let set = form("/image-streams/admin/tools/tag", &[("tag", "byhand"), ("other", "pinned")]).await;
    assert_eq!(set.status(), 303);
    let wrong = form("/image-streams/new", &[("yaml", "kind: Pod\n")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("YAML:1:1"));
    let before = names(house, "admin/tools:1").unwrap();
    let shown = house.get("/image-streams/admin/tools/tags/1").await.text().await.unwrap();
    assert!(shown.contains(&before), "{shown}");
    let name: StreamTagName = "admin/tools:1".parse().unwrap();
    let older = house.app.store.read(|c| streams::items(c, 1, &name.tag, 9)).unwrap().pop().unwrap();
    let back = form("/image-streams/admin/tools/tags/1/rollback", &[("image", &older.reference)]).await;
    assert_eq!(back.status(), 303, "{}", back.text().await.unwrap());
    assert_ne!(names(house, "admin/tools:1").unwrap(), before);
    for path in ["/image-streams", "/image-streams/new", "/image-streams/admin/tools"] {
        assert_eq!(house.get(path).await.status(), 200, "{path}");
    }
    let triggers = "/admin/secret/pipelines/default/triggers";
    assert_eq!(form(triggers, &[("from", "admin/tools:1"), ("paused", "true")]).await.status(), 303);
    let shown = house.get("/admin/secret/pipelines/default").await.text().await.unwrap();
    assert!(shown.contains("admin/tools:1") && shown.contains("Let it go on"), "{shown}");
    let id = house.json(&format!("/api/v1/repos{triggers}")).await[0]["id"].to_string();
    assert_eq!(form(&format!("{triggers}/{id}/delete"), &[]).await.status(), 303);
    assert_eq!(house.json(&format!("/api/v1/repos{triggers}")).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_unchanged_tags_cost_no_write() {
    const TAGS: usize = 300;
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let base = fresh("many");
    push(&base, "t0", "a").await;
    let http = http();
    let address = |tag: &str| format!("http://{REGISTRY}/v2/{base}/manifests/{tag}");
    let accept = "application/vnd.docker.distribution.manifest.v2+json";
    let manifest = http.get(address("t0")).header("Accept", accept).send().await.unwrap();
    let kind = manifest.headers()["content-type"].clone();
    let manifest = manifest.bytes().await.unwrap();
    for n in 1..TAGS {
        let put =
            http.put(address(&format!("t{n}"))).header("Content-Type", kind.clone()).body(manifest.clone());
        assert_eq!(put.send().await.unwrap().status(), 201);
    }
    let yaml = format!(
        "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {{name: many}}\nspec: {{dockerImageRepository: '{REGISTRY}/{base}'}}\n"
    );
    house.applied(&yaml).await;
    let last = format!("admin/many:t{}", TAGS - 1);
    house.wait_for("every tag", |house| names(house, &last)).await;
    poll(&house).await;
    let writes = house.app.store.writes();
    poll(&house).await;
    assert_eq!(house.app.store.writes(), writes);
    let moved = push(&base, "t7", "b").await;
    poll(&house).await;
    assert_eq!(names(&house, "admin/many:t7"), Some(moved));
    assert_eq!(moves(&house), TAGS + 1);
    house.stop().await;
}

/// `ropewalk ARGS` with standard input; exit code, output and what was said beside it.
pub async fn program(variables: &[(&str, &str)], args: &[&str], input: &str) -> (i32, String, String) {
    use tokio::io::AsyncWriteExt as _;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ropewalk"));
    command.args(args).env_clear().envs(variables.iter().copied());
    let piped = std::process::Stdio::piped;
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    // A program that does not read it may have ended by now.
    let _ = to.write_all(input.as_bytes()).await;
    drop(to);
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_from_the_command_line() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let base = fresh("cli");
    let (first, second) = (push(&base, "1", "a").await, push(&base, "2", "b").await);
    let url = house.url.replace("http://", &format!("http://admin:{PASSWORD}@"));
    let variables = [("ROPEWALK_URL", url.as_str())];
    let run = async |args: &[&str], input: &str| program(&variables, args, input).await;
    let yaml = stream_yaml("tools", "1", &format!("{REGISTRY}/{base}:1"));
    let noted = format!("{yaml}    importPolicy: {{insecure: true}}\n");
    let (code, out, said) = run(&["apply", "-f", "-"], &noted).await;
    assert_eq!((code, out.as_str()), (0, "ImageStream admin/tools created\n"), "{said}");
    assert!(said.contains("-:8:19: "), "{said}");
    until_names(&house, "admin/tools:1", &first).await;
    let file = house.data.path().join("stream.yml");
    std::fs::write(&file, &yaml).unwrap();
    let (code, out, _) = run(&["apply", "-f", file.to_str().unwrap()], "").await;
    assert_eq!((code, out.as_str()), (0, "ImageStream admin/tools configured\n"));
    let (code, out, said) = run(&["apply", "-f", "-"], "kind: Pod\napiVersion: v1\n").await;
    assert!(code == 2 && out.is_empty() && said.contains("1:1: "), "{code} {said}");
    assert_eq!(run(&["apply", "-f", "no/such/file"], "").await.0, 4);

    let image = format!("{REGISTRY}/{base}:2");
    let (code, out, said) = run(&["stream", "tag", "admin/tools:1", &image], "").await;
    assert_eq!((code, out.trim().rsplit('@').next()), (0, Some(second.as_str())), "{said}");
    let (code, out, _) = run(&["stream", "rollback", "admin/tools:1"], "").await;
    assert_eq!((code, out.trim().rsplit('@').next()), (0, Some(first.as_str())));
    let (code, out, _) =
        run(&["stream", "tag", "admin/tools:other", "--from-tag", "1", "--follow"], "").await;
    assert_eq!((code, out.trim().rsplit('@').next()), (0, Some(first.as_str())));
    let (_, out, _) = run(&["stream", "list"], "").await;
    assert_eq!(out.split_whitespace().collect::<Vec<_>>(), ["admin/tools", "1,other"]);
    let (_, out, _) = run(&["stream", "show", "admin/tools"], "").await;
    assert!(out.contains(&first) && out.lines().count() == 2, "{out}");
    let (_, out, _) = run(&["stream", "show", "admin/tools", "--yaml"], "").await;
    assert_eq!(run(&["apply", "-f", "-"], &out).await.1, "ImageStream admin/tools unchanged\n");
    assert_eq!(run(&["stream", "import", "admin/tools:1"], "").await.0, 0);
    assert_eq!(run(&["stream", "untag", "admin/tools:other"], "").await.0, 0);
    assert_eq!(run(&["stream", "untag", "admin/tools:other"], "").await.0, 4);
    assert_eq!(run(&["stream", "show", "nobody/nothing"], "").await.0, 4);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_registry_holds_up_no_git() {
    let asked = std::sync::Arc::new(tokio::sync::Notify::new());
    let ask = asked.clone();
    let silent = crate::kit::stand_in::StandIn::start(move |request, _| {
        if request.contains("/manifests/") {
            ask.notify_one();
        }
        crate::kit::stand_in::Reply::Silence
    })
    .await;
    let address = format!("http://{}", silent.host);
    let house = House::with(&[("registry", &address), ("poll-seconds", "3600")]).await;
    house.applied(&stream_yaml("base", "1", &format!("{}/base:1", silent.host))).await;
    asked.notified().await;
    // While that import waits, and a poll of tags as well:
    let watch = house.app.watch.clone();
    let poll = tokio::spawn(async move { watch.poll_tags().await });
    asked.notified().await;
    house.app.watch.poll().await.unwrap();
    assert!(!poll.is_finished(), "the comparison of refs did not wait for it");
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/app")).await;
    house.run_ended("admin/app", "default", 1).await;
    let failed = |house: &House| {
        let stream = house.app.store.read(|c| streams::spec::tags(c, 1)).unwrap().remove(0);
        stream.condition.map(|condition| condition.reason)
    };
    assert_eq!(house.wait_for("the import to give up", failed).await, "Unreachable");
    house.stop().await;
}
