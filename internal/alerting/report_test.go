package alerting_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// TestFiguresAgree plays a whole alert, then counts it three ways: the running
// figures of the board, the report, and one person after the other.
func TestFiguresAgree(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		for i := range 30 {
			h.agent(fmt.Sprintf("Agent %02d", i), []string{"iade", "ide"}[i%2])
		}
		l := h.launch(recall(byMetier("iade", "ide"), needs(12, "")))
		play(h, l)
		b := h.board(l)
		r, err := h.ReportData(t.Context(), h.scope, l.ID, h.now())
		if err != nil {
			t.Fatal(err)
		}
		if b.Counters != r.Counters {
			t.Errorf("board  %+v\nreport %+v", b.Counters, r.Counters)
		}
		var people alerting.Counters
		if err := h.EachRecipient(t.Context(), h.scope, l.ID, func(x alerting.Recipient) error {
			people.People++
			if !x.ReachedAt.IsZero() {
				people.Reached++
			}
			if x.Meaning != "" {
				people.Answered++
			}
			if x.Meaning == alerting.Coming {
				people.Coming++
			}
			if x.Stopped {
				people.Stopped++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if people.People != 30 || people.Reached != b.Counters.Reached || people.Answered != b.Counters.Answered || people.Coming != b.Counters.Coming || people.Stopped != b.Counters.Stopped {
			t.Errorf("people %+v\nboard  %+v", people, b.Counters)
		}
		last := b.Curve[len(b.Curve)-1]
		if last.Reached != b.Counters.Reached || last.Answered != b.Counters.Answered || last.Coming != b.Counters.Coming+b.Counters.OnSite {
			t.Errorf("the curve ends at %+v, the counters say %+v", last, b.Counters)
		}
		if len(r.Reached) != r.Counters.Reached || r.Delays.Reached50 == nil || r.QuotaMet.IsZero() || r.Delays.Quota == nil {
			t.Errorf("curves and delays: %d %+v", len(r.Reached), r.Delays)
		}
		want := []alerting.ReportFailure{{Medium: channels.SMS, Reason: channels.ReasonBlocked, Messages: 1}, {Medium: channels.SMS, Reason: channels.ReasonInvalidAddress, Messages: 2}}
		if !slices.Equal(r.Failures, want) {
			t.Errorf("failures: %+v", r.Failures)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		if _, err := h.ReportData(t.Context(), person(h.scope.Organisation(), access.Reader), l.ID, h.now()); !fault.Is(err, fault.Denied) {
			t.Errorf("a reader has the report: %v", err)
		}
	})
}

// play makes people answer, refuse, hesitate, stop, fail and say nothing.
func play(h *hospital, l alerting.Launch) {
	first := h.fresh(l.ID)
	h.tell(l.ID, first[:2], channels.ReasonInvalidAddress, dispatch.FactFailed)
	h.pass(3 * time.Second)
	h.deliver(l.ID)
	texts := []string{"1 30", "non", "1 15", "3", "STOP", "bof ?!", "2", "1 60"}
	for i, text := range texts {
		h.pass(20 * time.Second)
		h.reply(l.ID, first[2+i], text)
	}
	h.reply(l.ID, first[3], "1 20") // changed his mind
	h.pass(6 * time.Minute)
	h.deliver(l.ID)
	h.pass(5 * time.Minute)
	for i, m := range h.deliver(l.ID) {
		if m.Purpose == alerting.UseAlert {
			h.pass(2 * time.Second)
			h.reply(l.ID, m, []string{"1 30", "1 45", "non"}[i%3])
		}
	}
	h.pass(time.Minute)
	h.deliver(l.ID)
}

// TestSeveralNodesNeverCallTwice lets three nodes tick at once over the same alert.
func TestSeveralNodesNeverCallTwice(t *testing.T) {
	t.Parallel()
	db := storagetest.PostgreSQL(t, rooms()...)
	h := newHospital(t, db, night)
	const people = 700
	for i := range people {
		h.numbered(i, fmt.Sprintf("Agent %03d", i), []string{"ide", "iade", "aide_soignant"}[i%3])
	}
	l := h.launch(recall(byMetier("ide", "iade", "aide_soignant")))
	nodes := []*alerting.Service{h.Service, newHospitalOver(h), newHospitalOver(h)}
	for range 16 {
		h.deliver(l.ID)
		h.clock.Advance(2 * time.Minute)
		var wg sync.WaitGroup
		errs := make([]error, len(nodes))
		for i, n := range nodes {
			wg.Go(func() {
				for more := true; more && errs[i] == nil; {
					more, errs[i] = n.Tick(t.Context(), h.now())
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		h.tick()
	}
	seen := map[string]int{}
	for _, m := range h.queue(l.ID) {
		seen[m.Subject.String()+string(m.Purpose)+string(m.Medium)]++
	}
	for who, n := range seen {
		if n != 1 {
			t.Errorf("%s: %d times", who, n)
		}
	}
	if len(seen) != 2*people {
		t.Errorf("%d messages for %d people, want an SMS and an e-mail each", len(seen), people)
	}
	if b := h.board(l); b.Counters.Waiting != 0 || b.Counters.Reached != people {
		t.Errorf("%+v", b.Counters)
	}
}

// TestALateReceiptAndADoubledFactChangeNothing sends facts out of order and twice.
func TestALateReceiptAndADoubledFactChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		l := h.launch(recall())
		m := h.fresh(l.ID)
		h.tell(l.ID, m, "", dispatch.FactDelivered)
		h.clock.Advance(time.Second)
		for range 3 {
			h.tell(l.ID, m, "", dispatch.FactAccepted, dispatch.FactDelivered, dispatch.FactDoublePossible)
		}
		who := h.one(l.ID)
		if who.State != alerting.Reached || !who.ReachedAt.Equal(night) || len(who.Attempts) != 1 || who.Attempts[0].State != alerting.AttemptDelivered || !who.Attempts[0].Doubled {
			t.Errorf("%+v", who)
		}
		if b := h.board(l); b.Counters.Reached != 1 || b.Counters.Called != 0 {
			t.Errorf("%+v", b.Counters)
		}
		elsewhere := []dispatch.Fact{{ID: storage.NewID(night), Campaign: storage.NewID(night), Subject: storage.NewID(night), Delivery: storage.NewID(night), Kind: dispatch.FactDelivered, At: night}}
		if err := h.Facts(t.Context(), h.system(), h.now(), elsewhere); err != nil {
			t.Errorf("the facts of another room are not ours: %v", err)
		}
	})
}

func TestRecipientsPages(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		for i := range 25 {
			h.agent(fmt.Sprintf("Élodie %02d", 24-i), []string{"iade", "ide"}[i%2])
		}
		l := h.launch(recall())
		h.deliver(l.ID)
		var names []string
		for page := (alerting.Page{Limit: 10}); ; {
			list, err := h.Recipients(t.Context(), h.scope, l.ID, alerting.RecipientFilter{Text: "elodie"}, page)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			for _, r := range list {
				names = append(names, r.LastName)
			}
			page.After = list[len(list)-1].ID
		}
		for i, n := range names {
			if want := fmt.Sprintf("Élodie %02d", i); n != want {
				t.Fatalf("line %d is %s, want %s", i, n, want)
			}
		}
		if len(names) != 25 {
			t.Errorf("%d lines", len(names))
		}
		for name, f := range map[string]alerting.RecipientFilter{"skill": {Skill: "iade"}, "state": {Skill: "iade", State: alerting.Reached}, "wave": {Skill: "iade", Wave: 1}} {
			if list, err := h.Recipients(t.Context(), h.scope, l.ID, f, alerting.Page{}); err != nil || len(list) != 13 {
				t.Errorf("%s: %d, %v", name, len(list), err)
			}
		}
		for _, role := range []access.Role{access.Reader, access.Administrator, access.DirectoryManager, access.Auditor} {
			outside := person(h.scope.Organisation(), role)
			_, err := h.Recipients(t.Context(), outside, l.ID, alerting.RecipientFilter{Meaning: alerting.Unavailable}, alerting.Page{Limit: 1})
			wantFault(t, err, "access.denied")
			_, err = h.RecipientByID(t.Context(), outside, l.ID, uuid.New())
			wantFault(t, err, "access.denied")
			wantFault(t, h.EachRecipient(t.Context(), outside, l.ID, func(alerting.Recipient) error { return nil }), "access.denied")
		}
	})
}
