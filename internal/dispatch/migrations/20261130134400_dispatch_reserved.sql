-- +goose Up
-- What is told to the addressee alone, after his code, as JSON; empty: nothing. body is
-- then for anybody, so that a program that does not know of this says no more than it.
ALTER TABLE dispatch_contents ADD COLUMN reserved TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE dispatch_contents DROP COLUMN reserved;
