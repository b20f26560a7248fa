-- Where findings and decisions are delivered to. `settings`, `secret` and `filter` are JSON; `secret` is never shown again.
-- `position` is the last event that the receiver has acknowledged, or that was none of its business.
CREATE TABLE sink (
  id {text} PRIMARY KEY,
  name {text} NOT NULL UNIQUE,
  kind {text} NOT NULL,
  settings {text} NOT NULL,
  secret {text} NOT NULL,
  filter {text} NOT NULL,
  subscribers BIGINT NOT NULL,
  running BIGINT NOT NULL,
  created BIGINT NOT NULL,
  by_whom {text} NOT NULL,
  position BIGINT NOT NULL,
  next BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  error {text},
  failing BIGINT,
  success BIGINT,
  sent BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  expired BIGINT NOT NULL
);

-- What has happened, in order, as long as a sink waits for it. What filters ask stands in columns of its own: a receiver that
-- was down for a month is counted without opening a body.
CREATE TABLE outbox (
  n {id},
  id {text} NOT NULL,
  at BIGINT NOT NULL,
  kind {text} NOT NULL,
  code {text},
  verdict {text},
  was_verdict {text},
  severity BIGINT NOT NULL,
  body {blob} NOT NULL
);

-- The last number that was given: numbers are not given again when their rows are gone.
CREATE TABLE outbox_head (
  one BIGINT PRIMARY KEY,
  n BIGINT NOT NULL
);

-- What a receiver refused for what it holds; `again` says that somebody wants it to be tried once more.
CREATE TABLE undelivered (
  sink {text} NOT NULL,
  n BIGINT NOT NULL,
  id {text} NOT NULL,
  at BIGINT NOT NULL,
  kind {text} NOT NULL,
  why {text} NOT NULL,
  refused_at BIGINT NOT NULL,
  again BIGINT NOT NULL,
  body {blob} NOT NULL,
  PRIMARY KEY (sink, n)
);
