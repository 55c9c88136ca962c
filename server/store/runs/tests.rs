//! Runs in a real database: numbers, claims, progress and what a restart finds.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::model::*;
use crate::msg;
use crate::store::{Store, pipelines, repositories};

fn definition() -> Definition {
    let step = |text: &str| Step {
        line: 1,
        image: None,
        directory: String::new(),
        environment: Vec::new(),
        timeout_seconds: None,
        action: Action::Sh(Text::literal(text)),
    };
    let stage = |name: &str| Stage {
        name: name.into(),
        image: None,
        environment: Vec::new(),
        variables: Vec::new(),
        timeout_seconds: None,
        steps: vec![step("true"), step("true")],
    };
    Definition {
        dialect: Dialect::Ropewalk,
        image: None,
        environment: Vec::new(),
        inputs: Vec::new(),
        variables: Vec::new(),
        branches: Vec::new(),
        triggers: Triggers::default(),
        timeout_seconds: None,
        keep: false,
        stages: vec![stage("Build"), stage("Test")],
    }
}

async fn house() -> (tempfile::TempDir, Store, i64, i64) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let (repository, pipeline) = store
        .write(|c| {
            let path = RepositoryPath::new("admin", "numbers").unwrap();
            let new = repositories::NewRepository {
                path,
                description: String::new(),
                private: false,
                remote: None,
            };
            let repository = repositories::create(c, &new, Timestamp::now())?;
            let new = pipelines::NewPipeline {
                repository_id: repository,
                name: PipelineName::new("default").unwrap(),
                path: "ropewalk.yml".into(),
                branches: Vec::new(),
                discovered: true,
            };
            Ok((repository, pipelines::create(c, &new, Timestamp::now())?))
        })
        .await
        .unwrap();
    (directory, store, repository, pipeline)
}

fn new_run(repository_id: i64, pipeline_id: i64, event_id: Option<i64>) -> NewRun {
    NewRun {
        repository_id,
        pipeline_id,
        cause: Cause::Poll,
        reference: RefName::branch("main").unwrap(),
        commit: CommitId::new("a".repeat(40)).unwrap(),
        definition_path: "ropewalk.yml".into(),
        definition_blob: "b".repeat(40),
        definition: Ok(definition()),
        inputs: BTreeMap::new(),
        event_id,
        bases: Vec::new(),
        started_by: Vec::new(),
        refusal: None,
    }
}

#[tokio::test]
async fn numbers_are_never_used_twice_and_an_event_starts_a_pipeline_once() {
    let (_directory, store, repository, pipeline) = house().await;
    let queue_one =
        |event| store.write(move |c| queue(c, &new_run(repository, pipeline, event), Timestamp::now()));
    let first = queue_one(Some(7)).await.unwrap();
    assert_eq!(first.1, 1);
    assert_eq!(queue_one(Some(7)).await.unwrap(), first);
    assert_eq!(queue_one(None).await.unwrap().1, 2);
    store
        .write(move |c| {
            for run in of_pipeline(c, pipeline, None, 10)? {
                cancel(c, &run, "admin", &msg!("run-ended", number = 1), Timestamp::now())?;
            }
            pipelines::delete(c, pipeline)?;
            let name = PipelineName::new("Default").unwrap();
            let new = pipelines::NewPipeline {
                repository_id: repository,
                name,
                path: "x.yml".into(),
                branches: vec![],
                discovered: false,
            };
            let again = pipelines::create(c, &new, Timestamp::now())?;
            assert_eq!(queue(c, &new_run(repository, again, None), Timestamp::now())?.1, 3);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn passed_needs_a_recorded_zero_of_every_step() {
    let (_directory, store, repository, pipeline) = house().await;
    let now = Timestamp::now();
    let run = store
        .write(move |c| {
            queue(c, &new_run(repository, pipeline, None), now)?;
            queue(c, &new_run(repository, pipeline, None), now)?;
            let run = claim(c, now)?.unwrap();
            assert!(claim(c, now)?.is_none(), "two runs of one pipeline take turns");
            Ok(run)
        })
        .await
        .unwrap();
    let id = run.id;
    let early = store.write(move |c| finish(c, id, Status::Passed, None, now)).await;
    assert!(matches!(early, Err(Error::Internal(_))));
    let no_code = StepChange { stage: 0, step: 0, to: Status::Passed, exit_code: None, log_from: None };
    assert!(store.write(move |c| set_step(c, id, no_code, now)).await.is_err());
    store
        .write(move |c| {
            for stage in 0..2 {
                set_stage(c, id, stage, Status::Running, now)?;
                for step in 0..2 {
                    let change =
                        StepChange { stage, step, to: Status::Running, exit_code: None, log_from: Some(0) };
                    set_step(c, id, change, now)?;
                    set_step(
                        c,
                        id,
                        StepChange { to: Status::Passed, exit_code: Some(0), log_from: None, ..change },
                        now,
                    )?;
                }
                set_stage(c, id, stage, Status::Passed, now)?;
            }
            finish(c, id, Status::Passed, None, now)
        })
        .await
        .unwrap();
    assert!(store.write(move |c| finish(c, id, Status::Failed, None, now)).await.is_err());
    assert_eq!(store.read(|c| status(c, id)).unwrap(), Some(Status::Passed));
    assert_eq!(store.read(|c| durations(c, pipeline)).unwrap().len(), 2);
}

#[tokio::test]
async fn what_was_running_is_lost_after_a_crash() {
    let (_directory, store, repository, pipeline) = house().await;
    let now = Timestamp::now();
    let id = store
        .write(move |c| {
            queue(c, &new_run(repository, pipeline, None), now)?;
            let run = claim(c, now)?.unwrap();
            set_stage(c, run.id, 0, Status::Running, now)?;
            for lost in unfinished(c)? {
                mark_lost(c, lost.id, &msg!("run-ended", number = 1), now)?;
            }
            Ok(run.id)
        })
        .await
        .unwrap();
    let stages = store.read(|c| stages(c, id)).unwrap();
    assert_eq!(stages.iter().map(|s| s.status).collect::<Vec<_>>(), [Status::Lost, Status::Skipped]);
    assert_eq!(store.read(|c| status(c, id)).unwrap(), Some(Status::Lost));
}

/// Statistics that know only of ended runs must not make the few others expensive: each index is named,
/// so that a plan without it is an error.
#[tokio::test]
async fn what_has_not_ended_is_found_by_its_index() {
    let (_directory, store, repository, pipeline) = house().await;
    let now = Timestamp::now();
    let id = store
        .write(move |c| {
            let (id, _) = queue(c, &new_run(repository, pipeline, None), now)?;
            c.execute_batch("ANALYZE")?;
            Ok(id)
        })
        .await
        .unwrap();
    assert_eq!(store.read(counts).unwrap(), (1, 0));
    assert_eq!(store.read(claimable).unwrap(), Some(id));
    assert_eq!(store.read(unfinished).unwrap().len(), 0);
    let seen = |viewer| store.read(|c| active(c, viewer, 10)).unwrap().len();
    assert_eq!((seen(Viewer::Nobody), seen(Viewer::Admin)), (1, 1));
    store.write(move |c| repositories::update(c, repository, "", true)).await.unwrap();
    assert_eq!((seen(Viewer::Nobody), seen(Viewer::Admin)), (0, 1));
}
