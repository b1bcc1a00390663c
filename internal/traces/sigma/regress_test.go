package sigma

import (
	"os"
	"testing"
)

// TestPublicRules tries our engine on a checkout of the public rules, which is
// not ours to copy: TOCSIN_SIGMA_DIR names it.
func TestPublicRules(t *testing.T) {
	dir := os.Getenv("TOCSIN_SIGMA_DIR")
	if dir == "" {
		t.Skip("TOCSIN_SIGMA_DIR names no checkout of the public rules")
	}
	report, err := Regress(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Refused {
		t.Logf("refused: %s: %v", r.File, r.Err)
	}
	for _, o := range report.Outcomes {
		if !o.Hit() {
			t.Errorf("%s (%s): %s: %d of %d events, %d wanted", o.Title, o.Rule, o.Why, o.Hits, o.Events, o.Want)
		}
	}
	t.Logf("%d rules, %d files refused, %d hits of %d", report.Rules, len(report.Refused), report.Hits(), len(report.Outcomes))
}
