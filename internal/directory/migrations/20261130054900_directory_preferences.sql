-- +goose Up
-- By which medium somebody asks to be called first, by day and by night: a wish,
-- followed when the alert uses that medium. Empty follows the alert.
CREATE TABLE directory_preferences (
  organisation_id UUID NOT NULL,
  person_id UUID NOT NULL,
  day_medium TEXT NOT NULL,
  night_medium TEXT NOT NULL,
  PRIMARY KEY (organisation_id, person_id)
);

-- +goose Down
DROP TABLE directory_preferences;
