package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/identity"
	"tocsin/internal/storage"
)

// alarmLife is how long an alarm is worth reading.
const alarmLife = 24 * time.Hour

// watchmen tells « Identités » whom to warn when an alert is in trouble: those
// who launch, since they may do something about it, and the administrators.
type watchmen struct{ accounts *identity.Service }

// Alarm implements alerting.Alarms.
func (w watchmen) Alarm(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, say func(*i18n.Localizer) (subject, text string)) error {
	return w.accounts.Warn(ctx, tx, access.System(scope.Organisation(), "alerting"), now, identity.Notice{
		ID: id, Roles: []access.Role{access.Launcher, access.Administrator}, Purpose: "alarm", Life: alarmLife, Say: say,
	})
}
