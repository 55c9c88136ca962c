//! OpenShift files as people have them, through the API and the command line, with a real registry: what is applied, what
//! is refused and why, what a promotion takes and what a trigger waits for. The files are in `tests/samples/cases/openshift`.

use std::path::PathBuf;

use ropewalk::model::Status;
use serde_json::{Value, json};

use crate::kit::{Copy, House, PASSWORD, one_step};
use crate::streams::{fresh, names, poll, program, push, stream_yaml, until_names};

const REGISTRY: &str = "registry.local:5000";
const STREAM: &str = "/api/v1/image-streams/admin/y1";

/// Each file, the status, and what became of its objects: the word, or the code of what is wrong.
const FILES: [(&str, u16, &[&str]); 24] = [
    ("alias-scheduled.yml", 422, &["openshift-scheduled-alias"]),
    ("anchors.yml", 200, &["created"]),
    ("bc-dockerimage.yml", 422, &["openshift-trigger-kind"]),
    ("bc-from-misplaced.yml", 422, &["openshift-misplaced"]),
    ("bc-trigger-only-type.yml", 200, &["configured"]),
    ("bom-crlf.yml", 200, &["created"]),
    ("bool-as-text.yml", 422, &["openshift-boolean-text"]),
    ("dockerio.yml", 200, &["created"]),
    ("dots-end.yml", 200, &["created"]),
    ("exported.yml", 200, &["created"]),
    ("ipv6.yml", 422, &["openshift-image-ipv6"]),
    ("isimport.yml", 200, &["created"]),
    ("istag.yml", 200, &["created"]),
    ("other-stream.yml", 404, &["openshift-no-other-stream"]),
    ("reference-trigger.yml", 200, &["created"]),
    ("refpolicy-empty.yml", 200, &["created"]),
    ("scheme.yml", 422, &["openshift-image-scheme"]),
    ("spec-null.yml", 200, &["created"]),
    ("tabs.json", 200, &["created"]),
    ("tag-number.yml", 422, &["openshift-text-number"]),
    ("template.yml", 200, &["created"]),
    ("upper.yml", 422, &["openshift-image-upper"]),
    ("whole-hub-repository.yml", 422, &["streams-repository-elsewhere"]),
    ("with-service.yml", 200, &["created", "left"]),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples/cases/openshift")
}

/// What became of the objects, in one word each.
fn became(report: &Value) -> Vec<String> {
    let mut findings = report["findings"].as_array().into_iter().flatten();
    let of = |one: &Value| match one["result"].as_str().unwrap() {
        "refused" => findings.next().unwrap()["code"].as_str().unwrap().to_owned(),
        other => other.to_owned(),
    };
    report["applied"].as_array().unwrap().iter().map(of).collect()
}

async fn export(house: &House, stream: &str) -> String {
    house.get(&format!("{stream}?format=yaml")).await.text().await.unwrap()
}

async fn with_app(house: &House) {
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/app")).await;
    house.run_ended("admin/app", "default", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_is_applied_or_refused_with_the_remedy_and_exports_as_it_was() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    with_app(&house).await;
    let there = std::fs::read_dir(folder()).unwrap().count();
    assert_eq!(there, FILES.len(), "every file has its line");
    for (file, status, wanted) in FILES {
        house.delete(STREAM).await;
        let text = std::fs::read_to_string(folder().join(file)).unwrap();
        let (answered, report) = house.apply(&text).await;
        assert_eq!(
            (answered, became(&report)),
            (status, wanted.iter().map(|w| (*w).to_owned()).collect()),
            "{file} {report}"
        );
        let said = report["error"]["message"].as_str();
        assert_eq!(said.is_some(), status != 200, "{file}");
        assert!(
            said.is_none_or(|said| said.contains(' ') && !said.contains("openshift-")),
            "{file}: {said:?}"
        );
        if status != 200 || !wanted.contains(&"created") {
            continue;
        }
        // What is exported is what was applied: it changes nothing, here or where there is nothing yet.
        let first = export(&house, STREAM).await;
        let (_, again) = house.apply(&first).await;
        assert_eq!(
            (became(&again), &again["notes"]),
            (vec!["unchanged".to_owned()], &json!([])),
            "{file}\n{first}"
        );
        house.delete(STREAM).await;
        assert_eq!(became(&house.apply(&first).await.1), ["created"], "{file}");
        assert_eq!(
            export(&house, STREAM).await.replace("generation: 2", "generation: 1"),
            first.replace("generation: 2", "generation: 1"),
            "{file}"
        );
    }
    what_is_kept(&house).await;
    by_itself(&house).await;
    house.stop().await;
}

/// Labels, tags without a source and references as they are written are in the export; what is taken out is not.
async fn what_is_kept(house: &House) {
    let kept = "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {name: kept, labels: {app: web}, annotations: {n: \"1.10\"}}\nspec:\n  tags:\n  \
                - {name: bare}\n  - {name: gone, annotations: {a: b}, reference: true, from: {kind: DockerImage, name: 'index.docker.io/library/debian:12'}}\n  \
                - {name: \"1.10\", importPolicy: {importMode: PreserveOriginal}, from: {kind: ImageStreamTag, name: bare}}\n";
    house.applied(kept).await;
    let address = "/api/v1/image-streams/admin/kept";
    let shown = house.json(address).await;
    assert_eq!(shown["metadata"]["labels"], json!({"app": "web"}));
    let text = export(house, address).await;
    for part in
        ["name: bare", "index.docker.io/library/debian:12", "\"1.10\"", "PreserveOriginal", "app: web"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let without = kept.lines().filter(|line| !line.contains("name: gone")).collect::<Vec<_>>().join("\n");
    assert_eq!(became(&house.apply(&without).await.1), ["configured"]);
    assert!(!export(house, address).await.contains("gone"), "taken out");
    assert_eq!(became(&house.apply(&without).await.1), ["unchanged"]);
}

/// Each object by itself: one that is refused keeps no other back, and its status is the answer's.
async fn by_itself(house: &House) {
    let text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: route.openshift.io/v1, kind: Route, metadata: {name: r}}\n\
                - {apiVersion: v1, kind: ImageStream, metadata: {name: one}}\n- {apiVersion: v1, kind: ImageStream, metadata: {name: two}, spec: {tags: [{name: 1}]}}\n\
                - {apiVersion: v1, kind: BuildConfig, metadata: {name: default, annotations: {ropewalk.io/repository: admin/nothing}}}\n\
                - {apiVersion: v1, kind: ImageStream, metadata: {name: three}, spek: 1, other: 2}\n";
    let (status, report) = house.apply(text).await;
    assert_eq!(status, 422, "{report}");
    let code = became(&report);
    assert_eq!(code[..3], ["left", "created", "openshift-text-number"]);
    assert_eq!(code[4], "pipeline-key-similar", "{report}");
    assert_eq!(
        report["applied"][0]["message"],
        "“Route” is not a kind that is carried out here; it is left alone."
    );
    assert_eq!((&report["applied"][2]["line"], &report["findings"][0]["line"]), (&json!(6), &json!(6)));
    assert_eq!(house.get("/api/v1/image-streams/admin/one").await.status(), 200);
    let (status, report) = house.apply(&text.replace("spek: 1, ", "")).await;
    assert_eq!((status, &report["applied"][4]["result"]), (422, &json!("created")), "{report}");
    assert!(report["notes"].to_string().contains("OpenShift has no field “other”"), "{report}");
    // Nothing that is ours: said, and no success.
    let (status, report) = house.apply("{apiVersion: v1, kind: Pod, metadata: {name: p}}").await;
    assert_eq!((status, &report["error"]["code"]), (422, &json!("openshift-none-is-ours")), "{report}");
    // Parameters, in the query and with the file.
    let template = "{kind: Template, apiVersion: v1, parameters: [{name: NAME, required: true}], objects: [{kind: ImageStream, apiVersion: v1, metadata: {name: 't-${NAME}', namespace: nobody}}]}";
    let (status, missing) = house.apply(template).await;
    assert_eq!(
        (status, &missing["error"]["code"]),
        (422, &json!("openshift-parameter-required")),
        "{missing}"
    );
    let send = |query: &str, kind: &str, body: String| {
        let request = house.http.post(format!("{}/api/v1/image-streams{query}", house.url));
        let request = request.basic_auth("admin", Some(PASSWORD)).header("Content-Type", kind).body(body);
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let (status, report) = send("?param=NAME=a%3Db", "application/yaml", template.into()).await;
    assert_eq!((status, &report["applied"][0]["result"]), (422, &json!("refused")), "{report}");
    let (_, report) = send("?param=NAME=q", "application/yaml", template.into()).await;
    assert_eq!(report["applied"][0]["name"], "admin/t-q", "{report}");
    let whole = json!({"text": template, "parameters": {"NAME": "w"}, "namespace": "bob"}).to_string();
    let (_, report) = send("", "application/vnd.ropewalk.apply+json", whole).await;
    assert_eq!(
        (&report["applied"][0]["name"], &report["applied"][0]["result"]),
        (&json!("bob/t-w"), &json!("created")),
        "{report}"
    );
    for (query, body) in [("?param=NAME", template), ("?namespace=a%20b", template), ("?what=1", template)] {
        assert_eq!(send(query, "application/yaml", body.into()).await.0, 422, "{query}");
    }
    assert_eq!(send("", "application/vnd.ropewalk.apply+json", "{}".into()).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_takes_the_image_once_and_a_trigger_waits_for_what_is_not_there() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    with_app(&house).await;
    // The trigger comes first: it waits for the stream, for the tag, for the image.
    let trigger = "kind: BuildConfig\napiVersion: v1\nmetadata: {name: default, annotations: {ropewalk.io/repository: admin/app}}\nspec:\n  triggers:\n  \
                   - {type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: 'prod:live'}}}\n";
    let (status, report) = house.apply(trigger).await;
    assert_eq!((status, &report["notes"][0]["code"]), (200, &json!("trigger-waits-stream")), "{report}");
    let waits = async || {
        let all = house.json("/api/v1/repos/admin/app/pipelines/default/triggers").await;
        all[0]["waits_for"].as_str().map(str::to_owned)
    };
    assert!(waits().await.unwrap().contains("admin/prod"));
    let page = house.get("/admin/app/pipelines/default").await.text().await.unwrap();
    assert!(page.contains("which is not there yet. It fires when it comes."), "{page}");
    let stream = |name: &str, tags: &str| {
        format!(
            "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {{name: {name}}}\nspec:\n  tags:\n{tags}"
        )
    };
    house.applied(&stream("prod", "  - {name: other}\n")).await;
    assert!(waits().await.unwrap().contains("tag live"), "{:?}", waits().await);

    // Nothing to promote from: refused, and nothing made.
    let live = stream("prod", "  - {name: live, from: {kind: ImageStreamTag, name: 'dev:1'}}\n");
    let (status, report) = house.apply(&live).await;
    assert_eq!((status, became(&report)), (404, vec!["openshift-no-other-stream".to_owned()]), "{report}");
    house.applied(&stream("dev", "  - {name: '1'}\n")).await;
    let (status, report) = house.apply(&live).await;
    assert_eq!((status, &report["notes"][0]["code"]), (200, &json!("streams-waits-for")), "{report}");
    assert!(waits().await.unwrap().contains("to name an image"), "{:?}", waits().await);

    // It comes: the promotion takes it, and the trigger fires.
    let base = fresh("promoted");
    let first = push(&base, "1", "a").await;
    house.applied(&stream_yaml("dev", "1", &format!("{REGISTRY}/{base}:1"))).await;
    until_names(&house, "admin/prod:live", &first).await;
    assert_eq!(house.run_ended("admin/app", "default", 2).await.status, Status::Passed);
    assert_eq!(waits().await, None);

    // What comes later is not taken by itself, nor by the same file; generation 0 and an import take it.
    let second = push(&base, "1", "b").await;
    poll(&house).await;
    until_names(&house, "admin/dev:1", &second).await;
    assert_eq!(became(&house.apply(&live).await.1), ["unchanged"]);
    assert_eq!(names(&house, "admin/prod:live"), Some(first.clone()));
    house.applied(&live.replace("{name: live,", "{name: live, generation: 0,")).await;
    assert_eq!(names(&house, "admin/prod:live"), Some(second.clone()));

    // By digest, as `oc tag` writes it, and in a stream of another owner; copied where its policy says so.
    let digest = |image: &str, policy: &str| {
        format!(
            "apiVersion: image.openshift.io/v1\nkind: ImageStreamTag\nmetadata: {{name: 'prod:held', namespace: bob}}\ntag:\n  name: held\n  {policy}\n  \
             from: {{kind: ImageStreamImage, name: 'dev@{image}', namespace: admin}}\n"
        )
    };
    let (status, report) = house.apply(&digest(&first, "")).await;
    assert_eq!((status, &report["applied"][0]["name"]), (200, &json!("bob/prod:held")), "{report}");
    assert_eq!(names(&house, "bob/prod:held"), Some(first.clone()));
    let (status, report) = house.apply(&digest(&format!("sha256:{}", "a".repeat(64)), "")).await;
    assert_eq!((status, became(&report)), (404, vec!["openshift-no-other-image".to_owned()]), "{report}");
    let owner = fresh("copy").replace("streams-test/", "");
    let copied =
        digest(&second, "referencePolicy: {type: Local}").replace("prod:held", &format!("{owner}:held"));
    house.applied(&copied).await;
    until_names(&house, &format!("bob/{owner}:held"), &second).await;
    let shown = house.json(&format!("/api/v1/image-streams/bob/{owner}")).await;
    let reference = shown["status"]["tags"][0]["items"][0]["dockerImageReference"].as_str().unwrap();
    assert_eq!(reference, format!("{REGISTRY}/bob/{owner}@{second}"));
    // A circle closed by hand is refused, and so is a scheduled alias.
    let tag = |tag: &str| format!("/api/v1/image-streams/admin/prod/tags/{tag}");
    assert_eq!(house.post(&tag("x"), json!({"tag": "y", "follow": true})).await.0, 200);
    let (status, refused) = house.post(&tag("y"), json!({"tag": "x", "follow": true})).await;
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("openshift-alias-circle")), "{refused}");
    let (status, refused) =
        house.post(&tag("z"), json!({"tag": "live", "follow": true, "scheduled": true})).await;
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("openshift-scheduled-alias")), "{refused}");
    from_the_command_line(&house).await;
    house.stop().await;
}

async fn from_the_command_line(house: &House) {
    let url = house.url.replace("http://", &format!("http://admin:{PASSWORD}@"));
    let variables = [("ROPEWALK_URL", url.as_str())];
    let run = async |args: &[&str], input: &str| program(&variables, args, input).await;
    // A folder: what can be applied is, what cannot is said with file and place, and the exit says so.
    let all = folder();
    let (code, out, said) = run(&["apply", "-f", all.to_str().unwrap()], "").await;
    assert_eq!(code, 2, "{said}");
    assert_eq!(
        out.lines().filter(|line| line.starts_with("ImageStream admin/y1 ")).count(),
        11,
        "{out}{said}"
    );
    for part in [
        "tag-number.yml:6:11: ",
        "with-service.yml:5:1: Service s: ",
        "upper.yml:6:",
        "registry.example:5000/team/app:1",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("openshift-"), "{said}");
    let (code, out, _) = run(&["--json", "apply", "-f", all.join("istag.yml").to_str().unwrap()], "").await;
    assert_eq!(
        (code, serde_json::from_str::<Value>(&out).unwrap()["applied"][0]["kind"].clone()),
        (0, json!("ImageStreamTag"))
    );
    // Several files, folders of folders, parameters from the line and a file.
    let work = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = work.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let template = write(
        "deep/er/t.yaml",
        "kind: Template\napiVersion: v1\nobjects: [{kind: ImageStream, apiVersion: v1, metadata: {name: '${A}-${B}'}}]\nparameters: [{name: A, required: true}, {name: B, value: b}]\n",
    );
    write("deep/service.yml", "{kind: Service, apiVersion: v1, metadata: {name: s}}");
    write("deep/notes.txt", "not: [yaml");
    let values = write("values.env", "# values\nA=from-file\nB=two\n");
    let deep = work.path().join("deep").to_str().unwrap().to_owned();
    assert_eq!(run(&["apply", "-f", &deep], "").await.0, 2, "only a Service is in it");
    let (code, _, said) = run(&["apply", "-f", &template], "").await;
    assert!(code == 2 && said.contains("-p A=VALUE"), "{code} {said}");
    let (code, out, said) =
        run(&["apply", "-R", "-f", &deep, "-p", "A=x", "--param-file", &values, "-n", "bob"], "").await;
    assert_eq!((code, out.as_str()), (0, "ImageStream bob/x-two created\n"), "{said}");
    assert!(
        said.contains("deep/service.yml:1:1: Service s: ") && said.contains("A is given already"),
        "{said}"
    );
    let piped = "{kind: ImageStream, apiVersion: v1, metadata: {name: piped}}";
    let (code, out, _) = run(&["apply", "-f", "-", "-f", &template, "-p", "A=y"], piped).await;
    // The parameter is the template's; the other file has none, which is only noted.
    assert_eq!((code, out.as_str()), (0, "ImageStream admin/piped created\nImageStream admin/y-b created\n"));
    for (args, wanted) in [
        (vec!["apply", "-f", &template, "-p", "A=1", "-p", "A=2"], 2),
        (vec!["apply", "-f", &template, "-p", "A"], 2),
        (vec!["apply", "-f", &template, "-p", "A=1", "-p", "C=2"], 2),
        (vec!["apply", "-f", "http://example.org/x.yml"], 2),
        (vec!["apply", "-f", &template, "-f", "no/such/file", "-p", "A=never"], 4),
    ] {
        assert_eq!(run(&args, "").await.0, wanted, "{args:?}");
    }
    assert_eq!(
        run(&["stream", "show", "admin/never-b"], "").await.0,
        4,
        "nothing was applied before the files were found"
    );
    assert_eq!(
        run(&["apply", "-f", &template, "-p", "A=1", "-p", "C=2", "--ignore-unknown-parameters"], "").await.0,
        0
    );
    let (code, out, _) = run(&["pipeline", "triggers", "admin/app", "default"], "").await;
    // The folder's build config has made its trigger the pipeline's only one.
    assert_eq!((code, out.trim()), (0, "The pipeline's own base images  Active"));
}
