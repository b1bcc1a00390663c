-- +goose Up
-- The personal code of somebody, for what is reserved for him by telephone, sealed by
-- the vault.
CREATE TABLE space_codes (
  organisation_id UUID NOT NULL,
  person_id UUID NOT NULL,
  sealed BYTEA NOT NULL,
  set_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, person_id)
);

-- Wrong codes, by the way they were tried: a call of ours, one that came in, the page.
CREATE TABLE space_code_tries (
  organisation_id UUID NOT NULL,
  person_id UUID NOT NULL,
  way TEXT NOT NULL,
  failures BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, person_id, way)
);

-- +goose Down
DROP TABLE space_code_tries;
DROP TABLE space_codes;
