package pages

import (
	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/screens"
	"tocsin/internal/ui"
)

// idOf reads a choice; none is Nil.
func idOf(text string) (uuid.UUID, error) {
	if text == "" {
		return uuid.Nil, nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return id, fault.New(fault.Invalid, "screens.place").At("place")
	}
	return id, nil
}

// standing is how a screen fares, as a tone and a word.
func standing(c *ui.Context, x screens.Standing) (ui.Tone, string) {
	switch {
	case x.Paired.IsZero():
		return ui.Attention, c.Loc.T("screens.state.awaited", "at", c.Loc.Clock(x.Until, c.Zone))
	case x.Silent(c.Now):
		return ui.Alert, c.Loc.T("screens.state.silent", "ago", c.Loc.Ago(x.Seen, c.Now))
	case x.Missing() > 0:
		return ui.Alert, c.Loc.N("screens.state.missing", x.Missing())
	case len(x.Due) > 0:
		return ui.Success, c.Loc.N("screens.state.shows", len(x.Due))
	}
	return ui.Success, c.Loc.T("screens.state.dark")
}
