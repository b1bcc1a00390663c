package app

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/traces"
)

// checkPurges looks whether the last purges of traces came to their end, and tells
// what is held for a court.
func (h *House) checkPurges(ctx context.Context, scope access.Scope) administration.Finding {
	held, err := h.Traces.Holding(ctx, access.System(scope.Organisation(), "doctor"))
	if err != nil {
		f := finding(administration.Broken, "app.check.purges.unread", "")
		f.Err = err
		return f
	}
	return purgesFound(held)
}

func purgesFound(held traces.Holdings) administration.Finding {
	kept, standing := int64(0), 0
	for _, h := range held.Holds {
		if h.Standing() {
			standing++
		}
	}
	for _, c := range held.Classes {
		if c.Problem != "" {
			return finding(administration.Broken, "app.check.purges.stopped", "app.check.purges.stopped.todo", "class", c.Class.String(), "since", c.ProblemAt.UTC().Format(instant))
		}
		kept += c.Held
	}
	if len(held.Classes) == 0 && standing == 0 {
		return finding(administration.Unused, "app.check.purges.none", "")
	}
	return finding(administration.Well, "app.check.purges.well", "", "holds", standing, "events", kept)
}
