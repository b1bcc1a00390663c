-- +goose Up
-- How a person is recognised on the telephone: a number of her own, and a
-- stretched hash of her code.
CREATE TABLE identity_telephones (
  account_id UUID NOT NULL,
  number TEXT NOT NULL,
  pin_hash TEXT NOT NULL,
  set_us BIGINT NOT NULL,
  PRIMARY KEY (account_id)
);
CREATE UNIQUE INDEX identity_telephones_by_number ON identity_telephones (number);

-- +goose Down
DROP TABLE identity_telephones;
