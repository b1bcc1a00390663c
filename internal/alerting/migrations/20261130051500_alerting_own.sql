-- +goose Up
-- A person looks for the alerts that called him. received_us is when an answer
-- that was given without a network reached us; none for the others.
CREATE INDEX alerting_recipients_person ON alerting_recipients (organisation_id, person_id);
ALTER TABLE alerting_answers ADD COLUMN received_us BIGINT;

-- +goose Down
ALTER TABLE alerting_answers DROP COLUMN received_us;
DROP INDEX alerting_recipients_person;
