-- JSON: the images that steps and containers of the run were really seen to use under this name.
ALTER TABLE base_images ADD COLUMN used TEXT NOT NULL DEFAULT '[]';
