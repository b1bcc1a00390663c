package traces_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

func (h *house) ordered(with func(*traces.HoldWanted)) traces.HoldWanted {
	now := h.clock.Now()
	w := traces.HoldWanted{Authority: "TJ de Bordeaux", Reference: "26/1042", RequestedBy: "OPJ Martin", Reason: "réquisition du 20 novembre", HoldSelection: traces.HoldSelection{Patient: " 8001 ", From: now.AddDate(-1, 0, 0), To: now.AddDate(1, 0, 0)}}
	if with != nil {
		with(&w)
	}
	return w
}

// steps are the journal of holds and purges, and all that it keeps of them.
func (h *house) steps(organisation uuid.UUID) (actions []string, kept string) {
	h.t.Helper()
	h.must(h.db.Read(h.t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		return tx.Query(h.t.Context(), `SELECT action, before_json || after_json FROM journal_entries WHERE organisation_id = $1 AND (action LIKE 'traces.hold%' OR action LIKE 'traces.keep%') ORDER BY action`, []any{organisation}, func(row func(...any) error) error {
			var action, text string
			err := row(&action, &text)
			actions, kept = append(actions, action), kept+text
			return err
		})
	}))
	return actions, kept
}

func TestAHoldIsPlacedByOneAndLiftedByTwo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.base.answer = func(traces.Question) traces.Answer { return traces.Answer{Total: 1204} }
		controller := as(h.admin.Organisation(), access.Controller)
		w := h.ordered(nil)
		weight, err := h.WeighHold(t.Context(), h.dpo, w)
		if err != nil || weight.Events != 1204 || weight.Bytes != 1204*140 {
			t.Fatalf("%+v, %v", weight, err)
		}
		hold, err := h.PlaceHold(t.Context(), h.dpo, w)
		h.must(err)
		if hold.Found != 1204 || hold.Patient != "8001" || hold.State != traces.HoldStands || hold.Placed.Name != "Mme dpo" {
			t.Errorf("placed %+v", hold)
		}
		looks := h.queued()
		if len(looks) != 2 || looks[1].IPP != "8001" || looks[1].Document != hold.ID.String() || looks[1].Purpose != w.Reason {
			t.Errorf("the looks are %+v", looks)
		}
		refused := func(err error, kind fault.Kind, what string) {
			t.Helper()
			if !fault.Is(err, kind) {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused(second(h.Lift(t.Context(), controller, hold.ID)), fault.Conflict, "lifted without a wish")
		refused(second(h.AskLift(t.Context(), h.dpo, hold.ID, "  ")), fault.Invalid, "without a reason")
		_, err = h.AskLift(t.Context(), h.dpo, hold.ID, "classement sans suite")
		h.must(err)
		refused(second(h.AskLift(t.Context(), controller, hold.ID, "encore")), fault.Conflict, "asked twice")
		refused(second(h.Lift(t.Context(), h.dpo, hold.ID)), fault.Denied, "lifted by who asked")
		if got, err := h.LegalHold(t.Context(), controller, hold.ID); err != nil || !got.Standing() || got.State != traces.HoldLifting {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = h.RefuseLift(t.Context(), controller, hold.ID, "appel en cours")
		h.must(err)
		_, err = h.AskLift(t.Context(), controller, hold.ID, "arrêt du 12 décembre")
		h.must(err)
		got, err := h.Lift(t.Context(), h.dpo, hold.ID)
		h.must(err)
		if got.Standing() || got.LiftAsked.Name != "Mme responsable" || got.LiftDecided.Name != "Mme dpo" || got.LiftReason != "arrêt du 12 décembre" {
			t.Errorf("lifted %+v", got)
		}
		refused(second(h.AskLift(t.Context(), h.dpo, hold.ID, "encore")), fault.Conflict, "lifted twice")
		actions, kept := h.steps(h.admin.Organisation())
		if want := []string{"traces.hold.lift", "traces.hold.lift.ask", "traces.hold.lift.ask", "traces.hold.lift.refuse", "traces.hold.place"}; !slices.Equal(actions, want) {
			t.Errorf("the journal has %q", actions)
		}
		if strings.Contains(kept, "8001") || !strings.Contains(kept, "26/1042") || !strings.Contains(kept, "appel en cours") || !strings.Contains(kept, `"standing"`) || !strings.Contains(kept, `"lifted"`) {
			t.Errorf("the journal keeps %s", kept)
		}
	})
}

func TestWhoMayHoldAndWhat(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		theirs, _ := h.add(h.elsewhere, wanted("DPI"))
		for field, with := range map[string]func(*traces.HoldWanted){
			"autorite":  func(w *traces.HoldWanted) { w.Authority = "" },
			"reference": func(w *traces.HoldWanted) { w.Reference = strings.Repeat("x", 501) },
			"demandeur": func(w *traces.HoldWanted) { w.RequestedBy = " " },
			"motif":     func(w *traces.HoldWanted) { w.Reason = "" },
			"patient":   func(w *traces.HoldWanted) { w.Patient = "8\x00" },
			"tout":      func(w *traces.HoldWanted) { w.Patient = "" },
			"de":        func(w *traces.HoldWanted) { w.To = w.From },
			"source":    func(w *traces.HoldWanted) { w.Source = theirs.ID },
		} {
			if _, err := h.PlaceHold(t.Context(), h.dpo, h.ordered(with)); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		if _, err := h.PlaceHold(t.Context(), h.dpo, h.ordered(func(w *traces.HoldWanted) { w.Everything = true })); !fault.Is(err, fault.Invalid) {
			t.Errorf("everything of a patient: %v", err)
		}
		weak := access.For(h.admin.Organisation(), h.dpo.Actor(), false, access.DataProtection)
		for name, scope := range map[string]access.Scope{"an administrator": h.admin, "without a second factor": weak, "a security officer": as(h.admin.Organisation(), access.SecurityOfficer), "the program": access.System(h.admin.Organisation(), "x")} {
			if _, err := h.PlaceHold(t.Context(), scope, h.ordered(nil)); !fault.Is(err, fault.Denied) {
				t.Errorf("%s places a hold: %v", name, err)
			}
		}
		hold, err := h.PlaceHold(t.Context(), h.dpo, h.ordered(nil))
		h.must(err)
		other := as(h.elsewhere.Organisation(), access.DataProtection)
		if _, err := h.LegalHold(t.Context(), other, hold.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment reads it: %v", err)
		}
		if _, err := h.AskLift(t.Context(), other, hold.ID, "x"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment lifts it: %v", err)
		}
		if list, err := h.LegalHolds(t.Context(), other); err != nil || len(list) > 0 {
			t.Errorf("another establishment lists %v, %v", list, err)
		}
		seen, err := h.Holding(t.Context(), h.admin)
		if err != nil || len(seen.Holds) != 1 || seen.Holds[0].Reference != "26/1042" || seen.Holds[0].Patient != "" || seen.Holds[0].Reason != "" {
			t.Errorf("an administrator sees %+v, %v", seen, err)
		}
		// Without a base it is held all the same, and counted later.
		h.Disconnect()
		if hold, err = h.PlaceHold(t.Context(), h.dpo, h.ordered(nil)); err != nil || hold.Found != -1 || hold.Keeps().Bytes != 0 {
			t.Errorf("without a base: %+v, %v", hold, err)
		}
		for range 98 {
			_, err = h.PlaceHold(t.Context(), h.dpo, h.ordered(nil))
			h.must(err)
		}
		if _, err = h.PlaceHold(t.Context(), h.dpo, h.ordered(nil)); !fault.Is(err, fault.TooMany) {
			t.Errorf("a hundred and one: %v", err)
		}
	})
}

func TestAPurgeAsksForWhatIsNotHeld(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.base.answer = func(traces.Question) traces.Answer { return traces.Answer{Total: 31} }
		h.must(h.Decide(t.Context(), h.admin, traces.PatientAccess, 6))
		source, _ := h.add(h.admin, wanted("DPI"))
		first, err := h.PlaceHold(t.Context(), h.dpo, h.ordered(nil))
		h.must(err)
		h.clock.Advance(time.Second)
		_, err = h.PlaceHold(t.Context(), h.dpo, h.ordered(func(w *traces.HoldWanted) { w.Patient, w.Account, w.Source = "", "dupont", source.ID }))
		h.must(err)
		_, err = h.PlaceHold(t.Context(), as(h.elsewhere.Organisation(), access.DataProtection), h.ordered(nil))
		h.must(err)
		var asked []traces.Purging
		var answer traces.Purged
		var fails error
		h.base.purge = func(p traces.Purging) (traces.Purged, error) {
			asked = append(asked, p)
			if _, err := h.PlaceHold(t.Context(), h.dpo, h.ordered(nil)); !fault.Is(err, fault.Conflict) {
				t.Errorf("a hold was placed in the middle of a purge: %v", err)
			}
			return answer, fails
		}
		purge := func() error {
			asked = nil
			h.clock.Advance(time.Hour)
			_, err := h.Purge(t.Context(), h.clock.Now())
			return err
		}
		state := func() string {
			t.Helper()
			seen, err := h.Holding(t.Context(), h.dpo)
			h.must(err)
			if len(seen.Classes) != 1 {
				t.Fatalf("%+v", seen.Classes)
			}
			return fmt.Sprintf("%d %s", seen.Classes[0].Held, seen.Classes[0].Problem)
		}
		answer = traces.Purged{Events: 7, First: 1, Last: 2, Held: 5}
		h.must(purge())
		if len(asked) != 2 || !asked[0].Try || asked[1].Try || len(asked[1].Held) != 2 {
			t.Fatalf("asked for %+v", asked)
		}
		if q := asked[1].Held[1]; fmt.Sprint(q.Where) != fmt.Sprintf("[{source is [%s]} {account is [dupont]}]", source.ID) || q.Check() != nil {
			t.Errorf("holds %+v", q)
		}
		records, err := h.Purges(t.Context(), h.admin)
		h.must(err)
		if len(records) != 1 || records[0].Held != 5 || state() != "5 " {
			t.Errorf("%+v, %s", records, state())
		}
		// Nothing goes that cannot go: it is said, once in the journal, until it does.
		fails = fault.New(fault.Unavailable, "traces.error.down")
		for range 2 {
			if purge() == nil || len(asked) != 1 || state() != "5 traces.error.down" {
				t.Errorf("a base that is down: %d asked, %s", len(asked), state())
			}
		}
		fails, answer = nil, traces.Purged{Held: 12}
		h.must(purge())
		if len(asked) != 1 || state() != "12 " {
			t.Errorf("with nothing to purge: %d asked, %s", len(asked), state())
		}
		answer = traces.Purged{Events: 3, Held: 12, Problem: "traces.error.base"}
		h.must(purge())
		if state() != "12 traces.error.base" {
			t.Errorf("stopped: %s", state())
		}
		actions, _ := h.steps(h.admin.Organisation())
		if got := strings.Join(actions, " "); got != "traces.hold.place traces.hold.place traces.keep.decide traces.keep.purge traces.keep.purge traces.keep.stopped traces.keep.stopped" {
			t.Errorf("the journal has %s", got)
		}
		if got, err := h.LegalHold(t.Context(), h.dpo, first.ID); err != nil || got.Found != 31 || !got.Counted.Equal(h.clock.Now()) {
			t.Errorf("counted again: %+v, %v", got, err)
		}
	})
}
