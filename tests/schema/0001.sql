-- A house as version 1 of the schema has it: one row at least in every table, and what differs between rows.
INSERT INTO accounts VALUES (1, 'admin', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA', 1, 0, NULL, 1700000000000);
INSERT INTO accounts VALUES (2, 'minsu', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA', 0, 1, 'ko', 1700000000001);
INSERT INTO sessions VALUES (x'00', 1, 'csrf', 1700000000000, 1800000000000);
INSERT INTO tokens VALUES (1, 1, 'laptop', x'01', 'write', 1700000000000, NULL, NULL);
INSERT INTO repositories (id, owner, name, private, default_branch, created_at, last_run_id) VALUES (1, 'admin', 'numbers', 1, 'main', 1700000000000, 2);
INSERT INTO repositories (id, owner, name, created_at, remote_url, remote_user, remote_secret, polled_at, poll_error)
    VALUES (2, 'minsu', 'mirror', 1700000000000, 'https://git.example.net/x.git', 'ci', x'02', 1700000000000, '{"key":"git-remote-refused"}');
INSERT INTO refs_seen VALUES (1, 'refs/heads/main', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
INSERT INTO events (id, at, kind, repository_id, happened, outcome, undecided) VALUES
    (1, 1700000000000, 'repository-created', 1, '{"kind":"repository-created","by":"admin"}', NULL, 0),
    (2, 1700000000001, 'ref-moved', 1, '{"kind":"ref-moved","reference":"refs/heads/main","old":null,"new":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","by":"admin"}',
        '[{"pipeline":"default","run_id":1,"run_number":1,"message":{"key":"trigger-started"}}]', 0);
INSERT INTO pipelines (id, repository_id, name, path, discovered, created_at, last_run_id) VALUES (1, 1, 'default', 'ropewalk.yml', 1, 1700000000000, 2);
INSERT INTO run_numbers VALUES ('admin', 'numbers', 'default', 2);
INSERT INTO definitions VALUES (1, x'03', '{"dialect":"ropewalk","image":null,"environment":[],"inputs":[],"branches":[],"triggers":{"push":true,"tag":false},"timeout_seconds":null,"stages":[]}');
INSERT INTO runs (id, repository_id, pipeline_id, number, status, cause, reference, commit_id, definition_path, definition_blob, definition_id, inputs, queued_at, started_at, finished_at, message, event_id) VALUES
    (1, 1, 1, 1, 'passed', '{"kind":"push","by":"admin"}', 'refs/heads/main', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'ropewalk.yml', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 1, '{}', 1700000000002, 1700000000003, 1700000000004, NULL, 2),
    (2, 1, 1, 2, 'failed', '{"kind":"rerun","by":"admin","of":1}', 'refs/heads/main', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'ropewalk.yml', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 1, '{"WHO":"all"}', 1700000000005, 1700000000006, 1700000000007, '{"key":"run-step-failed","args":{"stage":"Test","code":"3"}}', NULL);
INSERT INTO stages VALUES (1, 0, 'Build', 'passed', 1700000000003, 1700000000004);
INSERT INTO steps VALUES (1, 0, 0, 'make', 'passed', 0, 1700000000003, 1700000000004, 0);
INSERT INTO run_images VALUES (1, 'numbers/api', 'v3-build-1', 0, 'sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 1234, '{"build_number":"1"}', 1700000000004);
INSERT INTO settings VALUES ('installation', 'abc');
