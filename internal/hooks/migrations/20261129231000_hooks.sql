-- +goose Up
CREATE TABLE hooks_subscriptions (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  inside BOOLEAN NOT NULL,
  paused BOOLEAN NOT NULL,
  secret BYTEA NOT NULL,
  old_secret BYTEA,
  old_until_us BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  deleted_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);

-- What is to be told. holder is the node that tells it, until lease_us; a
-- holder whose lease is over died, and nobody knows what was heard.
CREATE TABLE hooks_deliveries (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  subscription_id UUID NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  due_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL,
  holder TEXT,
  lease_us BIGINT,
  doubled BOOLEAN NOT NULL,
  last_us BIGINT,
  last_status BIGINT NOT NULL,
  last_error TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX hooks_deliveries_due ON hooks_deliveries (state, due_us);
CREATE INDEX hooks_deliveries_of ON hooks_deliveries (organisation_id, subscription_id, id);

-- The last state that was told of what is watched.
CREATE TABLE hooks_seen (
  organisation_id UUID NOT NULL,
  id TEXT NOT NULL,
  value TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

CREATE TABLE hooks_doors (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  form TEXT NOT NULL,
  scenario_id UUID NOT NULL,
  mode TEXT NOT NULL,
  act TEXT NOT NULL,
  blanks_json TEXT NOT NULL,
  progress BOOLEAN NOT NULL,
  gap_us BIGINT NOT NULL,
  paused BOOLEAN NOT NULL,
  secret BYTEA NOT NULL,
  old_secret BYTEA,
  old_until_us BIGINT NOT NULL,
  acted_us BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  deleted_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);

-- What came by a door, by the key that tells two of them apart.
CREATE TABLE hooks_calls (
  organisation_id UUID NOT NULL,
  door_id UUID NOT NULL,
  id TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  firing BOOLEAN NOT NULL,
  launch_id UUID,
  begun_us BIGINT NOT NULL,
  heard BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, door_id, id)
);

-- +goose Down
DROP TABLE hooks_calls;
DROP TABLE hooks_doors;
DROP TABLE hooks_seen;
DROP TABLE hooks_deliveries;
DROP TABLE hooks_subscriptions;
