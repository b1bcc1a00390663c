package alerting

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// CheckRecall verifies the order of a code for whoever asks, without recording
// anything. Its answer is taken from the signed text and from the facts of this
// instant; a code that leads nowhere gives RecallInvalid and no error.
func (s *Service) CheckRecall(ctx context.Context, code string, now time.Time) (RecallCheck, error) {
	unknown := RecallCheck{Status: RecallInvalid, Reason: RecallUnknown, Zone: time.UTC}
	code = vault.ReadLinkCode(code)
	if code == "" {
		return unknown, nil
	}
	var org, id uuid.UUID
	found := false
	instance := access.Instance("recall page")
	err := s.db.Read(ctx, instance, func(tx *storage.Tx) (err error) {
		found, err = tx.Row(ctx, `SELECT organisation_id, recipient_id FROM alerting_recalls WHERE code = $1`, []any{code}, &org, &id)
		return err
	})
	if err != nil || !found {
		return unknown, err
	}
	return s.checkRecallOf(ctx, instance.Within(org), id, now)
}

// OpenRecall is CheckRecall for the person herself, by the code of her answer
// page. RecallUnknown tells that she has no order.
func (s *Service) OpenRecall(ctx context.Context, code string, now time.Time) (RecallCheck, error) {
	l, found, err := s.follow(ctx, code, now)
	if err != nil || !found {
		return RecallCheck{Status: RecallInvalid, Reason: RecallUnknown, Zone: time.UTC}, err
	}
	return s.checkRecallOf(ctx, l.scope, l.person.ID, now)
}

// RecallOf gives the order of a person of an alert, for the payroll. Needs
// access.AlertPayroll. Errors: NotFound, also when he has none.
func (s *Service) RecallOf(ctx context.Context, scope access.Scope, launch, recipient uuid.UUID, now time.Time) (RecallCheck, error) {
	if err := s.guard.Check(scope, access.AlertPayroll); err != nil {
		return RecallCheck{}, err
	}
	if err := s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		_, err := recipientOf(ctx, tx, scope, launch, recipient, "")
		return err
	}); err != nil {
		return RecallCheck{}, err
	}
	c, err := s.checkRecallOf(ctx, scope, recipient, now)
	if err == nil && c.Status == RecallInvalid {
		err = fault.New(fault.NotFound, "alerting.recall.none")
	}
	return c, err
}

// checkRecallOf verifies the newest order of a recipient.
func (s *Service) checkRecallOf(ctx context.Context, scope access.Scope, recipient uuid.UUID, now time.Time) (c RecallCheck, err error) {
	c = RecallCheck{Status: RecallInvalid, Reason: RecallUnknown, Zone: time.UTC}
	if s.keys == nil {
		return c, nil
	}
	var code, text, signature string
	var p *person
	var l Launch
	var left time.Time
	found := false
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		people, err := peopleByID(ctx, tx, scope, []uuid.UUID{recipient}, "")
		if p = people[recipient]; err != nil || p == nil {
			return err
		}
		if found, err = tx.Row(ctx, `SELECT code, body, signature FROM alerting_recalls WHERE organisation_id = $1 AND launch_id = $2 AND recipient_id = $3
			ORDER BY issued_us DESC, id DESC LIMIT 1`, []any{scope.Organisation(), p.Launch, recipient}, &code, &text, &signature); err != nil || !found {
			return err
		}
		if l, err = readLaunch(ctx, tx, scope, p.Launch); err != nil {
			return err
		}
		pl, err := s.planOf(ctx, tx, scope, l)
		if err != nil {
			return err
		}
		c.Zone = pl.zone
		left, err = goneSince(ctx, tx, scope, p)
		return err
	})
	if err != nil || !found || !l.EndedAt.IsZero() && !now.Before(l.EndedAt.Add(linkLife)) {
		return c, err
	}
	return s.judge(c, scope, code, text, signature, func(o RecallOrder) (RecallStatus, RecallReason, time.Time) {
		return p.standsFor(o, l, left, now)
	})
}

// judge reads the signature first: what is not signed is not shown.
func (s *Service) judge(c RecallCheck, scope access.Scope, code, text, signature string, stands func(RecallOrder) (RecallStatus, RecallReason, time.Time)) (RecallCheck, error) {
	keys, err := keysOf(s.keys, scope.Organisation())
	if err != nil {
		return c, err
	}
	c.Reason = RecallForged
	sign, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return c, nil // damaged is forged
	}
	if o, ok := signedBy(keys, code, text, sign); ok {
		c.Order = o
		c.Status, c.Reason, c.At = stands(o)
	}
	return c, nil
}

// RecallKey is a public key that orders are verified with.
type RecallKey struct {
	Establishment string
	// ID is the first eight bytes of the key's SHA-256, as the order names it.
	ID string
	// PEM is the key as openssl reads it.
	PEM string
	// Current tells the key that signs today from those of before a rotation.
	Current bool
}

// RecallKeys lists the public keys of every establishment of the installation:
// they are public, whoever asks.
func (s *Service) RecallKeys(ctx context.Context) (out []RecallKey, err error) {
	if s.keys == nil {
		return nil, nil
	}
	houses, err := s.houses.List(ctx, access.Instance("recall page"))
	if err != nil {
		return nil, err
	}
	for _, h := range houses {
		keys, err := keysOf(s.keys, h.ID)
		if err != nil {
			return nil, err
		}
		for i, k := range keys {
			der, err := x509.MarshalPKIXPublicKey(k.public())
			if err != nil {
				return nil, fmt.Errorf("public key of the recall orders: %w", err)
			}
			text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
			out = append(out, RecallKey{Establishment: h.Name, ID: k.id, PEM: string(text), Current: i == 0})
		}
	}
	return out, nil
}

// recallCode reads the code of an order from what is typed or scanned at the
// door: the code with or without its hyphens, or the address in its QR.
func recallCode(typed string) string {
	typed = strings.TrimSpace(typed)
	if u, err := url.Parse(typed); err == nil && u.Host != "" {
		typed = path.Base(u.Path)
	}
	return vault.ReadLinkCode(typed)
}

// byRecall finds the person of an alert whose order has that code.
func byRecall(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, typed string) (id uuid.UUID, err error) {
	code := recallCode(typed)
	if code == "" {
		return uuid.Nil, nil
	}
	_, err = tx.Row(ctx, `SELECT recipient_id FROM alerting_recalls WHERE organisation_id = $1 AND launch_id = $2 AND code = $3`,
		[]any{scope.Organisation(), launch, code}, &id)
	return id, err
}
