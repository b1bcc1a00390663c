-- +goose Up
CREATE TABLE inventory_items (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  code TEXT NOT NULL,
  match_key TEXT NOT NULL,
  criticality TEXT NOT NULL,
  owner_person_id UUID,
  owner_service_id UUID,
  site_id UUID,
  service_id UUID,
  supplier_id UUID,
  model TEXT NOT NULL,
  notes TEXT NOT NULL,
  source TEXT NOT NULL,
  search_folded TEXT NOT NULL,
  retired_us BIGINT,
  revision BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id)
);
CREATE UNIQUE INDEX inventory_items_by_match ON inventory_items (organisation_id, kind, match_key);
CREATE INDEX inventory_items_by_name ON inventory_items (organisation_id, name_folded, id);
CREATE INDEX inventory_items_by_supplier ON inventory_items (organisation_id, supplier_id);

-- By what traces, scans and technicians name a thing.
CREATE TABLE inventory_identifiers (
  organisation_id UUID NOT NULL,
  item_id UUID NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, kind, value, item_id)
);
CREATE INDEX inventory_identifiers_by_item ON inventory_identifiers (organisation_id, item_id);

-- What rests on what: from_id stops when to_id does.
CREATE TABLE inventory_links (
  organisation_id UUID NOT NULL,
  from_id UUID NOT NULL,
  to_id UUID NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, from_id, to_id)
);
CREATE INDEX inventory_links_by_target ON inventory_links (organisation_id, to_id);

CREATE TABLE inventory_imports (
  organisation_id UUID NOT NULL,
  id UUID NOT NULL,
  source TEXT NOT NULL,
  file_name TEXT NOT NULL,
  default_kind TEXT NOT NULL,
  state TEXT NOT NULL,
  header TEXT NOT NULL,
  signature TEXT NOT NULL,
  format TEXT NOT NULL,
  mapping TEXT NOT NULL,
  remembered BOOLEAN NOT NULL,
  total BIGINT NOT NULL,
  summary TEXT NOT NULL,
  retire BOOLEAN NOT NULL,
  actor_name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  applied_us BIGINT,
  PRIMARY KEY (organisation_id, id)
);

CREATE TABLE inventory_import_rows (
  organisation_id UUID NOT NULL,
  import_id UUID NOT NULL,
  seq BIGINT NOT NULL,
  line BIGINT NOT NULL,
  cells TEXT NOT NULL,
  problem TEXT NOT NULL,
  raw TEXT NOT NULL,
  PRIMARY KEY (organisation_id, import_id, seq)
);

CREATE TABLE inventory_import_results (
  organisation_id UUID NOT NULL,
  import_id UUID NOT NULL,
  seq BIGINT NOT NULL,
  line BIGINT NOT NULL,
  kind TEXT NOT NULL,
  pass BIGINT NOT NULL,
  item_id UUID,
  name TEXT NOT NULL,
  entry TEXT NOT NULL,
  changes TEXT NOT NULL,
  problems TEXT NOT NULL,
  done BOOLEAN NOT NULL,
  before_json TEXT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, import_id, seq)
);

CREATE TABLE inventory_mappings (
  organisation_id UUID NOT NULL,
  signature TEXT NOT NULL,
  mapping TEXT NOT NULL,
  used_us BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, signature)
);

-- +goose Down
DROP TABLE inventory_mappings;
DROP TABLE inventory_import_results;
DROP TABLE inventory_import_rows;
DROP TABLE inventory_imports;
DROP TABLE inventory_links;
DROP TABLE inventory_identifiers;
DROP TABLE inventory_items;
