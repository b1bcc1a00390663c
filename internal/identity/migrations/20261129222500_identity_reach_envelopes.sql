-- +goose Up
-- Where the program itself writes to a person: one mobile, one e-mail address.
CREATE TABLE identity_reach (
  account_id UUID NOT NULL,
  medium TEXT NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (account_id, medium)
);

-- Codes in sealed envelopes, in the safe of an establishment. The selector is
-- the part of the code that finds the row; only a stretched hash is kept of the
-- whole. The readable code stays, sealed, until its author says it is printed.
CREATE TABLE identity_envelopes (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  label TEXT NOT NULL,
  selector TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  pending BYTEA,
  made_us BIGINT NOT NULL,
  made_by UUID NOT NULL,
  made_name TEXT NOT NULL,
  used_us BIGINT,
  used_name TEXT NOT NULL DEFAULT '',
  used_from TEXT NOT NULL DEFAULT '',
  revoked_us BIGINT,
  seen_us BIGINT,
  seen_name TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX identity_envelopes_by_selector ON identity_envelopes (organisation_id, selector);

-- The envelope that opened a session: such a session does less.
ALTER TABLE identity_sessions ADD COLUMN envelope_id UUID;

-- +goose Down
ALTER TABLE identity_sessions DROP COLUMN envelope_id;
DROP TABLE identity_envelopes;
DROP TABLE identity_reach;
