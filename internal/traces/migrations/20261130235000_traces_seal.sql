-- +goose Up
-- The log of an establishment: what was sealed, purged, cut and lost, in order.
-- hashes are those of the Merkle tree that are complete with this entry.
CREATE TABLE traces_log (
  organisation_id UUID NOT NULL,
  number BIGINT NOT NULL,
  kind TEXT NOT NULL,
  class TEXT NOT NULL,
  month TEXT NOT NULL,
  first_seq BIGINT NOT NULL,
  lo_us BIGINT NOT NULL,
  hi_us BIGINT NOT NULL,
  -- A block that is known to be no longer in the base: purged, or lost and told.
  gone BOOLEAN NOT NULL,
  entry TEXT NOT NULL,
  hashes BYTEA NOT NULL,
  PRIMARY KEY (organisation_id, number)
);
CREATE INDEX traces_log_by_file ON traces_log (organisation_id, class, month, first_seq);

-- The signed heads of the log.
CREATE TABLE traces_checkpoints (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  size BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  key_id TEXT NOT NULL,
  note TEXT NOT NULL,
  -- The answer of the time-stamping authority, and the time it says.
  stamp BYTEA,
  stamped_us BIGINT,
  -- When it was copied outside; what kept it from being copied or stamped.
  copied_us BIGINT,
  problem TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

-- +goose Down
DROP TABLE traces_checkpoints;
DROP TABLE traces_log;
