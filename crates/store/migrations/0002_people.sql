-- What people decided: a log that is only added to, and what holds of it now. No recompute touches either.
CREATE TABLE decision (
  n {id},
  at BIGINT NOT NULL,
  who {text} NOT NULL,
  subject {text} NOT NULL,
  kind {text} NOT NULL,
  value {text} NOT NULL,
  comment {text} NOT NULL,
  expires BIGINT,
  chain {text} NOT NULL
);
CREATE INDEX decision_subject ON decision (subject, n);

CREATE TABLE decision_now (
  subject {text} NOT NULL,
  kind {text} NOT NULL,
  folded {text} NOT NULL,
  value {text} NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (subject, kind, folded)
) {clustered};
CREATE INDEX decision_now_value ON decision_now (kind, folded, subject);
