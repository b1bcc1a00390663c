-- +goose Up
-- A token is the key of somebody else's program in one establishment. What is
-- kept of it opens nothing.
CREATE TABLE identity_tokens (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  hint TEXT NOT NULL,
  actions TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  revoked_us BIGINT,
  revoked_by TEXT NOT NULL,
  used_us BIGINT,
  used_from TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX identity_tokens_by_hash ON identity_tokens (token_hash);

-- +goose Down
DROP TABLE identity_tokens;
