-- How much of the fleet was known at each answer; NULL at those before this schema.
ALTER TABLE answer ADD COLUMN cellular BIGINT;
ALTER TABLE answer ADD COLUMN unknown BIGINT;
