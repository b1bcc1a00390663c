package exports_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
	"tocsin/internal/inventory"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	room "tocsin/internal/traces/exports"
	tracepages "tocsin/internal/traces/pages"
	"tocsin/internal/traces/pages/exports"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
	"tocsin/internal/vault"
)

// two is a base in which two events are about patient 8001.
type two struct{}

func (two) Ask(_ context.Context, _ uuid.UUID, q traces.Question) (out traces.Answer, err error) {
	if len(q.Where) > 0 && q.Where[0].Values[0] == "8001" {
		out.Total = 2
		for _, ref := range []string{"a", "b"} {
			out.Events = append(out.Events, traces.Stored{Event: event(), Ref: ref})
		}
	}
	return out, nil
}

func event() traces.Event {
	return traces.Event{Account: "hlefebvre", Person: "Hélène Lefebvre", Function: "Infirmière", IPP: "8001", Action: traces.Read, Severity: -1, Raw: []byte("x")}
}

func (two) Get(_ context.Context, _ uuid.UUID, ref string) (traces.Stored, error) {
	return traces.Stored{Event: event(), Ref: ref}, nil
}

func (two) Purge(context.Context, uuid.UUID, traces.Purging) (traces.Purged, error) {
	return traces.Purged{}, nil
}

type office struct {
	t *testing.T
	s *room.Service
}

func newOffice(t *testing.T) *office {
	t.Helper()
	t.Parallel()
	db := storagetest.SQLite(t, organisation.Migrations, journal.Migrations, inventory.Migrations, traces.Migrations)
	guard, err := access.NewGuard()
	queue, err2 := spool.Open(t.TempDir(), spool.Options{})
	v, err3 := vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), uitest.Noon())
	catalog, err4 := i18n.Load(i18n.Locales, room.Locales)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Close() })
	now := clock.NewFake(uitest.Noon())
	if _, err := organisation.New(db, guard, now).Create(t.Context(), access.Instance("test"), organisation.Establishment{ID: uitest.Establishment(), Name: "CH"}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	asked := traces.New(traces.Options{DB: db, Guard: guard, Clock: now, Log: log, Vault: v, Formats: func(*time.Location) []traces.Format { return nil }})
	asked.Connect(queue, two{})
	return &office{t: t, s: room.New(room.Options{DB: db, Guard: guard, Clock: now, Log: log, Traces: asked, Vault: v, Words: catalog.For(i18n.French), Dir: t.TempDir(), Version: "essai"})}
}

// as is the pages in front of one person of a number.
func (o *office) as(n byte, roles ...access.Role) *ui.Router {
	who := uitest.As(roles...)
	actor := who.Scope.Actor()
	actor.ID = uuid.UUID{15: n}
	who.Scope = access.For(uitest.Establishment(), actor, true, roles...)
	r := uitest.House(o.t, who, nil, exports.Locales, room.Locales, traces.Locales, tracepages.Locales, spool.Locales)
	exports.Routes(r, o.s)
	return r
}

func french() uitest.RequestOption { return uitest.With("Accept-Language", "fr") }

func request() []string {
	return []string{"nature", "patient", "patient", "8001", "de", "2026-01-01T00:00", "a", "2026-11-30T00:00", "identite", "carte vue", "motif", "droit d’accès"}
}

func TestFromTheRequestToTheArchive(t *testing.T) {
	o := newOffice(t)
	first, second := o.as(1, access.DataProtection), o.as(2, access.DataProtection)
	if page := uitest.Get(t, first, exports.Path, french()); !strings.Contains(page.Body, "Aucune archive n’a été demandée") {
		t.Errorf("an empty list says nothing: %s", page.Body)
	}
	sheet := uitest.Post(t, first, exports.Path+"/nouvelle", request(), french()).Header.Get("Location")
	if page := uitest.Get(t, first, sheet, french()); strings.Contains(page.Body, sheet+"/approuver") || !strings.Contains(page.Body, "une autre personne doit l’approuver") {
		t.Errorf("who asked is offered to approve: %s", page.Body)
	}
	if page := uitest.Post(t, first, sheet+"/approuver", nil, french()); page.Status < 400 {
		t.Errorf("who asked approves: %d", page.Status)
	}
	if page := uitest.Post(t, second, sheet+"/approuver", nil, french()); page.Status != 303 {
		t.Errorf("the second does not approve: %d %s", page.Status, page.Body)
	}
	if _, err := o.s.Work(t.Context(), uitest.Noon()); err != nil {
		t.Fatal(err)
	}
	page := uitest.Post(t, first, sheet+"/archive", nil, french())
	if page.Status != 200 || page.Header.Get("Content-Type") != "application/zip" || !strings.HasPrefix(page.Body, "PK") {
		t.Errorf("the archive: %d %v", page.Status, page.Header)
	}
	if page := uitest.Get(t, second, sheet, french()); !strings.Contains(page.Body, "Dernier téléchargement") {
		t.Errorf("the taking is not on the sheet: %s", page.Body)
	}
}

func TestAFormThatDoesNotHoldIsKept(t *testing.T) {
	o := newOffice(t)
	r := o.as(1, access.DataProtection)
	fields := request()
	fields[9] = ""
	if page := uitest.Post(t, r, exports.Path+"/nouvelle", fields, french()); page.Status != 422 || !strings.Contains(page.Body, "Dites comment l’identité") || !strings.Contains(page.Body, `value="8001"`) {
		t.Errorf("a request without identity: %d %s", page.Status, page.Body)
	}
	prepared := []string{"preparer", "oui", "de", "2026-01-01T00:00", "a", "2026-02-01T00:00", "conditions", `[{"field":"patient","op":"is","values":["8001"]},{"field":"action","op":"is","values":["print"]}]`}
	if page := uitest.Post(t, r, exports.Path+"/nouvelle", prepared, french()); page.Status != 200 || !strings.Contains(page.Body, `value="8001"`) || !strings.Contains(page.Body, "Une autre condition la restreint") {
		t.Errorf("a question that was put: %d %s", page.Status, page.Body)
	}
	if page := uitest.Get(t, o.as(3, access.Administrator), exports.Path, french()); page.Status != 403 {
		t.Errorf("an administrator sees the requests: %d", page.Status)
	}
}
