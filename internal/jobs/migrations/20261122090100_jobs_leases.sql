-- +goose Up
CREATE TABLE jobs_leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  until_us BIGINT NOT NULL,
  epoch BIGINT NOT NULL
);

-- +goose Down
DROP TABLE jobs_leases;
