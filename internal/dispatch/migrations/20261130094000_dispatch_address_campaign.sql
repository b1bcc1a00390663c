-- +goose Up
-- What an address already carried in a campaign is asked for each lot of orders:
-- with the campaign in the index, SQLite no longer reads the whole campaign for it.
DROP INDEX dispatch_deliveries_address;
CREATE INDEX dispatch_deliveries_address ON dispatch_deliveries (organisation_id, lower(address), campaign_id);

-- +goose Down
DROP INDEX dispatch_deliveries_address;
CREATE INDEX dispatch_deliveries_address ON dispatch_deliveries (organisation_id, lower(address));
