package alerting_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/organisation"
)

func (h *hospital) door(l alerting.Launch, which alerting.DoorList, typed string) []alerting.Recipient {
	h.t.Helper()
	list, err := h.Door(h.t.Context(), h.scope, l.ID, which, typed, alerting.Page{})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h *hospital) leaves(l alerting.Launch, who alerting.Recipient, left bool) {
	h.t.Helper()
	if err := h.Leave(h.t.Context(), h.scope, h.now(), l.ID, who.ID, left); err != nil {
		h.t.Fatal(err)
	}
}

// TestComingsAndGoings: ticks, double ticks, ticks taken back, somebody who
// comes back, and the hours of it all.
func TestComingsAndGoings(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Va", "iade")
		l := h.launch(recall(needs(1, "iade")))
		h.reply(l.ID, h.deliver(l.ID)[0], "1 30")
		who := h.one(l.ID)
		if err := h.Leave(t.Context(), h.scope, h.now(), l.ID, who.ID, true); !fault.Is(err, fault.Conflict) {
			t.Errorf("who never came leaves: %v", err)
		}
		if list := h.door(l, alerting.DoorExpected, ""); len(list) != 1 {
			t.Errorf("expected: %d", len(list))
		}
		h.ticks(l, who, true)
		h.ticks(l, who, true) // a double click
		h.clock.Advance(2 * time.Hour)
		h.leaves(l, who, true)
		h.leaves(l, who, true)
		if c := h.board(l).Counters; c.Arrived != 1 || c.Left != 1 {
			t.Errorf("after the departure %+v", c)
		}
		if q := h.board(l).Quotas[0]; q.Arrived != 1 {
			t.Errorf("the quota forgot who came: %+v", q)
		}
		h.leaves(l, who, false)
		if list := h.door(l, alerting.DoorInside, ""); len(list) != 1 || list[0].OnSite(h.now()) != 2*time.Hour {
			t.Errorf("still there: %+v", list)
		}
		h.leaves(l, who, true)
		h.clock.Advance(time.Hour)
		h.ticks(l, who, true) // comes back
		h.clock.Advance(30 * time.Minute)
		list := h.door(l, alerting.DoorInside, "")
		if len(list) != 1 || len(list[0].Stays) != 2 || list[0].OnSite(h.now()) != 150*time.Minute || h.board(l).Counters.Left != 0 {
			t.Errorf("came back: %+v", list)
		}
		h.ticks(l, who, false) // no, he did not
		if c := h.board(l).Counters; c.Arrived != 1 || c.Left != 1 || len(h.door(l, alerting.DoorLeft, "")) != 1 {
			t.Errorf("after the second tick was taken back: %+v", c)
		}
		h.sameFigures(l)
		h.leaves(l, who, false)
		h.ticks(l, who, false)
		if c := h.board(l).Counters; c.Arrived != 0 || c.Left != 0 || len(h.door(l, alerting.DoorExpected, "")) != 1 {
			t.Errorf("everything taken back: %+v", c)
		}
		h.sameFigures(l)
	})
}

// sameFigures holds the running figures against the rows.
func (h *hospital) sameFigures(l alerting.Launch) {
	h.t.Helper()
	r, err := h.ReportData(h.t.Context(), h.scope, l.ID, h.now())
	if err != nil {
		h.t.Fatal(err)
	}
	if b := h.board(l); b.Counters != r.Counters || r.Door.Arrived != r.Counters.Arrived || r.Door.Inside+r.Door.Left != r.Door.Arrived {
		h.t.Errorf("board %+v\nrows  %+v %+v", b.Counters, r.Counters, r.Door)
	}
}

// TestPeopleLeaveAfterTheAlert: the door notes departures for three days.
func TestPeopleLeaveAfterTheAlert(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Reste", "iade")
		l := h.launch(recall())
		h.deliver(l.ID)
		who := h.one(l.ID)
		h.ticks(l, who, true)
		if err := h.End(t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(9 * time.Hour)
		h.leaves(l, who, true)
		if list := h.door(l, alerting.DoorLeft, ""); len(list) != 1 || list[0].OnSite(h.now()) != 9*time.Hour {
			t.Errorf("%+v", list)
		}
		h.clock.Advance(72 * time.Hour)
		if err := h.Leave(t.Context(), h.scope, h.now(), l.ID, who.ID, false); !fault.Is(err, fault.Conflict) {
			t.Errorf("four days later: %v", err)
		}
		for name, scope := range map[string]access.Scope{"a reader": person(h.scope.Organisation(), access.Reader), "another establishment": h.establishment("Autre")} {
			if err := h.Leave(t.Context(), scope, h.now(), l.ID, who.ID, false); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestTheDoorReadsNamesAndCodes finds somebody by name, by code and by what a scanner types.
func TestTheDoorReadsNamesAndCodes(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Élan", "iade")
		h.agent("Orme", "iade")
		l := h.launch(recall())
		for _, m := range h.deliver(l.ID) {
			h.reply(l.ID, m, "1 30")
		}
		code := h.order(l, h.named(l, "Orme")).Order.Code
		for typed, want := range map[string]string{"elan": "Élan", code: "Orme", alerting.SpacedCode(code): "Orme", "https://t.example/ordre/" + code: "Orme"} {
			if list := h.door(l, alerting.DoorExpected, typed); len(list) != 1 || list[0].LastName != want {
				t.Errorf("%q finds %+v, want %s", typed, list, want)
			}
		}
		if list := h.door(l, alerting.DoorExpected, "0123456789ab"); len(list) != 0 {
			t.Errorf("a code of nobody finds %d people", len(list))
		}
	})
}

// TestATickOfTheVersionBefore: an arrival without a stay is one since its tick.
func TestATickOfTheVersionBefore(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Ancien", "iade")
		l := h.launch(recall())
		h.deliver(l.ID)
		who := h.one(l.ID)
		h.ticks(l, who, true)
		if err := h.db.Write(t.Context(), h.scope, execRow(t, `DELETE FROM alerting_stays WHERE organisation_id = $1`, h.scope.Organisation())); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(time.Hour)
		if list := h.door(l, alerting.DoorInside, ""); len(list) != 1 || list[0].OnSite(h.now()) != time.Hour {
			t.Errorf("%+v", list)
		}
		h.leaves(l, who, true)
		h.sameFigures(l)
		if list := h.door(l, alerting.DoorLeft, ""); len(list) != 1 || len(list[0].Stays) != 1 {
			t.Errorf("%+v", list)
		}
	})
}

// TestTheRollIsCalled: ticks and numbers, the last word of a service, the same
// word twice, and what is refused.
func TestTheRollIsCalled(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		builder := person(h.scope.Organisation(), access.Administrator, access.DirectoryManager)
		place := func(kind organisation.Kind, name string, parent uuid.UUID) uuid.UUID {
			n, err := h.org.AddNode(t.Context(), builder, organisation.Node{Kind: kind, Name: name}, parent)
			if err != nil {
				t.Fatal(err)
			}
			return n.ID
		}
		north := place(organisation.Site, "Nord", uuid.Nil)
		wards := place(organisation.CareService, "Urgences", north)
		in := func(p *directory.Person) { p.Service = wards }
		one, two := h.agent("Un", "iade", in), h.agent("Deux", "ide", in)
		stray := h.agent("Errant", "ide")
		l := h.launch(recall())
		call := func(service uuid.UUID, others int, present ...uuid.UUID) error {
			return h.CallRoll(t.Context(), h.scope, h.now(), l.ID, service, present, others)
		}
		before, err := h.Rolls(t.Context(), h.scope, l.ID)
		if err != nil || len(before.Rolls) != 1 || before.Said() != 0 || before.Rolls[0].Listed != 2 || before.Rolls[0].SiteName != "Nord" {
			t.Fatalf("%+v, %v", before, err)
		}
		// stray is on nobody's list here: an id that is not of the service counts for nothing.
		for _, err := range []error{call(wards, 3, one.ID, two.ID, stray.ID), call(wards, 3, one.ID, two.ID), call(uuid.Nil, 0, stray.ID)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		if err := h.db.Read(t.Context(), h.scope, countRows(t, &n, `SELECT COUNT(*) FROM alerting_rolls WHERE organisation_id = $1`, h.scope.Organisation())); err != nil || n != 2 {
			t.Errorf("%d rolls kept for two services, one said twice: %v", n, err)
		}
		roll := h.board(l).Roll
		if roll.Present() != 6 || roll.Said() != 2 {
			t.Errorf("present %d, said %d", roll.Present(), roll.Said())
		}
		h.clock.Advance(time.Minute)
		if err := call(wards, 0, two.ID); err != nil {
			t.Fatal(err)
		}
		roll = h.board(l).Roll
		if sites := roll.BySite(); roll.Present() != 2 || len(sites) != 2 || sites[1] != (alerting.Counted{Name: "Nord", People: 1}) {
			t.Errorf("the last word does not count: %d, %+v", roll.Present(), sites)
		}
		if skills := roll.BySkill(); len(skills) != 1 || skills[0] != (alerting.Counted{Name: "ide", People: 2}) {
			t.Errorf("skills %+v", skills)
		}
		_, list, err := h.RollOf(t.Context(), h.scope, l.ID, wards, h.now())
		if err != nil || len(list) != 2 || list[0].LastName != "Deux" || !list[0].Present || list[1].Present {
			t.Errorf("%+v, %v", list, err)
		}
		if b := h.board(l); b.Counters.Arrived != 0 || b.Counters.OnSite != 0 {
			t.Errorf("the roll changed the answers: %+v", b.Counters)
		}
		if err := call(wards, -1); !fault.Is(err, fault.Invalid) {
			t.Errorf("a negative number: %v", err)
		}
		if err := call(uuid.New(), 1); !fault.Is(err, fault.NotFound) {
			t.Errorf("a service of nobody: %v", err)
		}
		if err := h.CallRoll(t.Context(), h.establishment("Autre"), h.now(), l.ID, wards, nil, 1); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment: %v", err)
		}
		if err := h.CallRoll(t.Context(), person(h.scope.Organisation(), access.Reader), h.now(), l.ID, wards, nil, 1); !fault.Is(err, fault.Denied) {
			t.Errorf("a reader: %v", err)
		}
	})
}
