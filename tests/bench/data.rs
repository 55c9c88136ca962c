//! The data sets: many runs, many idle repositories. Made with git and SQL, thrown away afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::git::Copy;
use super::server::Server;

pub const REPOSITORIES: usize = 200;
pub const RUNS: usize = 100_000;

/// A data directory with `REPOSITORIES` repositories and `RUNS` runs of them.
pub struct ManyRuns {
    folder: tempfile::TempDir,
}

impl ManyRuns {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Each run has the sample's four stages and ten steps and two events; one in seven failed. The runs of the
    /// repositories alternate, and every one names a commit that is there.
    pub fn make(program: &Path) -> ManyRuns {
        let folder = tempfile::tempdir().unwrap();
        let commits = repositories(program, folder.path(), REPOSITORIES, 100);
        let mut database = ropewalk::store::Connection::open(folder.path().join("ropewalk.db")).unwrap();
        let all = database.transaction().unwrap();
        all.execute_batch("CREATE TEMP TABLE commits (idx INTEGER PRIMARY KEY, id TEXT)").unwrap();
        for (index, id) in commits.iter().enumerate() {
            all.execute("INSERT INTO commits VALUES (?1, ?2)", (index, id)).unwrap();
        }
        let sql = MANY_RUNS
            .replace("{RUNS}", &RUNS.to_string())
            .replace("{REPOSITORIES}", &REPOSITORIES.to_string())
            .replace("{COMMITS}", &commits.len().to_string());
        all.execute_batch(&sql).unwrap();
        all.commit().unwrap();
        database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        ManyRuns { folder }
    }
}

/// Run n belongs to repository (n-1) % REPOSITORIES + 1 and is its ((n-1) / REPOSITORIES + 1)th, four minutes apart.
const MANY_RUNS: &str = "
INSERT INTO pipelines (id, repository_id, name, path, discovered, created_at)
  SELECT id, id, 'default', 'Jenkinsfile', 1, created_at FROM repositories;
CREATE TEMP TABLE n AS
  WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < {RUNS})
  SELECT i + 1 AS id, i % {REPOSITORIES} + 1 AS repository, i / {REPOSITORIES} + 1 AS number,
    unixepoch() * 1000 - ({RUNS} - i) * 240000 AS at, i % 7 = 3 AS bad, 20000 + i * 7919 % 90000 AS took FROM c;
INSERT INTO runs (id, repository_id, pipeline_id, number, status, cause, reference, commit_id, definition_path,
    definition_blob, inputs, queued_at, started_at, finished_at, message, event_id)
  SELECT n.id, repository, repository, number, iif(bad, 'failed', 'passed'), '{\"kind\":\"push\",\"by\":\"admin\"}',
    'refs/heads/main', (SELECT c.id FROM commits c WHERE c.idx = number % {COMMITS}), 'Jenkinsfile',
    '0123456789012345678901234567890123456789', '{}', at, at + 15, at + took,
    iif(bad, '{\"key\":\"run-step-failed\",\"args\":{\"stage\":\"Test\",\"code\":\"1\"}}', NULL), n.id * 2 - 1 FROM n;
INSERT INTO stages (run_id, idx, name, status, started_at, finished_at)
  SELECT n.id, s.value, json_extract('[\"Verify\",\"Build\",\"Test\",\"Push\"]', '$[' || s.value || ']'),
    iif(bad AND s.value = 2, 'failed', iif(bad AND s.value > 2, 'skipped', 'passed')),
    at + took * s.value / 4, at + took * (s.value + 1) / 4 FROM n, json_each('[0,1,2,3]') s;
INSERT INTO steps (run_id, stage, idx, title, status, exit_code, started_at, finished_at, log_from)
  SELECT run_id, s.idx, k.value, './ci/0' || s.idx || '-step.sh --with arguments', s.status,
    iif(s.status = 'skipped', NULL, s.status = 'failed'), s.started_at, s.finished_at, k.value * 1000
    FROM stages s, json_each('[0,1]') k;
INSERT INTO events (id, at, kind, repository_id, happened, outcome)
  SELECT n.id * 2 - 1, at, 'ref-moved', repository, json_object('kind', 'ref-moved', 'reference', 'refs/heads/main',
    'old', NULL, 'new', (SELECT c.id FROM commits c WHERE c.idx = number % {COMMITS}), 'by', 'admin'),
    json_array(json_object('pipeline', 'default', 'run_id', n.id, 'run_number', number, 'message',
      json_object('key', 'trigger-started', 'args', json_object()))) FROM n
  UNION ALL SELECT n.id * 2, at + took, 'run-finished', repository, json_object('kind', 'run-finished', 'run_id', n.id,
    'status', iif(bad, 'failed', 'passed')), '[]' FROM n;
UPDATE repositories SET last_run_id = (SELECT max(id) FROM runs WHERE repository_id = repositories.id);
UPDATE pipelines SET last_run_id = (SELECT max(id) FROM runs WHERE pipeline_id = pipelines.id);
INSERT INTO run_numbers SELECT 'admin', r.name, 'default', (SELECT max(number) FROM runs n WHERE n.repository_id = r.id)
  FROM repositories r;
DROP TABLE n; DROP TABLE commits;";

/// Lets the server make `data` with its first account, then adds `count` repositories `admin/repo-N`, each a copy of
/// one with `commits` commits and ten packed branches, known to the record. Returns the commits, the oldest first.
pub fn repositories(program: &Path, data: &Path, count: usize, commits: usize) -> Vec<String> {
    let server = Server::start(program, data, &[]);
    let copy = Copy::new();
    copy.grow(commits);
    copy.push(&server.remote("admin/template"));
    for branch in 0..9 {
        copy.git(&["branch", &format!("branch-{branch}"), "HEAD"]);
    }
    copy.git(&["push", "-q", "--all", &server.remote("admin/template")]);
    drop(server);
    let template = data.join("repositories/admin/template.git");
    copy.git(&["-C", template.to_str().unwrap(), "-c", "safe.bareRepository=all", "gc", "-q"]);
    let _ = fs::remove_dir_all(template.join("logs"));
    for number in 1..=count {
        duplicate(&template, &data.join(format!("repositories/admin/repo-{number}.git")));
    }
    fs::remove_dir_all(&template).unwrap();
    let database = ropewalk::store::Connection::open(data.join("ropewalk.db")).unwrap();
    let sql = format!(
        "BEGIN; CREATE TEMP TABLE refs AS SELECT DISTINCT name, object FROM refs_seen;
         DELETE FROM repositories; DELETE FROM events; DELETE FROM run_numbers;
         WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {count})
         INSERT INTO repositories (id, owner, name, description, default_branch, created_at)
           SELECT i, 'admin', 'repo-' || i, 'Where number ' || i || ' is counted', 'main', unixepoch() * 1000 FROM c;
         INSERT INTO refs_seen (repository_id, name, object) SELECT r.id, f.name, f.object FROM repositories r, refs f;
         DELETE FROM events; DROP TABLE refs; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"
    );
    database.execute_batch(&sql).unwrap();
    // The times of the copies' folders must be older than the first comparison.
    std::thread::sleep(Duration::from_secs(3));
    let list = copy.git(&["rev-list", "--reverse", "HEAD"]);
    list.lines().map(str::to_owned).collect()
}

/// A copy whose packs are the same files.
fn duplicate(from: &Path, to: &Path) {
    let mut open = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = open.pop() {
        fs::create_dir(&to).unwrap();
        for entry in fs::read_dir(&from).unwrap().map(Result::unwrap) {
            let target: PathBuf = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                open.push((entry.path(), target));
            } else if from.ends_with("objects/pack") {
                fs::hard_link(entry.path(), target).unwrap();
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
}
