package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/i18n"
	"tocsin/internal/identity"
	"tocsin/internal/storage"
)

// alarmLife is how long an alarm is worth reading.
const alarmLife = 24 * time.Hour

// watchmen tells « Identités » whom to warn: of an alert in trouble those who
// launch, since they may do something about it, and the administrators; of a
// provider that refuses us the administrators.
type watchmen struct{ accounts *identity.Service }

// Alarm implements alerting.Alarms.
func (w watchmen) Alarm(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, say func(*i18n.Localizer) (subject, text string)) error {
	return w.accounts.Warn(ctx, tx, access.System(scope.Organisation(), "alerting"), now, identity.Notice{
		ID: id, Roles: []access.Role{access.Launcher, access.Administrator}, Purpose: "alarm", Life: alarmLife, Say: say,
	})
}

// Troubled implements dispatch.Watchman: by another medium than the one that is cut.
func (w watchmen) Troubled(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, t dispatch.Trouble) error {
	n := identity.Notice{ID: t.ID, Roles: []access.Role{access.Administrator}, Without: string(t.Medium), Purpose: "trouble", Life: alarmLife, Say: t.Say}
	if t.Over {
		n.ID = uuid.NewSHA1(t.ID, []byte("over"))
	}
	return w.accounts.Warn(ctx, tx, scope, now, n)
}

// Found implements cases.Watchman: those who answer for the cases.
func (w watchmen) Found(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, role access.Role, say func(*i18n.Localizer) (subject, text string)) error {
	return w.accounts.Warn(ctx, tx, scope, now, identity.Notice{ID: id, Roles: []access.Role{role}, Purpose: "trouble", Life: alarmLife, Say: say})
}

// Silent implements traces.Watchman: those who keep the sources.
func (w watchmen) Silent(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, say func(*i18n.Localizer) (subject, text string)) error {
	return w.accounts.Warn(ctx, tx, scope, now, identity.Notice{ID: id, Roles: []access.Role{access.Administrator}, Purpose: "trouble", Life: alarmLife, Say: say})
}
