-- +goose Up
-- Who works when, from the planning files. A file waits beside the one in use
-- and takes its place by one change of state; it may be undone the same way.
CREATE TABLE directory_rosters (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  source TEXT NOT NULL,
  source_folded TEXT NOT NULL,
  file_name TEXT NOT NULL,
  state TEXT NOT NULL,
  from_us BIGINT NOT NULL,
  to_us BIGINT NOT NULL,
  rows_read BIGINT NOT NULL,
  people BIGINT NOT NULL,
  shifts BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  problems TEXT NOT NULL,
  digest TEXT NOT NULL,
  previous_id UUID,
  actor_name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX directory_rosters_current ON directory_rosters (organisation_id, source_folded) WHERE state = 'current';

-- Everyone a file names, those at rest too: of the others nothing is known.
CREATE TABLE directory_roster_people (
  organisation_id UUID NOT NULL,
  roster_id UUID NOT NULL,
  person_id UUID NOT NULL,
  PRIMARY KEY (organisation_id, roster_id, person_id)
);

CREATE TABLE directory_shifts (
  organisation_id UUID NOT NULL,
  roster_id UUID NOT NULL,
  person_id UUID NOT NULL,
  from_us BIGINT NOT NULL,
  to_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, roster_id, person_id, from_us)
);
CREATE INDEX directory_shifts_by_end ON directory_shifts (organisation_id, roster_id, to_us, from_us, person_id);

-- +goose Down
DROP TABLE directory_shifts;
DROP TABLE directory_roster_people;
DROP TABLE directory_rosters;
