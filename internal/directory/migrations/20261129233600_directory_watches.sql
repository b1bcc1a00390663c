-- +goose Up
-- From when the directory has decayed, and which alarms ring.
CREATE TABLE directory_watches (
  organisation_id UUID PRIMARY KEY,
  thresholds TEXT NOT NULL,
  raised TEXT NOT NULL,
  checked_us BIGINT NOT NULL
);

-- +goose Down
DROP TABLE directory_watches;
