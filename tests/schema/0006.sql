-- Rows as version 6 writes them.
INSERT INTO image_streams (id, owner, name, written_repository, labels, created_at, created_by) VALUES
  (50, 'ada', 'promoted', NULL, '{"app":"walk"}', 0, 'ada');
INSERT INTO stream_tags (stream_id, name, source, in_spec) VALUES
  (50, 'live', '{"kind":"OtherTag","name":"ada/base:1"}', 1);
