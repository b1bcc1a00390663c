-- +goose Up
-- Rehearsals: what was asked, how far it is, and curves in which nobody has a name.
CREATE TABLE alerting_rehearsals (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  scenario_id UUID NOT NULL,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  asked_us BIGINT NOT NULL,
  asked_by TEXT NOT NULL,
  order_json TEXT NOT NULL,
  done BIGINT NOT NULL,
  total BIGINT NOT NULL,
  lease_us BIGINT NOT NULL,
  finished_us BIGINT,
  result_json TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_rehearsals_by_scenario ON alerting_rehearsals (organisation_id, scenario_id, id);
CREATE INDEX alerting_rehearsals_open ON alerting_rehearsals (asked_us) WHERE finished_us IS NULL;

-- +goose Down
DROP TABLE alerting_rehearsals;
