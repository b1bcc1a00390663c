-- +goose Up
-- A gateway whose provider refuses us: one row from the first sight of it to its
-- end. told_us is when the administrators were told.
CREATE TABLE dispatch_troubles (
  organisation_id UUID NOT NULL,
  gateway_id UUID NOT NULL,
  id UUID NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  since_us BIGINT NOT NULL,
  told_us BIGINT,
  PRIMARY KEY (organisation_id, gateway_id)
);

-- +goose Down
DROP TABLE dispatch_troubles;
