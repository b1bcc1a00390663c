package traces_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
)

func TestOneBaseHoldsTheTracesOfAllNodes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first, other := uuid.New(), uuid.New()
		hold := func(base uuid.UUID, host string) error { return h.Hold(t.Context(), h.clock.Now(), base, host) }
		refused := func(err error, by string) {
			t.Helper()
			if f := fault.As(err); f == nil || f.Kind != fault.Conflict || len(f.Args) < 2 || f.Args[1] != by {
				t.Errorf("%v, want a refusal by %s", err, by)
			}
		}
		if found, _, err := h.Holder(t.Context()); found || err != nil {
			t.Fatalf("somebody held it before: %v", err)
		}
		h.must(hold(first, "a"))
		h.must(hold(first, "a"))
		refused(hold(other, "b"), "a")
		// A copy of the same base has to wait until the first is silent.
		refused(hold(first, "b"), "a")
		h.clock.Advance(29 * time.Second)
		refused(hold(first, "b"), "a")
		h.clock.Advance(2 * time.Second)
		h.must(hold(first, "b"))
		refused(hold(first, "a"), "b")
		// Another base, even years later, only when somebody says so.
		if _, err := h.Adopt(t.Context(), h.clock.Now(), other, "c"); err == nil {
			t.Error("a base was given up while it is alive")
		}
		h.clock.Advance(1000 * time.Hour)
		refused(hold(other, "c"), "b")
		before, err := h.Adopt(t.Context(), h.clock.Now(), other, "c")
		if err != nil || before.Base != first || before.Host != "b" {
			t.Fatalf("before was %+v, %v", before, err)
		}
		if _, held, err := h.Holder(t.Context()); err != nil || held.Alive(h.clock.Now()) || held.Base != other {
			t.Errorf("held by %+v, %v: it has not spoken yet", held, err)
		}
		h.must(hold(other, "c"))
		refused(hold(first, "b"), "c")
		if _, held, err := h.Holder(t.Context()); err != nil || !held.Alive(h.clock.Now()) || held.Host != "c" {
			t.Errorf("held by %+v, %v", held, err)
		}
	})
}
