package pages

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory/phone"
	"tocsin/internal/dispatch"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// modeTone is how loud a mode is: the real thing is red, an exercise hatched.
func modeTone(m alerting.Mode) ui.Tone {
	switch m {
	case alerting.Real:
		return ui.Critical
	case alerting.Exercise:
		return ui.Attention
	}
	return ui.Information
}

// modes are the choices of a launcher, none of them chosen for him.
func modes() []alerting.Mode {
	return []alerting.Mode{alerting.Real, alerting.Exercise, alerting.Test}
}

func known(m alerting.Mode) bool { return slices.Contains(modes(), m) }

func stateTone(s alerting.LaunchState) ui.Tone {
	switch s {
	case alerting.Running:
		return ui.Alert
	case alerting.Killed:
		return ui.Critical
	}
	return ui.Neutral
}

// familyIcon is the drawing of a kind of event.
func familyIcon(family string) string {
	switch family {
	case "plan_blanc", "releves", "tension", "rappel_service":
		return "users"
	case "confinement", "intrusion":
		return "lock"
	case "evacuation":
		return "door"
	case "panne_si", "cyberattaque":
		return "screen"
	case "coupure_electrique":
		return "bolt"
	case "nrbc":
		return "shield"
	case "test_mensuel":
		return "check"
	}
	return "alert"
}

// lang is the language of the page as scenarios write it.
func lang(c *ui.Context) string { return string(c.Loc.Language()) }

// warningText is the sentence of a warning, its codes said in words.
func (p *Pages) warningText(c *ui.Context, w alerting.Warning) string {
	args := slices.Clone(w.Args)
	for i := 0; i+1 < len(args); i += 2 {
		if micros, ok := args[i+1].(int64); ok {
			args[i+1] = alerting.Euros(c.Loc, micros)
			continue
		}
		text, ok := args[i+1].(string)
		if !ok {
			continue
		}
		switch args[i] {
		case "skill":
			args[i+1] = p.skill(c, text)
		case "medium":
			args[i+1] = medium(c.Loc, channels.Medium(text))
		case "language":
			args[i+1] = c.Loc.T("alerting.page.language." + text)
		}
	}
	return c.Loc.T(w.Key, args...)
}

// skill is the name of a métier or qualification; empty is everyone.
func (p *Pages) skill(c *ui.Context, code string) string {
	if code == "" {
		return c.Loc.T("alerting.page.skill.any")
	}
	return p.dir.Reference().Label(code, lang(c))
}

func medium(loc *i18n.Localizer, m channels.Medium) string {
	return loc.T("channels.medium." + string(m))
}

// answerWord says an answer as the table shows it: "Vient (30 min)".
func answerWord(loc *i18n.Localizer, m alerting.Meaning, minutes int) string {
	if m == "" {
		return loc.T("alerting.page.meaning.none")
	}
	word := loc.T(m.Key())
	if m == alerting.Coming && minutes >= 0 {
		word += " (" + loc.T("alerting.page.minutes", "n", minutes) + ")"
	}
	return word
}

// answerTone lets the eye run down a table.
func answerTone(m alerting.Meaning) ui.Tone {
	switch m {
	case alerting.Coming, alerting.OnSite:
		return ui.Success
	case alerting.CallMe:
		return ui.Attention
	case "":
		return ui.Neutral
	}
	return ui.Information
}

// attemptTone is the tone of the state of one message.
func attemptTone(s alerting.AttemptState) ui.Tone {
	switch s {
	case alerting.AttemptDelivered:
		return ui.Success
	case alerting.AttemptFailed, alerting.AttemptExpired:
		return ui.Alert
	case alerting.AttemptGuarded:
		return ui.Attention
	}
	return ui.Neutral
}

// gatewayTone is the tone of a way out.
func gatewayTone(g dispatch.GatewayView) ui.Tone {
	switch {
	case g.Running && g.Health.Up:
		return ui.Success
	case !g.Running:
		return ui.Neutral
	}
	return ui.Alert
}

// address is a number as one dials it, or an e-mail address.
func address(m channels.Medium, text string) string {
	if m == channels.Email || m == channels.Pager || m == channels.Chat {
		return text
	}
	return phone.Format(text)
}

// name is a person as lists show her.
func name(last, first string) string { return strings.TrimSpace(last + " " + first) }

// place is a service and its site.
func place(service, site string) string {
	if service == "" || site == "" {
		return service + site
	}
	return service + " · " + site
}

// unitName is a service and its site, or that they are unknown.
func unitName(c *ui.Context, u alerting.UnitCount) string {
	if text := place(u.ServiceName, u.SiteName); text != "" {
		return text
	}
	return c.Loc.T("alerting.page.unit.none")
}

// whoIs is the métier, the service and the site of a person.
func (p *Pages) whoIs(c *ui.Context, r alerting.Recipient) string {
	where := place(r.ServiceName, r.SiteName)
	switch {
	case r.Metier == "":
		return where
	case where == "":
		return p.skill(c, r.Metier)
	}
	return p.skill(c, r.Metier) + " · " + where
}

// attemptTime is the last instant known of a message.
func attemptTime(a alerting.Attempt) time.Time {
	for _, at := range []time.Time{a.DeliveredAt, a.FailedAt, a.SubmittedAt} {
		if !at.IsZero() {
			return at
		}
	}
	return a.At
}
