-- +goose Up
-- What each node uses of the contract of a gateway: together never more than
-- the contract. number grows at each renewal; rate is in thousandths of a
-- message per second, lots are deliveries in flight.
CREATE TABLE dispatch_shares (
  organisation_id UUID NOT NULL,
  gateway_id UUID NOT NULL,
  node TEXT NOT NULL,
  number BIGINT NOT NULL,
  able BOOLEAN NOT NULL,
  busy BOOLEAN NOT NULL,
  up BOOLEAN NOT NULL,
  carrying BOOLEAN NOT NULL,
  rate BIGINT NOT NULL,
  links BIGINT NOT NULL,
  lots BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, gateway_id, node)
);

-- +goose Down
DROP TABLE dispatch_shares;
