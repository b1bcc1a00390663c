-- +goose Up
-- The rules an establishment sets for its alerts; without a row, the defaults.
CREATE TABLE alerting_governance (
  organisation_id UUID PRIMARY KEY,
  second_above BIGINT NOT NULL,
  keep_days BIGINT NOT NULL,
  recall_json TEXT NOT NULL,
  updated_us BIGINT NOT NULL
);

-- A launch that waits for a second person, and what became of it.
CREATE TABLE alerting_requests (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  scenario_id UUID NOT NULL,
  title_json TEXT NOT NULL,
  mode TEXT NOT NULL,
  people BIGINT NOT NULL,
  draft_json TEXT NOT NULL,
  thing TEXT NOT NULL,
  asked_us BIGINT NOT NULL,
  asked_by UUID,
  asked_name TEXT NOT NULL,
  told BIGINT NOT NULL,
  state TEXT NOT NULL,
  until_us BIGINT NOT NULL,
  settled_us BIGINT,
  settled_by TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  launch_id UUID,
  PRIMARY KEY (organisation_id, id)
);
-- The same thing waits once: the second one to ask for it finds the first.
CREATE UNIQUE INDEX alerting_requests_waiting ON alerting_requests (organisation_id, thing) WHERE state = 'waiting';

-- +goose Down
DROP TABLE alerting_requests;
DROP TABLE alerting_governance;
