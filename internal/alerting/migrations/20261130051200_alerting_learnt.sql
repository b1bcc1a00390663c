-- +goose Up
-- What past alerts taught, by kind of person and by hour, never by person: counts
-- only, and no line for fewer people than a crowd. The day is that of the house's
-- own zone, from 0 for Sunday. skill is empty for everyone together. medium is
-- empty for people, else tried, lost, reached and answered are messages.
CREATE TABLE alerting_learnt (
  organisation_id UUID NOT NULL,
  skill TEXT NOT NULL,
  day BIGINT NOT NULL,
  hour BIGINT NOT NULL,
  medium TEXT NOT NULL,
  alerts BIGINT NOT NULL,
  tried BIGINT NOT NULL,
  lost BIGINT NOT NULL,
  reached BIGINT NOT NULL,
  answered BIGINT NOT NULL,
  coming BIGINT NOT NULL,
  awaited BIGINT NOT NULL,
  arrived BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, skill, day, hour, medium)
);

-- How long things took, all people together: slot n holds what lasted from
-- 2^(n/2) to 2^((n+1)/2) seconds.
CREATE TABLE alerting_learnt_delays (
  organisation_id UUID NOT NULL,
  kind TEXT NOT NULL,
  slot BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, kind, slot)
);

-- The alerts that were counted, each once, or that taught nothing.
CREATE TABLE alerting_learnt_launches (
  organisation_id UUID NOT NULL,
  launch_id UUID NOT NULL,
  at_us BIGINT NOT NULL,
  people BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, launch_id)
);

-- +goose Down
DROP TABLE alerting_learnt_launches;
DROP TABLE alerting_learnt_delays;
DROP TABLE alerting_learnt;
