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

-- Who may come in. `roles` are words apart by a blank; `sites` is a JSON list, NULL for all of them.
CREATE TABLE person (
  id {text} PRIMARY KEY,
  login {text} NOT NULL UNIQUE,
  name {text} NOT NULL,
  email {text},
  password {text},
  totp {text},
  issuer {text},
  subject {text},
  roles {text} NOT NULL,
  sites {text},
  subscribers BIGINT NOT NULL,
  disabled BIGINT NOT NULL,
  created BIGINT NOT NULL
);
CREATE UNIQUE INDEX person_identity ON person (issuer, subject);

-- Secrets of sessions and tokens are never stored: their SHA-256 is.
CREATE TABLE session (
  sha256 {text} PRIMARY KEY,
  person {text} NOT NULL REFERENCES person (id),
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  seen BIGINT NOT NULL,
  data {text} NOT NULL
);
CREATE INDEX session_person ON session (person);

CREATE TABLE token (
  id {text} PRIMARY KEY,
  sha256 {text} NOT NULL UNIQUE,
  name {text} NOT NULL,
  person {text} NOT NULL REFERENCES person (id),
  class {text} NOT NULL,
  scopes {text} NOT NULL,
  sites {text},
  created BIGINT NOT NULL,
  expires BIGINT,
  used BIGINT,
  revoked BIGINT
);
CREATE INDEX token_person ON token (person);

-- Lists that people come back to.
CREATE TABLE view (
  id {text} PRIMARY KEY,
  name {text} NOT NULL,
  person {text} NOT NULL,
  shared {text} NOT NULL,
  list {text} NOT NULL,
  query {text} NOT NULL,
  sort {text},
  columns {text} NOT NULL,
  changed BIGINT NOT NULL
);

CREATE TABLE setting (
  name {text} PRIMARY KEY,
  value {text} NOT NULL,
  at BIGINT NOT NULL,
  who {text} NOT NULL
);

-- Imports and other long work.
CREATE TABLE job (
  n {id},
  kind {text} NOT NULL,
  state {text} NOT NULL,
  who {text} NOT NULL,
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  detail {text} NOT NULL
);

-- Who did what: each row covers the row before it. The head is also kept outside the database.
CREATE TABLE audit (
  n {id},
  at BIGINT NOT NULL,
  who {text} NOT NULL,
  what {text} NOT NULL,
  subject {text} NOT NULL,
  detail {text} NOT NULL,
  chain {text} NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, n);
CREATE INDEX audit_who ON audit (who, n);

CREATE TABLE audit_head (
  one BIGINT PRIMARY KEY,
  n BIGINT NOT NULL,
  chain {text} NOT NULL
);
