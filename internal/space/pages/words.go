package pages

import (
	"strings"

	"tocsin/internal/alerting"
	"tocsin/internal/ui"
)

func modeTone(m alerting.Mode) ui.Tone {
	if m == alerting.Real {
		return ui.Critical
	}
	return ui.Attention
}

// fact is one line of what is held.
type fact struct{ label, value string }

// facts are what the directory holds about the person, empty ones left out.
func (v *visit) facts() (out []fact) {
	p := v.held.Person
	add := func(key, value string) {
		if value != "" {
			out = append(out, fact{v.Loc.T("space.fact." + key), value})
		}
	}
	add("name", p.Name())
	add("matricule", p.Matricule)
	add("rpps", p.RPPS)
	metier := p.MetierLabel
	if metier == "" {
		metier = p.Metier
	}
	add("metier", metier)
	add("skills", strings.Join(p.Qualifications, ", "))
	add("service", p.ServiceName)
	add("site", p.SiteName)
	if !p.RestUntil.IsZero() && p.RestUntil.After(v.Now) {
		add("rest", v.Loc.DateTime(p.RestUntil, v.Zone))
	}
	if p.Protected {
		add("protected", v.Loc.T("common.yes"))
	}
	return out
}
