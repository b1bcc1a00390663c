package dispatchtest

import (
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Migrations are those a test database of the outbox needs.
func Migrations() []fs.FS { return []fs.FS{jobs.Migrations, journal.Migrations, dispatch.Migrations} }

// OpenVault keeps secrets without a key: for tests.
type OpenVault struct{}

// Seal implements dispatch.Sealer.
func (OpenVault) Seal(plain []byte, context string) ([]byte, error) {
	return append([]byte(context+"|"), plain...), nil
}

// Open implements dispatch.Sealer.
func (OpenVault) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) < len(context)+1 || string(sealed[:len(context)]) != context {
		return nil, fmt.Errorf("dispatchtest: sealed for another context")
	}
	return sealed[len(context)+1:], nil
}

// Stale implements dispatch.Sealer: what has no key never grows old.
func (OpenVault) Stale([]byte) bool { return false }

// Outbox returns an outbox over db whose media are airs; it is not started.
func Outbox(t testing.TB, db *storage.DB, c clock.Clock, sink dispatch.Sink, airs ...*Air) *dispatch.Dispatch {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	kinds := make([]channels.Kind, len(airs))
	for i, a := range airs {
		kinds[i] = a
	}
	d := dispatch.New(dispatch.Options{DB: db, Guard: guard, Vault: OpenVault{}, Registry: channels.NewRegistry(kinds...), Clock: c})
	if sink != nil {
		d.Tell(sink)
	}
	return d
}

// Gateway adds an enabled gateway of air to the scope's establishment.
func Gateway(t testing.TB, d *dispatch.Dispatch, scope access.Scope, now time.Time, air *Air, priority int, settings channels.Settings) dispatch.Gateway {
	t.Helper()
	g, err := d.CreateGateway(t.Context(), scope, now, dispatch.GatewayInput{
		Kind: air.Describe().Kind, Name: "passerelle " + settings.Get("peer"), Settings: settings, Priority: priority, Enabled: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Mail is a campaign with one content, and n orders for it to different people.
func Mail(now time.Time, m channels.Medium, n int) (dispatch.Campaign, dispatch.Content, []dispatch.Order) {
	campaign := dispatch.Campaign{ID: storage.NewID(now), Mode: "test"}
	content := dispatch.Content{ID: storage.NewID(now), Medium: m, Language: "fr", Subject: "TEST", Text: "TEST. Venez : {lien}"}
	orders := make([]dispatch.Order, n)
	for i := range orders {
		address := fmt.Sprintf("+3363998%04d", i)
		if m == channels.Email {
			address = fmt.Sprintf("agent%d@hopital.example", i)
		}
		orders[i] = dispatch.Order{
			ID: storage.NewID(now), Campaign: campaign.ID, Subject: uuid.New(), Content: content.ID, Medium: m,
			Address: address, Link: fmt.Sprintf("https://t.example/r/%06d", i), Token: fmt.Sprintf("jeton%08d", i), Purpose: "call", Wave: 1,
		}
	}
	return campaign, content, orders
}

// Post opens the campaign and enqueues the orders in one transaction, then wakes d.
func Post(t testing.TB, d *dispatch.Dispatch, db *storage.DB, scope access.Scope, now time.Time, c dispatch.Campaign, content dispatch.Content, orders []dispatch.Order) int {
	t.Helper()
	accepted := 0
	if err := db.Write(t.Context(), scope, func(tx *storage.Tx) error {
		if err := d.OpenCampaign(t.Context(), tx, scope, now, c); err != nil {
			return err
		}
		if err := d.AddContents(t.Context(), tx, scope, now, c.ID, []dispatch.Content{content}); err != nil {
			return err
		}
		var err error
		accepted, err = d.Enqueue(t.Context(), tx, scope, now, orders)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	d.Wake()
	return accepted
}
