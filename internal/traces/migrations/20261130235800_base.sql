-- +goose Up
-- Which base holds the traces where several nodes serve: one line at most. The
-- base is known by the id in its folder, not by its machine.
CREATE TABLE traces_base (
  place TEXT NOT NULL PRIMARY KEY,
  base_id UUID NOT NULL,
  host TEXT NOT NULL,
  seen_us BIGINT NOT NULL
);

-- +goose Down
DROP TABLE traces_base;
