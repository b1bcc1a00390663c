-- +goose Up
CREATE TABLE organisation_establishments (
  organisation_id UUID PRIMARY KEY,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  colour TEXT NOT NULL,
  zone TEXT NOT NULL,
  finess_ej TEXT NOT NULL,
  language TEXT NOT NULL,
  word TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL
);

CREATE TABLE organisation_nodes (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  code TEXT NOT NULL,
  code_folded TEXT NOT NULL,
  finess TEXT NOT NULL,
  address TEXT NOT NULL,
  zone TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  closed_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX organisation_nodes_by_name ON organisation_nodes (organisation_id, kind, name_folded);

CREATE TABLE organisation_links (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  parent_id UUID NOT NULL,
  child_id UUID NOT NULL,
  relation TEXT NOT NULL,
  from_us BIGINT NOT NULL,
  to_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);
CREATE INDEX organisation_links_by_child ON organisation_links (organisation_id, child_id, from_us);

-- +goose Down
DROP TABLE organisation_links;
DROP TABLE organisation_nodes;
DROP TABLE organisation_establishments;
