package dispatch_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

func TestPanelsAndWaiting(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, dispatchtest.Migrations(), func(t *testing.T, db *storage.DB) {
		c := clock.NewFake(time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC))
		sms, mail := dispatchtest.NewAir(channels.SMS), dispatchtest.NewAir(channels.Email)
		d := dispatchtest.Outbox(t, db, c, nil, sms, mail)
		scope, other := access.System(uuid.New(), "test"), access.System(uuid.New(), "test")
		dispatchtest.Gateway(t, d, scope, c.Now(), sms, 2, channels.Settings{"peer": "secours", "password": "secret"})
		dispatchtest.Gateway(t, d, scope, c.Now(), sms, 1, channels.Settings{"peer": "main"})
		campaign, content, orders := dispatchtest.Mail(c.Now(), channels.SMS, 3)
		dispatchtest.Post(t, d, db, scope, c.Now(), campaign, content, orders)

		panels, err := d.Panels(t.Context(), scope)
		if err != nil || len(panels) != 2 {
			t.Fatalf("%d panels, %v", len(panels), err)
		}
		if panels[0].Gateway.Priority != 1 || panels[0].View.Name != panels[0].Gateway.Name || panels[0].View.Running {
			t.Errorf("first panel %+v", panels[0])
		}
		if _, shown := panels[1].Gateway.Settings["password"]; shown {
			t.Error("a secret is read back")
		}
		for medium, want := range map[channels.Medium]int{channels.SMS: 3, channels.Email: 0} {
			if n, err := d.Waiting(t.Context(), scope, medium); err != nil || n != want {
				t.Errorf("%d %s wait, want %d (%v)", n, medium, want, err)
			}
		}
		if n, err := d.Waiting(t.Context(), other, channels.SMS); err != nil || n != 0 {
			t.Errorf("another establishment sees %d, %v", n, err)
		}
		if panels, err := d.Panels(t.Context(), other); err != nil || len(panels) != 0 {
			t.Errorf("another establishment sees %d panels, %v", len(panels), err)
		}
		reader := access.For(scope.Organisation(), access.Actor{Kind: access.Person, ID: uuid.New()}, true, access.Reader)
		if _, err := d.Panels(t.Context(), reader); err == nil {
			t.Error("a reader sees the gateways")
		}
		if _, err := d.Waiting(t.Context(), reader, channels.SMS); err == nil {
			t.Error("a reader counts what waits")
		}
		if kinds := d.Kinds(); len(kinds) != 2 {
			t.Errorf("%d kinds", len(kinds))
		}
	})
}
