package proof_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/directory/proof"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

func TestADirectoryThatDecaysRingsOnceAndIsSilentWhenMended(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		site, err := w.org.AddNode(t.Context(), w.system(), organisation.Node{Kind: organisation.Site, Name: "Site Nord"}, uuid.Nil)
		if err != nil {
			t.Fatal(err)
		}
		service, err := w.org.AddNode(t.Context(), w.system(), organisation.Node{Kind: organisation.CareService, Name: "Réanimation"}, site.ID)
		if err != nil {
			t.Fatal(err)
		}
		var events []directory.ContactEvent
		for n := range 6 {
			p := w.agent(n, func(p *directory.Person) { p.Service = service.ID })
			events = append(events, directory.ContactEvent{Address: p.Contacts[0].Address, Kind: directory.EventAnswered, At: w.now()})
		}
		if err := w.SetThresholds(t.Context(), w.scope, proof.Thresholds{Share: 60, Months: 3, Failures: 2, Mail: "annuaire@valbrume.example"}); err != nil {
			t.Fatal(err)
		}
		rings := func() map[proof.AlarmKind]int {
			t.Helper()
			w.clock.Advance(7 * time.Hour)
			if err := w.dir.RefreshQuality(t.Context(), w.instance()); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Watch(t.Context(), w.now()); err != nil {
				t.Fatal(err)
			}
			list, _, err := w.Alarms(t.Context(), w.scope)
			if err != nil {
				t.Fatal(err)
			}
			out := map[proof.AlarmKind]int{}
			for _, a := range list {
				out[a.Kind] = a.Figure
			}
			return out
		}
		if got := rings(); len(got) != 3 || got[proof.AlarmUntested] != 3 || got[proof.AlarmUnproven] != 6 {
			t.Errorf("nobody was ever proven: %v", got)
		}
		mails := func() (n int) {
			t.Helper()
			if err := w.db.Read(t.Context(), w.scope, func(tx *storage.Tx) error {
				_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM dispatch_deliveries WHERE organisation_id = $1 AND address = 'annuaire@valbrume.example'`, []any{w.scope.Organisation()}, &n)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := mails(); n != 1 {
			t.Errorf("told %d times", n)
		}
		rings()
		if n := mails(); n != 1 {
			t.Errorf("the same alarms are told once: %d", n)
		}
		w.record(events[:4]...)
		if got := rings(); len(got) != 0 {
			t.Errorf("four of six answered: %v", got)
		}
		for n := range 2 {
			w.record(directory.ContactEvent{Address: events[5].Address, Kind: directory.EventFailed, At: w.now().Add(time.Duration(n) * time.Minute)})
		}
		if got := rings(); len(got) != 1 || got[proof.AlarmFailing] != 1 {
			t.Errorf("a number failed twice: %v", got)
		}
		for _, wrong := range []proof.Thresholds{{Share: 0, Months: 1, Failures: 1}, {Share: 50, Months: 0, Failures: 1}, {Share: 50, Months: 1}, {Share: 50, Months: 1, Failures: 1, Mail: "x"}} {
			if err := w.SetThresholds(t.Context(), w.scope, wrong); err == nil {
				t.Errorf("%+v is taken", wrong)
			}
		}
	})
}
