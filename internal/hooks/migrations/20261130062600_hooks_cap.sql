-- +goose Up
-- Who reads what is published: code is the digest of a secret address.
CREATE TABLE hooks_readers (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  code BYTEA NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  read_us BIGINT,
  deleted_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX hooks_readers_code ON hooks_readers (code);

-- What is published: a message never changes once it is written.
CREATE TABLE hooks_messages (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  launch_id UUID NOT NULL,
  number BIGINT NOT NULL,
  sender TEXT NOT NULL,
  kind TEXT NOT NULL,
  sent_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  title TEXT NOT NULL,
  establishment TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX hooks_messages_of ON hooks_messages (organisation_id, launch_id, number);

-- +goose Down
DROP TABLE hooks_messages;
DROP TABLE hooks_readers;
