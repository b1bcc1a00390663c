package identity

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

const accountColumns = `a.id, a.login, a.name, a.language, a.password, a.totp_sealed IS NOT NULL, a.establishment_id, a.disabled_us, a.seen_us, a.created_us,
	(SELECT COUNT(*) FROM identity_passkeys p WHERE p.account_id = a.id)`

// accountRow receives accountColumns.
type accountRow struct {
	a              Account
	last           uuid.NullUUID
	disabled, seen sql.NullInt64
	created        int64
}

func (r *accountRow) dest() []any {
	return []any{&r.a.ID, &r.a.Login, &r.a.Name, &r.a.Language, &r.a.password, &r.a.TOTP, &r.last, &r.disabled, &r.seen, &r.created, &r.a.Passkeys}
}

func (r *accountRow) account() Account {
	r.a.HasPassword = r.a.password != ""
	r.a.lastUsed = r.last.UUID
	r.a.Disabled, r.a.Seen, r.a.Created = storage.NullTime(r.disabled), storage.NullTime(r.seen), storage.Time(r.created)
	return r.a
}

func accountByLogin(ctx context.Context, tx *storage.Tx, login string) (Account, bool, error) {
	var r accountRow
	found, err := tx.Row(ctx, `SELECT `+accountColumns+` FROM identity_accounts a WHERE a.login = $1`, []any{login}, r.dest()...)
	return r.account(), found, err
}

func accountByID(ctx context.Context, tx *storage.Tx, id uuid.UUID) (Account, error) {
	var r accountRow
	found, err := tx.Row(ctx, `SELECT `+accountColumns+` FROM identity_accounts a WHERE a.id = $1`, []any{id}, r.dest()...)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "identity.account.unknown")
	}
	return r.account(), err
}

func insertAccount(ctx context.Context, tx *storage.Tx, a Account) error {
	var passwordAt time.Time
	if a.password != "" {
		passwordAt = a.Created
	}
	_, err := tx.Exec(ctx, `INSERT INTO identity_accounts (id, login, name, name_folded, language, password, password_us, totp_step, created_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)`,
		a.ID, a.Login, a.Name, storage.Fold(a.Name), a.Language, a.password, storage.NullMicros(passwordAt), storage.Micros(a.Created))
	return err
}

func setPassword(ctx context.Context, tx *storage.Tx, account uuid.UUID, hash string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE identity_accounts SET password = $2, password_us = $3 WHERE id = $1`, account, hash, storage.Micros(now))
	return err
}

// post is what a person may do in one establishment.
type post struct {
	establishment uuid.UUID
	roles         []access.Role
}

// posts are the establishments that let the person in, with her roles there.
func posts(ctx context.Context, tx *storage.Tx, account uuid.UUID) (out []post, err error) {
	err = tx.Query(ctx, `SELECT m.organisation_id, g.role FROM identity_members m
		JOIN identity_grants g ON g.organisation_id = m.organisation_id AND g.account_id = m.account_id
		WHERE m.account_id = $1 AND m.suspended_us IS NULL ORDER BY m.organisation_id, g.role`,
		[]any{account}, func(row func(...any) error) error {
			var id uuid.UUID
			var role access.Role
			if err := row(&id, &role); err != nil {
				return err
			}
			if len(out) == 0 || out[len(out)-1].establishment != id {
				out = append(out, post{establishment: id})
			}
			last := &out[len(out)-1]
			last.roles = append(last.roles, role)
			return nil
		})
	return out, err
}

// pick is the post at that establishment, or the first one.
func pick(all []post, establishment uuid.UUID) post {
	for _, p := range all {
		if p.establishment == establishment {
			return p
		}
	}
	return all[0]
}

func insertMember(ctx context.Context, tx *storage.Tx, establishment, account uuid.UUID, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_members (organisation_id, account_id, created_us) VALUES ($1, $2, $3)`,
		establishment, account, storage.Micros(now))
	return err
}

// setGrants replaces the roles of a member.
func setGrants(ctx context.Context, tx *storage.Tx, establishment, account uuid.UUID, roles []access.Role) error {
	if _, err := tx.Exec(ctx, `DELETE FROM identity_grants WHERE organisation_id = $1 AND account_id = $2`, establishment, account); err != nil {
		return err
	}
	rows := make([][]any, 0, len(roles))
	for _, r := range roles {
		rows = append(rows, []any{establishment, account, string(r)})
	}
	return tx.InsertRows(ctx, "identity_grants", []string{"organisation_id", "account_id", "role"}, rows)
}
