-- +goose Up
-- Which source of a field wins where two disagree: "hand", or "list:" and the name
-- of a list. A field without a row follows the usual rule.
CREATE TABLE directory_field_rules (
  organisation_id UUID NOT NULL,
  field TEXT NOT NULL,
  precedence TEXT NOT NULL,
  PRIMARY KEY (organisation_id, field)
);

-- +goose Down
DROP TABLE directory_field_rules;
