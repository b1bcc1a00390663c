package voice

import (
	"slices"
	"testing"
)

// What trunks present leads back to the address that was called; what is no number
// leads nowhere.
func TestAPresentedNumberLeadsBackToTheAddress(t *testing.T) {
	t.Parallel()
	c := config{extension: "8"}
	for presented, want := range map[string]string{
		"+33612345678": "+33612345678", "33612345678": "+33612345678", "0033612345678": "+33612345678", "0612345678": "+33612345678",
		"00612345678": "+33612345678", "06 12 34 56 78": "+33612345678", "0692123456": "+262692123456", "4512": "4512", "84512": "4512",
		"+447700900123": "+447700900123", "00447700900123": "+447700900123",
	} {
		if got := c.mayBe(presented); !slices.Contains(got, want) {
			t.Errorf("%q leads to %q, want %q among them", presented, got, want)
		}
	}
	for _, nobody := range []string{"", "0", "anonymous", "+", "+33abc", "0612345678;x", "12345678901234567890", "06%12", "é", "-"} {
		if got := c.mayBe(nobody); len(got) != 0 {
			t.Errorf("%q leads to %q", nobody, got)
		}
	}
}
