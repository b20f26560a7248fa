-- What was watched. `body` is the answer without its sessions and findings (JSON, packed): what was read, counted, looked for.
CREATE TABLE trace (
  n {id},
  id {text} NOT NULL UNIQUE,
  name {text} NOT NULL,
  kept_at BIGINT NOT NULL,
  who {text} NOT NULL,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  packets BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  flows BIGINT NOT NULL,
  body {blob} NOT NULL
);

-- Modules on the network. `body` is the session as the answer has it (JSON, packed), subscriber numbers whole; `imei` are the first
-- fourteen digits, by which devices are found.
CREATE TABLE traffic_session (
  trace BIGINT NOT NULL,
  n BIGINT NOT NULL,
  id {text} NOT NULL,
  imei {text},
  bytes BIGINT NOT NULL,
  body {blob} NOT NULL,
  PRIMARY KEY (trace, n)
);

CREATE INDEX traffic_session_id ON traffic_session (id);
CREATE INDEX traffic_session_imei ON traffic_session (imei);

-- Conversations by hour: whose (a session's id or an address), with whom (a name or an address; NULL is everybody else together).
CREATE TABLE traffic_hour (
  trace BIGINT NOT NULL,
  n BIGINT NOT NULL,
  subject {text} NOT NULL,
  hour BIGINT NOT NULL,
  peer {text},
  port BIGINT NOT NULL,
  proto {text} NOT NULL,
  flows BIGINT NOT NULL,
  up BIGINT NOT NULL,
  down BIGINT NOT NULL,
  PRIMARY KEY (trace, n)
);

CREATE INDEX traffic_hour_subject ON traffic_hour (subject, hour);

-- What detectors found.
CREATE TABLE traffic_finding (
  trace BIGINT NOT NULL,
  n BIGINT NOT NULL,
  id {text} NOT NULL,
  code {text} NOT NULL,
  severity BIGINT NOT NULL,
  kind {text} NOT NULL,
  subject {text} NOT NULL,
  last BIGINT NOT NULL,
  body {blob} NOT NULL,
  PRIMARY KEY (trace, n)
);

CREATE INDEX traffic_finding_subject ON traffic_finding (subject);
