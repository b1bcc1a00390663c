-- +goose Up
-- What a door of CAP hears, and the feed it reads.
ALTER TABLE hooks_doors ADD COLUMN cap_json TEXT NOT NULL DEFAULT '{}';

-- The messages that were heard: thread is the call they belong to, empty for the
-- link of a feed.
CREATE TABLE hooks_heard (
  organisation_id UUID NOT NULL,
  door_id UUID NOT NULL,
  id TEXT NOT NULL,
  thread TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, door_id, id)
);

-- How the reading of a feed goes; id is that of its door.
CREATE TABLE hooks_polls (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  due_us BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  well_us BIGINT NOT NULL,
  error TEXT NOT NULL,
  failures BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

-- +goose Down
DROP TABLE hooks_polls;
DROP TABLE hooks_heard;
ALTER TABLE hooks_doors DROP COLUMN cap_json;
