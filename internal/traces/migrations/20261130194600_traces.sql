-- +goose Up
CREATE TABLE traces_sources (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  format TEXT NOT NULL,
  biomedical BOOLEAN NOT NULL,
  zone TEXT NOT NULL,
  item_id UUID,
  addresses TEXT NOT NULL,
  quiet_minutes BIGINT NOT NULL,
  token_hash BYTEA NOT NULL,
  created_us BIGINT NOT NULL,
  retired_us BIGINT,
  -- What it said so far; the last event by its own clock, and how far that clock
  -- is from ours, in seconds.
  events BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  first_received_us BIGINT,
  last_received_us BIGINT,
  last_at_us BIGINT,
  skew_s BIGINT NOT NULL,
  -- Since when its silence is told.
  silent_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX traces_sources_by_token ON traces_sources (token_hash);
CREATE INDEX traces_sources_by_name ON traces_sources (organisation_id, name_folded, id);

-- How much a source says in an hour: its usual rate is learnt from these.
CREATE TABLE traces_hours (
  organisation_id UUID NOT NULL,
  source_id UUID NOT NULL,
  hour_us BIGINT NOT NULL,
  events BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, source_id, hour_us)
);

-- The last messages of a source that could not be understood.
CREATE TABLE traces_samples (
  organisation_id UUID NOT NULL,
  source_id UUID NOT NULL,
  id UUID NOT NULL,
  received_us BIGINT NOT NULL,
  reason TEXT NOT NULL,
  sample TEXT NOT NULL,
  PRIMARY KEY (organisation_id, source_id, id)
);

-- How long each class of traces is kept, and who decided it.
CREATE TABLE traces_durations (
  organisation_id UUID NOT NULL,
  class TEXT NOT NULL,
  months BIGINT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, class)
);

-- What was purged, for whoever asks later why it is no longer there.
CREATE TABLE traces_purges (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  class TEXT NOT NULL,
  before_us BIGINT NOT NULL,
  events BIGINT NOT NULL,
  first_us BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  done_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

-- +goose Down
DROP TABLE traces_purges;
DROP TABLE traces_durations;
DROP TABLE traces_samples;
DROP TABLE traces_hours;
DROP TABLE traces_sources;
