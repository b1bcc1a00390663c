-- +goose Up
-- Since when the relief that a wave calls has its people; NULL while it misses some.
ALTER TABLE alerting_waves ADD COLUMN met_us BIGINT;
-- The rest, in hours, before a relief counts somebody who came before.
ALTER TABLE alerting_governance ADD COLUMN rest_hours BIGINT NOT NULL DEFAULT 11;

-- +goose Down
ALTER TABLE alerting_governance DROP COLUMN rest_hours;
ALTER TABLE alerting_waves DROP COLUMN met_us;
