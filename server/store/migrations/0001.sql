-- Times are milliseconds since 1970 UTC. Names are compared without case. JSON columns hold the model's own serialization.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT NOT NULL,
    admin INTEGER NOT NULL DEFAULT 0,
    disabled INTEGER NOT NULL DEFAULT 0,
    language TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id_hash BLOB PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions(account_id);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX tokens_account ON tokens(account_id);

CREATE TABLE repositories (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL COLLATE NOCASE,
    description TEXT NOT NULL DEFAULT '',
    private INTEGER NOT NULL DEFAULT 0,
    default_branch TEXT,
    created_at INTEGER NOT NULL,
    last_run_id INTEGER,
    -- Of a mirror: where it comes from, and how its last poll went.
    remote_url TEXT,
    remote_user TEXT,
    remote_secret BLOB,
    polled_at INTEGER,
    poll_error TEXT,
    UNIQUE (owner, name)
) STRICT;

CREATE INDEX repositories_recent ON repositories(coalesce(last_run_id, 0), id);

-- The object id each ref had when its last event was written: what the poll compares with.
CREATE TABLE refs_seen (
    repository_id INTEGER NOT NULL REFERENCES repositories(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    object TEXT NOT NULL,
    PRIMARY KEY (repository_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    repository_id INTEGER,
    happened TEXT NOT NULL,
    outcome TEXT,
    undecided INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX events_undecided ON events(id) WHERE undecided = 1;
CREATE INDEX events_repository ON events(repository_id, id);
CREATE INDEX events_kind ON events(kind, id);

CREATE TABLE pipelines (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repositories(id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    path TEXT NOT NULL,
    branches TEXT NOT NULL DEFAULT '[]',
    -- 1 when it was found at the root of the repository, 0 when a person made it.
    discovered INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    last_run_id INTEGER,
    UNIQUE (repository_id, name)
) STRICT;

-- The highest run number ever given out; outlives the pipeline, so that no number is used twice.
CREATE TABLE run_numbers (
    owner TEXT NOT NULL COLLATE NOCASE,
    repository TEXT NOT NULL COLLATE NOCASE,
    pipeline TEXT NOT NULL COLLATE NOCASE,
    last INTEGER NOT NULL,
    PRIMARY KEY (owner, repository, pipeline)
) STRICT, WITHOUT ROWID;

-- Each distinct parsed definition once; runs share them.
CREATE TABLE definitions (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories(id) ON DELETE CASCADE,
    pipeline_id INTEGER NOT NULL REFERENCES pipelines(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    cause TEXT NOT NULL,
    reference TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    definition_path TEXT NOT NULL,
    definition_blob TEXT NOT NULL,
    definition_id INTEGER REFERENCES definitions(id),
    inputs TEXT NOT NULL,
    queued_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    message TEXT,
    findings TEXT NOT NULL DEFAULT '[]',
    cancel_by TEXT,
    event_id INTEGER,
    UNIQUE (pipeline_id, number)
) STRICT;
CREATE UNIQUE INDEX runs_event ON runs(event_id, pipeline_id) WHERE event_id IS NOT NULL;
-- With what the bars of a list show, so that they are read from here alone.
CREATE INDEX runs_repository ON runs(repository_id, id, status, started_at, finished_at);
CREATE INDEX runs_commit ON runs(repository_id, commit_id);
CREATE INDEX runs_unfinished ON runs(id) WHERE status IN ('queued', 'waiting', 'running');
CREATE INDEX runs_status ON runs(status, id);

CREATE TABLE stages (
    run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (run_id, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
    run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    stage INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    exit_code INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    log_from INTEGER,
    PRIMARY KEY (run_id, stage, idx)
) STRICT, WITHOUT ROWID;

-- Images a stage pushed, confirmed by the registry.
CREATE TABLE run_images (
    run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    stage INTEGER NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    labels TEXT NOT NULL,
    pushed_at INTEGER NOT NULL,
    PRIMARY KEY (run_id, repository, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_images_digest ON run_images(digest);
CREATE INDEX run_images_tag ON run_images(repository, tag, run_id);

-- What the bases of a run stood at.
CREATE TABLE base_images (
    run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    reference TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (run_id, reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
