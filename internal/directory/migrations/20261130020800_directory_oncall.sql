-- +goose Up
-- Functions that somebody holds at every instant. How each is held (rotations,
-- hours, fallback, chain) is one document: it changes as a whole, under a revision.
CREATE TABLE directory_oncall_functions (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  site_id UUID,
  zone TEXT NOT NULL,
  roster TEXT NOT NULL,
  revision BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX directory_oncall_functions_name ON directory_oncall_functions (organisation_id, name_folded);

-- Somebody in the place of whoever would hold a function. Those of a file count
-- while its import is current.
CREATE TABLE directory_oncall_replacements (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  function_id UUID NOT NULL,
  person_id UUID NOT NULL,
  from_us BIGINT NOT NULL,
  to_us BIGINT NOT NULL,
  import_id UUID,
  swap_id UUID,
  actor_name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX directory_oncall_replacements_end ON directory_oncall_replacements (organisation_id, to_us);
CREATE INDEX directory_oncall_replacements_import ON directory_oncall_replacements (organisation_id, import_id) WHERE import_id IS NOT NULL;

-- Two people who change places; nothing moves before it is accepted.
CREATE TABLE directory_oncall_swaps (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  function_id UUID NOT NULL,
  person_id UUID NOT NULL,
  from_us BIGINT NOT NULL,
  to_us BIGINT NOT NULL,
  other_id UUID NOT NULL,
  other_from_us BIGINT NOT NULL,
  other_to_us BIGINT NOT NULL,
  state TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  settled_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  settled_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX directory_oncall_swaps_function ON directory_oncall_swaps (organisation_id, function_id, state);

-- Calendars that programs subscribe to by a secret address, of which only the
-- digest is kept.
CREATE TABLE directory_oncall_calendars (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id UUID NOT NULL,
  code_digest TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX directory_oncall_calendars_code ON directory_oncall_calendars (code_digest);

CREATE TABLE directory_oncall_imports (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  file_name TEXT NOT NULL,
  state TEXT NOT NULL,
  rows_read BIGINT NOT NULL,
  kept BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  problems TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

-- +goose Down
DROP TABLE directory_oncall_imports;
DROP TABLE directory_oncall_calendars;
DROP TABLE directory_oncall_swaps;
DROP TABLE directory_oncall_replacements;
DROP TABLE directory_oncall_functions;
