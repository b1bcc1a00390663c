package identity

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// LinkKind says what a one-time link opens.
type LinkKind string

// The kinds of links.
const (
	FirstLink      LinkKind = "first"      // creates the first administrator and the first establishment
	InvitationLink LinkKind = "invitation" // chooses the first password
	ResetLink      LinkKind = "reset"      // chooses another password
)

// How long a link can be followed.
const (
	FirstLinkLife = 24 * time.Hour
	InviteLife    = 7 * 24 * time.Hour
	ResetLife     = 24 * time.Hour
)

// Link is what a one-time link leads to.
type Link struct {
	Kind    LinkKind
	Expires time.Time
	// Account is whose password will be chosen; the zero Account for FirstLink.
	Account Account

	establishment uuid.UUID
}

// Invitation is a link to hand over. Its code is shown once: only its hash is kept.
type Invitation struct {
	Account uuid.UUID
	Code    string
	Expires time.Time
}

// makeLink replaces the pending links of that kind for the account.
func makeLink(ctx context.Context, tx *storage.Tx, l Link, now time.Time) (code string, err error) {
	if _, err := tx.Exec(ctx, `DELETE FROM identity_links WHERE used_us IS NULL AND (account_id = $1 OR (account_id IS NULL AND kind = $2))`,
		storage.NullID(l.Account.ID), string(l.Kind)); err != nil {
		return "", err
	}
	code, hash := vault.NewToken()
	_, err = tx.Exec(ctx, `INSERT INTO identity_links (token_hash, kind, account_id, establishment_id, expires_us, created_us) VALUES ($1, $2, $3, $4, $5, $6)`,
		hash, string(l.Kind), storage.NullID(l.Account.ID), l.establishment, storage.Micros(l.Expires), storage.Micros(now))
	return code, err
}

func readLink(ctx context.Context, tx *storage.Tx, code string, now time.Time) (l Link, err error) {
	var account uuid.NullUUID
	var expires int64
	var used sql.NullInt64
	found, err := tx.Row(ctx, `SELECT kind, account_id, establishment_id, expires_us, used_us FROM identity_links WHERE token_hash = $1`,
		[]any{vault.Digest(code)}, &l.Kind, &account, &l.establishment, &expires, &used)
	if err != nil {
		return l, err
	}
	l.Expires = storage.Time(expires)
	switch {
	case !found:
		return l, fault.New(fault.NotFound, "identity.link.unknown")
	case used.Valid:
		return l, fault.New(fault.NotFound, "identity.link.used")
	case !now.Before(l.Expires):
		return l, fault.New(fault.NotFound, "identity.link.expired")
	}
	if account.Valid {
		l.Account, err = accountByID(ctx, tx, account.UUID)
	}
	return l, err
}

// consume uses a link up; of two who follow it at once one is refused.
func consume(ctx context.Context, tx *storage.Tx, code string, now time.Time) error {
	n, err := tx.Exec(ctx, `UPDATE identity_links SET used_us = $2 WHERE token_hash = $1 AND used_us IS NULL`, vault.Digest(code), storage.Micros(now))
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "identity.link.used")
	}
	return err
}

// ReadLink tells where a one-time link leads, without using it: previewers
// open links. Errors: NotFound, with the reason.
func (s *Service) ReadLink(ctx context.Context, code string) (l Link, err error) {
	now := s.clock.Now()
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		l, err = readLink(ctx, tx, code, now)
		return err
	})
	return l, err
}

// Bootstrap gives the code of the one-time link that creates the first
// administrator. created is false, and the code empty, once there is one. Each
// call makes a new code and the one before is worth nothing: only its hash is kept.
func (s *Service) Bootstrap(ctx context.Context, now time.Time) (code string, created bool, err error) {
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		created = false
		some, err := someAdministrator(ctx, tx)
		if err != nil || some {
			return err
		}
		l := Link{Kind: FirstLink, Expires: now.Add(FirstLinkLife), establishment: storage.NewID(now)}
		// A first run that was cut in two keeps the establishment it made.
		if _, err := tx.Row(ctx, `SELECT establishment_id FROM identity_links WHERE kind = 'first' ORDER BY created_us DESC`, nil, &l.establishment); err != nil {
			return err
		}
		code, err = makeLink(ctx, tx, l, now)
		created = err == nil
		return err
	})
	return code, created, err
}

func someAdministrator(ctx context.Context, tx *storage.Tx) (bool, error) {
	var one int64
	return tx.Row(ctx, `SELECT 1 FROM identity_grants WHERE role = $1`, []any{string(access.Administrator)}, &one)
}

// Begun tells whether the first administrator exists: nobody can sign in before.
func (s *Service) Begun(ctx context.Context) (begun bool, err error) {
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		begun, err = someAdministrator(ctx, tx)
		return err
	})
	return begun, err
}

// FirstRun is what the first page asks.
type FirstRun struct {
	Code                  string
	Establishment, Colour string
	Name, Login, Password string
	Language              string
	// Launches also gives the first administrator the right to launch alerts.
	Launches bool
}

// Start creates the first administrator and the first establishment, and signs
// her in. Errors: NotFound for the link, Invalid at the field.
func (s *Service) Start(ctx context.Context, c Client, f FirstRun) (step Step, err error) {
	link, err := s.ReadLink(ctx, f.Code)
	if err != nil {
		return step, err
	}
	if link.Kind != FirstLink {
		return step, fault.New(fault.NotFound, "identity.link.unknown")
	}
	a, err := s.newAccount(NewAccount{Login: f.Login, Name: f.Name, Language: f.Language})
	if err != nil {
		return step, err
	}
	if err := s.checkPassword(f.Password, a.Login); err != nil {
		return step, err
	}
	if a.password, err = s.hasher.hash(ctx, f.Password); err != nil {
		return step, err
	}
	if err := s.firstEstablishment(ctx, link.establishment, f); err != nil {
		return step, err
	}
	roles := []access.Role{access.Administrator}
	if f.Launches {
		roles = append(roles, access.Launcher)
	}
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		if err := consume(ctx, tx, f.Code, now); err != nil {
			return err
		}
		if some, err := someAdministrator(ctx, tx); err != nil || some {
			return orElse(err, fault.New(fault.NotFound, "identity.link.used"))
		}
		if err := s.open(ctx, tx, a, link.establishment, roles, now); err != nil {
			return err
		}
		who := actorOf(a, c)
		if err := note(ctx, tx, link.establishment, who, now, created(a, roles)); err != nil {
			return err
		}
		step, err = s.enter(ctx, tx, a, []post{{link.establishment, roles}}, false, c, "first_link", now)
		return err
	})
	return step, err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// firstEstablishment makes the establishment under the id kept in the link, so
// that a first run tried again does not make two.
func (s *Service) firstEstablishment(ctx context.Context, id uuid.UUID, f FirstRun) error {
	e := organisation.Establishment{ID: id, Name: f.Establishment, Colour: f.Colour, Language: f.Language}
	_, err := s.houses.Create(ctx, everywhere(), e)
	if fault.Is(err, fault.Conflict) {
		_, err = s.houses.Update(ctx, everywhere().Within(id), e)
	}
	if refused := fault.As(err); refused != nil && refused.Field == "name" {
		return refused.At("establishment") // the page also asks for the person's name
	}
	return err
}

// Accept chooses the password an invitation or a reset asks for, and signs the
// person in as far as her password goes. Errors: NotFound, Invalid at "password".
func (s *Service) Accept(ctx context.Context, c Client, code, password string) (step Step, err error) {
	link, err := s.ReadLink(ctx, code)
	if err != nil {
		return step, err
	}
	if link.Kind == FirstLink {
		return step, fault.New(fault.NotFound, "identity.link.unknown")
	}
	a := link.Account
	if err := s.checkPassword(password, a.Login); err != nil {
		return step, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return step, err
	}
	now := s.clock.Now()
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		if err := consume(ctx, tx, code, now); err != nil {
			return err
		}
		if err := setPassword(ctx, tx, a.ID, hash, now); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, a.ID, uuid.Nil); err != nil {
			return err
		}
		step, err = s.accepted(ctx, tx, a, link, c, now)
		return err
	})
	return step, err
}

func (s *Service) accepted(ctx context.Context, tx *storage.Tx, a Account, link Link, c Client, now time.Time) (step Step, err error) {
	who := actorOf(a, c)
	e := accountEntry("identity.password.chosen", a)
	e.After = map[string]string{"link": string(link.Kind)}
	if err := note(ctx, tx, link.establishment, who, now, e); err != nil {
		return step, err
	}
	all, err := posts(ctx, tx, a.ID)
	if err != nil {
		return step, err
	}
	if len(all) == 0 || !a.Disabled.IsZero() {
		return step, fault.New(fault.Denied, "identity.signin.closed")
	}
	if a.HasFactor() {
		step.Token, err = insertSession(ctx, tx, a.ID, pick(all, a.lastUsed).establishment, half, false, c, now)
		return step, err
	}
	return s.enter(ctx, tx, a, all, false, c, "link", now)
}

func created(a Account, roles []access.Role) journal.Entry {
	e := accountEntry("identity.account.create", a)
	e.After = map[string]any{"login": a.Login, "name": a.Name, "roles": roles}
	return e
}
