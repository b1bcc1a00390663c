package identity

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// How long a session lives. A night on duty is twelve hours; a screen left
// alone for an hour is not a person any more.
const (
	// SessionLife is the absolute limit, also of its cookie.
	SessionLife = 12 * time.Hour
	idleLimit   = time.Hour
	touchEvery  = time.Minute
	// halfLife is how long one may look for one's telephone after the password.
	halfLife = 10 * time.Minute
	// DeviceLife is how long a device stays known, also its cookie's life.
	DeviceLife = 365 * 24 * time.Hour
)

// stage is how far the person came.
type stage string

const (
	// half: the password was right, the second factor is awaited.
	half stage = "half"
	full stage = "full"
)

// Session is somebody signed in on one device.
type Session struct {
	ID      uuid.UUID
	Account Account
	// Scope is what every operation of every room receives.
	Scope access.Scope
	// Establishment is the one worked for now, Establishments all of them.
	Establishment  organisation.Establishment
	Establishments []organisation.Establishment
	// MustSetUpFactor tells that a role asks for a second factor there is not yet.
	MustSetUpFactor bool
	// ByEnvelope tells that a sealed envelope stood for the second factor: the
	// session stays in one establishment, with the roles of the night.
	ByEnvelope    bool
	Created, Ends time.Time
}

// sessionRow is a row of identity_sessions with its account.
type sessionRow struct {
	id            uuid.UUID
	account       Account
	establishment uuid.UUID
	stage         stage
	strong        bool
	tries         int64
	pending       []byte
	created       time.Time
	seen, ends    time.Time
	address       string
	envelope      uuid.NullUUID
}

func (r sessionRow) alive(now time.Time) bool {
	return now.Before(r.ends) && now.Before(r.seen.Add(idleLimit)) && r.account.Disabled.IsZero()
}

func sessionByToken(ctx context.Context, tx *storage.Tx, token string, now time.Time) (r sessionRow, err error) {
	var a accountRow
	var created, seen, ends int64
	dest := append(a.dest(), &r.id, &r.establishment, &r.stage, &r.strong, &r.tries, &r.pending, &r.address, &created, &seen, &ends, &r.envelope)
	found, err := tx.Row(ctx, `SELECT `+accountColumns+`, s.id, s.establishment_id, s.stage, s.strong, s.tries, s.totp_pending, s.address, s.created_us, s.seen_us, s.ends_us, s.envelope_id
		FROM identity_sessions s JOIN identity_accounts a ON a.id = s.account_id WHERE s.token_hash = $1`, []any{vault.Digest(token)}, dest...)
	if err != nil {
		return r, err
	}
	r.account = a.account()
	r.created, r.seen, r.ends = storage.Time(created), storage.Time(seen), storage.Time(ends)
	if !found || !r.alive(now) {
		return r, fault.New(fault.Unauthenticated, "access.sign_in")
	}
	return r, nil
}

// posts are what the session may do, and where: everything its person may, or
// what an envelope leaves of it.
func (r sessionRow) posts(ctx context.Context, tx *storage.Tx) ([]post, error) {
	all, err := posts(ctx, tx, r.account.ID)
	if err != nil || !r.envelope.Valid {
		return all, err
	}
	for _, p := range all {
		if p = p.byEnvelope(); p.establishment == r.establishment && len(p.roles) > 0 {
			return []post{p}, nil
		}
	}
	return nil, nil
}

// insertSession opens a session and returns its token.
func insertSession(ctx context.Context, tx *storage.Tx, account, establishment uuid.UUID, st stage, strong bool, c Client, now time.Time) (string, error) {
	token, hash := vault.NewToken()
	life := SessionLife
	if st == half {
		life = halfLife
	}
	_, err := tx.Exec(ctx, `INSERT INTO identity_sessions (id, token_hash, account_id, establishment_id, stage, strong, tries, address, device, created_us, seen_us, ends_us)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $9, $10)`,
		storage.NewID(now), hash, account, establishment, string(st), strong, c.Address, cut(c.Device, 300), storage.Micros(now), storage.Micros(now.Add(life)))
	return token, err
}

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}

// rotate gives a session a new token: what was overheard before a privilege
// was won is worth nothing after.
func rotate(ctx context.Context, tx *storage.Tx, id uuid.UUID, strong bool) (string, error) {
	token, hash := vault.NewToken()
	_, err := tx.Exec(ctx, `UPDATE identity_sessions SET token_hash = $2, strong = $3 WHERE id = $1`, id, hash, strong)
	return token, err
}

// Session tells who holds a token. It reads the database every time: a session
// revoked on one node ends on all. Errors: Unauthenticated.
func (s *Service) Session(ctx context.Context, token string, c Client) (Session, error) {
	if token == "" {
		return Session{}, fault.New(fault.Unauthenticated, "access.sign_in")
	}
	now := s.clock.Now()
	var row sessionRow
	var all []post
	err := s.db.Read(ctx, everywhere(), func(tx *storage.Tx) (err error) {
		if row, err = sessionByToken(ctx, tx, token, now); err != nil {
			return err
		}
		all, err = row.posts(ctx, tx)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	if row.stage != full || len(all) == 0 {
		return Session{}, fault.New(fault.Unauthenticated, "access.sign_in")
	}
	if err := s.touch(ctx, row, c, now); err != nil {
		return Session{}, err
	}
	return s.session(ctx, row, all, c)
}

func (s *Service) session(ctx context.Context, row sessionRow, all []post, c Client) (Session, error) {
	here := pick(all, row.establishment)
	actor := actorOf(row.account, c)
	out := Session{
		ID: row.id, Account: row.account, Created: row.created, Ends: row.ends, ByEnvelope: row.envelope.Valid,
		Scope: access.For(here.establishment, actor, row.strong, here.roles...),
	}
	for _, p := range all {
		out.MustSetUpFactor = out.MustSetUpFactor || s.NeedsFactor(p.roles)
	}
	out.MustSetUpFactor = out.MustSetUpFactor && !row.account.HasFactor()
	houses, err := s.houses.List(ctx, everywhere())
	if err != nil {
		return out, err
	}
	for _, h := range houses {
		if h.ID == here.establishment {
			out.Establishment = h
		}
		for _, p := range all {
			if p.establishment == h.ID {
				out.Establishments = append(out.Establishments, h)
			}
		}
	}
	return out, nil
}

// touch notes that the session is used, at most once a minute, and from where.
func (s *Service) touch(ctx context.Context, row sessionRow, c Client, now time.Time) error {
	if now.Sub(row.seen) < touchEvery && (c.Address == row.address || c.Address == "") {
		return nil
	}
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE identity_sessions SET seen_us = $2, address = $3 WHERE id = $1 AND seen_us <= $4`,
			row.id, storage.Micros(now), c.Address, storage.Micros(now))
		return err
	})
}

// Switch changes the establishment the session works for. Errors: NotFound
// when the person does not work there.
func (s *Service) Switch(ctx context.Context, token string, to uuid.UUID) error {
	now := s.clock.Now()
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := sessionByToken(ctx, tx, token, now)
		if err != nil {
			return err
		}
		all, err := row.posts(ctx, tx)
		if err != nil {
			return err
		}
		if len(all) == 0 || pick(all, to).establishment != to {
			return fault.New(fault.NotFound, "identity.establishment.unknown")
		}
		if _, err := tx.Exec(ctx, `UPDATE identity_sessions SET establishment_id = $2 WHERE id = $1`, row.id, to); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE identity_accounts SET establishment_id = $2 WHERE id = $1`, row.account.ID, to)
		return err
	})
}

// SignOut ends the session of a token; a token nobody holds is no error.
func (s *Service) SignOut(ctx context.Context, token string, c Client) error {
	now := s.clock.Now()
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		row, err := sessionByToken(ctx, tx, token, now)
		if fault.Is(err, fault.Unauthenticated) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM identity_sessions WHERE id = $1`, row.id); err != nil {
			return err
		}
		who := actorOf(row.account, c)
		return note(ctx, tx, row.establishment, who, now, accountEntry("identity.signout", row.account))
	})
}

// OpenSession is one line of the list of one's sessions.
type OpenSession struct {
	ID uuid.UUID
	// Device is the User-Agent it was opened with, From its last address.
	Device, From  string
	Created, Seen time.Time
	// Current tells that it is the one that asks.
	Current bool
}

// Sessions lists the person's own open sessions, the last used first. token is
// the one that asks.
func (s *Service) Sessions(ctx context.Context, scope access.Scope, token string) (out []OpenSession, err error) {
	account, err := s.own(scope)
	if err != nil {
		return nil, err
	}
	now, current := s.clock.Now(), string(vault.Digest(token))
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT id, token_hash, device, address, created_us, seen_us FROM identity_sessions
			WHERE account_id = $1 AND stage = 'full' AND ends_us > $2 AND seen_us > $3 ORDER BY seen_us DESC, id`,
			[]any{account, storage.Micros(now), storage.Micros(now.Add(-idleLimit))}, func(row func(...any) error) error {
				var o OpenSession
				var hash []byte
				var created, seen int64
				if err := row(&o.ID, &hash, &o.Device, &o.From, &created, &seen); err != nil {
					return err
				}
				o.Created, o.Seen, o.Current = storage.Time(created), storage.Time(seen), string(hash) == current
				out = append(out, o)
				return nil
			})
	})
	return out, err
}

// Revoke ends one of the person's own sessions, at once and everywhere.
func (s *Service) Revoke(ctx context.Context, scope access.Scope, session uuid.UUID) error {
	return s.revoke(ctx, scope, `DELETE FROM identity_sessions WHERE account_id = $1 AND id = $2`, session)
}

// RevokeOthers ends all the person's own sessions but that of the token.
func (s *Service) RevokeOthers(ctx context.Context, scope access.Scope, token string) error {
	return s.revoke(ctx, scope, `DELETE FROM identity_sessions WHERE account_id = $1 AND token_hash <> $2`, vault.Digest(token))
}

func (s *Service) revoke(ctx context.Context, scope access.Scope, query string, which any) error {
	account, err := s.own(scope)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, query, account, which)
		if err != nil || n == 0 {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "identity.session.revoke", ObjectKind: "account",
			ObjectID: account.String(), ObjectName: scope.Actor().Name, After: map[string]int64{"sessions": n},
		})
	})
}

// own is the first line of every operation on one's own account.
func (s *Service) own(scope access.Scope) (uuid.UUID, error) {
	if err := s.guard.Check(scope, access.AccountOwn); err != nil {
		return uuid.Nil, err
	}
	if scope.Actor().Kind != access.Person {
		return uuid.Nil, fault.New(fault.Denied, "access.denied")
	}
	return scope.Actor().ID, nil
}

// endSessions ends every session of an account but the one kept.
func endSessions(ctx context.Context, tx *storage.Tx, account, kept uuid.UUID) error {
	_, err := tx.Exec(ctx, `DELETE FROM identity_sessions WHERE account_id = $1 AND id <> $2`, account, kept)
	return err
}
