-- +goose Up
-- Why the mode was set by itself: 'silence' when no answer came by our links.
-- Empty for the probe, and for a person.
ALTER TABLE dispatch_isolation ADD COLUMN cause TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE dispatch_isolation DROP COLUMN cause;
