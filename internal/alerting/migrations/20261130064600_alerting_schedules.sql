-- +goose Up
-- Alerts that leave by themselves, in exercise or test; next_us is NULL when none leaves any more.
CREATE TABLE alerting_schedules (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  scenario_id UUID NOT NULL,
  mode TEXT NOT NULL,
  timetable_json TEXT NOT NULL,
  late_min BIGINT NOT NULL,
  lasts_h BIGINT NOT NULL,
  planned_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  stopped_us BIGINT,
  next_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX alerting_schedules_due ON alerting_schedules (next_us) WHERE next_us IS NOT NULL;
-- What became of each date; end_us is when its alert ends by itself, NULL once it has.
CREATE TABLE alerting_schedule_runs (
  organisation_id UUID NOT NULL,
  schedule_id UUID NOT NULL,
  at_us BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  launch_id UUID,
  why TEXT NOT NULL,
  end_us BIGINT,
  PRIMARY KEY (organisation_id, schedule_id, at_us)
);
CREATE INDEX alerting_schedule_runs_end ON alerting_schedule_runs (end_us) WHERE end_us IS NOT NULL;

-- +goose Down
DROP TABLE alerting_schedule_runs;
DROP TABLE alerting_schedules;
