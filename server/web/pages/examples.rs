//! Every page with example data, some of it hostile, in every language: what holds for all pages is
//! asked here. `ROPEWALK_PAGES=folder cargo test pages::examples` also writes them there, to be looked at.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use jiff::{SignedDuration, Timestamp};

use super::account::{Admin, Settings, SignIn, TokenFields, TokenRow, UserRow};
use super::activity::{self, Activity, ActivityRow, Journal, OutcomeRow};
use super::browse::{
    self, Change, ChangeKind, Commit, CommitRow, Commits, Content, Entry, EntryKind, File, Folder,
};
use super::error::ErrorPage;
use super::health::{Health, Part, State};
use super::home::{Home, HomeRow};
use super::pipeline::{
    InputField, MatrixCell, MatrixRow, NewPipeline, Pipeline, Pipelines, Start, TriggerFields,
};
use super::readme::{self, Origin};
use super::registry::{
    ContainerRow, Found, Image, ImageBrief, Layer, Provenance, Registry, RegistryRow, RegistryTags, TagRow,
    Trace,
};
use super::repository::{EmptyRepository, Head, NewMirror, NewRepository, PipelineRow, Repository, Tab};
use super::repository_settings::RepositorySettings;
use super::run::{Expected, RunPage, RunView, StageView, StepView};
use super::*;
use crate::model::{
    BaseImage, Cause, CommitId, Dialect, Error, Finding, Happened, InputKind, RefName, UsedBy, UsedImage,
};
use crate::msg;
use crate::web::ansi::Terminal;

pub(super) const HOSTILE: &str = "<script>alert('x')</script>\"'& {{7*7}}";
fn bases() -> Vec<BaseImage> {
    let pinned = BaseImage {
        reference: "registry.local:5000/base/rust:1.95".into(),
        pinned: Some(format!("registry.local:5000/base/rust@{DIGEST}")),
        digest: DIGEST.parse().ok(),
        note: None,
        made_at: Some(ago(400_000)),
        used: vec![UsedImage {
            image: HOSTILE.into(),
            id: format!("registry.local:5000/base/rust@{DIGEST}"),
            by: UsedBy::Step,
            differs: true,
        }],
    };
    let bare = BaseImage {
        reference: HOSTILE.into(),
        pinned: None,
        digest: None,
        note: Some(msg!("name-reserved", name = HOSTILE)),
        made_at: None,
        used: Vec::new(),
    };
    vec![pinned, bare]
}

pub(super) const DIGEST: &str = "sha256:3f1c9a0be5d27c6688a4bb0f5d2a9c11f00d5e3b7a6c4d2e1f0a9b8c7d6e5f40";
const COMMIT: &str = "9c1f2a7be04d5c6f8a9b0c1d2e3f4a5b6c7d8e9f";

fn now() -> Timestamp {
    "2026-11-20T12:52:03Z".parse().unwrap()
}

pub(super) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

fn page(language: Language, theme: Theme, path: &str) -> Page {
    Page {
        language,
        theme,
        viewer: Some(Viewer { name: "admin".into(), admin: true }),
        csrf: "0123".into(),
        path: path.into(),
        now: now(),
        notice: None,
    }
}

fn commit(summary: &str) -> CommitBrief {
    let author = if summary.contains("range") { HOSTILE } else { "Yuna Park" };
    CommitBrief {
        href: links::commit("admin/numbers", COMMIT),
        short: COMMIT[..10].into(),
        summary: summary.into(),
        author: author.into(),
    }
}

pub(super) fn run(number: u64, status: Status) -> RunBrief {
    let summaries = [
        "Serve the web page from its own service",
        "api: refuse a range that ends before it starts",
        "한글 이름의 브랜치도 빌드한다",
        HOSTILE,
    ];
    RunBrief {
        href: links::run("admin/numbers", "default", number),
        repository: "admin/numbers".into(),
        pipeline: "default".into(),
        number,
        status,
        cause: match number % 4 {
            0 => Cause::Poll,
            1 => Cause::Push { by: "yuna".into() },
            2 => Cause::Person { by: "admin".into() },
            _ => Cause::Rerun { by: "admin".into(), of: number - 1 },
        },
        reference: if number.is_multiple_of(3) { "feature/range".into() } else { "main".into() },
        commit: Some(commit(summaries[usize::try_from(number % 4).unwrap()])),
        queued_at: ago(i64::try_from(130 - number).unwrap() * 2600 + 40),
        seconds: status
            .is_final()
            .then_some(60 + number * 7 % 90)
            .or((status == Status::Running).then_some(41)),
    }
}

fn bars(page: &Page, count: usize) -> Bars {
    let statuses = [
        Status::Passed,
        Status::Passed,
        Status::Failed,
        Status::Passed,
        Status::Passed,
        Status::Unstable,
        Status::Passed,
    ];
    let runs: Vec<_> = (0..count).map(|i| (statuses[i * 5 % 7], Some(40 + (i as u64 * 37) % 90))).collect();
    Bars::new(page, &runs)
}

fn head(tab: Tab) -> Head {
    Head {
        repository: "admin/numbers".into(),
        description: "Two small services, api and web, and the images they are shipped in".into(),
        mirror_of: None,
        poll_error: None,
        polled_at: None,
        damage: None,
        private: false,
        clone_url: "http://localhost:3000/admin/numbers.git".into(),
        clone_note: None,
        default_branch: "main".into(),
        tab,
        may_write: true,
    }
}

fn image(service: &str) -> ImageBrief {
    ImageBrief {
        repository: format!("numbers/{service}"),
        tag: "v3-build-128".into(),
        digest: DIGEST.into(),
        size: 45_400_000,
        stage: "Push".into(),
    }
}

fn finding() -> Finding {
    Finding {
        path: "ch11/Jenkinsfile".into(),
        line: 14,
        column: 9,
        message: msg!("name-reserved", name = HOSTILE),
    }
}

fn entries() -> Vec<Entry> {
    let entry = |name: &str, kind, size| Entry {
        name: name.into(),
        href: links::file("admin/numbers", "main", name),
        kind,
        size,
    };
    vec![
        entry("ci", EntryKind::Folder, None),
        entry("ch11", EntryKind::Folder, None),
        entry("한글 폴더", EntryKind::Folder, None),
        entry(".env", EntryKind::File, Some(212)),
        entry("Jenkinsfile", EntryKind::File, Some(1_240)),
        entry("README.md", EntryKind::File, Some(3_811)),
        entry("current", EntryKind::Link, None),
        entry(HOSTILE, EntryKind::File, Some(1)),
    ]
}

fn readme() -> Option<(String, String)> {
    let origin = Origin { repository: "admin/numbers".into(), at: "main".into(), folder: String::new() };
    let text = "# Numbers\n\nTwo services and what it takes to ship them. See [the pipeline](Jenkinsfile).\n\n## Build\n\n```\ndocker-compose build\n```\n\n| Service | Port |\n|---|---|\n| api | 8012 |\n| web | 8013 |\n\n- `api` answers with a random number\n- `web` shows it <script>alert(1)</script>\n";
    Some(("README.md".into(), readme::render(text, origin)))
}

fn pipelines(page: &Page) -> Vec<PipelineRow> {
    let row = |name: &str, path: &str, last, count| PipelineRow {
        repository: "admin/numbers".into(),
        name: name.into(),
        path: path.into(),
        branches: vec!["main".into()],
        last,
        bars: bars(page, count),
    };
    vec![
        row("default", "Jenkinsfile", Some(Status::Running), 20),
        row("nightly", "ch11/exercises/Jenkinsfile", Some(Status::Failed), 9),
        row("fresh", "ropewalk.yml", None, 0),
    ]
}

fn log(stage: u32, text: &str) -> String {
    let mut html = String::new();
    Terminal::new(stage).feed(text.as_bytes(), &mut html);
    html
}

const BUILD_LOG: &str = "\x1b[36m+\x1b[0m docker-compose -f docker-compose.yml -f docker-compose-build.yml build --pull\n\
#1 [api internal] load build definition from Dockerfile\n#1 \x1b[34mtransferring dockerfile: 612B done\x1b[0m\n\
#5 [api builder 1/4] FROM registry.local:5000/base/rust:1.95@sha256:3f1c9a0be5d2\n\
#9 [api builder 4/4] RUN cargo build --release --locked\n#9 0.412 \x1b[1;32m   Compiling\x1b[0m numbers-api v3.0.0 (/src)\n\
#9 31.08 \x1b[1;33mwarning\x1b[0m: unused variable: `seed`, see https://doc.rust-lang.org/rustc/lints/listing/warn-by-default.html\n\
#9 44.90 \x1b[1;32m    Finished\x1b[0m `release` profile [optimized] target(s) in 44.21s\n\
10%\r50%\r100% \x1b[38;5;208mexported\x1b[0m \x1b[97;42m OK \x1b[0m\n<script>alert('x')</script>\n";

fn run_view(number: u64, status: Status) -> RunView {
    let stage = |index: u32, name: &str, status: Status, text: &str| StageView {
        index,
        name: name.into(),
        status,
        started_at: Some(ago(200)),
        seconds: (!matches!(status, Status::Queued | Status::Skipped)).then_some(u64::from(index) * 23 + 4),
        expected_seconds: Some(52),
        steps: if text.is_empty() {
            Vec::new()
        } else {
            vec![StepView {
                index: 0,
                title: format!("./ci/0{index}-{}.bat", name.to_lowercase()),
                status,
                exit_code: (status == Status::Failed).then_some(101),
                started_at: Some(ago(200)),
                seconds: Some(u64::from(index) * 23 + 4),
                log: log(index, text),
            }]
        },
        earlier_href: (index == 1).then(|| "?from=0".to_owned()),
        later_href: None,
        place: "0.0.-.-.0".into(),
    };
    let (test, push) = match status {
        Status::Failed => (Status::Failed, Status::Skipped),
        Status::Running => (Status::Running, Status::Queued),
        _ => (Status::Passed, Status::Passed),
    };
    RunView {
        brief: run(number, status),
        started_at: Some(ago(200)),
        finished_at: status.is_final().then(|| ago(70)),
        message: (status == Status::Failed).then(|| msg!("name-reserved", name = HOSTILE)),
        findings: Vec::new(),
        stages: vec![
            stage(0, "Verify", Status::Passed, "+ docker version\nServer: Docker Engine 20.10.24\n"),
            stage(1, "Build", Status::Passed, BUILD_LOG),
            stage(
                2,
                "Test",
                test,
                "\x1b[1;32m     Running\x1b[0m tests/numbers.rs\n\x1b[31mtest range_is_refused ... FAILED\x1b[0m\n\nthread 'range_is_refused' panicked at tests/numbers.rs:41:5:\nassertion `left == right` failed\n  left: 200\n right: 400\n",
            ),
            stage(3, "Push", push, if push == Status::Passed { "pushed\n" } else { "" }),
        ],
        expected: (status == Status::Running).then_some(Expected { taken: 54, left: 71, percent: 43 }),
        commit_id: COMMIT.into(),
        definition_path: "Jenkinsfile".into(),
        inputs: vec![("RELEASE".into(), "v3".into()), ("NOTE".into(), HOSTILE.into())],
        images: if status == Status::Passed { vec![image("api"), image("web")] } else { Vec::new() },
        base_images: bases(),
        previous: Some(number - 1),
        next: None,
        may_write: true,
        cancelling: false,
        live: !status.is_final(),
        open: None,
    }
}

fn labels() -> Vec<(String, String)> {
    [
        ("version", "3.0"),
        ("build_number", "128"),
        ("build_tag", "ropewalk-admin-numbers-default-128"),
        ("note", HOSTILE),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn provenance() -> Provenance {
    Provenance {
        run: run(128, Status::Passed),
        stage: "Push".into(),
        pushed_at: ago(300),
        commit: Some(commit("Serve the web page from its own service")),
        commit_id: COMMIT.into(),
        base_images: bases(),
    }
}

fn container() -> ContainerRow {
    ContainerRow {
        name: HOSTILE.into(),
        id: "9c1f2a7be04d".into(),
        image: "registry.local:5000/numbers/api:v3-build-128".into(),
        state: "running".into(),
    }
}

pub(super) type Render = fn(Page) -> askama::Result<String>;

const PAGES: &[(&str, &str, Render)] = &[
    ("home", "/", |page| {
        let row = |name: &str, last, count| HomeRow {
            repository: name.into(),
            description: String::new(),
            private: false,
            mirror_of: None,
            last,
            bars: bars(&page, count),
        };
        let mut mirror = row("yuna/timetable", Some(run(31, Status::Failed)), 14);
        mirror.mirror_of = Some("https://git.example.net/team/timetable.git".into());
        let repositories = vec![
            row("admin/numbers", Some(run(128, Status::Running)), 20),
            mirror,
            row("yuna/bikeshed", Some(run(77, Status::Passed)), 20),
            row("lin/a-repository-with-a-rather-long-name", Some(run(12, Status::Cancelled)), 6),
            row("lin/weather", Some(run(3, Status::Unstable)), 3),
            row("pedro/relatorios", Some(run(9, Status::Lost)), 9),
            row("pedro/new", None, 0),
        ];
        Home {
            active: vec![run(128, Status::Running), run(129, Status::Queued)],
            repositories,
            counts: (1, 1),
            query: String::new(),
            next: Some("/?after=x".into()),
            page,
        }
        .render()
    }),
    ("home-empty", "/", |page| {
        Home { page, query: String::new(), repositories: vec![], active: vec![], counts: (0, 0), next: None }
            .render()
    }),
    ("sign-in", "/sign-in", |mut page| {
        page.viewer = None;
        SignIn { page, next: "/".into(), name: HOSTILE.into(), error: Some(msg!("web-error-denied")) }
            .render()
    }),
    ("repository", "/admin/numbers", |page| {
        let runs = (0..6)
            .map(|n| run(128 - n, [Status::Running, Status::Passed, Status::Failed][n as usize % 3]))
            .collect();
        Repository {
            at: "main".into(),
            refs: vec!["main".into(), HOSTILE.into()],
            last_commit: Some(commit("Serve the web page from its own service")),
            entries: entries(),
            readme: readme(),
            pipelines: pipelines(&page),
            runs,
            head: head(Tab::Files),
            page,
        }
        .render()
    }),
    ("repository-empty", "/admin/numbers", |page| EmptyRepository { page, head: head(Tab::Files) }.render()),
    ("repository-new", "/new", |page| {
        NewRepository {
            page,
            name: HOSTILE.into(),
            description: String::new(),
            private: true,
            error: Some(msg!("name-empty")),
        }
        .render()
    }),
    ("mirror-new", "/new/mirror", |page| {
        NewMirror {
            page,
            url: String::new(),
            name: String::new(),
            username: String::new(),
            private: false,
            error: None,
        }
        .render()
    }),
    ("folder", "/admin/numbers/files/ci", |page| {
        Folder {
            page,
            head: head(Tab::Files),
            at: "main".into(),
            refs: vec!["main".into()],
            crumbs: browse::crumbs("admin/numbers", "main", "ci/한글"),
            entries: entries(),
            cut: true,
            readme: readme(),
        }
        .render()
    }),
    ("file", "/admin/numbers/files/ci/x", |page| {
        let lines = BUILD_LOG.lines().map(str::to_owned).collect();
        File {
            page,
            head: head(Tab::Files),
            at: "main".into(),
            crumbs: browse::crumbs("admin/numbers", "main", "ci/01-build.bat"),
            size: 812,
            raw_href: links::raw("admin/numbers", "main", "x"),
            content: Content::Text(lines),
        }
        .render()
    }),
    ("file-link", "/admin/numbers/files/ci/x", |page| {
        File {
            page,
            head: head(Tab::Files),
            at: "main".into(),
            crumbs: browse::crumbs("admin/numbers", "main", "x"),
            size: 12,
            raw_href: "/raw".into(),
            content: Content::Link(HOSTILE.into()),
        }
        .render()
    }),
    ("file-picture", "/admin/numbers/files/x.png", |page| {
        File {
            page,
            head: head(Tab::Files),
            at: "main".into(),
            crumbs: vec![],
            size: 12,
            raw_href: links::raw("admin/numbers", HOSTILE, "x.png"),
            content: Content::Picture,
        }
        .render()
    }),
    ("commits", "/admin/numbers/commits", |page| {
        let row = |n: u64| CommitRow {
            commit: run(n, Status::Passed).commit.unwrap(),
            at: ago(4000 * n as i64),
            runs: if n.is_multiple_of(3) {
                vec![]
            } else {
                vec![(Status::Passed, "/x".into(), HOSTILE.into())]
            },
        };
        Commits {
            page,
            head: head(Tab::Commits),
            at: "main".into(),
            refs: vec!["main".into()],
            commits: (1..9).map(row).collect(),
            next: Some("?after=x".into()),
        }
        .render()
    }),
    ("commit", "/admin/numbers/commits/x", |page| {
        let change = |path: &str, kind, lines: Option<u64>| Change {
            path: path.into(),
            href: Some("/x".into()),
            kind,
            added: lines,
            removed: lines,
        };
        Commit {
            page,
            head: head(Tab::Commits),
            id: COMMIT.into(),
            summary: HOSTILE.into(),
            body: format!("A longer text.\n\n{HOSTILE}"),
            author: HOSTILE.into(),
            author_email: "<yuna@example.net>".into(),
            at: ago(9000),
            parents: vec![(COMMIT[..10].into(), "/x".into())],
            files_href: "/x".into(),
            changes: vec![
                change("api/src/main.rs", ChangeKind::Changed, Some(12)),
                change(HOSTILE, ChangeKind::Added, None),
                change("old", ChangeKind::Removed, Some(3)),
                change("moved", ChangeKind::Renamed, None),
            ],
            cut: false,
            runs: vec![run(128, Status::Passed), run(127, Status::Failed)],
            images: vec![image("api"), image("web")],
        }
        .render()
    }),
    ("pipelines", "/admin/numbers/pipelines", |page| {
        let runs = (0..6).map(|n| run(128 - n, Status::ALL[n as usize + 2])).collect();
        Pipelines { pipelines: pipelines(&page), runs, head: head(Tab::Pipelines), next: None, page }.render()
    }),
    ("pipeline", "/admin/numbers/pipelines/default", |page| {
        let cell = |status, seconds| Some(MatrixCell { status, seconds, href: "/x#stage-1".into() });
        let row = |n: u64, statuses: [Status; 4]| MatrixRow {
            run: run(n, statuses.iter().copied().find(|s| *s != Status::Passed).unwrap_or(Status::Passed)),
            cells: statuses.iter().map(|s| cell(*s, s.is_final().then_some(n % 50 + 3))).collect(),
        };
        use Status::{Failed as F, Lost as L, Passed as P, Queued as Q, Running as R, Skipped as S};
        let mut rows = vec![
            row(128, [P, P, R, Q]),
            row(127, [P, P, P, P]),
            row(126, [P, P, F, S]),
            row(125, [P, F, S, S]),
            row(124, [P, P, P, P]),
            row(123, [P, P, L, S]),
        ];
        rows[5].cells[3] = None;
        let stages = ["Verify", "Build", "Test", "Push"].map(|s| (s.to_owned(), Some(37))).into();
        Pipeline {
            page,
            head: head(Tab::Pipelines),
            name: "default".into(),
            path: "Jenkinsfile".into(),
            path_href: "/x".into(),
            dialect: Some(Dialect::Jenkinsfile),
            discovered: true,
            branches: vec!["main".into()],
            stages,
            rows,
            findings: vec![finding()],
            triggers: examples_streams::triggers(now()),
            typed: TriggerFields {
                from: HOSTILE.into(),
                paused: true,
                error: Some(msg!("name-reserved", name = HOSTILE)),
            },
            next: Some("?after=1".into()),
        }
        .render()
    }),
    ("pipeline-new", "/admin/numbers/new-pipeline", |page| {
        NewPipeline {
            page,
            head: head(Tab::Pipelines),
            name: String::new(),
            path: HOSTILE.into(),
            branches: String::new(),
            candidates: vec!["Jenkinsfile".into(), HOSTILE.into()],
            error: Some(msg!("name-empty")),
        }
        .render()
    }),
    ("start", "/admin/numbers/pipelines/default/start", |page| {
        let field = |name: &str, kind, value: &str| InputField {
            name: name.into(),
            kind,
            description: HOSTILE.into(),
            value: value.into(),
            required: true,
            error: None,
        };
        let mut inputs = vec![
            field("RELEASE", InputKind::Choice(vec!["v2".into(), "v3".into()]), "v3"),
            field("PUSH", InputKind::Boolean, "true"),
            field("WORKERS", InputKind::Number, "2"),
            field("NOTE", InputKind::Text, HOSTILE),
            field("TITLE", InputKind::String, HOSTILE),
        ];
        inputs[2].error = Some(msg!("name-empty"));
        Start {
            page,
            head: head(Tab::Pipelines),
            name: "default".into(),
            reference: "main".into(),
            refs: vec!["main".into(), "v3".into()],
            inputs,
            error: None,
            findings: vec![],
        }
        .render()
    }),
    ("run-passed", "/admin/numbers/pipelines/default/runs/128", |page| {
        RunPage { page, head: head(Tab::Pipelines), run: run_view(128, Status::Passed) }.render()
    }),
    ("run-running", "/admin/numbers/pipelines/default/runs/129", |page| {
        RunPage { page, head: head(Tab::Pipelines), run: run_view(129, Status::Running) }.render()
    }),
    ("run-failed", "/admin/numbers/pipelines/default/runs/127", |page| {
        let mut run = run_view(127, Status::Failed);
        run.findings = vec![finding()];
        run.brief.commit = None;
        RunPage { page, head: head(Tab::Pipelines), run }.render()
    }),
    ("registry", "/registry", |page| {
        let row = |name: &str, run: Option<RunBrief>| RegistryRow {
            name: name.into(),
            last_tag: run.as_ref().map(|_| "v3-build-128".into()),
            last_pushed: run.as_ref().map(|_| ago(400)),
            run,
        };
        Registry {
            page,
            host: "registry.local:5000".into(),
            repositories: vec![
                row("numbers/api", Some(run(128, Status::Passed))),
                row("numbers/web", Some(run(128, Status::Passed))),
                row("base/rust", None),
            ],
            error: None,
            next: None,
        }
        .render()
    }),
    ("registry-down", "/registry", |page| {
        Registry {
            page,
            host: "registry.local:5000".into(),
            repositories: vec![],
            error: Some(msg!("web-error-internal")),
            next: None,
        }
        .render()
    }),
    ("registry-tags", "/registry/repositories/numbers/api", |page| {
        let tag = |n: u64| TagRow {
            tag: format!("v3-build-{n}"),
            digest: DIGEST.into(),
            size: 45_400_000 + n,
            created_at: Some(ago(4000)),
            labels: labels(),
            run: (n != 125).then(|| run(n, Status::Passed)),
            error: (n == 124).then(|| msg!("name-reserved", name = HOSTILE)),
            href: links::image("numbers/api", DIGEST),
        };
        RegistryTags {
            page,
            host: "registry.local:5000".into(),
            repository: "numbers/api".into(),
            tags: (124..129).rev().map(tag).collect(),
            total: 5,
            error: None,
            next: None,
        }
        .render()
    }),
    ("image", "/registry/images/x", |page| {
        let layer = |size, by: &str| Layer { digest: DIGEST.into(), size, created_by: by.into() };
        Image {
            page,
            host: "registry.local:5000".into(),
            repository: "numbers/api".into(),
            digest: DIGEST.into(),
            tags: vec!["v3-build-128".into()],
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            platform: "linux/amd64".into(),
            size: 45_400_000,
            created_at: Some(ago(4000)),
            labels: labels(),
            layers: vec![
                layer(29_000_000, "ADD rootfs.tar.xz / # buildkit"),
                layer(0, "ENV PORT=8012"),
                layer(16_400_000, HOSTILE),
            ],
            provenance: Some(provenance()),
            containers: vec![container()],
            error: None,
        }
        .render()
    }),
    ("trace", "/trace", |page| {
        Trace {
            page,
            question: HOSTILE.into(),
            host: "registry.local:5000".into(),
            found: vec![
                Found {
                    image: Some(image("api")),
                    provenance: Some(provenance()),
                    containers: vec![container()],
                    notes: vec![msg!("name-reserved", name = HOSTILE)],
                },
                Found { image: None, provenance: Some(provenance()), containers: vec![], notes: vec![] },
            ],
            missing: vec![],
            containers: vec![],
        }
        .render()
    }),
    ("trace-nothing", "/trace", |page| {
        let (found, question) = (vec![], String::new());
        let missing = vec![msg!("name-reserved", name = HOSTILE), msg!("pages-trace-no-images")];
        Trace {
            page,
            question,
            host: "registry.local:5000".into(),
            found,
            missing,
            containers: vec![container()],
        }
        .render()
    }),
    ("repository-settings", "/admin/numbers/settings", |page| {
        RepositorySettings {
            page,
            head: Head {
                private: true,
                mirror_of: Some("https://git.example.net/x".into()),
                poll_error: Some(msg!("name-reserved", name = HOSTILE)),
                polled_at: Some(ago(30)),
                damage: Some((ago(30), msg!("git-not-a-commit", object = HOSTILE))),
                ..head(Tab::Settings)
            },
            description: HOSTILE.into(),
            private: true,
            branches: vec!["main".into(), HOSTILE.into()],
            error: Some(msg!("name-empty")),
            delete_error: Some(msg!("pages-delete-name", name = HOSTILE)),
        }
        .render()
    }),
    ("activity", "/activity", |page| {
        let reference = RefName::branch("main").unwrap();
        let id = CommitId::new(COMMIT).unwrap();
        let all = [
            Happened::RefMoved {
                reference: reference.clone(),
                old: Some(id.clone()),
                new: Some(id.clone()),
                by: Some("yuna".into()),
            },
            Happened::RefMoved { reference: reference.clone(), old: None, new: Some(id.clone()), by: None },
            Happened::RefMoved { reference, old: Some(id), new: None, by: None },
            Happened::RunFinished { run_id: 1, status: Status::Failed },
            Happened::SignInRefused { name: HOSTILE.into(), address: "10.0.0.7".into() },
            Happened::TokenCreated { name: "laptop".into(), by: "yuna".into() },
            Happened::RepositoryCreated { by: "yuna".into() },
        ];
        let row = |(n, happened): (usize, &Happened)| ActivityRow {
            id: n as i64,
            at: ago(n as i64 * 700),
            icon: activity::icon(happened),
            text: activity::sentence(happened),
            repository: (n != 4).then(|| "admin/numbers".into()),
            href: Some("/x".into()),
            undecided: n == 1,
            outcomes: if n == 0 {
                vec![
                    OutcomeRow { text: msg!("web-cause-poll"), run: Some(run(128, Status::Running)) },
                    OutcomeRow { text: msg!("name-reserved", name = HOSTILE), run: None },
                ]
            } else {
                vec![]
            },
        };
        Activity {
            page,
            repository: String::new(),
            kind: "ref-moved".into(),
            kinds: vec![("ref-moved", msg!("web-event-ref-moved", reference = "x"))],
            narrowed: activity::Narrowed::default(),
            here: links::activity("", "ref-moved", ""),
            as_of: Some("0.1".into()),
            journal: Journal {
                rows: all.iter().enumerate().map(row).collect(),
                images: None,
                next: Some("?after=1".into()),
            },
        }
        .render()
    }),
    ("causality", "/causality/7", super::examples_causality::causality),
    ("impact", "/registry/impact", super::examples_causality::impact),
    ("health", "/health", |page| {
        let part = |name, state, found: Option<Message>| Part {
            name,
            state,
            found: found.unwrap_or(msg!("web-status-passed")),
            at: ago(5),
        };
        Health {
            page,
            overall: State::Failing,
            parts: vec![
                part(msg!("web-nav-registry"), State::Failing, Some(msg!("web-mirror-intro"))),
                part(msg!("web-files"), State::Degraded, None),
                part(msg!("web-nav-home"), State::Good, None),
            ],
            version: "0.1.0".into(),
            started_at: ago(90_000),
        }
        .render()
    }),
    ("settings", "/settings", |page| {
        let token = |id, name: &str| TokenRow {
            id,
            name: name.into(),
            scope: "write".into(),
            created_at: ago(900_000),
            expires_at: Some(ago(-900_000)),
            used_at: None,
        };
        Settings {
            page,
            tokens: vec![token(1, "laptop"), token(2, HOSTILE)],
            new_token: Some("rw_0123456789abcdef0123456789abcdef".into()),
            password_error: Some(msg!("web-error-denied")),
            token_error: None,
            typed: TokenFields { name: HOSTILE.into(), scope: HOSTILE.into(), expires: HOSTILE.into() },
        }
        .render()
    }),
    ("admin", "/admin", |page| {
        let user = |name: &str, admin| UserRow {
            name: name.into(),
            admin,
            disabled: !admin,
            is_self: admin,
            created_at: ago(900_000),
            signed_in_at: admin.then(|| ago(60)),
        };
        Admin {
            page,
            users: vec![user("admin", true), user("yuna", false)],
            name: HOSTILE.into(),
            error: None,
        }
        .render()
    }),
    ("error", "/x", |page| {
        ErrorPage::new(page, &Error::Internal("secret cause".into()), "e-7f3a".into()).render()
    }),
    ("error-404", "/x", |mut page| {
        page.viewer = None;
        ErrorPage::new(page, &Error::NotFound(msg!("name-reserved", name = HOSTILE)), String::new()).render()
    }),
];

/// Opening tags: `(name, attributes as text)`; panics on anything that is not well-formed enough to be sure.
fn tags(html: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let mut quoted = false;
        let end = after.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let tag = &after[..end.expect("every tag ends")];
        if !tag.starts_with(['/', '!']) {
            found.push(tag.split_once(' ').unwrap_or((tag, "")));
        }
        rest = &after[tag.len()..];
    }
    found
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let start = format!(" {attributes}").find(&format!(" {name}=\""))?;
    attributes[start + name.len() + 2..].split_once('"').map(|(value, _)| value)
}

fn check(name: &str, html: &str) {
    let tags = tags(html);
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    for (tag, attributes) in &tags {
        assert!(attribute(attributes, "style").is_none(), "{name}: inline style in <{tag} {attributes}>");
        assert!(!format!(" {attributes}").contains(" on"), "{name}: handler in <{tag} {attributes}>");
        if *tag == "script" {
            assert!(
                attribute(attributes, "src").is_some_and(|s| s.starts_with("/static/")),
                "{name}: inline script"
            );
        }
        if let Some(id) = attribute(attributes, "id") {
            *ids.entry(id).or_default() += 1;
        }
        for link in ["href", "src", "action"].iter().filter_map(|a| attribute(attributes, a)) {
            let local = link.starts_with('/') && !link.starts_with("//")
                || link.starts_with(['#', '?'])
                || link.is_empty();
            let outside = *tag == "a" && attributes.contains("noopener");
            assert!(local || outside, "{name}: <{tag}> goes to {link}");
        }
    }
    let twice: Vec<_> = ids.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "{name}: ids used twice: {twice:?}");
    let targets: BTreeSet<_> = ids.keys().copied().collect();
    for (tag, attributes) in &tags {
        for reference in
            ["for", "aria-labelledby", "aria-describedby"].iter().filter_map(|a| attribute(attributes, a))
        {
            assert!(targets.contains(reference), "{name}: <{tag}> points to {reference}");
        }
        if let Some(symbol) = attribute(attributes, "href").filter(|_| *tag == "use") {
            assert!(
                targets.contains(symbol.trim_end_matches('/').trim_start_matches('#')),
                "{name}: no symbol {symbol}"
            );
        }
        if matches!(*tag, "input" | "select" | "textarea") && attribute(attributes, "type") != Some("hidden")
        {
            let labelled =
                attribute(attributes, "id").is_some() || attribute(attributes, "type") == Some("checkbox");
            assert!(labelled, "{name}: field without a label: {attributes}");
        }
    }
    // A README brings a heading of its own.
    let headings = if html.contains("class=\"prose\"") { 2 } else { 1 };
    assert_eq!(tags.iter().filter(|(tag, _)| *tag == "h1").count(), headings, "{name}: one main heading");
    assert!(
        !html.contains("alert('x')") && !html.contains("alert(1)</script"),
        "{name}: hostile text came through"
    );
    assert!(!html.contains("secret cause"), "{name}: an internal cause is shown");
}

#[test]
fn all_pages_in_all_languages() {
    let folder = std::env::var_os("ROPEWALK_PAGES").map(std::path::PathBuf::from);
    let more = super::examples_endpoints::PAGES.iter().chain(super::examples_streams::PAGES);
    let more = more.chain(super::examples_webhooks::PAGES);
    for (name, path, render) in PAGES.iter().chain(more) {
        for language in Language::ALL {
            let html = render(page(language, Theme::Auto, path)).unwrap();
            check(&format!("{name} in {language}"), &html);
            assert!(
                !html.contains(">web-") && !html.contains("\"web-"),
                "{name} in {language}: a key is shown"
            );
            for (kind, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
                if let Some(folder) = &folder {
                    let html = render(page(language, theme, path)).unwrap();
                    std::fs::write(folder.join(format!("{name}-{language}-{kind}.html")), html).unwrap();
                }
            }
        }
    }
    if let Some(folder) = &folder {
        for name in [
            "ropewalk.css",
            "ropewalk.js",
            "favicon.svg",
            "favicon-passed.svg",
            "favicon-failed.svg",
            "favicon-running.svg",
        ] {
            let hashed = crate::web::assets::address(name).trim_start_matches("/static/");
            std::fs::create_dir_all(folder.join("static")).unwrap();
            std::fs::write(
                folder.join("static").join(hashed),
                &crate::web::assets::find(hashed).unwrap().body,
            )
            .unwrap();
        }
    }
}
