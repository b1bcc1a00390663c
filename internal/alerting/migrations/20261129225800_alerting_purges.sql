-- +goose Up
-- The alerts whose names were erased, and when.
CREATE TABLE alerting_purges (
  organisation_id UUID NOT NULL,
  launch_id UUID NOT NULL,
  at_us BIGINT NOT NULL,
  people BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, launch_id)
);

-- +goose Down
DROP TABLE alerting_purges;
