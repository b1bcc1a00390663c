-- +goose Up
-- How an import is carried on: by itself or by a person, whole or in part.
ALTER TABLE directory_imports ADD COLUMN handling TEXT NOT NULL DEFAULT '{}';

-- A server whose people are read under a schedule.
CREATE TABLE directory_feeds (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  settings TEXT NOT NULL,
  secrets BYTEA NOT NULL,
  every_hours BIGINT NOT NULL,
  gone_most BIGINT NOT NULL,
  enabled BOOLEAN NOT NULL,
  next_us BIGINT,
  last_us BIGINT,
  last_import UUID,
  trouble TEXT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

-- What a hand changed in a person that a list owns, with keyed marks of what the list said.
ALTER TABLE directory_people ADD COLUMN hand TEXT NOT NULL DEFAULT '';

-- Values on which two sources disagreed, for thirty days.
CREATE TABLE directory_conflicts (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  person_id UUID NOT NULL,
  import_id UUID NOT NULL,
  field TEXT NOT NULL,
  kept TEXT NOT NULL,
  other TEXT NOT NULL,
  kept_by TEXT NOT NULL,
  other_by TEXT NOT NULL,
  rule TEXT NOT NULL,
  raw TEXT NOT NULL,
  found_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX directory_conflicts_by_person ON directory_conflicts (organisation_id, person_id, field);
CREATE INDEX directory_conflicts_by_time ON directory_conflicts (organisation_id, found_us);

-- +goose Down
DROP TABLE directory_conflicts;
ALTER TABLE directory_people DROP COLUMN hand;
DROP TABLE directory_feeds;
ALTER TABLE directory_imports DROP COLUMN handling;
