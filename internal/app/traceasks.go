package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/identity"
	"tocsin/internal/storage"
	"tocsin/internal/traces/audits"
	"tocsin/internal/traces/kept"
	tracepages "tocsin/internal/traces/pages"
)

// joinAsks joins the questions that people keep with those who may read the
// answers, and with the messages.
func (h *House) joinAsks() {
	h.Kept = kept.New(kept.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Log: h.Log, Traces: h.Traces, Vault: h.Vault, People: entitled{h}, Watchman: watchmen{h.Accounts},
		Printer: tracepages.Printer{Traces: h.Traces, Catalog: h.Catalog, House: h.named},
		Link:    func(id uuid.UUID) string { return h.origin().String() + tracepages.SavedAddress(id) },
	})
	h.Audits = audits.New(audits.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Traces: h.Traces, People: entitled{h}, Watchman: watchmen{h.Accounts},
		Link: func(id uuid.UUID) string { return h.origin().String() + tracepages.RequestAddress(id) },
	})
}

// named gives the name and the language of an establishment.
func (h *House) named(ctx context.Context, scope access.Scope) (string, i18n.Language, error) {
	e, err := h.Houses.Get(ctx, scope)
	return e.Name, i18n.Language(e.Language), err
}

// entitled has « Identités » say who may do something, by the policies of now.
type entitled struct{ h *House }

// Entitled implements kept.People. A second factor is asked of whoever comes, not
// of whoever is told.
func (o entitled) Entitled(ctx context.Context, scope access.Scope, action access.Action) (out []kept.Person, err error) {
	members, err := o.h.Accounts.Members(ctx, scope)
	for _, m := range members {
		as := access.For(scope.Organisation(), access.Actor{Kind: access.Person, ID: m.ID, Name: m.Name}, true, m.Roles...)
		if m.Active() && o.h.Guard.May(as, action) {
			out = append(out, kept.Person{ID: m.ID, Name: m.Name})
		}
	}
	return out, err
}

// Delegates implements audits.People: whoever has an account that may look under a
// request.
func (o entitled) Delegates(ctx context.Context, scope access.Scope) (out []audits.Person, err error) {
	people, err := o.Entitled(ctx, scope, access.TracesAuditLook)
	for _, p := range people {
		out = append(out, audits.Person{ID: p.ID, Name: p.Name})
	}
	return out, err
}

// Step implements audits.Watchman: the holders of roles, and named accounts.
func (w watchmen) Step(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, to audits.To, say func(*i18n.Localizer) (subject, text string)) error {
	if len(to.Roles) > 0 {
		if err := w.accounts.Warn(ctx, tx, scope, now, identity.Notice{ID: id, Roles: to.Roles, Purpose: "trouble", Life: answerLife, Say: say}); err != nil {
			return err
		}
	}
	if len(to.Accounts) == 0 {
		return nil
	}
	return w.Tell(ctx, tx, scope, now, uuid.NewSHA1(id, []byte("accounts")), to.Accounts, say)
}

// Tell implements kept.Watchman: named accounts, whatever their role.
func (w watchmen) Tell(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, accounts []uuid.UUID, say func(*i18n.Localizer) (subject, text string)) error {
	return w.accounts.Warn(ctx, tx, scope, now, identity.Notice{ID: id, Roles: access.Roles(), Only: accounts, Purpose: "trouble", Life: answerLife, Say: say})
}

// answerLife is how long a message about a kept answer is worth reading.
const answerLife = 3 * 24 * time.Hour
