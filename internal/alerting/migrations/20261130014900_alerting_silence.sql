-- +goose Up
-- After how many minutes without any answer by a link, while answers by SMS
-- arrive, our links are thought closed; 0: never. And of how many people at least.
ALTER TABLE alerting_governance ADD COLUMN silence_minutes BIGINT NOT NULL DEFAULT 15;
ALTER TABLE alerting_governance ADD COLUMN silence_people BIGINT NOT NULL DEFAULT 50;

-- +goose Down
ALTER TABLE alerting_governance DROP COLUMN silence_people;
ALTER TABLE alerting_governance DROP COLUMN silence_minutes;
