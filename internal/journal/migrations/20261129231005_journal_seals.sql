-- +goose Up
-- The chain, written by the sealer after the entry: its rank, a salt, the digest
-- of salt and entry, and the digest of the chain so far with this one. An entry
-- whose words were erased keeps its digest and loses its salt.
ALTER TABLE journal_entries ADD COLUMN seal_number BIGINT;
ALTER TABLE journal_entries ADD COLUMN seal_salt BYTEA;
ALTER TABLE journal_entries ADD COLUMN seal_digest BYTEA;
ALTER TABLE journal_entries ADD COLUMN seal_chain BYTEA;
ALTER TABLE journal_entries ADD COLUMN erased_us BIGINT;
CREATE UNIQUE INDEX journal_entries_by_seal ON journal_entries (organisation_id, seal_number) WHERE seal_number IS NOT NULL;
CREATE INDEX journal_entries_unsealed ON journal_entries (organisation_id, id) WHERE seal_number IS NULL;

-- One signed head of the chain a day: the last of that day.
CREATE TABLE journal_heads (
  organisation_id UUID NOT NULL,
  day BIGINT NOT NULL,
  number BIGINT NOT NULL,
  chain BYTEA NOT NULL,
  at_us BIGINT NOT NULL,
  key_id TEXT NOT NULL,
  signature BYTEA NOT NULL,
  PRIMARY KEY (organisation_id, day)
);

-- +goose Down
DROP TABLE journal_heads;
DROP INDEX journal_entries_unsealed;
DROP INDEX journal_entries_by_seal;
ALTER TABLE journal_entries DROP COLUMN erased_us;
ALTER TABLE journal_entries DROP COLUMN seal_chain;
ALTER TABLE journal_entries DROP COLUMN seal_digest;
ALTER TABLE journal_entries DROP COLUMN seal_salt;
ALTER TABLE journal_entries DROP COLUMN seal_number;
