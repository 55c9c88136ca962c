-- Other systems with an address and credentials. The stack's own registry is a setting and not in here.
CREATE TABLE endpoints (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    description TEXT NOT NULL DEFAULT '',
    -- 'distribution' or 'docker-hub'
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    -- As it stands in image references.
    host TEXT NOT NULL UNIQUE COLLATE NOCASE,
    user TEXT,
    secret BLOB,
    -- 1 when the secret is a token to be sent as it is, 0 when it is the user's password.
    bearer INTEGER NOT NULL DEFAULT 0,
    -- PEM: what a person has accepted, or the certificate of a private authority.
    certificate TEXT,
    certificate_by TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    checked_at INTEGER,
    check_ok INTEGER,
    check_report TEXT
) STRICT;

-- What registries sent, as it came; nothing of it was looked at before it was stored.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,
    -- 'distribution', 'docker-hub' or 'generic'
    source TEXT NOT NULL,
    webhook_id INTEGER,
    address TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    replay_of INTEGER,
    replay_by TEXT,
    handled INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    handled_at INTEGER,
    outcome TEXT
) STRICT;
CREATE INDEX deliveries_pending ON deliveries(id) WHERE handled = 0;
CREATE INDEX deliveries_webhook ON deliveries(webhook_id, id);

-- The ids of registry events that were handled, so that one that comes twice counts once.
CREATE TABLE delivered_events (
    event_key TEXT PRIMARY KEY,
    delivery_id INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX delivered_events_at ON delivered_events(at);

-- What each followed tag named when it was last looked at: what the poll compares with.
CREATE TABLE tags_seen (
    host TEXT NOT NULL,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    -- NULL when the registry has no such tag, or knows no digest of it.
    digest TEXT,
    moved_at INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (host, repository, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_streams (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL COLLATE NOCASE,
    -- Every tag of this repository (`host/path`) is followed; NULL when only the tags named below are.
    repository TEXT,
    lookup_local INTEGER NOT NULL DEFAULT 0,
    annotations TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (owner, name)
) STRICT;

CREATE TABLE stream_tags (
    stream_id INTEGER NOT NULL REFERENCES image_streams(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- JSON of the model's TagSource; NULL when images are only pushed or tagged into it.
    source TEXT,
    -- `host`, `repository` and `tag` of a source in a registry, for the poll.
    source_host TEXT,
    source_repository TEXT,
    source_tag TEXT,
    reference INTEGER NOT NULL DEFAULT 0,
    insecure INTEGER NOT NULL DEFAULT 0,
    scheduled INTEGER NOT NULL DEFAULT 0,
    import_mode TEXT NOT NULL DEFAULT 'Legacy',
    reference_policy TEXT NOT NULL DEFAULT 'Source',
    annotations TEXT NOT NULL DEFAULT '{}',
    generation INTEGER NOT NULL DEFAULT 1,
    -- When the next import is due; NULL when only a person or a notification brings one.
    import_at INTEGER,
    -- JSON of the model's ImportCondition; NULL while the last import went well or there was none.
    condition TEXT,
    PRIMARY KEY (stream_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX stream_tags_source ON stream_tags(source_host, source_repository, source_tag);
CREATE INDEX stream_tags_due ON stream_tags(import_at) WHERE import_at IS NOT NULL;

-- What a tag of a stream has named; the newest row is what it names now.
CREATE TABLE stream_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id INTEGER NOT NULL,
    tag TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- `host/repository@sha256:...`; without a digest where the registry has none.
    reference TEXT NOT NULL,
    digest TEXT,
    generation INTEGER NOT NULL,
    by TEXT,
    FOREIGN KEY (stream_id, tag) REFERENCES stream_tags(stream_id, name) ON DELETE CASCADE
) STRICT;
CREATE INDEX stream_items_tag ON stream_items(stream_id, tag, id);
CREATE INDEX stream_items_digest ON stream_items(digest);

-- Which moves of images start a pipeline.
CREATE TABLE image_triggers (
    id INTEGER PRIMARY KEY,
    pipeline_id INTEGER NOT NULL REFERENCES pipelines(id) ON DELETE CASCADE,
    -- The stream tag that is watched; all NULL for the pipeline's own bases.
    stream_owner TEXT COLLATE NOCASE,
    stream_name TEXT COLLATE NOCASE,
    stream_tag TEXT,
    paused INTEGER NOT NULL DEFAULT 0,
    -- JSON: what the last run it started (or took part in) had, by watched name: `host/repository@sha256:...`.
    last TEXT NOT NULL DEFAULT '{}',
    last_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX image_triggers_one ON image_triggers(pipeline_id, coalesce(stream_owner, ''), coalesce(stream_name, ''), coalesce(stream_tag, ''));
CREATE INDEX image_triggers_stream ON image_triggers(stream_owner, stream_name, stream_tag);

-- The images a pipeline's newest commit on its default branch stands on.
CREATE TABLE pipeline_bases (
    pipeline_id INTEGER NOT NULL REFERENCES pipelines(id) ON DELETE CASCADE,
    -- As it is written there.
    reference TEXT NOT NULL,
    host TEXT NOT NULL,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    -- JSON: the places it is written at.
    places TEXT NOT NULL,
    PRIMARY KEY (pipeline_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX pipeline_bases_tag ON pipeline_bases(host, repository, tag);

-- What the bases of a run stood at when it was queued. Was never filled before.
DROP TABLE base_images;
CREATE TABLE base_images (
    run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    -- As it is written in the repository.
    reference TEXT NOT NULL,
    -- `host/repository@sha256:...`, what is used instead; NULL when there is no digest.
    pinned TEXT,
    digest TEXT,
    -- JSON of a message: why it is not pinned.
    note TEXT,
    -- When the image was made, as far as is known.
    made_at INTEGER,
    PRIMARY KEY (run_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX base_images_digest ON base_images(digest);

-- Docker triggers, with the fields that Code Stream gives them.
CREATE TABLE docker_webhooks (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    description TEXT NOT NULL DEFAULT '',
    project TEXT NOT NULL DEFAULT '',
    pipeline_id INTEGER REFERENCES pipelines(id) ON DELETE SET NULL,
    endpoint_id INTEGER REFERENCES endpoints(id) ON DELETE SET NULL,
    image_pattern TEXT NOT NULL DEFAULT '',
    tag_pattern TEXT NOT NULL DEFAULT '',
    server_type TEXT NOT NULL,
    -- The token is sealed so that it can be shown; its hash finds the webhook.
    secret BLOB NOT NULL,
    secret_hash BLOB NOT NULL UNIQUE,
    api_token BLOB,
    enabled INTEGER NOT NULL DEFAULT 1,
    inputs TEXT NOT NULL DEFAULT '{}',
    -- At Docker Hub: the webhook's id there and how the last change went.
    remote_id TEXT,
    remote_error TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;

-- Values that pipelines may use by name.
CREATE TABLE variables (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    -- 'regular' or 'secret'; the value of a secret is sealed.
    kind TEXT NOT NULL,
    value TEXT,
    sealed BLOB,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Which event led to this one, for the causal chain.
ALTER TABLE events ADD COLUMN cause_id INTEGER;
CREATE INDEX events_cause ON events(cause_id) WHERE cause_id IS NOT NULL;
