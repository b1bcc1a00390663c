package uitest

import (
	"io/fs"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// Noon is the time of the pages under test: 22 November 2026, noon in Paris.
func Noon() time.Time { return time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC) }

// Establishment is the one the visitors of the tests work for.
func Establishment() uuid.UUID { return uuid.MustParse("0198e0a0-0000-7000-8000-000000000001") }

// As is a visitor with a second factor and these roles in Establishment.
func As(roles ...access.Role) ui.Visitor {
	actor := access.Actor{Kind: access.Person, ID: uuid.MustParse("0198e0a0-0000-7000-8000-00000000000a"), Name: "Camille Martin", From: "192.0.2.1"}
	e := ui.Establishment{ID: Establishment(), Name: "Centre hospitalier des Trois-Vallées", Colour: "#0b7285"}
	return ui.Visitor{
		Scope: access.For(e.ID, actor, true, roles...), Name: actor.Name,
		Establishment: e, Establishments: []ui.Establishment{e},
	}
}

// Visit answers every request with one visitor.
type Visit struct{ Who ui.Visitor }

// Visitor is the visitor.
func (v Visit) Visitor(*http.Request) (ui.Visitor, error) { return v.Who, nil }

// House is a router as app builds it, for one visitor, with the sentences of
// the house and those given. change may adjust the options; it may be nil.
func House(t testing.TB, who ui.Visitor, change func(*ui.Options), locales ...fs.FS) *ui.Router {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatalf("guard: %v", err)
	}
	catalog, err := i18n.Load(append([]fs.FS{i18n.Locales, access.Locales, ui.Locales}, locales...)...)
	if err != nil {
		t.Fatalf("sentences: %v", err)
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatalf("zone: %v", err)
	}
	opt := ui.Options{
		Guard: guard, Visitors: Visit{who}, Catalog: catalog, Clock: clock.NewFake(Noon()),
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Zone: zone,
		Key: []byte("0123456789abcdef0123456789abcdef"), PublicURL: "http://tocsin.test",
		LoginPath: "/connexion", SecondFactorPath: "/compte/second-facteur", LogoutPath: "/deconnexion",
		SwitchPath: "/etablissement", AccountPath: "/compte",
	}
	if change != nil {
		change(&opt)
	}
	r, err := ui.NewRouter(opt)
	if err != nil {
		t.Fatalf("router: %v", err)
	}
	return r
}
