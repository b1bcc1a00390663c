-- +goose Up
-- How the columns of an application go to the model; every version stays.
CREATE TABLE traces_mappings (
  organisation_id UUID NOT NULL,
  source_id UUID NOT NULL,
  version BIGINT NOT NULL,
  content TEXT NOT NULL,
  made_by TEXT NOT NULL,
  made_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, source_id, version)
);

-- The files given by applications, and how far each was read.
CREATE TABLE traces_files (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  source_id UUID NOT NULL,
  name TEXT NOT NULL,
  -- Where it came from (page, token, folder), and for a folder where it is.
  origin TEXT NOT NULL,
  path TEXT NOT NULL,
  -- What it is: of a file of a folder its beginning, so that a rotation is seen.
  sha256 BYTEA NOT NULL,
  head_bytes BIGINT NOT NULL,
  size BIGINT NOT NULL,
  modified_us BIGINT NOT NULL,
  state TEXT NOT NULL,
  -- The fault that refused it, as JSON.
  reason TEXT NOT NULL,
  mapping BIGINT NOT NULL,
  -- The boundary up to which every row is on the disk of the intake.
  read_bytes BIGINT NOT NULL,
  read_line BIGINT NOT NULL,
  rows_read BIGINT NOT NULL,
  rows_fresh BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  given_by TEXT NOT NULL,
  given_us BIGINT NOT NULL,
  ended_us BIGINT,
  -- The program that reads it, and until when it is believed to.
  holder TEXT NOT NULL,
  held_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX traces_files_by_source ON traces_files (organisation_id, source_id, id);
CREATE INDEX traces_files_by_state ON traces_files (state, given_us);

-- Eight bytes of each row that was taken, by ten minutes of its own time: an
-- export that repeats the rows of the last adds only what is new.
CREATE TABLE traces_lines (
  organisation_id UUID NOT NULL,
  source_id UUID NOT NULL,
  span BIGINT NOT NULL,
  file_id UUID NOT NULL,
  part BIGINT NOT NULL,
  fresh BYTEA NOT NULL,
  -- Rows that were known already, while the file is read: it may say one twice.
  known BYTEA NOT NULL,
  PRIMARY KEY (organisation_id, source_id, span, file_id, part)
);
CREATE INDEX traces_lines_by_file ON traces_lines (organisation_id, file_id);

-- The folder that is watched for a source.
CREATE TABLE traces_folders (
  organisation_id UUID NOT NULL,
  source_id UUID NOT NULL,
  path TEXT NOT NULL,
  patterns TEXT NOT NULL,
  way TEXT NOT NULL,
  seen_us BIGINT,
  reason TEXT NOT NULL,
  PRIMARY KEY (organisation_id, source_id)
);

-- The table of audit of an application, read by SQL.
CREATE TABLE traces_pulls (
  organisation_id UUID NOT NULL,
  source_id UUID NOT NULL,
  driver TEXT NOT NULL,
  settings TEXT NOT NULL,
  secret BYTEA NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  last_key TEXT NOT NULL,
  recent BYTEA NOT NULL,
  rows_read BIGINT NOT NULL,
  rows_fresh BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  due_us BIGINT NOT NULL,
  done_us BIGINT,
  PRIMARY KEY (organisation_id, source_id)
);

-- +goose Down
DROP TABLE traces_pulls;
DROP TABLE traces_folders;
DROP TABLE traces_lines;
DROP TABLE traces_files;
DROP TABLE traces_mappings;
