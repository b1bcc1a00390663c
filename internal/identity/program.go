package identity

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Token is the key of somebody else's program in one establishment: what it may
// do there, until when. The key itself is shown once, to who made it.
type Token struct {
	ID   uuid.UUID
	Name string
	// Actions are some of access.ProgramActions.
	Actions []access.Action
	// Hint is the end of the key, to tell two of them apart.
	Hint      string
	CreatedBy string
	Created   time.Time
	Expires   time.Time
	// Revoked is zero, and RevokedBy empty, while nobody took the token back.
	Revoked   time.Time
	RevokedBy string
	// Used is the last use, to the minute, and UsedFrom its address; zero when there was none.
	Used     time.Time
	UsedFrom string
}

// Live tells whether the token opens anything at that instant.
func (t Token) Live(now time.Time) bool { return t.Revoked.IsZero() && now.Before(t.Expires) }

// TokenRequest is what it takes to make a token.
type TokenRequest struct {
	Name    string
	Actions []access.Action
	// Days is how long it lives: one of TokenDays.
	Days int
}

// TokenDays are the lives of a token that can be chosen. None is for ever.
func TokenDays() []int { return []int{30, 90, 180, 365} }

// The limits of tokens.
const (
	// tokensMost is how many may be alive in one establishment.
	tokensMost = 50
	// tokenPrefix lets whoever searches files for lost keys recognise one.
	tokenPrefix = "tcs_"
)

// tidied checks a request. Errors: Invalid at "name", "actions" or "days".
func (r TokenRequest) tidied() (TokenRequest, error) {
	name, err := newName(r.Name)
	if err != nil {
		return r, err
	}
	r.Name = name
	var actions []access.Action
	for _, a := range access.ProgramActions() {
		if slices.Contains(r.Actions, a) {
			actions = append(actions, a)
		}
	}
	for _, a := range r.Actions {
		if !slices.Contains(actions, a) {
			return r, fault.New(fault.Invalid, "identity.token.action_unknown", "action", string(a)).At("actions")
		}
	}
	if len(actions) == 0 {
		return r, fault.New(fault.Invalid, "identity.token.actions_required").At("actions")
	}
	r.Actions = actions
	if !slices.Contains(TokenDays(), r.Days) {
		return r, fault.New(fault.Invalid, "identity.token.days").At("days")
	}
	return r, nil
}

// rolesOf are the roles under which a program acts, the narrowest for each
// action: the authority a scenario asks for is weighed against them.
func rolesOf(actions []access.Action) (out []access.Role) {
	for _, a := range actions {
		role := access.Reader
		switch a {
		case access.AlertLaunch, access.AlertConduct, access.AlertKill:
			role = access.Launcher
		case access.AlertAnswers:
			role = access.CrisisCell
		case access.DirectoryWrite, access.DirectorySync:
			role = access.DirectoryManager
		case access.JournalRead, access.AlertReport, access.HealthRead, access.InventoryRead:
			role = access.Auditor
		}
		if !slices.Contains(out, role) {
			out = append(out, role)
		}
	}
	sortRoles(out)
	return out
}

// Tokens lists the tokens of the scope's establishment, those that live first,
// then by name. Needs access.AccountRead.
func (s *Service) Tokens(ctx context.Context, scope access.Scope) (out []Token, err error) {
	if err := s.guard.Check(scope, access.AccountRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out = nil
		return tx.Query(ctx, `SELECT `+tokenColumns+` FROM identity_tokens WHERE organisation_id = $1`, []any{scope.Organisation()}, func(row func(...any) error) error {
			t, err := scanToken(row)
			out = append(out, t)
			return err
		})
	})
	now := s.clock.Now()
	slices.SortFunc(out, func(a, b Token) int {
		if x, y := a.Live(now), b.Live(now); x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(storage.Fold(a.Name), storage.Fold(b.Name)), b.Created.Compare(a.Created))
	})
	return out, err
}

const tokenColumns = `id, name, hint, actions, created_by, created_us, expires_us, revoked_us, revoked_by, used_us, used_from`

func scanToken(row func(...any) error) (t Token, err error) {
	var actions string
	var created, expires int64
	var revoked, used sql.NullInt64
	err = row(&t.ID, &t.Name, &t.Hint, &actions, &t.CreatedBy, &created, &expires, &revoked, &t.RevokedBy, &used, &t.UsedFrom)
	for a := range strings.FieldsSeq(actions) {
		t.Actions = append(t.Actions, access.Action(a))
	}
	t.Created, t.Expires, t.Revoked, t.Used = storage.Time(created), storage.Time(expires), storage.NullTime(revoked), storage.NullTime(used)
	return t, err
}

// CreateToken makes a token and gives its key, which nothing can show again.
// Needs access.AccountWrite. Errors: Invalid at a field, Conflict when there
// are too many.
func (s *Service) CreateToken(ctx context.Context, scope access.Scope, r TokenRequest) (t Token, key string, err error) {
	if err := s.guard.Check(scope, access.AccountWrite); err != nil {
		return t, "", err
	}
	if err := inEstablishment(scope); err != nil {
		return t, "", err
	}
	if r, err = r.tidied(); err != nil {
		return t, "", err
	}
	now := s.clock.Now()
	random, _ := vault.NewToken()
	key = tokenPrefix + random
	t = Token{
		ID: storage.NewID(now), Name: r.Name, Actions: r.Actions, Hint: key[len(key)-4:], CreatedBy: scope.Actor().Name,
		Created: now, Expires: now.AddDate(0, 0, r.Days),
	}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		var live int
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM identity_tokens WHERE organisation_id = $1 AND revoked_us IS NULL AND expires_us > $2`,
			[]any{scope.Organisation(), storage.Micros(now)}, &live); err != nil {
			return err
		}
		if live >= tokensMost {
			return fault.New(fault.Conflict, "identity.token.too_many", "most", tokensMost)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO identity_tokens (organisation_id, id, name, token_hash, hint, actions, created_by, created_us, expires_us, revoked_by, used_from)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '')`, scope.Organisation(), t.ID, t.Name, vault.Digest(key), t.Hint, actionWords(t.Actions), t.CreatedBy,
			storage.Micros(now), storage.Micros(t.Expires)); err != nil {
			return err
		}
		e := tokenEntry("identity.token.create", t)
		e.After = map[string]any{"actions": t.Actions, "expires": t.Expires.Format(time.DateOnly)}
		return journal.Append(ctx, tx, scope, now, e)
	})
	return t, key, err
}

func actionWords(actions []access.Action) string {
	words := make([]string, len(actions))
	for i, a := range actions {
		words[i] = string(a)
	}
	return strings.Join(words, " ")
}

func tokenEntry(action string, t Token) journal.Entry {
	return journal.Entry{Action: action, ObjectKind: "token", ObjectID: t.ID.String(), ObjectName: t.Name}
}

// RevokeToken takes a token back: its next use, on any node, is refused. Needs
// access.AccountWrite. Errors: NotFound, Conflict when it was taken back before.
func (s *Service) RevokeToken(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := s.guard.Check(scope, access.AccountWrite); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		t, err := oneToken(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE identity_tokens SET revoked_us = $3, revoked_by = $4 WHERE organisation_id = $1 AND id = $2 AND revoked_us IS NULL`,
			scope.Organisation(), id, storage.Micros(now), scope.Actor().Name)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "identity.token.revoked_before")
		}
		return journal.Append(ctx, tx, scope, now, tokenEntry("identity.token.revoke", t))
	})
}

func oneToken(ctx context.Context, tx *storage.Tx, where string, args ...any) (t Token, err error) {
	found := false
	err = tx.Query(ctx, `SELECT `+tokenColumns+` FROM identity_tokens WHERE `+where, args, func(row func(...any) error) error {
		found = true
		t, err = scanToken(row)
		return err
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "identity.token.unknown")
	}
	return t, err
}
