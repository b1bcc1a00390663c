package pages

import (
	"strings"

	"tocsin/internal/dispatch"
	"tocsin/internal/ui"
)

// conferenceWords say how many are in the conference of an alert, and how often
// somebody came in.
func conferenceWords(c *ui.Context, v dispatch.Conference) string {
	present := c.Loc.T("alerting.page.media.conference.nobody")
	if n := v.Present(); n > 0 {
		present = c.Loc.N("alerting.page.media.conference.now", n)
	}
	return present + " · " + c.Loc.N("alerting.page.media.conference.joins", v.Joins)
}

// roomsWords are the sizes of the groups that do not hear each other: "8 + 4".
func roomsWords(c *ui.Context, v dispatch.Conference) string {
	sizes := make([]string, len(v.Rooms))
	for i, n := range v.Rooms {
		sizes[i] = c.Loc.Int(n)
	}
	return strings.Join(sizes, " + ")
}
