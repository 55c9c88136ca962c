-- Version 8 says of a run's bases what was really used.
INSERT INTO base_images (run_id, reference, used) VALUES (1, 'used:1', '[{"image":"used:1","id":"sha256:1","by":"step","differs":true}]');
