-- +goose Up
-- What one alert may cost, in cents of a euro; 0: no ceiling.
ALTER TABLE alerting_governance ADD COLUMN ceiling_cents BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE alerting_governance DROP COLUMN ceiling_cents;
