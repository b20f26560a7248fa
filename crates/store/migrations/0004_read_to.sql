-- The newest input that an answer was made of: what came in behind it waits for the next answer, whoever brought it.
ALTER TABLE answer ADD COLUMN read_to BIGINT NOT NULL DEFAULT 0;
