-- 1 when the tag is there and its image has no digest, as those of schema 1; `digest` alone cannot tell that from a tag
-- that is gone.
ALTER TABLE tags_seen ADD COLUMN undigested INTEGER NOT NULL DEFAULT 0;
