-- Who proposed to live with what a rule found, and who else approved. What holds stands in the home's file of waivers.
CREATE TABLE waiver (
  n {id},
  id {text} NOT NULL UNIQUE,
  code {text} NOT NULL,
  subject {text} NOT NULL,
  module {text},
  reason {text} NOT NULL,
  until {text} NOT NULL,
  justification {text},
  state {text} NOT NULL,
  person {text} NOT NULL,
  proposed_by {text} NOT NULL,
  proposed_at BIGINT NOT NULL,
  settled_by {text},
  settled_at BIGINT,
  comment {text} NOT NULL
);
