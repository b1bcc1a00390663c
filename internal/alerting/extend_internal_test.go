package alerting

import (
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/directory"
)

// Whoever is added as the holder of an on-call function is called in his rest; who
// is added by any other rule is not, were the alert itself for a function.
func TestWidenedAlertCallsFunctionsInTheirRest(t *testing.T) {
	t.Parallel()
	function := directory.Rule{OnCall: []uuid.UUID{uuid.New()}}
	p := planFor(Rappel, Wave{Who: function})
	if !p.forFunction(0) || p.widenedBy(directory.Rule{Metiers: []string{"iade"}}).forFunction(0) {
		t.Error("a métier added to an alert for a function is called in its rest")
	}
	q := planFor(Rappel)
	if q.forFunction(0) || !q.widenedBy(function).forFunction(0) || q.forFunction(0) {
		t.Error("a function added to an alert is left in its rest, or changes the alert")
	}
}
