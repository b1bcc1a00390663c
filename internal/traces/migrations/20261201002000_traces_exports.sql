-- +goose Up
-- Archives that leave for justice or for a patient: who asked, who decided, and
-- what became of each. The archive itself lies sealed in a file.
CREATE TABLE traces_exports (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  authority TEXT NOT NULL,
  reference TEXT NOT NULL,
  identity_check TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- Why the names of staff are not masked for a patient; empty when they are.
  exception TEXT NOT NULL,
  selection_json TEXT NOT NULL,
  found BIGINT NOT NULL,
  state TEXT NOT NULL,
  asked_id UUID NOT NULL,
  asked_name TEXT NOT NULL,
  asked_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  decided_id UUID,
  decided_name TEXT NOT NULL,
  decided_us BIGINT,
  decision TEXT NOT NULL,
  tries BIGINT NOT NULL,
  events BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  ready_us BIGINT,
  until_us BIGINT,
  problem TEXT NOT NULL,
  taken BIGINT NOT NULL,
  taken_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX traces_exports_by_state ON traces_exports (state);

-- +goose Down
DROP TABLE traces_exports;
