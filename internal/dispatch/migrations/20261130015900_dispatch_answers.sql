-- +goose Up
-- The answers that a medium with keys proposes beside the text, as JSON; empty: none.
ALTER TABLE dispatch_contents ADD COLUMN answers TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE dispatch_contents DROP COLUMN answers;
