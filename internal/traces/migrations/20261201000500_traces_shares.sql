-- +goose Up
-- How many accesses to records the care explained, by day of the establishment
-- (days since 1970), service and application as the events name them.
CREATE TABLE traces_shares (
  organisation_id UUID NOT NULL,
  day BIGINT NOT NULL,
  service TEXT NOT NULL,
  application TEXT NOT NULL,
  explained BIGINT NOT NULL,
  unexplained BIGINT NOT NULL,
  not_judged BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, day, service, application)
);

-- +goose Down
DROP TABLE traces_shares;
