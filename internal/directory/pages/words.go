package pages

import (
	"strings"
	"time"

	"tocsin/internal/directory"
	"tocsin/internal/directory/phone"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// joined puts what is not empty side by side.
func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " · ")
}

// metierOf is what the staff file says, else the name of the code.
func metierOf(d *directory.Directory, loc *i18n.Localizer, p directory.Person) string {
	if p.MetierLabel != "" || p.Metier == "" {
		return p.MetierLabel
	}
	return d.Reference().Label(p.Metier, string(loc.Language()))
}

// address is a contact point as people read it.
func address(k directory.ContactPoint) string {
	if k.Masked || k.Kind == directory.Email || k.Kind == directory.Pager || k.Kind == directory.Chat {
		return k.Address
	}
	return phone.Format(k.Address)
}

func kindWord(loc *i18n.Localizer, kind string) string {
	return loc.T("directory.kind." + kind)
}

func kindIcon(kind string) string {
	switch kind {
	case directory.Email:
		return "mail"
	case directory.Mobile, directory.Chat:
		return "message"
	}
	return "phone"
}

// stateWords is what is known of a contact point, in words.
func stateWords(c *ui.Context, k directory.ContactPoint) string {
	date := func(t time.Time) string { return c.Loc.Date(t, c.Zone) }
	switch k.State {
	case directory.Answered:
		return c.Loc.T("directory.page.state.answered", "date", date(k.Answered))
	case directory.Delivered:
		return c.Loc.T("directory.page.state.delivered", "date", date(k.Delivered))
	case directory.Failed:
		return c.Loc.N("directory.page.state.failed", k.Failures, "date", date(k.StateAt))
	case directory.Bounced:
		return c.Loc.T("directory.page.state.bounced", "date", date(k.StateAt))
	case directory.Stopped:
		return c.Loc.T("directory.page.state.stopped", "date", date(k.StateAt))
	case directory.Foreign:
		return c.Loc.T("directory.page.state.foreign", "date", date(k.StateAt))
	}
	return c.Loc.T("directory.page.state.never")
}

// stateTone tells a proof from a hope from a trouble.
func stateTone(c *ui.Context, k directory.ContactPoint) ui.Tone {
	switch k.State {
	case directory.Answered:
		if k.Shared || c.Now.Sub(k.Answered) > directory.ProvenFor {
			return ui.Attention
		}
		return ui.Success
	case directory.Delivered:
		return ui.Information
	case directory.Failed:
		return ui.Attention
	case directory.Bounced, directory.Stopped, directory.Foreign:
		return ui.Alert
	}
	return ui.Neutral
}

// reach is how well a person can be reached, in a list: the best contact point first.
func reach(c *ui.Context, p directory.Person) (ui.Tone, string) {
	if len(p.Contacts) == 0 {
		return ui.Alert, c.Loc.T("directory.page.reach.none")
	}
	usable := false
	for _, k := range p.Contacts {
		if stateTone(c, k) == ui.Success {
			return ui.Success, c.Loc.T("directory.page.reach.proven")
		}
		usable = usable || k.Usable()
	}
	if !usable {
		return ui.Alert, c.Loc.T("directory.page.reach.blocked")
	}
	return ui.Neutral, c.Loc.T("directory.page.reach.unproven")
}

// preferred is the first contact point that may be tried, else the first.
func preferred(p directory.Person) (directory.ContactPoint, bool) {
	for _, k := range p.Contacts {
		if k.Usable() {
			return k, true
		}
	}
	if len(p.Contacts) > 0 {
		return p.Contacts[0], true
	}
	return directory.ContactPoint{}, false
}

func causeWord(loc *i18n.Localizer, cause directory.Cause) string {
	return loc.T("directory.cause." + string(cause))
}

func causeTone(cause directory.Cause) ui.Tone {
	switch cause {
	case directory.CauseNoContact:
		return ui.Critical
	case directory.CauseNoMobile, directory.CauseForeign, directory.CauseStopped, directory.CauseBounced:
		return ui.Alert
	case directory.CauseFailed, directory.CauseShared:
		return ui.Attention
	}
	return ui.Neutral
}

func statusWord(loc *i18n.Localizer, status string) string {
	return loc.T("directory.status." + status)
}

func statusChoices(loc *i18n.Localizer) []ui.Choice {
	var out []ui.Choice
	for _, s := range directory.Statuses() {
		out = append(out, ui.Choice{Value: s, Label: statusWord(loc, s)})
	}
	return out
}

func mediaChoices(loc *i18n.Localizer) []ui.Choice {
	var out []ui.Choice
	for _, m := range directory.Media() {
		out = append(out, ui.Choice{Value: m, Label: loc.T("directory.medium." + m)})
	}
	return out
}

// lastDay is the day shown as the end of a period that ends at an instant.
func lastDay(c *ui.Context, end time.Time) string {
	return c.Loc.Date(end.Add(-time.Second), c.Zone)
}

// absenceWords says from when to when, and never why.
func absenceWords(c *ui.Context, from, to time.Time) string {
	began := from.Unix() > 0 // an import may know the end only
	switch {
	case to.IsZero() && !began:
		return c.Loc.T("directory.page.absence.unknown")
	case to.IsZero():
		return c.Loc.T("directory.page.absence.since", "from", c.Loc.Date(from, c.Zone))
	case !began:
		return c.Loc.T("directory.page.absence.until", "to", lastDay(c, to))
	}
	return c.Loc.T("directory.page.absence.between", "from", c.Loc.Date(from, c.Zone), "to", lastDay(c, to))
}

// absent tells whether a period holds an instant.
func absent(from, to, at time.Time) bool {
	return !from.IsZero() && !from.After(at) && (to.IsZero() || to.After(at))
}
