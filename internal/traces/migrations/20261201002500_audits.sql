-- +goose Up
-- Requests for audit of the traces: what is asked, what was decided, what came of it.
CREATE TABLE traces_requests (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  number TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  asked_id UUID NOT NULL,
  asked_name TEXT NOT NULL,
  asked_us BIGINT NOT NULL,
  -- For a patient: who asks, and how that was checked.
  behalf TEXT NOT NULL,
  checked TEXT NOT NULL,
  subject TEXT NOT NULL,
  reason TEXT NOT NULL,
  wanted_json TEXT NOT NULL,
  granted_json TEXT NOT NULL,
  decision TEXT NOT NULL,
  decided_id UUID,
  decided_name TEXT NOT NULL,
  decided_us BIGINT,
  delegate_id UUID,
  delegate_name TEXT NOT NULL,
  ends_us BIGINT,
  -- Why the names of staff are told to the patient; empty: they are masked.
  unmasked TEXT NOT NULL,
  unmasked_by TEXT NOT NULL,
  conclusion TEXT NOT NULL,
  closed_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX traces_requests_by_number ON traces_requests (organisation_id, number);

CREATE TABLE traces_request_advice (
  organisation_id UUID NOT NULL,
  request_id UUID NOT NULL,
  role TEXT NOT NULL,
  favourable BOOLEAN NOT NULL,
  words TEXT NOT NULL,
  by_id UUID NOT NULL,
  by_name TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, request_id, role)
);

-- +goose Down
DROP TABLE traces_request_advice;
DROP TABLE traces_requests;
