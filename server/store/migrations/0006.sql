-- Version 6: what a stream's file says is kept whole, and tags that come from tags of other streams.
ALTER TABLE image_streams ADD COLUMN written_repository TEXT;
ALTER TABLE image_streams ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
-- The file names the tag, or a person made it follow something; otherwise it was only pushed or set.
ALTER TABLE stream_tags ADD COLUMN in_spec INTEGER NOT NULL DEFAULT 0;
UPDATE stream_tags SET in_spec = 1 WHERE source IS NOT NULL OR annotations <> '{}';
CREATE INDEX stream_tags_other ON stream_tags(source) WHERE source IS NOT NULL AND source_host IS NULL;
