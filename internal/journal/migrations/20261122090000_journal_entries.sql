-- +goose Up
CREATE TABLE journal_entries (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  at_us BIGINT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  actor_name TEXT NOT NULL,
  actor_from TEXT NOT NULL,
  action TEXT NOT NULL,
  object_kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  object_name TEXT NOT NULL,
  before_json TEXT NOT NULL,
  after_json TEXT NOT NULL,
  search_folded TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX journal_entries_by_time ON journal_entries (organisation_id, at_us, id);
CREATE INDEX journal_entries_by_object ON journal_entries (organisation_id, object_kind, object_id, at_us);

-- +goose Down
DROP TABLE journal_entries;
