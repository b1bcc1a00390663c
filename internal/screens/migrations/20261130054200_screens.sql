-- +goose Up
-- A screen waits under the code that an administrator typed until the browser
-- that shows this code comes; from then on under the hash of that browser's token.
CREATE TABLE screens_screens (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  place_id UUID,
  speaks BOOLEAN NOT NULL,
  code TEXT,
  code_until_us BIGINT NOT NULL,
  token_hash BYTEA,
  made_by TEXT NOT NULL,
  made_us BIGINT NOT NULL,
  paired_us BIGINT,
  seen_us BIGINT,
  version TEXT NOT NULL,
  shown TEXT NOT NULL,
  shown_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX screens_screens_token ON screens_screens (token_hash) WHERE token_hash IS NOT NULL;
CREATE UNIQUE INDEX screens_screens_code ON screens_screens (code) WHERE code IS NOT NULL;

-- +goose Down
DROP TABLE screens_screens;
