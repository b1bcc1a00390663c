-- +goose Up
CREATE TABLE directory_imports (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  source TEXT NOT NULL,
  file_name TEXT NOT NULL,
  state TEXT NOT NULL,
  header TEXT NOT NULL,
  signature TEXT NOT NULL,
  format TEXT NOT NULL,
  mapping TEXT NOT NULL,
  remembered BOOLEAN NOT NULL,
  total BIGINT NOT NULL,
  done BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  summary TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  applied_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX directory_imports_by_state ON directory_imports (state);

-- The file, row by row; it goes once the import is applied, unreadable rows excepted.
CREATE TABLE directory_import_rows (
  organisation_id UUID NOT NULL,
  import_id UUID NOT NULL,
  seq BIGINT NOT NULL,
  line BIGINT NOT NULL,
  cells TEXT NOT NULL,
  problem TEXT NOT NULL,
  raw TEXT NOT NULL,
  PRIMARY KEY (organisation_id, import_id, seq)
);

-- What each row would change, for the rows that change or complain.
CREATE TABLE directory_import_results (
  organisation_id UUID NOT NULL,
  import_id UUID NOT NULL,
  seq BIGINT NOT NULL,
  line BIGINT NOT NULL,
  kind TEXT NOT NULL,
  person_id UUID,
  name TEXT NOT NULL,
  entry TEXT NOT NULL,
  fields TEXT NOT NULL,
  changes TEXT NOT NULL,
  problems TEXT NOT NULL,
  errors BIGINT NOT NULL,
  warnings BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, import_id, seq)
);

CREATE TABLE directory_mappings (
  organisation_id UUID NOT NULL,
  source TEXT NOT NULL,
  signature TEXT NOT NULL,
  header TEXT NOT NULL,
  mapping TEXT NOT NULL,
  used_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, source, signature)
);

-- +goose Down
DROP TABLE directory_mappings;
DROP TABLE directory_import_results;
DROP TABLE directory_import_rows;
DROP TABLE directory_imports;
