-- +goose Up
-- points, mobiles, tried and proven_us repeat what the contact points say, so
-- that lists and figures need not read them all.
--
-- human_keys is the evidence that links rows to one human being: keyed hashes
-- only, of which human_by names the key.
--
-- A row is one version of a person: seen from generation since_gen on and
-- before until_gen. An import writes the next generation beside the present one
-- and shows it by changing one number.
CREATE TABLE directory_state (
  organisation_id UUID PRIMARY KEY,
  generation BIGINT NOT NULL,
  last_generation BIGINT NOT NULL,
  applying UUID,
  quality_stale BOOLEAN NOT NULL
);

CREATE TABLE directory_people (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  since_gen BIGINT NOT NULL,
  until_gen BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  source TEXT NOT NULL,
  match_key TEXT NOT NULL,
  matricule TEXT NOT NULL,
  rpps TEXT NOT NULL,
  last_name TEXT NOT NULL,
  first_name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  search_folded TEXT NOT NULL,
  metier TEXT NOT NULL,
  metier_label TEXT NOT NULL,
  qualifications TEXT NOT NULL,
  service_id UUID,
  site_id UUID,
  status TEXT NOT NULL,
  semester TEXT NOT NULL,
  language TEXT NOT NULL,
  protected BOOLEAN NOT NULL,
  refused TEXT NOT NULL,
  rest_until_us BIGINT,
  contract_end_us BIGINT,
  absent_from_us BIGINT,
  absent_to_us BIGINT,
  departed_us BIGINT,
  points BIGINT NOT NULL,
  mobiles BIGINT NOT NULL,
  tried BOOLEAN NOT NULL,
  proven_us BIGINT,
  human_id UUID NOT NULL,
  human_keys TEXT NOT NULL,
  human_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id, since_gen)
);
CREATE INDEX directory_people_by_name ON directory_people (organisation_id, name_folded, id);
CREATE INDEX directory_people_by_match ON directory_people (organisation_id, match_key);
CREATE INDEX directory_people_twins ON directory_people (organisation_id, human_id) WHERE human_id <> id;
CREATE INDEX directory_people_unarmed ON directory_people (organisation_id, name_folded) WHERE mobiles = 0;
CREATE INDEX directory_people_next ON directory_people (organisation_id, since_gen) WHERE since_gen > 0;
CREATE INDEX directory_people_past ON directory_people (organisation_id, until_gen) WHERE until_gen < 9223372036854775807;

CREATE TABLE directory_contacts (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  since_gen BIGINT NOT NULL,
  until_gen BIGINT NOT NULL,
  person_id UUID NOT NULL,
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  label TEXT NOT NULL,
  private BOOLEAN NOT NULL,
  shared BOOLEAN NOT NULL,
  rank BIGINT NOT NULL,
  source TEXT NOT NULL,
  origin TEXT NOT NULL,
  state TEXT NOT NULL,
  state_us BIGINT,
  delivered_us BIGINT,
  answered_us BIGINT,
  failures BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, person_id, id, since_gen)
);
CREATE INDEX directory_contacts_by_address ON directory_contacts (organisation_id, address);
CREATE INDEX directory_contacts_stopped ON directory_contacts (organisation_id, person_id) WHERE state = 'stopped';
CREATE INDEX directory_contacts_bounced ON directory_contacts (organisation_id, person_id) WHERE state = 'bounced';
CREATE INDEX directory_contacts_failed ON directory_contacts (organisation_id, person_id) WHERE state = 'failed';
CREATE INDEX directory_contacts_shared ON directory_contacts (organisation_id, person_id) WHERE shared;

CREATE TABLE directory_groups (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  purpose TEXT NOT NULL,
  rule TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX directory_groups_by_name ON directory_groups (organisation_id, name_folded);

CREATE TABLE directory_members (
  organisation_id UUID NOT NULL,
  group_id UUID NOT NULL,
  person_id UUID NOT NULL,
  PRIMARY KEY (organisation_id, group_id, person_id)
);

-- Never a reason: only from when to when.
CREATE TABLE directory_absences (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  person_id UUID NOT NULL,
  from_us BIGINT NOT NULL,
  to_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX directory_absences_by_person ON directory_absences (organisation_id, person_id, from_us);

-- +goose Down
DROP TABLE directory_absences;
DROP TABLE directory_members;
DROP TABLE directory_groups;
DROP TABLE directory_contacts;
DROP TABLE directory_people;
DROP TABLE directory_state;
