-- +goose Up
-- Questions that somebody keeps, to ask them again.
CREATE TABLE traces_saved (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  -- The role that it is shared with; its owner sees it in any case.
  role TEXT NOT NULL,
  shared BOOLEAN NOT NULL,
  owner_id UUID NOT NULL,
  owner_name TEXT NOT NULL,
  span TEXT NOT NULL,
  why TEXT NOT NULL,
  inquiry_json TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

-- When a kept question is asked by itself, and who is told.
CREATE TABLE traces_schedules (
  organisation_id UUID NOT NULL,
  saved_id UUID NOT NULL,
  rhythm TEXT NOT NULL,
  day BIGINT NOT NULL,
  hour BIGINT NOT NULL,
  zone TEXT NOT NULL,
  only_found BOOLEAN NOT NULL,
  recipients_json TEXT NOT NULL,
  keep_days BIGINT NOT NULL,
  by_id UUID NOT NULL,
  by_name TEXT NOT NULL,
  since_us BIGINT NOT NULL,
  next_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, saved_id)
);
CREATE INDEX traces_schedules_by_next ON traces_schedules (next_us);

-- One answer that was due, and what became of it.
CREATE TABLE traces_runs (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  saved_id UUID NOT NULL,
  due_us BIGINT NOT NULL,
  -- Those before it that were due while the program did not run.
  missed BIGINT NOT NULL,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL,
  tried_us BIGINT NOT NULL,
  made_us BIGINT,
  events BIGINT NOT NULL,
  recipients_json TEXT NOT NULL,
  expires_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX traces_runs_by_saved ON traces_runs (organisation_id, saved_id, due_us);
CREATE INDEX traces_runs_by_state ON traces_runs (state, due_us);

-- The documents of an answer, sealed by the vault.
CREATE TABLE traces_documents (
  organisation_id UUID NOT NULL,
  run_id UUID NOT NULL,
  format TEXT NOT NULL,
  number TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (organisation_id, run_id, format)
);

-- Dashboards: kept questions side by side.
CREATE TABLE traces_boards (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  shared BOOLEAN NOT NULL,
  owner_id UUID NOT NULL,
  owner_name TEXT NOT NULL,
  why TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE TABLE traces_tiles (
  organisation_id UUID NOT NULL,
  board_id UUID NOT NULL,
  id UUID NOT NULL,
  place BIGINT NOT NULL,
  saved_id UUID NOT NULL,
  form TEXT NOT NULL,
  PRIMARY KEY (organisation_id, board_id, id)
);

-- +goose Down
DROP TABLE traces_tiles;
DROP TABLE traces_boards;
DROP TABLE traces_documents;
DROP TABLE traces_runs;
DROP TABLE traces_schedules;
DROP TABLE traces_saved;
