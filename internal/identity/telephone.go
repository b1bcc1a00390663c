package identity

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// The digits of a personal number and of a code, as they are typed on a telephone.
const (
	telephoneSize = 6
	pinLeast      = 6
	pinMost       = 10
)

// FromTelephone is where the acts of a person on the telephone come from, in the journal.
const FromTelephone = "téléphone"

// Telephone is how a person is recognised on the telephone.
type Telephone struct {
	// Number is her own, of six digits; empty when she set no code.
	Number string
	Since  time.Time
}

// OwnTelephone is the person's own, empty when there is none.
func (s *Service) OwnTelephone(ctx context.Context, scope access.Scope) (t Telephone, err error) {
	id, err := s.own(scope)
	if err != nil {
		return t, err
	}
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		var since int64
		found, err := tx.Row(ctx, `SELECT number, set_us FROM identity_telephones WHERE account_id = $1`, []any{id}, &t.Number, &since)
		if found {
			t.Since = storage.Time(since)
		}
		return err
	})
	return t, err
}

// newPIN refuses what anybody tries first. Errors: Invalid at "pin".
func newPIN(text string) (string, error) {
	pin := strings.Join(strings.Fields(text), "")
	if len(pin) < pinLeast || len(pin) > pinMost || digits(pin) != pin {
		return "", fault.New(fault.Invalid, "identity.telephone.digits", "least", pinLeast, "most", pinMost).At("pin")
	}
	if vault.Guessable(pin) {
		return "", fault.New(fault.Invalid, "identity.telephone.easy").At("pin")
	}
	return pin, nil
}

// SetTelephone sets the person's code, in a session that proved a second factor:
// what it opens is as strong. She keeps the number she has. Errors: Invalid at
// "pin", Denied.
func (s *Service) SetTelephone(ctx context.Context, scope access.Scope, token, pin string) error {
	id, err := s.own(scope)
	if err != nil {
		return err
	}
	if pin, err = newPIN(pin); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, pin)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := s.ownSession(ctx, tx, id, token, now)
		if err != nil {
			return err
		}
		if !row.strong {
			return fault.New(fault.Denied, "access.second_factor")
		}
		number, err := freeNumber(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO identity_telephones (account_id, number, pin_hash, set_us) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account_id) DO UPDATE SET pin_hash = excluded.pin_hash, set_us = excluded.set_us`, id, number, hash, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, accountEntry("identity.telephone.set", row.account))
	})
}

// freeNumber draws a personal number that nobody has.
func freeNumber(ctx context.Context, tx *storage.Tx) (string, error) {
	for range 100 {
		n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
		if err != nil {
			return "", fmt.Errorf("draw a personal number: %w", err)
		}
		number := fmt.Sprintf("%0*d", telephoneSize, n.Int64())
		taken, err := tx.Row(ctx, `SELECT 1 FROM identity_telephones WHERE number = $1`, []any{number}, new(int))
		if err != nil || !taken {
			return number, err
		}
	}
	return "", fmt.Errorf("identity: no personal number is free")
}

// RemoveTelephone takes the person's code back: she does nothing by telephone any more.
func (s *Service) RemoveTelephone(ctx context.Context, scope access.Scope, token string) error {
	id, err := s.own(scope)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := s.ownSession(ctx, tx, id, token, now)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `DELETE FROM identity_telephones WHERE account_id = $1`, id)
		if err != nil || n == 0 {
			return err
		}
		return journal.Append(ctx, tx, scope, now, accountEntry("identity.telephone.remove", row.account))
	})
}

// Caller is a person recognised on the telephone.
type Caller struct {
	Account        uuid.UUID
	Name, Language string
	// CallBack is the number at which the program calls her back, in E.164.
	CallBack string
}

// telephoneRow is a personal number with whom it belongs to.
type telephoneRow struct {
	account Account
	posts   []post
	hash    string
	mobile  string
}

// open tells whether she may do something by telephone in an establishment: what
// she would need a second factor for there, she set up with one.
func (r telephoneRow) open(establishment uuid.UUID) bool {
	return r.hash != "" && r.mobile != "" && r.account.Disabled.IsZero() && r.account.HasFactor() &&
		len(r.posts) > 0 && pick(r.posts, establishment).establishment == establishment
}

func (r telephoneRow) caller() Caller {
	return Caller{Account: r.account.ID, Name: r.account.Name, Language: r.account.Language, CallBack: r.mobile}
}

func readTelephone(ctx context.Context, tx *storage.Tx, where string, arg any) (r telephoneRow, err error) {
	var id uuid.UUID
	found, err := tx.Row(ctx, `SELECT account_id, pin_hash FROM identity_telephones WHERE `+where, []any{arg}, &id, &r.hash)
	if err != nil || !found {
		return r, err
	}
	if r.account, err = accountByID(ctx, tx, id); err != nil {
		return r, err
	}
	reach, err := readReach(ctx, tx, id)
	if err != nil {
		return r, err
	}
	r.mobile = reach.Mobile
	r.posts, err = posts(ctx, tx, id)
	return r, err
}

// Recognise judges a personal number and a code typed on a telephone, from a
// number that the network presents and that proves nothing. What it refuses, it
// refuses with the same words and after the same work. Only the program itself may
// ask. Errors: Invalid (wrong), TooMany, Unavailable.
func (s *Service) Recognise(ctx context.Context, scope access.Scope, from []string, number, pin string) (Caller, error) {
	if !scope.IsSystem() {
		return Caller{}, fault.New(fault.Denied, "access.denied")
	}
	var who telephoneRow
	err := s.db.Read(ctx, everywhere(), func(tx *storage.Tx) (err error) {
		who, err = readTelephone(ctx, tx, `number = $1`, number)
		return err
	})
	if err != nil {
		return Caller{}, err
	}
	c := Client{Address: FromTelephone}
	for _, one := range from {
		if one == who.mobile { // strangers who try her number do not make her wait on her own telephone
			c.Known = one
		}
	}
	brakes := brakesOf("telephone", number, c, c.Known != "")
	leave, err := s.hasher.lane(c.Known != "").enter(ctx)
	if err != nil {
		return Caller{}, err
	}
	defer leave()
	failures, err := s.admit(ctx, brakes)
	if err != nil {
		return Caller{}, err
	}
	ok, _, err := s.hasher.matches(pin, who.hash)
	if err != nil {
		return Caller{}, err
	}
	if !ok || !who.open(scope.Organisation()) {
		return Caller{}, s.refuse(ctx, c, candidate{account: who.account, exists: who.hash != "", posts: who.posts}, failures)
	}
	now := s.clock.Now()
	return who.caller(), s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		if err := release(ctx, tx, brakes); err != nil {
			return err
		}
		return note(ctx, tx, scope.Organisation(), actorOf(who.account, c), now, accountEntry("identity.telephone.call", who.account))
	})
}

// OnTelephone is what a recognised person may do in the scope's establishment now:
// her roles there, as strong as a second factor, for she knew a code and answered
// the telephone she registered. It is asked before every act: an account closed
// during the call does nothing more. Only the program itself may ask. Errors: Denied.
func (s *Service) OnTelephone(ctx context.Context, scope access.Scope, account uuid.UUID) (access.Scope, error) {
	if !scope.IsSystem() {
		return access.Scope{}, fault.New(fault.Denied, "access.denied")
	}
	var who telephoneRow
	err := s.db.Read(ctx, everywhere(), func(tx *storage.Tx) (err error) {
		who, err = readTelephone(ctx, tx, `account_id = $1`, account)
		return err
	})
	if err != nil {
		return access.Scope{}, err
	}
	if !who.open(scope.Organisation()) {
		return access.Scope{}, fault.New(fault.Denied, "access.denied")
	}
	return access.For(scope.Organisation(), actorOf(who.account, Client{Address: FromTelephone}), true, pick(who.posts, scope.Organisation()).roles...), nil
}

// TelephoneStep writes what a person did on the telephone in the journal: that she
// answered the call back, what she listened to.
func (s *Service) TelephoneStep(ctx context.Context, scope access.Scope, step string) error {
	id, err := s.own(scope)
	if err != nil {
		return err
	}
	e := journal.Entry{Action: "identity.telephone.step", ObjectKind: "account", ObjectID: id.String(), ObjectName: scope.Actor().Name, After: map[string]string{"step": step}}
	now := s.clock.Now()
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error { return journal.Append(ctx, tx, scope, now, e) })
}
