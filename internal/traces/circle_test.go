package traces_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/traces"
)

// circle knows whom it was told of.
type circle struct{ left, shared, known, staff []traces.Named }

func (c *circle) LeftAccounts(context.Context, access.Scope) ([]traces.Named, error) {
	return c.left, nil
}

func (c *circle) SharedAccounts(context.Context, access.Scope) ([]traces.Named, error) {
	return c.shared, nil
}

func (c *circle) KnownPatients(context.Context, access.Scope) ([]traces.Named, error) {
	return c.known, nil
}

func (c *circle) StaffPatients(context.Context, access.Scope) ([]traces.Named, error) {
	return c.staff, nil
}

// TestWhoLeftIsAskedOfFromTheDayAfter cuts a question about many accounts in as
// many as their departures need, and joins the answers.
func TestWhoLeftIsAskedOfFromTheDayAfter(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		when := traces.Period{From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Zone: "UTC"}
		reply, err := h.Pose(t.Context(), h.dpo, traces.Look{Phrase: "left"}, nil, when)
		h.must(err)
		if reply.Circle != 0 || len(h.base.asked) != 0 {
			t.Errorf("nobody left, and %d questions were asked", len(h.base.asked))
		}
		for n := range 700 {
			h.circle.left = append(h.circle.left, traces.Named{Word: fmt.Sprint("u", n), Since: when.From.AddDate(0, -2, 0).UnixMicro()})
		}
		h.circle.left = append(h.circle.left, traces.Named{Word: "late", Since: when.From.AddDate(0, 0, 9).Add(15 * time.Hour).UnixMicro()}, traces.Named{Word: "tomorrow", Since: when.To.UnixMicro()})
		h.base.answer = func(q traces.Question) (a traces.Answer) {
			words := q.Where[len(q.Where)-1].Values
			switch {
			case len(q.Group) == 4:
				a = traces.Answer{Groups: []traces.Group{{Keys: []string{words[0], "", "DPI", "read"}, Count: int64(len(words)), First: q.From, Last: q.From + 1}}, Total: 1}
			case len(q.Group) == 1 && q.Group[0] == traces.FieldDay:
				a = traces.Answer{Groups: []traces.Group{{Keys: []string{"2026-11-20"}, Count: 2, First: q.From, Last: q.From + 1}}, Total: 1}
			case len(q.Group) == 0 && q.Limit > 1:
				a = traces.Answer{Events: []traces.Stored{{Event: traces.Event{At: q.From}, Ref: words[0]}}, Total: 5}
			}
			return a
		}
		reply, err = h.Pose(t.Context(), h.dpo, traces.Look{Phrase: "left"}, nil, when)
		h.must(err)
		if len(h.base.asked) != 15 { // 500 and 200 who had left before, and one of the 10th
			t.Fatalf("%d questions", len(h.base.asked))
		}
		for _, q := range h.base.asked {
			h.must(q.Check())
		}
		if last := h.base.asked[10]; last.From != time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC).UnixMicro() {
			t.Errorf("who left on the 10th is asked of from %v", time.UnixMicro(last.From).UTC())
		}
		if g := reply.Table.Groups; len(g) != 3 || g[0].Count != 500 || g[2].Keys[0] != "late" || reply.Table.Total != 3 {
			t.Errorf("%+v", reply.Table)
		}
		if g := reply.Curve.Groups; len(g) != 1 || g[0].Count != 6 || reply.Events.Total != 15 || reply.Events.Events[0].Ref != "late" {
			t.Errorf("%+v, %+v", reply.Curve, reply.Events)
		}
	})
}
