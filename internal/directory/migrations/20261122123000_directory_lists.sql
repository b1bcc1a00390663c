-- +goose Up
-- A list reads its order and its filters in one narrow place: finding that
-- nobody is called so costs the reading of this index, and of no row.
-- An entry must fit what PostgreSQL allows, so a search text has an end.
UPDATE directory_people SET search_folded = substr(search_folded, 1, 300) WHERE length(search_folded) > 300;
DROP INDEX directory_people_by_name;
CREATE INDEX directory_people_by_name ON directory_people
  (organisation_id, name_folded, id, since_gen, until_gen, search_folded, service_id, site_id, metier, status, departed_us, contract_end_us);

-- Who an import wrote, and who was changed since, in the order an undo takes them.
DROP INDEX directory_people_next;
CREATE INDEX directory_people_next ON directory_people (organisation_id, since_gen, until_gen, updated_us, id) WHERE since_gen > 0;

-- An extension is a ward's: that it is shared is no news, and nobody asks.
DROP INDEX directory_contacts_shared;
CREATE INDEX directory_contacts_shared ON directory_contacts (organisation_id, person_id) WHERE shared AND kind <> 'extension';

-- +goose Down
DROP INDEX directory_contacts_shared;
CREATE INDEX directory_contacts_shared ON directory_contacts (organisation_id, person_id) WHERE shared;
DROP INDEX directory_people_next;
CREATE INDEX directory_people_next ON directory_people (organisation_id, since_gen) WHERE since_gen > 0;
DROP INDEX directory_people_by_name;
CREATE INDEX directory_people_by_name ON directory_people (organisation_id, name_folded, id);
