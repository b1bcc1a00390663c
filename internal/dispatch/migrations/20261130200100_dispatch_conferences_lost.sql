-- +goose Up
-- How many were in a conference when its node was found dead.
ALTER TABLE dispatch_conferences ADD COLUMN lost BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE dispatch_conferences DROP COLUMN lost;
