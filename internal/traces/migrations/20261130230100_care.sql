-- +goose Up
-- Patients of whom messages of care spoke. Names and address are folded.
CREATE TABLE traces_care_patients (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  ipp TEXT NOT NULL,
  ins TEXT NOT NULL,
  surname TEXT NOT NULL,
  birth_name TEXT NOT NULL,
  given TEXT NOT NULL,
  address TEXT NOT NULL,
  postal TEXT NOT NULL,
  -- When the identity was last said, by the clock of who said it.
  said_us BIGINT NOT NULL,
  -- Named by the data protection officer, who says why.
  well_known BOOLEAN NOT NULL,
  well_known_why TEXT NOT NULL,
  touched_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX traces_care_patients_known ON traces_care_patients (organisation_id, well_known, id);

-- The numbers of a patient: several when two records were made one.
CREATE TABLE traces_care_numbers (
  organisation_id UUID NOT NULL,
  kind TEXT NOT NULL,
  number TEXT NOT NULL,
  -- As it was written: number is folded.
  shown TEXT NOT NULL,
  patient_id UUID NOT NULL,
  PRIMARY KEY (organisation_id, kind, number)
);
CREATE INDEX traces_care_numbers_of ON traces_care_numbers (organisation_id, patient_id);

-- The movements of stays, as they were said; a cancelled one stays, so that an
-- older message that comes late does not bring it back.
CREATE TABLE traces_care_moves (
  organisation_id UUID NOT NULL,
  patient_id UUID NOT NULL,
  visit TEXT NOT NULL,
  move TEXT NOT NULL,
  kind TEXT NOT NULL,
  class TEXT NOT NULL,
  cancelled BOOLEAN NOT NULL,
  at_us BIGINT NOT NULL,
  said_us BIGINT NOT NULL,
  services TEXT NOT NULL,
  people TEXT NOT NULL,
  touched_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, patient_id, visit, move)
);

-- Why a record may be opened: what follows from the movements, appointments,
-- prescriptions and teams.
CREATE TABLE traces_care_relations (
  organisation_id UUID NOT NULL,
  patient_id UUID NOT NULL,
  origin TEXT NOT NULL,
  seq BIGINT NOT NULL,
  kind TEXT NOT NULL,
  service TEXT NOT NULL,
  -- An account, or a number by which somebody is known.
  who TEXT NOT NULL,
  from_us BIGINT NOT NULL,
  to_us BIGINT,
  said_us BIGINT NOT NULL,
  touched_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, patient_id, origin, seq)
);
CREATE INDEX traces_care_relations_old ON traces_care_relations (organisation_id, touched_us);

-- Messages already kept: one sent again changes nothing.
CREATE TABLE traces_care_messages (
  organisation_id UUID NOT NULL,
  source_id UUID NOT NULL,
  control TEXT NOT NULL,
  kept_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, source_id, control)
);

-- How many messages of each kind a source sent.
CREATE TABLE traces_care_heard (
  organisation_id UUID NOT NULL,
  source_id UUID NOT NULL,
  what TEXT NOT NULL,
  kept BIGINT NOT NULL,
  aside BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, source_id, what)
);

-- Who works here, as the directory says: a copy, renewed every hour. Whoever is
-- in it no more keeps the day on which that was seen.
CREATE TABLE traces_care_members (
  organisation_id UUID NOT NULL,
  person_id UUID NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  surname TEXT NOT NULL,
  given TEXT NOT NULL,
  function TEXT NOT NULL,
  services TEXT NOT NULL,
  matricule TEXT NOT NULL,
  print TEXT NOT NULL,
  left_us BIGINT,
  PRIMARY KEY (organisation_id, person_id)
);
CREATE INDEX traces_care_members_by_name ON traces_care_members (organisation_id, name_folded, person_id);

-- By what an account is recognised as somebody's: number of the staff, RPPS, mail.
CREATE TABLE traces_care_keys (
  organisation_id UUID NOT NULL,
  word TEXT NOT NULL,
  -- As it was written: word is folded.
  shown TEXT NOT NULL,
  person_id UUID NOT NULL,
  how TEXT NOT NULL,
  PRIMARY KEY (organisation_id, word, person_id)
);
CREATE INDEX traces_care_keys_of ON traces_care_keys (organisation_id, person_id);

-- What somebody said of an account.
CREATE TABLE traces_care_accounts (
  organisation_id UUID NOT NULL,
  account TEXT NOT NULL,
  shown TEXT NOT NULL,
  kind TEXT NOT NULL,
  person_id UUID,
  tied_by TEXT NOT NULL,
  ipp TEXT NOT NULL,
  address TEXT NOT NULL,
  postal TEXT NOT NULL,
  said_by TEXT NOT NULL,
  touched_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, account)
);
CREATE INDEX traces_care_accounts_of ON traces_care_accounts (organisation_id, person_id);
CREATE INDEX traces_care_accounts_by_ipp ON traces_care_accounts (organisation_id, ipp);

-- Teams that go from service to service: an account and a service it cares in.
CREATE TABLE traces_care_teams (
  organisation_id UUID NOT NULL,
  account TEXT NOT NULL,
  service TEXT NOT NULL,
  from_us BIGINT NOT NULL,
  to_us BIGINT,
  PRIMARY KEY (organisation_id, account, service)
);

-- How long relations are kept.
CREATE TABLE traces_care_durations (
  organisation_id UUID NOT NULL,
  months BIGINT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id)
);

-- Files that wait to be confirmed, and what became of them.
CREATE TABLE traces_care_files (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  file_name TEXT NOT NULL,
  state TEXT NOT NULL,
  header TEXT NOT NULL,
  columns TEXT NOT NULL,
  total BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  done BIGINT NOT NULL,
  actor_name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE TABLE traces_care_lines (
  organisation_id UUID NOT NULL,
  file_id UUID NOT NULL,
  seq BIGINT NOT NULL,
  line BIGINT NOT NULL,
  cells TEXT NOT NULL,
  problem TEXT NOT NULL,
  raw TEXT NOT NULL,
  PRIMARY KEY (organisation_id, file_id, seq)
);

-- +goose Down
DROP TABLE traces_care_lines;
DROP TABLE traces_care_files;
DROP TABLE traces_care_durations;
DROP TABLE traces_care_teams;
DROP TABLE traces_care_accounts;
DROP TABLE traces_care_keys;
DROP TABLE traces_care_members;
DROP TABLE traces_care_heard;
DROP TABLE traces_care_messages;
DROP TABLE traces_care_relations;
DROP TABLE traces_care_moves;
DROP TABLE traces_care_numbers;
DROP TABLE traces_care_patients;
