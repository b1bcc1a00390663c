-- +goose Up
CREATE TABLE dispatch_gateways (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  medium TEXT NOT NULL,
  name TEXT NOT NULL,
  settings TEXT NOT NULL,
  secrets BYTEA NOT NULL,
  priority BIGINT NOT NULL,
  in_flight BIGINT NOT NULL,
  enabled BOOLEAN NOT NULL,
  updated_us BIGINT NOT NULL,
  deleted_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);

CREATE TABLE dispatch_campaigns (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  mode TEXT NOT NULL,
  max_per_subject BIGINT NOT NULL,
  max_total BIGINT NOT NULL,
  total BIGINT NOT NULL,
  opened_us BIGINT NOT NULL,
  stopped_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);

CREATE TABLE dispatch_contents (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  campaign_id UUID NOT NULL,
  medium TEXT NOT NULL,
  language TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

-- A lot is up to a few dozen deliveries that share everything but their
-- person. It is what a node claims: one row for the intent of many sends.
CREATE TABLE dispatch_lots (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  campaign_id UUID NOT NULL,
  content_id UUID NOT NULL,
  medium TEXT NOT NULL,
  purpose TEXT NOT NULL,
  wave BIGINT NOT NULL,
  priority BIGINT NOT NULL,
  quiet BOOLEAN NOT NULL,
  queued_us BIGINT NOT NULL,
  due_us BIGINT NOT NULL,
  expires_us BIGINT,
  remaining BIGINT NOT NULL,
  pending BOOLEAN NOT NULL,
  withdrawn BOOLEAN NOT NULL,
  holder TEXT,
  gateway_id UUID,
  lease_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX dispatch_lots_pending ON dispatch_lots (organisation_id, medium, priority, wave, due_us) WHERE pending;

CREATE TABLE dispatch_deliveries (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  lot_id UUID NOT NULL,
  campaign_id UUID NOT NULL,
  subject_id UUID NOT NULL,
  medium TEXT NOT NULL,
  address TEXT NOT NULL,
  link TEXT NOT NULL,
  token TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  attempts BIGINT NOT NULL DEFAULT 0,
  possible_double BOOLEAN NOT NULL DEFAULT FALSE,
  gateway_id UUID,
  provider_id TEXT,
  parts BIGINT NOT NULL DEFAULT 0,
  parts_done BIGINT NOT NULL DEFAULT 0,
  accepted_us BIGINT,
  settled_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX dispatch_deliveries_lot ON dispatch_deliveries (organisation_id, lot_id);
CREATE INDEX dispatch_deliveries_subject ON dispatch_deliveries (organisation_id, campaign_id, subject_id);
CREATE INDEX dispatch_deliveries_address ON dispatch_deliveries (organisation_id, lower(address));
CREATE INDEX dispatch_deliveries_provider ON dispatch_deliveries (organisation_id, provider_id) WHERE provider_id IS NOT NULL;
-- An SMS has no room for a token; the media whose replies carry one are looked up by it.
CREATE INDEX dispatch_deliveries_token ON dispatch_deliveries (organisation_id, token) WHERE token <> '' AND medium <> 'sms';

-- The second and further parts of a long message; the first is in its delivery.
CREATE TABLE dispatch_parts (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  gateway_id UUID NOT NULL,
  provider_id TEXT NOT NULL,
  delivery_id UUID NOT NULL,
  part BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX dispatch_parts_provider ON dispatch_parts (organisation_id, provider_id);

-- What a try answered, when it was not a plain acceptance.
CREATE TABLE dispatch_attempts (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  delivery_id UUID NOT NULL,
  gateway_id UUID NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX dispatch_attempts_delivery ON dispatch_attempts (organisation_id, delivery_id);

-- Receipts that came before the acceptance they follow, or for nothing we sent.
CREATE TABLE dispatch_orphans (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  gateway_id UUID NOT NULL,
  provider_id TEXT NOT NULL,
  delivered BOOLEAN NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

CREATE TABLE dispatch_replies (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  medium TEXT NOT NULL,
  gateway_id UUID NOT NULL,
  peer_id TEXT,
  sender TEXT NOT NULL,
  body TEXT NOT NULL,
  token TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  received_us BIGINT NOT NULL,
  campaign_id UUID,
  subject_id UUID,
  relayed BOOLEAN NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX dispatch_replies_peer ON dispatch_replies (organisation_id, gateway_id, peer_id) WHERE peer_id IS NOT NULL;
CREATE INDEX dispatch_replies_unrelayed ON dispatch_replies (organisation_id, id) WHERE NOT relayed;
CREATE INDEX dispatch_replies_unmatched ON dispatch_replies (organisation_id, received_us) WHERE subject_id IS NULL;

-- Facts that wait for the Sink, many to a row; a row goes once they are told.
CREATE TABLE dispatch_facts (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  facts TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);

-- Counts by state, kept as things happen; each node adds to rows of its own so
-- that nodes never wait for each other.
CREATE TABLE dispatch_tallies (
  organisation_id UUID NOT NULL,
  campaign_id UUID NOT NULL,
  medium TEXT NOT NULL,
  state TEXT NOT NULL,
  node TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, campaign_id, medium, state, node)
);

-- What gateways accepted, second by second.
CREATE TABLE dispatch_pace (
  organisation_id UUID NOT NULL,
  campaign_id UUID NOT NULL,
  medium TEXT NOT NULL,
  second BIGINT NOT NULL,
  node TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, campaign_id, medium, second, node)
);

-- +goose Down
DROP TABLE dispatch_pace;
DROP TABLE dispatch_tallies;
DROP TABLE dispatch_facts;
DROP TABLE dispatch_replies;
DROP TABLE dispatch_orphans;
DROP TABLE dispatch_attempts;
DROP TABLE dispatch_parts;
DROP TABLE dispatch_deliveries;
DROP TABLE dispatch_lots;
DROP TABLE dispatch_contents;
DROP TABLE dispatch_campaigns;
DROP TABLE dispatch_gateways;
