-- +goose Up
-- Where the notifications of a device go, sealed by the vault: the address and the keys.
-- endpoint then holds its digest alone, and peer_key and peer_secret nothing; rows of
-- before are sealed by the nightly sweep.
ALTER TABLE space_devices ADD COLUMN sealed BYTEA;

-- +goose Down
ALTER TABLE space_devices DROP COLUMN sealed;
