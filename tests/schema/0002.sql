-- What version 2 adds: registries, streams, triggers.
INSERT INTO endpoints (id, name, kind, url, host, created_at, updated_at) VALUES (1, 'hub', 'docker-hub', 'https://registry-1.docker.io', 'docker.io', 1700000000000, 1700000000000);
INSERT INTO deliveries (id, received_at, source, address, headers, body) VALUES (1, 1700000000000, 'distribution', '127.0.0.1', '{}', x'7b7d');
INSERT INTO delivered_events VALUES ('distribution:1', 1, 1700000000000);
INSERT INTO tags_seen VALUES ('registry.local:5000', 'base', '1', 'sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 1700000000000, 1700000000000, NULL);
INSERT INTO image_streams (id, owner, name, created_at, created_by) VALUES (1, 'admin', 'base', 1700000000000, 'admin');
INSERT INTO stream_tags (stream_id, name, source, source_host, source_repository, source_tag) VALUES
    (1, '1', '{"kind":"DockerImage","name":"registry.local:5000/base:1"}', 'registry.local:5000', 'base', '1');
INSERT INTO stream_items VALUES (1, 1, '1', 1700000000000, 'registry.local:5000/base@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc',
    'sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 1, NULL);
INSERT INTO image_triggers (id, pipeline_id, stream_owner, stream_name, stream_tag, created_at, created_by) VALUES (1, 1, 'admin', 'base', '1', 1700000000000, 'admin');
INSERT INTO image_triggers (id, pipeline_id, paused, created_at, created_by) VALUES (2, 1, 1, 1700000000000, 'admin');
INSERT INTO pipeline_bases VALUES (1, 'debian:12', 'registry.local:5000', 'library/debian', '12', '["Dockerfile:1"]');
INSERT INTO base_images VALUES (1, 'debian:12', NULL, NULL, '{"key":"trigger-same-image"}', NULL);
INSERT INTO docker_webhooks (id, name, pipeline_id, endpoint_id, server_type, secret, secret_hash, created_at, created_by, updated_at, updated_by)
    VALUES (1, 'api', 1, 1, 'DockerHub', x'00', x'01', 1700000000000, 'admin', 1700000000000, 'admin');
INSERT INTO variables (id, name, kind, value, created_at, created_by, updated_at) VALUES (1, 'REGION', 'regular', 'eu', 1700000000000, 'admin', 1700000000000);
UPDATE events SET cause_id = 1 WHERE id = 2;
