-- How a person said that the columns of tables are to be read (a mapping file, TOML); NULL where the readers alone decided.
ALTER TABLE reading ADD COLUMN mapping {text};
