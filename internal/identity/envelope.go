package identity

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

const (
	// envelopeSize is the characters of a code: four that find the envelope, and
	// twelve (59 bits) that open it.
	envelopeSize     = 16
	envelopeSelector = 4
	// envelopeMost bounds the envelopes that can be opened in an establishment.
	envelopeMost = 20
	// pendingLife is how long a code can still be printed.
	pendingLife = time.Hour
	labelMost   = 80
)

// envelopeRoles are what a session opened by an envelope keeps of a person's
// roles: those of the night. Who holds a password and an envelope neither
// changes accounts nor takes the directory away.
func envelopeRoles() []access.Role {
	return []access.Role{access.Launcher, access.CrisisCell, access.Reader}
}

// Envelope is a code printed on paper and sealed, for the night the telephone is
// flat: with the login and the password of a person it stands for her second
// factor, once.
type Envelope struct {
	ID uuid.UUID
	// Label says where it lies: "Coffre du standard".
	Label    string
	Made     time.Time
	MadeName string
	// Pending tells that its code can still be printed by its author.
	Pending bool
	// Used is when it was opened, by whom and from where; zero when it was not.
	Used               time.Time
	UsedName, UsedFrom string
	// Revoked is when it was made worthless; zero when it was not.
	Revoked time.Time
	// Seen is when an administrator said that he knows of its use.
	Seen     time.Time
	SeenName string
}

// Good tells whether its code opens a session.
func (e Envelope) Good() bool { return e.Used.IsZero() && e.Revoked.IsZero() }

const envelopeColumns = `id, label, made_us, made_name, pending IS NOT NULL, used_us, used_name, used_from, revoked_us, seen_us, seen_name`

func envelopes(ctx context.Context, tx *storage.Tx, scope access.Scope, tail string, args ...any) (out []Envelope, err error) {
	err = tx.Query(ctx, `SELECT `+envelopeColumns+` FROM identity_envelopes WHERE organisation_id = $1`+tail,
		append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
			var e Envelope
			var made int64
			var used, revoked, seen sql.NullInt64
			err := row(&e.ID, &e.Label, &made, &e.MadeName, &e.Pending, &used, &e.UsedName, &e.UsedFrom, &revoked, &seen, &e.SeenName)
			e.Made, e.Used, e.Revoked, e.Seen = storage.Time(made), storage.NullTime(used), storage.NullTime(revoked), storage.NullTime(seen)
			out = append(out, e)
			return err
		})
	return out, err
}

// Envelopes lists those of the scope's establishment, the newest first.
func (s *Service) Envelopes(ctx context.Context, scope access.Scope) (out []Envelope, err error) {
	if err := s.guard.Check(scope, access.AccountRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = envelopes(ctx, tx, scope, ` ORDER BY id DESC`)
		return err
	})
	return out, err
}

// OpenedEnvelopes lists those that were used and that no administrator has
// answered for: each is an alarm. Who may not manage accounts sees none.
func (s *Service) OpenedEnvelopes(ctx context.Context, scope access.Scope) (out []Envelope, err error) {
	if !scope.Has(access.Administrator) {
		return nil, nil
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = envelopes(ctx, tx, scope, ` AND used_us IS NOT NULL AND seen_us IS NULL ORDER BY id`)
		return err
	})
	return out, err
}

// MakeEnvelope draws a code. It can be read (EnvelopeCode) until its author says
// that it is printed, for an hour at most. Errors: Invalid at "label", Conflict
// when there are too many.
func (s *Service) MakeEnvelope(ctx context.Context, scope access.Scope, label string) (id uuid.UUID, err error) {
	if err := s.guard.Check(scope, access.AccountWrite); err != nil {
		return id, err
	}
	if err := inEstablishment(scope); err != nil {
		return id, err
	}
	label = strings.Join(strings.Fields(label), " ")
	if label == "" || utf8.RuneCountInString(label) > labelMost {
		return id, fault.New(fault.Invalid, "identity.envelope.label", "most", labelMost).At("label")
	}
	code := randomCode()
	hash, err := s.hasher.hash(ctx, code)
	if err != nil {
		return id, err
	}
	now := s.clock.Now()
	id = storage.NewID(now)
	sealed, err := s.vault.Seal([]byte(code), envelopeSealedAs(id))
	if err != nil {
		return id, err
	}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := lockMembers(ctx, tx, scope); err != nil {
			return err
		}
		good, err := envelopes(ctx, tx, scope, ` AND used_us IS NULL AND revoked_us IS NULL`)
		if err == nil && len(good) >= envelopeMost {
			err = fault.New(fault.Conflict, "identity.envelope.many", "most", envelopeMost).At("label")
		}
		if err != nil {
			return err
		}
		if err := tx.InsertRows(ctx, "identity_envelopes", []string{
			"organisation_id", "id", "label", "selector", "code_hash", "pending", "made_us", "made_by", "made_name",
		}, [][]any{{scope.Organisation(), id, label, code[:envelopeSelector], hash, sealed, storage.Micros(now), scope.Actor().ID, scope.Actor().Name}}); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, envelopeEntry("identity.envelope.make", id, label))
	})
	return id, err
}

func envelopeSealedAs(id uuid.UUID) string { return "identity.envelope:" + id.String() }

func envelopeEntry(action string, id uuid.UUID, label string) journal.Entry {
	return journal.Entry{Action: action, ObjectKind: "envelope", ObjectID: id.String(), ObjectName: label}
}

// EnvelopeCode is the code to print, in groups of four, for the person who made
// the envelope. Errors: NotFound, Conflict when it is not hers or was printed.
func (s *Service) EnvelopeCode(ctx context.Context, scope access.Scope, id uuid.UUID) (e Envelope, code string, err error) {
	if err := s.guard.Check(scope, access.AccountWrite); err != nil {
		return e, "", err
	}
	since := storage.Micros(s.clock.Now().Add(-pendingLife))
	var sealed []byte
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := envelopes(ctx, tx, scope, ` AND id = $2`, id)
		if err == nil && len(list) == 0 {
			err = fault.New(fault.NotFound, "identity.envelope.unknown")
		}
		if err != nil {
			return err
		}
		e = list[0]
		found, err := tx.Row(ctx, `SELECT pending FROM identity_envelopes WHERE organisation_id = $1 AND id = $2 AND made_by = $3
			AND pending IS NOT NULL AND used_us IS NULL AND revoked_us IS NULL AND made_us > $4`,
			[]any{scope.Organisation(), id, scope.Actor().ID, since}, &sealed)
		if err == nil && !found {
			err = fault.New(fault.Conflict, "identity.envelope.printed")
		}
		return err
	})
	if err != nil {
		return e, "", err
	}
	text, err := s.vault.Open(sealed, envelopeSealedAs(id))
	return e, grouped(string(text)), err
}

// EnvelopePrinted forgets the readable code: it is on paper. Needs
// access.AccountWrite, as do the next two.
func (s *Service) EnvelopePrinted(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.markEnvelope(ctx, scope, id, "identity.envelope.print", func(tx *storage.Tx, _ time.Time) (int64, error) {
		return tx.Exec(ctx, `UPDATE identity_envelopes SET pending = NULL WHERE organisation_id = $1 AND id = $2 AND pending IS NOT NULL`, scope.Organisation(), id)
	})
}

// RevokeEnvelope makes the code worthless: the envelope was found open, or lost.
func (s *Service) RevokeEnvelope(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.markEnvelope(ctx, scope, id, "identity.envelope.revoke", func(tx *storage.Tx, now time.Time) (int64, error) {
		return tx.Exec(ctx, `UPDATE identity_envelopes SET revoked_us = $3, pending = NULL WHERE organisation_id = $1 AND id = $2 AND used_us IS NULL AND revoked_us IS NULL`,
			scope.Organisation(), id, storage.Micros(now))
	})
}

// SeeEnvelope ends the alarm of a use: an administrator knows of it.
func (s *Service) SeeEnvelope(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.markEnvelope(ctx, scope, id, "identity.envelope.see", func(tx *storage.Tx, now time.Time) (int64, error) {
		return tx.Exec(ctx, `UPDATE identity_envelopes SET seen_us = $3, seen_name = $4 WHERE organisation_id = $1 AND id = $2 AND used_us IS NOT NULL AND seen_us IS NULL`,
			scope.Organisation(), id, storage.Micros(now), scope.Actor().Name)
	})
}

// markEnvelope changes one envelope and writes it down. Done twice, it is done
// once. Errors: NotFound.
func (s *Service) markEnvelope(ctx context.Context, scope access.Scope, id uuid.UUID, action string, do func(*storage.Tx, time.Time) (int64, error)) error {
	if err := s.guard.Check(scope, access.AccountWrite); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := envelopes(ctx, tx, scope, ` AND id = $2`, id)
		if err == nil && len(list) == 0 {
			err = fault.New(fault.NotFound, "identity.envelope.unknown")
		}
		if err != nil {
			return err
		}
		n, err := do(tx, now)
		if err != nil || n == 0 {
			return err
		}
		return journal.Append(ctx, tx, scope, now, envelopeEntry(action, id, list[0].Label))
	})
}

// byEnvelope is what a post is worth in a session an envelope opened.
func (p post) byEnvelope() post {
	return post{p.establishment, slices.DeleteFunc(slices.Clone(p.roles), func(r access.Role) bool { return !slices.Contains(envelopeRoles(), r) })}
}
