-- +goose Up
-- An account is a person of the instance: she may work for several
-- establishments. What she may do in each is in members and grants.
CREATE TABLE identity_accounts (
  id UUID PRIMARY KEY,
  login TEXT NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  language TEXT NOT NULL,
  password TEXT NOT NULL,
  password_us BIGINT,
  totp_sealed BYTEA,
  totp_step BIGINT NOT NULL,
  establishment_id UUID,
  disabled_us BIGINT,
  seen_us BIGINT,
  created_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX identity_accounts_by_login ON identity_accounts (login);

CREATE TABLE identity_members (
  organisation_id UUID NOT NULL,
  account_id UUID NOT NULL,
  suspended_us BIGINT,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, account_id)
);
CREATE INDEX identity_members_by_account ON identity_members (account_id);

CREATE TABLE identity_grants (
  organisation_id UUID NOT NULL,
  account_id UUID NOT NULL,
  role TEXT NOT NULL,
  PRIMARY KEY (organisation_id, account_id, role)
);

CREATE TABLE identity_passkeys (
  id UUID PRIMARY KEY,
  account_id UUID NOT NULL,
  credential_id BYTEA NOT NULL,
  credential TEXT NOT NULL,
  name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  used_us BIGINT
);
CREATE UNIQUE INDEX identity_passkeys_by_credential ON identity_passkeys (credential_id);
CREATE INDEX identity_passkeys_by_account ON identity_passkeys (account_id);

CREATE TABLE identity_recovery_codes (
  account_id UUID NOT NULL,
  code_hash BYTEA NOT NULL,
  used_us BIGINT,
  PRIMARY KEY (account_id, code_hash)
);

CREATE TABLE identity_sessions (
  id UUID PRIMARY KEY,
  token_hash BYTEA NOT NULL,
  account_id UUID NOT NULL,
  establishment_id UUID NOT NULL,
  stage TEXT NOT NULL,
  strong BOOLEAN NOT NULL,
  tries BIGINT NOT NULL,
  totp_pending BYTEA,
  codes_pending BYTEA,
  address TEXT NOT NULL,
  device TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  seen_us BIGINT NOT NULL,
  ends_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX identity_sessions_by_token ON identity_sessions (token_hash);
CREATE INDEX identity_sessions_by_account ON identity_sessions (account_id);

CREATE TABLE identity_devices (
  token_hash BYTEA NOT NULL,
  account_id UUID NOT NULL,
  seen_us BIGINT NOT NULL,
  PRIMARY KEY (token_hash, account_id)
);

CREATE TABLE identity_throttles (
  key_hash BYTEA PRIMARY KEY,
  failures BIGINT NOT NULL,
  last_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL
);

CREATE TABLE identity_links (
  token_hash BYTEA PRIMARY KEY,
  kind TEXT NOT NULL,
  account_id UUID,
  establishment_id UUID NOT NULL,
  expires_us BIGINT NOT NULL,
  used_us BIGINT,
  created_us BIGINT NOT NULL
);
CREATE INDEX identity_links_by_account ON identity_links (account_id);

CREATE TABLE identity_challenges (
  key_hash BYTEA PRIMARY KEY,
  data TEXT NOT NULL,
  expires_us BIGINT NOT NULL
);

-- +goose Down
DROP TABLE identity_challenges;
DROP TABLE identity_links;
DROP TABLE identity_throttles;
DROP TABLE identity_devices;
DROP TABLE identity_sessions;
DROP TABLE identity_recovery_codes;
DROP TABLE identity_passkeys;
DROP TABLE identity_grants;
DROP TABLE identity_members;
DROP TABLE identity_accounts;
