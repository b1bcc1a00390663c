-- +goose Up
-- The audio conference of a campaign on one node: how many are in it, have been, and
-- were at most. seen_us is renewed while somebody is in it.
CREATE TABLE dispatch_conferences (
  organisation_id UUID NOT NULL,
  campaign_id UUID NOT NULL,
  node TEXT NOT NULL,
  present BIGINT NOT NULL,
  joins BIGINT NOT NULL,
  most BIGINT NOT NULL,
  seen_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, campaign_id, node)
);

-- +goose Down
DROP TABLE dispatch_conferences;
