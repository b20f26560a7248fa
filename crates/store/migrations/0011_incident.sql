-- What detectors found, over all traces: one row for what goes on, however many traces hold a part of it. Its sightings are the rows
-- of `traffic_finding`; `doc` (JSON, packed) is the finding that they make together, `topic` what they have in common. `imei` are the
-- first fourteen digits of whose doing it is. What `finding` shows of it follows from here: `device` (0 is none that is known),
-- `muted` (the number of a mute, 0 is none), `laid` (what was shown last) and `told` (the severity that sinks heard of, -1 is none).
CREATE TABLE incident (
  n {id},
  id {text} NOT NULL UNIQUE,
  topic {text} NOT NULL UNIQUE,
  code {text} NOT NULL,
  imei {text},
  kind {text} NOT NULL,
  subject {text} NOT NULL,
  peer {text},
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  since BIGINT NOT NULL,
  severity BIGINT NOT NULL,
  digest {text} NOT NULL,
  doc {blob} NOT NULL,
  device BIGINT NOT NULL,
  muted BIGINT NOT NULL,
  laid {text} NOT NULL,
  told BIGINT NOT NULL
);
CREATE INDEX incident_device ON incident (device);
CREATE INDEX incident_muted ON incident (muted);
CREATE INDEX incident_last ON incident (last);

-- Which of them each sighting is part of; what was kept before is told to none yet.
ALTER TABLE traffic_finding ADD COLUMN incident BIGINT NOT NULL DEFAULT 0;
CREATE INDEX traffic_finding_incident ON traffic_finding (incident);
CREATE INDEX traffic_finding_id ON traffic_finding (id);

-- What people do not want to be shown of it, for a while, and why. `ends` is the end of the last day; `ended` is when it ended.
CREATE TABLE mute (
  n {id},
  id {text} NOT NULL UNIQUE,
  code {text} NOT NULL,
  subject {text},
  peer {text},
  reason {text} NOT NULL,
  ends BIGINT NOT NULL,
  made BIGINT NOT NULL,
  who {text} NOT NULL,
  ended BIGINT,
  ended_by {text},
  comment {text} NOT NULL
);
