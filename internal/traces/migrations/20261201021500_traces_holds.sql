-- +goose Up
-- Legal holds: what a court or an authority has kept, whatever its age. What is
-- held is named here, as in traces_exports: for those who may hold, not the journal.
CREATE TABLE traces_holds (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  authority TEXT NOT NULL,
  reference TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- Who asked for it, in words: an investigator, the direction.
  requested_by TEXT NOT NULL,
  patient TEXT NOT NULL,
  account TEXT NOT NULL,
  person TEXT NOT NULL,
  source_id UUID,
  everything BOOLEAN NOT NULL,
  from_us BIGINT NOT NULL,
  to_us BIGINT NOT NULL,
  state TEXT NOT NULL,
  -- How many events there were when it was last counted; -1 while nobody could.
  found BIGINT NOT NULL,
  counted_us BIGINT,
  placed_id UUID NOT NULL,
  placed_name TEXT NOT NULL,
  placed_us BIGINT NOT NULL,
  -- The last wish to lift it, and what became of that.
  lift_reason TEXT NOT NULL,
  lift_asked_id UUID,
  lift_asked_name TEXT NOT NULL,
  lift_asked_us BIGINT,
  lift_decided_id UUID,
  lift_decided_name TEXT NOT NULL,
  lift_decided_us BIGINT,
  lift_refusal TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX traces_holds_by_state ON traces_holds (organisation_id, state);

-- How the purge of a class stands: since when one is under way, what it last left
-- because it is held, and what kept it from ending. The row without a class is the
-- one by which purges and holds take turns.
CREATE TABLE traces_purge_state (
  organisation_id UUID NOT NULL,
  class TEXT NOT NULL,
  began_us BIGINT,
  held BIGINT NOT NULL,
  problem TEXT NOT NULL,
  problem_us BIGINT,
  PRIMARY KEY (organisation_id, class)
);

ALTER TABLE traces_purges ADD COLUMN held BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE traces_purges DROP COLUMN held;
DROP TABLE traces_purge_state;
DROP TABLE traces_holds;
