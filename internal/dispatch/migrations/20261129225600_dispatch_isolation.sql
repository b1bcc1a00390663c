-- +goose Up
-- The text of a content while the outside cannot open our links; empty: the
-- same without its link.
ALTER TABLE dispatch_contents ADD COLUMN linkless TEXT NOT NULL DEFAULT '';

-- One row for each establishment whose links do not lead outside.
CREATE TABLE dispatch_isolation (
  organisation_id UUID NOT NULL,
  since_us BIGINT NOT NULL,
  set_by TEXT NOT NULL,
  automatic BOOLEAN NOT NULL,
  PRIMARY KEY (organisation_id)
);

-- +goose Down
DROP TABLE dispatch_isolation;
ALTER TABLE dispatch_contents DROP COLUMN linkless;
