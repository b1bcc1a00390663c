-- +goose Up
CREATE TABLE alerting_launches (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  scenario_id UUID NOT NULL,
  version_id UUID NOT NULL,
  version BIGINT NOT NULL,
  title_json TEXT NOT NULL,
  family TEXT NOT NULL,
  profile TEXT NOT NULL,
  mode TEXT NOT NULL,
  state TEXT NOT NULL,
  launched_us BIGINT NOT NULL,
  ended_us BIGINT,
  ordered_by TEXT NOT NULL,
  launched_by TEXT NOT NULL,
  ended_by TEXT NOT NULL,
  values_json TEXT NOT NULL,
  setting_json TEXT NOT NULL,
  people BIGINT NOT NULL,
  left_out BIGINT NOT NULL,
  quota_met_us BIGINT,
  repeat_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_launches_running ON alerting_launches (organisation_id, id) WHERE state = 'running';
CREATE INDEX alerting_launches_by_scenario ON alerting_launches (organisation_id, scenario_id, launched_us);

-- One row per form sent and per thing launched: the second one finds it taken.
CREATE TABLE alerting_launch_keys (
  organisation_id UUID NOT NULL,
  id TEXT NOT NULL,
  launch_id UUID NOT NULL,
  until_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_launch_keys_by_launch ON alerting_launch_keys (organisation_id, launch_id);

-- The services and sites of an alert, named as they were that day.
CREATE TABLE alerting_units (
  organisation_id UUID NOT NULL,
  launch_id UUID NOT NULL,
  number BIGINT NOT NULL,
  site_id UUID,
  service_id UUID,
  site_name TEXT NOT NULL,
  service_name TEXT NOT NULL,
  PRIMARY KEY (organisation_id, launch_id, number)
);

CREATE TABLE alerting_recipients (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  person_id UUID NOT NULL,
  unit BIGINT NOT NULL,
  wave BIGINT NOT NULL,
  state TEXT NOT NULL,
  left_out TEXT NOT NULL,
  last_name TEXT NOT NULL,
  first_name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  language TEXT NOT NULL,
  skills TEXT NOT NULL,
  ladder TEXT NOT NULL,
  code TEXT,
  rung BIGINT NOT NULL,
  tried BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  current_id UUID,
  called_us BIGINT,
  reached_us BIGINT,
  answered_us BIGINT,
  meaning TEXT NOT NULL DEFAULT '',
  minutes BIGINT NOT NULL DEFAULT -1,
  eta_us BIGINT,
  arrived_us BIGINT,
  due_us BIGINT,
  marks BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX alerting_recipients_by_code ON alerting_recipients (code) WHERE code IS NOT NULL;
CREATE INDEX alerting_recipients_due ON alerting_recipients (organisation_id, launch_id, due_us) WHERE due_us IS NOT NULL;

-- One row per message that something happened to; a message nothing happened
-- to yet is the current_id of its recipient.
CREATE TABLE alerting_attempts (
  organisation_id UUID NOT NULL,
  recipient_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  medium TEXT NOT NULL,
  purpose TEXT NOT NULL,
  address TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  submitted_us BIGINT,
  delivered_us BIGINT,
  failed_us BIGINT,
  doubled BOOLEAN NOT NULL,
  PRIMARY KEY (organisation_id, recipient_id, id)
);

CREATE TABLE alerting_waves (
  organisation_id UUID NOT NULL,
  launch_id UUID NOT NULL,
  number BIGINT NOT NULL,
  state TEXT NOT NULL,
  people BIGINT NOT NULL,
  due_us BIGINT NOT NULL,
  opened_us BIGINT,
  PRIMARY KEY (organisation_id, launch_id, number)
);

-- What goes to many people of an alert in portions: a wave, a repetition, a word of the cell.
CREATE TABLE alerting_mailings (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  kind TEXT NOT NULL,
  wave BIGINT NOT NULL,
  audience TEXT NOT NULL,
  after_id UUID NOT NULL,
  sent BIGINT NOT NULL,
  from_us BIGINT NOT NULL,
  done_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_mailings_open ON alerting_mailings (organisation_id, id) WHERE done_us IS NULL;

-- The texts of an alert as they leave, one per use, medium, language and site.
CREATE TABLE alerting_contents (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  source_id UUID,
  purpose TEXT NOT NULL,
  medium TEXT NOT NULL,
  language TEXT NOT NULL,
  site_id UUID,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_contents_by_launch ON alerting_contents (organisation_id, launch_id);

-- Who fills which line of the quotas.
CREATE TABLE alerting_quota_people (
  organisation_id UUID NOT NULL,
  launch_id UUID NOT NULL,
  line BIGINT NOT NULL,
  recipient_id UUID NOT NULL,
  eta_us BIGINT NOT NULL,
  present BOOLEAN NOT NULL,
  PRIMARY KEY (organisation_id, launch_id, line, recipient_id)
);

-- Every answer, as given; never changed.
CREATE TABLE alerting_answers (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  recipient_id UUID NOT NULL,
  at_us BIGINT NOT NULL,
  source TEXT NOT NULL,
  meaning TEXT NOT NULL,
  minutes BIGINT NOT NULL,
  body TEXT NOT NULL,
  noted_by TEXT NOT NULL,
  late BOOLEAN NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_answers_by_recipient ON alerting_answers (organisation_id, recipient_id, at_us);
CREATE INDEX alerting_answers_by_launch ON alerting_answers (organisation_id, launch_id, at_us);

CREATE TABLE alerting_unmatched (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  at_us BIGINT NOT NULL,
  medium TEXT NOT NULL,
  sender TEXT NOT NULL,
  body TEXT NOT NULL,
  meaning TEXT NOT NULL,
  minutes BIGINT NOT NULL,
  recipient_id UUID,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_unmatched_open ON alerting_unmatched (organisation_id, at_us) WHERE recipient_id IS NULL;

CREATE TABLE alerting_events (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  at_us BIGINT NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  wave BIGINT NOT NULL,
  people BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_events_by_launch ON alerting_events (organisation_id, launch_id, at_us, id);

-- Running figures, so that a dashboard costs the same at 100 and at 100,000
-- people. slot is 0 for totals, else the minute since the launch or the unit.
CREATE TABLE alerting_counters (
  organisation_id UUID NOT NULL,
  launch_id UUID NOT NULL,
  name TEXT NOT NULL,
  slot BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, launch_id, name, slot)
);

-- +goose Down
DROP TABLE alerting_counters;
DROP TABLE alerting_events;
DROP TABLE alerting_unmatched;
DROP TABLE alerting_answers;
DROP TABLE alerting_quota_people;
DROP TABLE alerting_contents;
DROP TABLE alerting_mailings;
DROP TABLE alerting_waves;
DROP TABLE alerting_attempts;
DROP TABLE alerting_recipients;
DROP TABLE alerting_units;
DROP TABLE alerting_launch_keys;
DROP TABLE alerting_launches;
