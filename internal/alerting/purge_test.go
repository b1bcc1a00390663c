package alerting_test

import (
	"reflect"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
)

// lived is an alert that ended, in which one came, one refused, one wrote STOP
// and one could not be called.
func lived(h *hospital) alerting.Launch {
	h.t.Helper()
	for _, name := range []string{"Vient", "Refuse", "Halte"} {
		h.agent(name, "iade")
	}
	h.agent("Muet", "ide", func(p *directory.Person) { p.Contacts = nil })
	l := h.launch(recall(needs(1, "iade")))
	for i, m := range h.deliver(l.ID) {
		h.reply(l.ID, m, []string{"1 30", "2 je garde mes enfants", "STOP"}[i%3])
	}
	coming, err := h.Recipients(h.t.Context(), h.scope, l.ID, alerting.RecipientFilter{Meaning: alerting.Coming}, alerting.Page{})
	if err != nil || len(coming) != 1 {
		h.t.Fatalf("%d come, %v", len(coming), err)
	}
	if err := h.Arrive(h.t.Context(), h.scope, h.now(), l.ID, coming[0].ID, true); err != nil {
		h.t.Fatal(err)
	}
	if err := h.End(h.t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
		h.t.Fatal(err)
	}
	return l
}

func TestNamesGoAndFiguresStay(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		l := lived(h)
		instance := access.Instance("test")
		read := func() alerting.Report {
			t.Helper()
			r, err := h.ReportData(t.Context(), h.scope, l.ID, h.now())
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		purge := func() {
			t.Helper()
			for more := true; more; {
				var err error
				if more, err = h.Purge(t.Context(), instance, h.now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		admin := person(h.scope.Organisation(), access.Administrator)
		if err := h.SetGovernance(t.Context(), admin, h.now(), alerting.Governance{KeepDays: 40}); err != nil {
			t.Fatal(err)
		}
		before := read()
		if len(before.Unreached) != 1 {
			t.Fatalf("nobody is named as not called: %+v", before.Unreached)
		}
		h.clock.Advance(40*24*time.Hour - time.Second)
		if purge(); !read().Erased.IsZero() {
			t.Error("the names went before their time")
		}
		h.clock.Advance(time.Second)
		purge()
		purge() // twice is once
		after := read()
		if after.Erased.IsZero() || len(after.Unreached) != 0 {
			t.Errorf("erased %v, still named %+v", after.Erased, after.Unreached)
		}
		if !reflect.DeepEqual(before.Counters, after.Counters) || !reflect.DeepEqual(before.Units, after.Units) || !reflect.DeepEqual(before.Coming, after.Coming) ||
			!reflect.DeepEqual(before.Quotas, after.Quotas) || !reflect.DeepEqual(before.Media, after.Media) || !reflect.DeepEqual(before.Delays, after.Delays) {
			t.Errorf("the figures moved:\n%+v\n%+v", before, after)
		}
		if list, err := h.Recipients(t.Context(), h.scope, l.ID, alerting.RecipientFilter{}, alerting.Page{}); err != nil || len(list) != 0 {
			t.Errorf("people are still listed: %+v, %v", list, err)
		}
		if found := remains(t, h); len(found) > 0 {
			t.Errorf("still in the database: %v", found)
		}
		if got := h.journal("alert.purge"); len(got) != 1 || !contains(got[0].After, `"people":4`) {
			t.Errorf("journal %+v", got)
		}
	})
}

// remains are the tables of this room and of dispatch that still know somebody.
func remains(t *testing.T, h *hospital) (out []string) {
	t.Helper()
	for name, query := range map[string]string{
		"names":      `SELECT COUNT(*) FROM alerting_recipients WHERE last_name <> '' OR first_name <> '' OR name_folded <> '' OR skills <> '' OR ladder <> '' OR code IS NOT NULL`,
		"attempts":   `SELECT COUNT(*) FROM alerting_attempts WHERE address <> ''`,
		"answers":    `SELECT COUNT(*) FROM alerting_answers WHERE body <> '' OR noted_by <> ''`,
		"timeline":   `SELECT COUNT(*) FROM alerting_events WHERE kind IN ('stop', 'arrival') AND body <> ''`,
		"deliveries": `SELECT COUNT(*) FROM dispatch_deliveries WHERE address <> '' OR link <> '' OR token <> ''`,
		"replies":    `SELECT COUNT(*) FROM dispatch_replies`,
	} {
		n := 0
		if err := h.db.Read(t.Context(), access.Instance("test"), countRows(t, &n, query)); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			out = append(out, name)
		}
	}
	return out
}

// A late answer to an alert whose names are gone finds nobody, and a person has
// no right to erase by hand.
func TestAfterThePurge(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		l := lived(h)
		var code string
		if err := h.db.Read(t.Context(), h.scope, func(tx *storage.Tx) error {
			_, err := tx.Row(t.Context(), `SELECT MAX(code) FROM alerting_recipients WHERE organisation_id = $1`, []any{h.scope.Organisation()}, &code)
			return err
		}); err != nil || code == "" {
			t.Fatalf("code %q, %v", code, err)
		}
		if _, err := h.Purge(t.Context(), h.scope, h.now()); err == nil {
			t.Error("a launcher erased names")
		}
		h.clock.Advance((alerting.KeepDaysDefault + 1) * 24 * time.Hour)
		if _, err := h.Purge(t.Context(), access.Instance("test"), h.now()); err != nil {
			t.Fatal(err)
		}
		if link, err := h.OpenLink(t.Context(), code, h.now()); err != nil || link.Found {
			t.Errorf("the link of a person whose name is gone: %+v, %v", link, err)
		}
		late := dispatch.Reply{ID: storage.NewID(h.now()), Campaign: l.ID, Medium: channels.SMS, From: "+33639980000", Text: "1", At: h.now()}
		if err := h.Replies(t.Context(), h.system(), h.now(), []dispatch.Reply{late}); err != nil {
			t.Errorf("a reply after the purge: %v", err)
		}
	})
}
