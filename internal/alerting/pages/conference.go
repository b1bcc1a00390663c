package pages

import (
	"strings"

	"tocsin/internal/dispatch"
	"tocsin/internal/ui"
)

// roomsWords are the sizes of the groups that do not hear each other: "8 + 4".
func roomsWords(c *ui.Context, v dispatch.Conference) string {
	sizes := make([]string, len(v.Rooms))
	for i, n := range v.Rooms {
		sizes[i] = c.Loc.Int(n)
	}
	return strings.Join(sizes, " + ")
}
