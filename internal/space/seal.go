package space

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// sealContext binds a sealed subscription to its device.
func sealContext(device uuid.UUID) string { return "space.device:" + device.String() }

// sealed is a subscription as it is kept: mark recognises its address, and is empty
// for none.
type sealed struct {
	mark string
	text []byte
}

// seal has the vault keep a subscription: who reads the database can send nothing to
// the device, and recognises no browser.
func (s *Service) seal(device uuid.UUID, x Subscription) (sealed, error) {
	if x.Endpoint == "" {
		return sealed{}, nil
	}
	plain, err := json.Marshal(x)
	if err != nil {
		return sealed{}, fmt.Errorf("seal a subscription: %w", err)
	}
	text, err := s.opt.Vault.Seal(plain, sealContext(device))
	return sealed{hex.EncodeToString(vault.Digest(x.Endpoint)), text}, err
}

// unseal reads a subscription again; one that was written before it was sealed is in plain.
func (s *Service) unseal(device uuid.UUID, text []byte, plain Subscription) (Subscription, error) {
	if len(text) == 0 {
		return plain, nil
	}
	said, err := s.opt.Vault.Open(text, sealContext(device))
	if err != nil {
		return plain, err
	}
	var x Subscription
	return x, json.Unmarshal(said, &x)
}

// sealOld seals what an earlier version wrote in plain. Whatever changed meanwhile is left.
func (s *Service) sealOld(ctx context.Context) error {
	instance := access.Instance(worker)
	type row struct {
		organisation, id uuid.UUID
		x                Subscription
	}
	var old []row
	if err := s.opt.DB.Read(ctx, instance, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, id, endpoint, peer_key, peer_secret FROM space_devices WHERE peer_key <> ''`, nil, func(read func(...any) error) error {
			var r row
			err := read(&r.organisation, &r.id, &r.x.Endpoint, &r.x.Key, &r.x.Secret)
			old = append(old, r)
			return err
		})
	}); err != nil {
		return err
	}
	for _, r := range old {
		k, err := s.seal(r.id, r.x)
		if err != nil {
			return err
		}
		if err := s.opt.DB.Write(ctx, instance.Within(r.organisation), func(tx *storage.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE space_devices SET endpoint = $3, sealed = $4, peer_key = '', peer_secret = '' WHERE organisation_id = $1 AND id = $2 AND endpoint = $5`,
				r.organisation, r.id, k.mark, k.text, r.x.Endpoint)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// Reseal seals subscriptions and codes again that an older key of the vault sealed, and returns
// how many. Only the program itself may ask.
func (s *Service) Reseal(ctx context.Context, scope access.Scope) (int, error) {
	return vault.Reseal(ctx, s.opt.DB, scope, s.opt.Vault,
		vault.Column{Table: "space_devices", Name: "sealed", Key: []string{"organisation_id", "id"}, Context: sealContext},
		vault.Column{Table: "space_codes", Name: "sealed", Key: []string{"organisation_id", "person_id"}, Context: codeContext},
	)
}
