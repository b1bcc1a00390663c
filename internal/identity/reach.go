package identity

import (
	"context"
	"net/mail"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory/phone"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// The media by which the program writes to a person, as dispatch names them.
const (
	reachSMS   = "sms"
	reachEmail = "email"
)

// Reach is where the program itself writes to a person: to ask for a
// confirmation, to tell that an envelope was opened. Empty fields reach nobody.
type Reach struct {
	// Mobile is in E.164, Email an address without a name.
	Mobile, Email string
}

// newReach parses what a person typed. Errors: Invalid at "mobile" or "email".
func newReach(r Reach) (Reach, error) {
	out := Reach{Email: strings.ToLower(strings.TrimSpace(r.Email))}
	if text := strings.TrimSpace(r.Mobile); text != "" {
		read := phone.Parse(text, phone.Options{})
		if len(read.Problems) > 0 || len(read.Numbers) != 1 || read.Numbers[0].Kind != phone.Mobile {
			return out, fault.New(fault.Invalid, "identity.reach.mobile").At("mobile")
		}
		out.Mobile = read.Numbers[0].E164
	}
	if out.Email != "" {
		a, err := mail.ParseAddress(out.Email)
		if err != nil || a.Address != out.Email || len(out.Email) > 200 {
			return out, fault.New(fault.Invalid, "identity.reach.email").At("email")
		}
	}
	return out, nil
}

// OwnReach is where the program writes to the person herself.
func (s *Service) OwnReach(ctx context.Context, scope access.Scope) (r Reach, err error) {
	id, err := s.own(scope)
	if err != nil {
		return r, err
	}
	err = s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		r, err = readReach(ctx, tx, id)
		return err
	})
	return r, err
}

func readReach(ctx context.Context, tx *storage.Tx, account uuid.UUID) (r Reach, err error) {
	err = tx.Query(ctx, `SELECT medium, address FROM identity_reach WHERE account_id = $1`, []any{account}, func(row func(...any) error) error {
		var medium, address string
		err := row(&medium, &address)
		if medium == reachSMS {
			r.Mobile = address
		} else {
			r.Email = address
		}
		return err
	})
	return r, err
}

// SetOwnReach changes it, in the session of a token: whoever came in with an
// envelope must not turn its alarm away. Errors: Invalid at "mobile" or "email".
func (s *Service) SetOwnReach(ctx context.Context, scope access.Scope, token string, r Reach) error {
	id, err := s.own(scope)
	if err != nil {
		return err
	}
	if r, err = newReach(r); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		if _, err := s.ownSession(ctx, tx, id, token, now); err != nil {
			return err
		}
		before, err := readReach(ctx, tx, id)
		if err != nil || before == r {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM identity_reach WHERE account_id = $1`, id); err != nil {
			return err
		}
		var rows [][]any
		for medium, address := range map[string]string{reachSMS: r.Mobile, reachEmail: r.Email} {
			if address != "" {
				rows = append(rows, []any{id, medium, address})
			}
		}
		if err := tx.InsertRows(ctx, "identity_reach", []string{"account_id", "medium", "address"}, rows); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "identity.reach", ObjectKind: "account", ObjectID: id.String(), ObjectName: scope.Actor().Name,
			Before: before.kinds(), After: r.kinds(),
		})
	})
}

// kinds is what the journal keeps: that there is an address, not which.
func (r Reach) kinds() map[string]bool {
	return map[string]bool{reachSMS: r.Mobile != "", reachEmail: r.Email != ""}
}

// Address is one way to write to one person.
type Address struct {
	Account        uuid.UUID
	Name, Language string
	// Medium is "sms" or "email".
	Medium, Address string
}

// Addresses lists how to write to the people who hold a role in the scope's
// establishment and may enter it. Only the program itself may ask.
func (s *Service) Addresses(ctx context.Context, scope access.Scope, role access.Role) (out []Address, err error) {
	if !scope.IsSystem() {
		return nil, fault.New(fault.Denied, "access.denied")
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = addresses(ctx, tx, scope.Organisation(), role)
		return err
	})
	return out, err
}

func addresses(ctx context.Context, tx *storage.Tx, establishment uuid.UUID, role access.Role) (out []Address, err error) {
	err = tx.Query(ctx, `SELECT a.id, a.name, a.language, r.medium, r.address FROM identity_grants g
		JOIN identity_members m ON m.organisation_id = g.organisation_id AND m.account_id = g.account_id
		JOIN identity_accounts a ON a.id = g.account_id JOIN identity_reach r ON r.account_id = a.id
		WHERE g.organisation_id = $1 AND g.role = $2 AND m.suspended_us IS NULL AND a.disabled_us IS NULL ORDER BY a.id, r.medium`,
		[]any{establishment, string(role)}, func(row func(...any) error) error {
			var a Address
			err := row(&a.Account, &a.Name, &a.Language, &a.Medium, &a.Address)
			out = append(out, a)
			return err
		})
	return out, err
}
