-- +goose Up
-- The recall orders as they were signed; a new announced hour adds a row under
-- the code of the first one.
CREATE TABLE alerting_recalls (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  recipient_id UUID NOT NULL,
  code TEXT NOT NULL,
  issued_us BIGINT NOT NULL,
  eta_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL,
  body TEXT NOT NULL,
  key_id TEXT NOT NULL,
  signature TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_recalls_by_code ON alerting_recalls (code);
CREATE INDEX alerting_recalls_by_recipient ON alerting_recalls (organisation_id, launch_id, recipient_id);

-- Who came in and went out, once for each time. A tick taken back keeps its row.
CREATE TABLE alerting_stays (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  recipient_id UUID NOT NULL,
  arrived_us BIGINT NOT NULL,
  arrived_by TEXT NOT NULL,
  left_us BIGINT,
  left_by TEXT NOT NULL DEFAULT '',
  undone_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_stays_by_recipient ON alerting_stays (organisation_id, launch_id, recipient_id);

-- What a service said of who was there already; its last word counts.
CREATE TABLE alerting_rolls (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  service_id UUID NOT NULL,
  service_name TEXT NOT NULL,
  site_name TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  noted_by TEXT NOT NULL,
  listed BIGINT NOT NULL,
  ticked BIGINT NOT NULL,
  others BIGINT NOT NULL,
  skills_json TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_rolls_by_launch ON alerting_rolls (organisation_id, launch_id, service_id, at_us);

CREATE TABLE alerting_roll_people (
  organisation_id UUID NOT NULL,
  roll_id UUID NOT NULL,
  person_id UUID NOT NULL,
  launch_id UUID NOT NULL,
  name TEXT NOT NULL,
  metier TEXT NOT NULL,
  PRIMARY KEY (organisation_id, roll_id, person_id)
);

-- +goose Down
DROP TABLE alerting_roll_people;
DROP TABLE alerting_rolls;
DROP TABLE alerting_stays;
DROP TABLE alerting_recalls;
