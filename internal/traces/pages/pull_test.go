package pages_test

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/organisation"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/pages"
)

// TestATableIsReadByItsPages goes from a source to its traces: a connection that
// is refused and says why, the table, its columns, its pace, and the rows.
func TestATableIsReadByItsPages(t *testing.T) {
	o := newOffice(t, access.Administrator)
	u, err := url.Parse(storagetest.PostgresURL(t, organisation.Migrations))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", u.String())
	if err == nil {
		_, err = db.ExecContext(t.Context(), `CREATE TABLE "audit/dpi" (id bigserial PRIMARY KEY, date_heure timestamp, login text, action text, ipp text);
			INSERT INTO "audit/dpi" (date_heure, login, action, ipp) SELECT '2026-11-30 10:00:00', 'agent' || n, 'Consultation', (8000 + n)::text FROM generate_series(1, 30) n`)
	}
	if err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	s, _, err := o.s.Add(t.Context(), o.scope, traces.Wanted{Name: "DPI", Format: "sql", Zone: "Europe/Paris"})
	if err != nil {
		t.Fatal(err)
	}
	at := pages.SourcePath(s.ID) + "/table"
	o.get(pages.SourcePath(s.ID)).Want(200).Has(`a[href="` + at + `"]`)
	o.get(at).Want(303)
	password, _ := u.User.Password()
	fields := []string{"driver", "postgresql", "host", u.Hostname(), "port", u.Port(), "user", u.User.Username(), "tls", "off", "database", "absente", "password", password}
	o.post(at+"/connexion", fields...).Want(422).Says("body", "n’a pas de base de ce nom").Whole()
	fields[11] = strings.TrimPrefix(u.Path, "/")
	o.post(at+"/connexion", fields...).Want(303)
	o.get(at + "/connexion").Want(200).Has(`input[type="password"][value=""]`).Whole()
	o.get(at + "/choix").Want(200).Has(`option[value="public/audit%2Fdpi"]`).Whole()
	o.post(at+"/choix", "table", "public/autre").Want(422)
	o.post(at+"/choix", "table", "public/audit%2Fdpi").Want(303)
	o.get(at).Want(200).Says("body", "Rien n’est lu encore")
	page := o.get(at+"/colonnes").Want(200).Says("body", "agent1").Whole()
	values := chosen(page.Body)
	if values["c1"] != "at" || values["c2"] != "account" || values["c3"] != "action" || values["c4"] != "ipp" {
		t.Fatalf("guessed %v", values)
	}
	o.post(at+"/colonnes", "faire", "enregistrer", "times", "auto", "c1", "at", "c2", "account", "c3", "action", "c4", "ipp").Want(303)
	o.get(at + "/rythme").Want(200).Has(`select[name="key1"] option[value="id"][selected]`).Whole()
	o.post(at+"/rythme", "key1", "id", "overlap", "10", "rate", "0", "every", "60", "from", "0", "to", "0").Want(422)
	o.post(at+"/rythme", "key1", "id", "overlap", "10", "rate", "100", "every", "60", "from", "0", "to", "0").Want(303)
	o.clock.Advance(time.Second)
	if _, err := o.pulls.Work(t.Context(), o.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if got := o.spooled(); len(got) != 30 || got[29].Account != "agent30" {
		t.Fatalf("%d events", len(got))
	}
	o.get(at).Want(200).Says("dd", "30").Whole()
	o.post(at + "/suspendre").Want(303)
	o.get(at).Want(200).Says("body", "suspendue")
	o.post(at + "/reprendre").Want(303)
	o.router = o.as(access.DataProtection)
	o.get(at).Want(403)
}
