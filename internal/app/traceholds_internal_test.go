package app

import (
	"testing"
	"time"

	"tocsin/internal/administration"
	"tocsin/internal/traces"
)

func TestTheDoctorReadsPurges(t *testing.T) {
	hold := traces.LegalHold{State: traces.HoldLifting}
	for name, c := range map[string]struct {
		held traces.Holdings
		want administration.State
		says string
	}{
		"nothing": {traces.Holdings{Holds: []traces.LegalHold{{State: traces.HoldLifted}}}, administration.Unused, "app.check.purges.none"},
		"held":    {traces.Holdings{Holds: []traces.LegalHold{hold}, Classes: []traces.PurgeState{{Held: 3}}}, administration.Well, "app.check.purges.well"},
		"stopped": {traces.Holdings{Classes: []traces.PurgeState{{Held: 3}, {Problem: "traces.error.down", ProblemAt: time.Unix(0, 0)}}}, administration.Broken, "app.check.purges.stopped"},
	} {
		if got := purgesFound(c.held); got.State != c.want || got.What.Key != c.says {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
