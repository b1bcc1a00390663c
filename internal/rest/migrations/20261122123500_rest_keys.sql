-- +goose Up
-- What was answered under an idempotency key. answered_us is NULL while the
-- operation runs, or when the process died in it.
CREATE TABLE rest_keys (
  organisation_id UUID NOT NULL,
  id TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  begun_us BIGINT NOT NULL,
  answered_us BIGINT,
  status BIGINT NOT NULL,
  body BYTEA,
  until_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX rest_keys_by_end ON rest_keys (until_us);

-- +goose Down
DROP TABLE rest_keys;
