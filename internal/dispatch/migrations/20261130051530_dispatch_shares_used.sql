-- +goose Up
-- Of the connections a node may have, those it uses: the calls under way, for who
-- follows an alert.
ALTER TABLE dispatch_shares ADD COLUMN used BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE dispatch_shares DROP COLUMN used;
