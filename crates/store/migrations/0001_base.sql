-- What came in, and what was concluded of it. Words in braces are spelled for each database: see src/db/schema.rs.

-- One artefact as it came. Rows are never changed; `chain` covers the row and the chain of the row before.
CREATE TABLE evidence (
  n {id},
  id {text} NOT NULL UNIQUE,
  sha256 {text} NOT NULL UNIQUE,
  name {text} NOT NULL,
  format {text} NOT NULL,
  bytes BIGINT NOT NULL,
  collected_at BIGINT,
  collected_by {text},
  received_at BIGINT NOT NULL,
  received_by {text} NOT NULL,
  kept BIGINT NOT NULL,
  chain {text} NOT NULL
);

-- Its bytes, compressed, at most a megabyte each before that.
CREATE TABLE chunk (
  evidence BIGINT NOT NULL REFERENCES evidence (n),
  n BIGINT NOT NULL,
  bytes {blob} NOT NULL,
  PRIMARY KEY (evidence, n)
);

-- What retention took away; the row in `evidence` stays.
CREATE TABLE dropped (
  evidence BIGINT NOT NULL REFERENCES evidence (n),
  what {text} NOT NULL,
  at BIGINT NOT NULL,
  by_whom {text} NOT NULL,
  PRIMARY KEY (evidence, what)
);

-- One reading of an artefact by the readers of a version; the last one counts.
CREATE TABLE reading (
  n {id},
  evidence BIGINT NOT NULL REFERENCES evidence (n),
  at BIGINT NOT NULL,
  reader {text} NOT NULL,
  schema_errors BIGINT NOT NULL
);
CREATE INDEX reading_evidence ON reading (evidence);

-- Files inside the artefact. `n` never changes: devices name it.
CREATE TABLE input (
  n {id},
  reading BIGINT NOT NULL REFERENCES reading (n),
  place BIGINT NOT NULL,
  path {text} NOT NULL,
  format {text} NOT NULL,
  sha256 {text} NOT NULL,
  observations BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  mapping {text} NOT NULL
);
CREATE INDEX input_reading ON input (reading, place);

CREATE TABLE unit (
  reading BIGINT NOT NULL,
  n BIGINT NOT NULL,
  name {text} NOT NULL,
  PRIMARY KEY (reading, n)
) {clustered};

-- Facts are interned for each reading; a list of facts (`part:fact part:fact`) is, too.
CREATE TABLE fact (
  reading BIGINT NOT NULL,
  n BIGINT NOT NULL,
  kind {text} NOT NULL,
  value {text} NOT NULL,
  witness {text} NOT NULL,
  basis {text} NOT NULL,
  PRIMARY KEY (reading, n)
) {clustered};

CREATE TABLE signature (
  reading BIGINT NOT NULL,
  n BIGINT NOT NULL,
  facts {text} NOT NULL,
  PRIMARY KEY (reading, n)
) {clustered};

-- One thing that the artefact speaks of: where, when, its identifiers (`part kind value` on lines), its list of facts, and
-- where each was read (`unit:number`) where that is not the place of the record.
CREATE TABLE record (
  reading BIGINT NOT NULL,
  n BIGINT NOT NULL,
  input BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  at BIGINT NOT NULL,
  day {text},
  signature BIGINT NOT NULL,
  ids {text} NOT NULL,
  ats {text},
  PRIMARY KEY (reading, n)
) {clustered};

-- Bills of materials, radios heard, sweeps, pieces, pairs of records: compressed JSON, in order.
CREATE TABLE extra (
  reading BIGINT NOT NULL,
  n BIGINT NOT NULL,
  kind {text} NOT NULL,
  doc {blob} NOT NULL,
  PRIMARY KEY (reading, n)
);

CREATE TABLE problem (
  reading BIGINT NOT NULL,
  n BIGINT NOT NULL,
  input BIGINT,
  unit BIGINT NOT NULL,
  at BIGINT NOT NULL,
  what {text} NOT NULL,
  PRIMARY KEY (reading, n)
) {clustered};

-- Each recompute; the last one is the fleet as it stands.
CREATE TABLE answer (
  n {id},
  at BIGINT NOT NULL,
  by_whom {text} NOT NULL,
  as_of {text} NOT NULL,
  devices BIGINT NOT NULL,
  findings BIGINT NOT NULL,
  new BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  gone BIGINT NOT NULL,
  doc {blob} NOT NULL
);

-- What changed in which device, the first answer apart: a first import is one line, not a million.
CREATE TABLE change (
  answer BIGINT NOT NULL,
  device {text} NOT NULL,
  what {text} NOT NULL,
  PRIMARY KEY (answer, device)
) {clustered};

CREATE INDEX change_device ON change (device, answer);

CREATE TABLE organisation (
  id {text} PRIMARY KEY,
  doc {blob} NOT NULL
);

-- The dictionary of what devices are found by: `maker` `quectel`.
CREATE TABLE word (
  n {id},
  field {text} NOT NULL,
  value {text} NOT NULL,
  shown {text} NOT NULL
);
CREATE UNIQUE INDEX word_value ON word (field, value);

-- Devices alike in everything but their names and numbers share a profile: counts and facets look at profiles.
CREATE TABLE profile (
  n {id},
  digest {text} NOT NULL UNIQUE,
  site {text},
  cellular {text} NOT NULL,
  brand {text},
  maker {text},
  model {text},
  level {text},
  certainty {text},
  confidence DOUBLE PRECISION NOT NULL,
  owner {text},
  country {text},
  severity BIGINT NOT NULL,
  verdict {text},
  findings BIGINT NOT NULL,
  devices BIGINT NOT NULL
);

CREATE TABLE profile_word (
  word BIGINT NOT NULL,
  profile BIGINT NOT NULL,
  PRIMARY KEY (word, profile)
) {clustered};
CREATE INDEX profile_word_profile ON profile_word (profile, word);

CREATE TABLE device (
  n {id},
  id {text} NOT NULL,
  profile BIGINT NOT NULL,
  name {text} NOT NULL,
  seen BIGINT NOT NULL,
  since BIGINT NOT NULL,
  digest BIGINT NOT NULL
);
CREATE UNIQUE INDEX device_id ON device (id, n, profile);
CREATE INDEX device_profile ON device (profile, n);
CREATE INDEX device_name ON device (name, n, profile);
CREATE INDEX device_seen ON device (seen, n, profile);

CREATE TABLE device_doc (
  device {id},
  doc {blob} NOT NULL
);

-- Names and numbers, folded; of texts each beginning at a word.
CREATE TABLE device_key (
  value {text} NOT NULL,
  kind {text} NOT NULL,
  device BIGINT NOT NULL,
  PRIMARY KEY (value, kind, device)
) {clustered};
CREATE INDEX device_key_device ON device_key (device);

CREATE TABLE device_evidence (
  evidence BIGINT NOT NULL,
  device BIGINT NOT NULL,
  PRIMARY KEY (evidence, device)
) {clustered};
CREATE INDEX device_evidence_device ON device_evidence (device);

-- Devices of an answer under way whose id is open until all are seen.
CREATE TABLE staged (
  n {id},
  doc {blob} NOT NULL
);

-- Other ids under which a device was or may be known.
CREATE TABLE alias (
  id {text} PRIMARY KEY,
  device {text} NOT NULL
) {clustered};
CREATE INDEX alias_device ON alias (device);

CREATE TABLE finding_kind (
  n {id},
  code {text} NOT NULL,
  source {text} NOT NULL,
  verdict {text},
  severity BIGINT NOT NULL,
  confidence DOUBLE PRECISION NOT NULL,
  digest {text} NOT NULL UNIQUE
);

CREATE TABLE finding_body (
  n {id},
  digest {text} NOT NULL UNIQUE,
  doc {blob} NOT NULL
);

-- `profile` is the device's; both are 0 where the finding is about no device.
CREATE TABLE finding (
  n {id},
  id {text} NOT NULL,
  device BIGINT NOT NULL,
  profile BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  body BIGINT NOT NULL,
  subject_kind {text} NOT NULL,
  subject_id {text} NOT NULL,
  since BIGINT NOT NULL
);
CREATE INDEX finding_id ON finding (id);
CREATE INDEX finding_bucket ON finding (kind, profile, n);
CREATE INDEX finding_device ON finding (device);

CREATE TABLE finding_tally (
  kind BIGINT NOT NULL,
  profile BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (kind, profile)
) {clustered};
