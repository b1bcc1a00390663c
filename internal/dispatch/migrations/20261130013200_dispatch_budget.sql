-- +goose Up
-- The ceiling of cost of a campaign, in millionths of a euro; 0: none. At the
-- ceiling its priced messages wait, when ceiling_stops, until a person lifts it.
ALTER TABLE dispatch_campaigns ADD COLUMN ceiling_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE dispatch_campaigns ADD COLUMN ceiling_stops BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE dispatch_campaigns ADD COLUMN lifted_us BIGINT;
CREATE INDEX dispatch_campaigns_ceiling ON dispatch_campaigns (organisation_id, opened_us) WHERE ceiling_stops AND lifted_us IS NULL;

-- What was accepted at a known price; each node adds to rows of its own.
CREATE TABLE dispatch_spending (
  organisation_id UUID NOT NULL,
  campaign_id UUID NOT NULL,
  medium TEXT NOT NULL,
  node TEXT NOT NULL,
  segments BIGINT NOT NULL,
  micros BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, campaign_id, medium, node)
);

-- +goose Down
DROP TABLE dispatch_spending;
DROP INDEX dispatch_campaigns_ceiling;
ALTER TABLE dispatch_campaigns DROP COLUMN lifted_us;
ALTER TABLE dispatch_campaigns DROP COLUMN ceiling_stops;
ALTER TABLE dispatch_campaigns DROP COLUMN ceiling_micros;
