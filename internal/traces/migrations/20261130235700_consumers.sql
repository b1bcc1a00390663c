-- +goose Up
-- Applications of the hospital that may search the traces.
CREATE TABLE traces_consumers (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  reason TEXT NOT NULL,
  addresses TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  admitted_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  -- From when its token is worth nothing any more, whatever happens.
  until_us BIGINT NOT NULL,
  revoked_us BIGINT,
  -- When it last searched, to within a minute.
  last_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX traces_consumers_by_token ON traces_consumers (token_hash);
CREATE INDEX traces_consumers_by_name ON traces_consumers (organisation_id, name_folded, id);

-- +goose Down
DROP TABLE traces_consumers;
