-- +goose Up
CREATE TABLE alerting_scenarios (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  title_json TEXT NOT NULL,
  title_folded TEXT NOT NULL,
  family TEXT NOT NULL,
  profile TEXT NOT NULL,
  version BIGINT NOT NULL,
  library TEXT NOT NULL,
  improvised BOOLEAN NOT NULL,
  archived BOOLEAN NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

-- A version is written once and never changed.
CREATE TABLE alerting_versions (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  scenario_id UUID NOT NULL,
  number BIGINT NOT NULL,
  definition_json TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX alerting_versions_by_number ON alerting_versions (organisation_id, scenario_id, number);

-- +goose Down
DROP TABLE alerting_versions;
DROP TABLE alerting_scenarios;
