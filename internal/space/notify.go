package space

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Subscription is what a browser gives to be notified (W3C Push API).
type Subscription struct{ Endpoint, Key, Secret string }

// read refuses what is no subscription. Which services are spoken to is the
// channel's to say, at the moment it speaks.
func (x Subscription) read() error {
	wrong := fault.New(fault.Invalid, "space.notify.wrong")
	u, err := url.Parse(x.Endpoint)
	if err != nil || len(x.Endpoint) > channels.EndpointMost || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsAny(x.Endpoint, " \r\n\t") {
		return wrong
	}
	key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(x.Key, "="))
	if err != nil {
		return wrong
	}
	if _, err := ecdh.P256().NewPublicKey(key); err != nil {
		return wrong
	}
	if secret, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(x.Secret, "=")); err != nil || len(secret) != 16 {
		return wrong
	}
	return nil
}

// Subscribe has the holder's device notified. Errors: Invalid.
func (s *Service) Subscribe(ctx context.Context, h Holder, x Subscription, from string) error {
	if err := x.read(); err != nil {
		return err
	}
	return s.notified(ctx, h, x, from, "space.notify.on")
}

// Unsubscribe ends it.
func (s *Service) Unsubscribe(ctx context.Context, h Holder, from string) error {
	return s.notified(ctx, h, Subscription{}, from, "space.notify.off")
}

func (s *Service) notified(ctx context.Context, h Holder, x Subscription, from, action string) error {
	now, org := s.opt.Clock.Now(), h.scope.Organisation()
	x.Key, x.Secret = strings.TrimRight(x.Key, "="), strings.TrimRight(x.Secret, "=")
	k, err := s.seal(h.Device.ID, x)
	if err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, h.scope, func(tx *storage.Tx) error {
		// A browser that changed hands notifies its last holder only.
		if _, err := tx.Exec(ctx, `UPDATE space_devices SET endpoint = '', peer_key = '', peer_secret = '', sealed = NULL
			WHERE organisation_id = $1 AND endpoint IN ($2, $4) AND endpoint <> '' AND id <> $3`, org, x.Endpoint, h.Device.ID, k.mark); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE space_devices SET endpoint = $3, peer_key = '', peer_secret = '', sealed = $4, failed_us = NULL WHERE organisation_id = $1 AND id = $2`,
			org, h.Device.ID, k.mark, k.text); err != nil {
			return err
		}
		return journal.Append(ctx, tx, h.agent(from), now, journal.Entry{Action: action, ObjectKind: "person", ObjectID: h.Device.Person.String()})
	})
}

// PushKey is the key that browsers of the holder's establishment subscribe
// under; empty where no gateway notifies.
func (s *Service) PushKey(ctx context.Context, h Holder) (string, error) {
	g, _, err := s.notifier(ctx, h)
	return g.Settings.Get(channels.PushPublicKey), err
}

// notifier is the gateway that notifies, where there is one.
func (s *Service) notifier(ctx context.Context, h Holder) (g dispatch.Gateway, found bool, err error) {
	list, err := s.opt.Dispatch.Gateways(ctx, h.scope)
	if err != nil {
		return g, false, err
	}
	i := slices.IndexFunc(list, func(g dispatch.Gateway) bool { return g.Enabled && g.Medium == channels.Push })
	if i < 0 {
		return g, false, nil
	}
	return list[i], true, nil
}

// Notified implements directory.DeviceDesk.
func (s *Service) Notified(ctx context.Context, tx *storage.Tx, scope access.Scope) (map[uuid.UUID]bool, error) {
	out := map[uuid.UUID]bool{}
	err := tx.Query(ctx, `SELECT DISTINCT person_id FROM space_devices WHERE organisation_id = $1 AND endpoint <> ''`, []any{scope.Organisation()},
		func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			out[id] = true
			return err
		})
	return out, err
}

// DevicesOf are those of a person that are notified; the address is his id.
func (s *Service) DevicesOf(ctx context.Context, address string) (out []channels.Device, err error) {
	person, err := uuid.Parse(address)
	if err != nil {
		return nil, nil
	}
	now := s.opt.Clock.Now()
	err = s.opt.DB.Read(ctx, access.Instance(worker), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT id, endpoint, peer_key, peer_secret, sealed FROM space_devices WHERE person_id = $1 AND endpoint <> '' AND expires_us > $2 ORDER BY id`,
			[]any{person, storage.Micros(now)}, func(row func(...any) error) error {
				var d channels.Device
				var x Subscription
				var text []byte
				if err := row(&d.ID, &x.Endpoint, &x.Key, &x.Secret, &text); err != nil {
					return err
				}
				x, err := s.unseal(d.ID, text, x)
				d.Endpoint, d.Key, d.Secret = x.Endpoint, x.Key, x.Secret
				out = append(out, d)
				return err
			})
	})
	return out, err
}

// Gone notes that the service of a device no longer knows it: it is notified no
// more until its holder asks again.
func (s *Service) Gone(ctx context.Context, device uuid.UUID) error {
	return s.opt.DB.Write(ctx, access.Instance(worker), func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE space_devices SET endpoint = '', peer_key = '', peer_secret = '', sealed = NULL, failed_us = $2 WHERE id = $1 AND endpoint <> ''`, device, storage.Micros(s.opt.Clock.Now()))
		return err
	})
}
