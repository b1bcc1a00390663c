-- +goose Up
-- Texts that somebody records by telephone; words is the text as it was when he asked.
CREATE TABLE alerting_dictations (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  scenario_id UUID NOT NULL,
  purpose TEXT NOT NULL,
  language TEXT NOT NULL,
  words TEXT NOT NULL,
  address TEXT NOT NULL,
  account_id UUID NOT NULL,
  asked_by TEXT NOT NULL,
  asked_us BIGINT NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  changed_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_dictations_asked ON alerting_dictations (asked_us);

-- +goose Down
DROP TABLE alerting_dictations;
