-- +goose Up
-- Up to where the live flow was looked at, and what could not be.
CREATE TABLE traces_watched (
  name TEXT NOT NULL PRIMARY KEY,
  segment BIGINT NOT NULL,
  place BIGINT NOT NULL,
  examined BIGINT NOT NULL,
  -- What was released before it was looked at, bytes, and when last.
  skipped_bytes BIGINT NOT NULL,
  skipped_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL
);

-- What stood out, until somebody has said what it was.
CREATE TABLE traces_cases (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  -- A digest of what makes hits one case: family of rules, account, patient or place.
  grouping TEXT NOT NULL,
  rule TEXT NOT NULL,
  title TEXT NOT NULL,
  rules_json TEXT NOT NULL,
  state TEXT NOT NULL,
  -- How much it asks to be looked at, 1 to 100: of the case, never of a person.
  weight BIGINT NOT NULL,
  heaviest BIGINT NOT NULL,
  hits BIGINT NOT NULL,
  account TEXT NOT NULL,
  person TEXT NOT NULL,
  function_name TEXT NOT NULL,
  service TEXT NOT NULL,
  ipp TEXT NOT NULL,
  ins TEXT NOT NULL,
  patient_name TEXT NOT NULL,
  application TEXT NOT NULL,
  workstation TEXT NOT NULL,
  device TEXT NOT NULL,
  source_id UUID,
  first_us BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  opened_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  assigned_id UUID,
  assigned_name TEXT NOT NULL,
  closed_us BIGINT,
  closed_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  followed TEXT NOT NULL,
  -- Hits that came after a justification and opened nothing.
  repeats BIGINT NOT NULL,
  repeated_us BIGINT,
  earlier_id UUID,
  earlier_us BIGINT,
  told_us BIGINT,
  -- due, launched, held or failed; empty when it alerts nobody.
  alert TEXT NOT NULL,
  alert_us BIGINT,
  alert_error TEXT NOT NULL,
  launch_id UUID,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX traces_cases_by_grouping ON traces_cases (organisation_id, grouping, last_us);
CREATE INDEX traces_cases_by_state ON traces_cases (organisation_id, kind, state, weight);
CREATE INDEX traces_cases_by_opening ON traces_cases (organisation_id, opened_us);

-- Why it stands out: sentences of the catalogue with their values.
CREATE TABLE traces_case_evidence (
  organisation_id UUID NOT NULL,
  case_id UUID NOT NULL,
  id TEXT NOT NULL,
  rule TEXT NOT NULL,
  sentence TEXT NOT NULL,
  args_json TEXT NOT NULL,
  place BIGINT NOT NULL,
  hits BIGINT NOT NULL,
  first_us BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, case_id, id)
);

-- Who did what to a case, with the words that the journal does not keep.
CREATE TABLE traces_case_steps (
  organisation_id UUID NOT NULL,
  case_id UUID NOT NULL,
  id UUID NOT NULL,
  at_us BIGINT NOT NULL,
  by_name TEXT NOT NULL,
  act TEXT NOT NULL,
  words TEXT NOT NULL,
  PRIMARY KEY (organisation_id, case_id, id)
);

-- What a person said of a case, so that the same weighs less for a time.
CREATE TABLE traces_case_memory (
  organisation_id UUID NOT NULL,
  rule TEXT NOT NULL,
  account TEXT NOT NULL,
  about TEXT NOT NULL,
  case_id UUID NOT NULL,
  verdict TEXT NOT NULL,
  decided_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, rule, account, about)
);

-- The figures: what was examined, and what it gave.
CREATE TABLE traces_examined_days (
  organisation_id UUID NOT NULL,
  kind TEXT NOT NULL,
  day_us BIGINT NOT NULL,
  events BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, kind, day_us)
);
CREATE TABLE traces_hit_days (
  organisation_id UUID NOT NULL,
  rule TEXT NOT NULL,
  day_us BIGINT NOT NULL,
  kind TEXT NOT NULL,
  hits BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, rule, day_us)
);

-- What the law asks before the behaviour of staff is looked at, and whether it is.
CREATE TABLE traces_gates (
  organisation_id UUID NOT NULL PRIMARY KEY,
  assessment_day TEXT NOT NULL,
  assessment_author TEXT NOT NULL,
  assessment_advice TEXT NOT NULL,
  assessment_document TEXT NOT NULL,
  assessment_by TEXT NOT NULL,
  assessment_us BIGINT,
  staff_body TEXT NOT NULL,
  staff_day TEXT NOT NULL,
  staff_opinion TEXT NOT NULL,
  staff_by TEXT NOT NULL,
  staff_us BIGINT,
  notice_day TEXT NOT NULL,
  notice_how TEXT NOT NULL,
  notice_by TEXT NOT NULL,
  notice_us BIGINT,
  in_service BOOLEAN NOT NULL,
  switched_by TEXT NOT NULL,
  switched_us BIGINT,
  switched_why TEXT NOT NULL
);

-- From when a case opens and alerts, by kind of case.
CREATE TABLE traces_case_settings (
  organisation_id UUID NOT NULL,
  kind TEXT NOT NULL,
  opens_from BIGINT NOT NULL,
  alerts BOOLEAN NOT NULL,
  alerts_from BIGINT NOT NULL,
  alerts_hour BIGINT NOT NULL,
  scenario_id UUID,
  mode TEXT NOT NULL,
  keep_months BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, kind)
);

-- Rules that somebody switched off, and why.
CREATE TABLE traces_rules_off (
  organisation_id UUID NOT NULL,
  rule TEXT NOT NULL,
  by_name TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (organisation_id, rule)
);

-- +goose Down
DROP TABLE traces_rules_off;
DROP TABLE traces_case_settings;
DROP TABLE traces_gates;
DROP TABLE traces_hit_days;
DROP TABLE traces_examined_days;
DROP TABLE traces_case_memory;
DROP TABLE traces_case_steps;
DROP TABLE traces_case_evidence;
DROP TABLE traces_cases;
DROP TABLE traces_watched;
