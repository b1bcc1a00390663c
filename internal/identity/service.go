package identity

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch"
	"tocsin/internal/i18n"
	"tocsin/internal/identity/common"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Options are what the service rests on.
type Options struct {
	DB            *storage.DB
	Guard         *access.Guard
	Clock         clock.Clock
	Vault         *vault.Vault
	Organisations *organisation.Service
	// Origin is the address people type. Passkeys are bound to its name; there
	// are none when it is nil or names a bare IP address (WebAuthn § 5.1.3).
	Origin *url.URL
	// Cost is DefaultCost when zero; tests take a cheap one.
	Cost Cost
	// Outbox and Catalog carry the alarm of an opened envelope; without both, the
	// banner alone tells of it.
	Outbox  *dispatch.Dispatch
	Catalog *i18n.Catalog
}

// Service is what can be done with accounts, sessions and roles.
type Service struct {
	db     *storage.DB
	guard  *access.Guard
	clock  clock.Clock
	vault  *vault.Vault
	houses *organisation.Service
	hasher *hasher
	common *common.List
	// passkeys is nil when the origin allows none.
	passkeys *webauthn.WebAuthn
	origin   *url.URL
	issuer   string
	needing  map[access.Role]bool
	// outbox and catalog may be nil.
	outbox  *dispatch.Dispatch
	catalog *i18n.Catalog
	uses    uses
}

// New returns the service.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Guard == nil || o.Clock == nil || o.Vault == nil || o.Organisations == nil {
		return nil, errors.New("identity: database, guard, clock, vault and organisations are all needed")
	}
	list, err := common.Load()
	if err != nil {
		return nil, err
	}
	s := &Service{
		db: o.DB, guard: o.Guard, clock: o.Clock, vault: o.Vault, houses: o.Organisations,
		hasher: newHasher(o.Cost), common: list, origin: o.Origin, issuer: "Tocsin", needing: needingFactor(o.Guard),
		outbox: o.Outbox, catalog: o.Catalog,
	}
	if o.Origin != nil {
		s.issuer = "Tocsin " + o.Origin.Hostname()
	}
	if o.Origin != nil && net.ParseIP(o.Origin.Hostname()) == nil {
		s.passkeys, err = webauthn.New(passkeyConfig(o.Origin))
		if err != nil {
			return nil, fmt.Errorf("passkeys for %s: %w", o.Origin, err)
		}
	}
	return s, nil
}

// needingFactor asks the policies which roles can do something with a second
// factor that they cannot without: those must set one up.
func needingFactor(guard *access.Guard) map[access.Role]bool {
	out := map[access.Role]bool{}
	here, someone := uuid.Max, access.Actor{Kind: access.Person, ID: uuid.Max}
	for _, r := range access.Roles() {
		weak, strong := access.For(here, someone, false, r), access.For(here, someone, true, r)
		for _, a := range access.Actions() {
			if guard.May(strong, a) && !guard.May(weak, a) {
				out[r] = true
			}
		}
	}
	return out
}

// NeedsFactor tells whether one of the roles must have a second factor.
func (s *Service) NeedsFactor(roles []access.Role) bool {
	for _, r := range roles {
		if s.needing[r] {
			return true
		}
	}
	return false
}

// Secure tells that people reach this installation by https.
func (s *Service) Secure() bool { return s.origin != nil && s.origin.Scheme == "https" }

// HasPasskeys tells whether this installation can take passkeys.
func (s *Service) HasPasskeys() bool { return s.passkeys != nil }

// everywhere is the scope in which the room reads accounts and sessions, which
// belong to the instance. What it shows of it goes through a person's scope.
func everywhere() access.Scope { return access.Instance("identity") }

// Client is what we see of who sends a request.
type Client struct {
	// Address is the network address, Device the User-Agent.
	Address, Device string
	// Known is the cookie of a device on which somebody signed in before.
	Known string
}

// note appends to the journal of one establishment, as a person.
func note(ctx context.Context, tx *storage.Tx, establishment uuid.UUID, who access.Actor, now time.Time, e journal.Entry) error {
	return journal.Append(ctx, tx, access.For(establishment, who, false), now, e)
}

func accountEntry(action string, a Account) journal.Entry {
	return journal.Entry{Action: action, ObjectKind: "account", ObjectID: a.ID.String(), ObjectName: a.Name}
}

// Sweep forgets what has expired: sessions, links, challenges, counters and
// devices not seen for a year. app runs it every few minutes.
func (s *Service) Sweep(ctx context.Context, now time.Time) error {
	us := storage.Micros(now)
	steps := []struct {
		query string
		arg   int64
	}{
		{`DELETE FROM identity_sessions WHERE ends_us <= $1`, us},
		{`DELETE FROM identity_sessions WHERE seen_us <= $1`, storage.Micros(now.Add(-idleLimit))},
		{`DELETE FROM identity_challenges WHERE expires_us <= $1`, us},
		{`DELETE FROM identity_links WHERE expires_us <= $1`, storage.Micros(now.Add(-30 * 24 * time.Hour))},
		{`DELETE FROM identity_throttles WHERE last_us <= $1`, storage.Micros(now.Add(-forgetAfter))},
		{`DELETE FROM identity_throttles WHERE failures < 3 AND last_us <= $1`, storage.Micros(now.Add(-time.Hour))},
		{`DELETE FROM identity_devices WHERE seen_us <= $1`, storage.Micros(now.Add(-DeviceLife))},
		{`UPDATE identity_envelopes SET pending = NULL WHERE pending IS NOT NULL AND made_us <= $1`, storage.Micros(now.Add(-pendingLife))},
	}
	for _, step := range steps {
		err := s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
			_, err := tx.Exec(ctx, step.query, step.arg)
			return err
		})
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}
