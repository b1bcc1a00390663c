-- +goose Up
-- What a gateway takes, and at what price; empty: every number, unknown price.
ALTER TABLE dispatch_gateways ADD COLUMN fares TEXT NOT NULL DEFAULT '';
-- Where the numbers of a lot are; empty for the media without routes.
ALTER TABLE dispatch_lots ADD COLUMN route TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE dispatch_lots DROP COLUMN route;
ALTER TABLE dispatch_gateways DROP COLUMN fares;
