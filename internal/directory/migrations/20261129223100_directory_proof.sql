-- +goose Up
-- A campaign writes to people by day, in portions, to prove that they can be
-- reached: a verification of their details by a personal link, or a short TEST.
CREATE TABLE directory_campaigns (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  state TEXT NOT NULL,
  audience TEXT NOT NULL,
  quota BIGINT NOT NULL,
  from_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL,
  remind_days BIGINT NOT NULL,
  reminders BIGINT NOT NULL,
  hour_from BIGINT NOT NULL,
  hour_to BIGINT NOT NULL,
  saturdays BOOLEAN NOT NULL,
  every_months BIGINT NOT NULL,
  frozen BOOLEAN NOT NULL,
  day TEXT NOT NULL,
  day_sent BIGINT NOT NULL,
  actor_name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  closed_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX directory_campaigns_open ON directory_campaigns (state, organisation_id) WHERE state IN ('planned', 'running');

-- Whom a campaign asks. The address is not kept here: it is looked up when a
-- message leaves, so that a number corrected meanwhile is the one used.
CREATE TABLE directory_asked (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  campaign_id UUID NOT NULL,
  person_id UUID NOT NULL,
  service_id UUID,
  zone TEXT NOT NULL,
  language TEXT NOT NULL,
  state TEXT NOT NULL,
  code TEXT NOT NULL,
  contact_id UUID,
  failed TEXT NOT NULL,
  sent BIGINT NOT NULL,
  next_us BIGINT,
  sent_us BIGINT,
  settled_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX directory_asked_code ON directory_asked (code);
CREATE INDEX directory_asked_campaign ON directory_asked (organisation_id, campaign_id, state);
CREATE INDEX directory_asked_next ON directory_asked (organisation_id, campaign_id, next_us) WHERE next_us IS NOT NULL;
CREATE INDEX directory_asked_person ON directory_asked (organisation_id, person_id);

-- What people correct: a new number waits until its owner answers from it.
CREATE TABLE directory_corrections (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  campaign_id UUID NOT NULL,
  asked_id UUID NOT NULL,
  person_id UUID NOT NULL,
  contact_id UUID,
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  state TEXT NOT NULL,
  code TEXT NOT NULL,
  made_us BIGINT NOT NULL,
  settled_us BIGINT,
  actor_name TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX directory_corrections_code ON directory_corrections (code);
CREATE INDEX directory_corrections_campaign ON directory_corrections (organisation_id, campaign_id, state);
CREATE INDEX directory_corrections_state ON directory_corrections (state) WHERE state = 'proven';

CREATE INDEX directory_contacts_foreign ON directory_contacts (organisation_id, person_id) WHERE state = 'foreign';

-- +goose Down
DROP INDEX directory_contacts_foreign;
DROP TABLE directory_corrections;
DROP TABLE directory_asked;
DROP TABLE directory_campaigns;
