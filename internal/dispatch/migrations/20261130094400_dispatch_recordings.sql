-- +goose Up
-- A recording said by telephone in place of a text, in G.711 A-law, by parts.
CREATE TABLE dispatch_recordings (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  octets BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

CREATE TABLE dispatch_recording_parts (
  organisation_id UUID NOT NULL,
  recording_id UUID NOT NULL,
  number BIGINT NOT NULL,
  sound BYTEA NOT NULL,
  PRIMARY KEY (organisation_id, recording_id, number)
);

ALTER TABLE dispatch_contents ADD COLUMN recording TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE dispatch_contents DROP COLUMN recording;
DROP TABLE dispatch_recording_parts;
DROP TABLE dispatch_recordings;
