-- +goose Up
-- When the embedded base was copied last: one line at most.
CREATE TABLE traces_copies (
  place TEXT NOT NULL PRIMARY KEY,
  made_us BIGINT NOT NULL,
  bytes BIGINT NOT NULL
);

-- +goose Down
DROP TABLE traces_copies;
