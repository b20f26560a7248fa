-- Whether a waiver holds for findings of this kind: lists ask for it. What an answer wrote before gets it with the next one.
ALTER TABLE finding_kind ADD COLUMN waived BIGINT NOT NULL DEFAULT 0;
