-- +goose Up
-- What pages show of the quality, computed beside: one row per service.
CREATE TABLE directory_quality (
  organisation_id UUID NOT NULL,
  service_id UUID NOT NULL,
  people BIGINT NOT NULL,
  proven BIGINT NOT NULL,
  causes TEXT NOT NULL,
  computed_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, service_id)
);

-- +goose Down
DROP TABLE directory_quality;
