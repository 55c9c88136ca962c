-- What each Docker trigger has heard of: one row for each image that was pushed to a tag.
CREATE TABLE heard_pushes (
    webhook_id INTEGER NOT NULL REFERENCES docker_webhooks(id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- When it was last pushed there, by the clock of whoever told of it.
    pushed_at INTEGER NOT NULL,
    heard_at INTEGER NOT NULL,
    -- Whether a run came of it.
    started INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, host, repository, tag, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX heard_pushes_at ON heard_pushes(heard_at);

-- Events that are decided once more when a run has ended: its image may be that run's own.
CREATE TABLE events_put_off (
    event_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL
) STRICT;

-- JSON: other hosts that an endpoint's registry may lead to.
ALTER TABLE endpoints ADD COLUMN allowed_hosts TEXT NOT NULL DEFAULT '[]';
