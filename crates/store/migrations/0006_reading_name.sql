-- The name under which the same bytes came again and speak of something else; NULL for the name of the artefact itself.
ALTER TABLE reading ADD COLUMN name {text};
