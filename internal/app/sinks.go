package app

import (
	"context"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/dispatch"
)

// sinks tell several rooms what came back from the outbox. Each keeps what is
// its own; when one fails all are told again, and recognise what they know.
type sinks []dispatch.Sink

// Facts implements dispatch.Sink.
func (all sinks) Facts(ctx context.Context, scope access.Scope, now time.Time, facts []dispatch.Fact) error {
	for _, s := range all {
		if err := s.Facts(ctx, scope, now, facts); err != nil {
			return err
		}
	}
	return nil
}

// Replies implements dispatch.Sink.
func (all sinks) Replies(ctx context.Context, scope access.Scope, now time.Time, replies []dispatch.Reply) error {
	for _, s := range all {
		if err := s.Replies(ctx, scope, now, replies); err != nil {
			return err
		}
	}
	return nil
}

// alarms tells the campaigns of the directory that an alert runs.
type alarms struct{ alerting *alerting.Service }

// Alerted implements proof.Alarms.
func (a alarms) Alerted(ctx context.Context, scope access.Scope) (bool, error) {
	active, err := a.alerting.Active(ctx, scope)
	return len(active) > 0, err
}
