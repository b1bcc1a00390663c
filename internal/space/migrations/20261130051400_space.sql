-- +goose Up
-- An invitation opens one device, once. Its code is not kept.
CREATE TABLE space_invitations (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  person_id UUID NOT NULL,
  code_hash BYTEA NOT NULL,
  made_by TEXT NOT NULL,
  made_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  used_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX space_invitations_code ON space_invitations (code_hash);
CREATE INDEX space_invitations_person ON space_invitations (organisation_id, person_id, made_us);

-- A device of a person. token_hash opens nothing; endpoint, peer_key and
-- peer_secret are where its notifications go, empty when it wants none.
CREATE TABLE space_devices (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  person_id UUID NOT NULL,
  name TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  made_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  seen_us BIGINT NOT NULL,
  endpoint TEXT NOT NULL,
  peer_key TEXT NOT NULL,
  peer_secret TEXT NOT NULL,
  failed_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX space_devices_token ON space_devices (token_hash);
CREATE INDEX space_devices_person ON space_devices (organisation_id, person_id);
CREATE INDEX space_devices_notified ON space_devices (organisation_id, person_id) WHERE endpoint <> '';

-- +goose Down
DROP TABLE space_devices;
DROP TABLE space_invitations;
