-- What version 3 adds: images without a digest.
INSERT INTO tags_seen VALUES ('registry.local:5000', 'base', 'old', NULL, 1700000000000, 1700000000000, NULL, 1);
