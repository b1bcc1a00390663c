package alerting

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/directory"
)

// rung is one address of a person, frozen at the launch, in order of escalation.
type rung struct {
	Medium  channels.Medium `json:"m"`
	Address string          `json:"a"`
}

// Media are those an alert can use.
func Media() []channels.Medium {
	return []channels.Medium{channels.SMS, channels.Voice, channels.Email, channels.Chat, channels.Push, channels.Pager}
}

// carries tells whether a medium goes to a contact point of that kind.
func carries(kind string, m channels.Medium) bool {
	switch kind {
	case directory.Mobile:
		return m == channels.SMS || m == channels.Voice
	case directory.Landline, directory.Extension:
		return m == channels.Voice
	case directory.Email:
		return m == channels.Email
	case directory.Pager:
		return m == channels.Pager
	case directory.Chat:
		return m == channels.Chat
	case directory.Device:
		return m == channels.Push
	}
	return false
}

// usable tells whether a medium may be tried on a contact point: a STOP by SMS
// blocks the SMS of the number, and the telephone still rings.
func usable(c directory.Contact, m channels.Medium) bool {
	return c.Usable() || m == channels.Voice && c.State == directory.Stopped
}

// ladder orders the usable addresses of a person: the media in the order of
// the wave, and within a medium the person's own preference.
func ladder(t directory.Target, media []channels.Medium) []rung {
	out := make([]rung, 0, len(t.Contacts))
	for _, m := range wished(media, t.First) {
		if slices.Contains(t.Refused, string(m)) {
			continue
		}
		for _, c := range t.Contacts {
			r := rung{m, c.Address}
			if carries(c.Kind, m) && usable(c, m) && !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// wished puts the medium that somebody asks for before the others of the wave; one
// that the wave does not use is not used for him either.
func wished(media []channels.Medium, first string) []channels.Medium {
	at := slices.Index(media, channels.Medium(first))
	if at <= 0 {
		return media
	}
	return append([]channels.Medium{media[at]}, slices.Concat(media[:at], media[at+1:])...)
}

// whyNoRung says why a ladder is empty.
func whyNoRung(t directory.Target, media []channels.Medium) LeftOut {
	refused, stopped := false, false
	for _, m := range media {
		for _, c := range t.Contacts {
			switch {
			case !carries(c.Kind, m):
			case slices.Contains(t.Refused, string(m)):
				refused = true
			case !usable(c, m):
				stopped = true
			}
		}
	}
	switch {
	case stopped:
		return LeftStopped
	case refused:
		return LeftRefused
	}
	return LeftNoAddress
}

// leftOut tells why a person is not called, or "". The order matters: someone
// on leave is counted as such whatever else is true of him.
func (p *plan) leftOut(t directory.Target, wave int, now time.Time) LeftOut {
	wanted := p.Definition.Audience.Include.Duty
	switch {
	case t.Absent:
		return LeftAbsent
	case !wanted.Fits(t.Duty) && t.Duty == directory.OnDuty:
		return LeftOnDuty
	case !wanted.Fits(t.Duty):
		return LeftOffDuty
	case t.Protected && p.Definition.Audience.Mass:
		return LeftProtected
	case wave < 0:
		return LeftNoWave
	case !p.Definition.Audience.IgnoreRest && !p.forFunction(wave) && t.RestUntil.After(now.Add(p.Definition.Waves[wave].begins())):
		return LeftResting
	}
	return ""
}

// begins is when the people of a wave are wanted: a relief for its slot.
func (w Wave) begins() time.Duration { return max(w.After.Std(), w.turn()) }

// forFunction tells a wave that calls whoever is on call: being reachable is his
// duty, so the rest after a day of work does not leave him out.
func (p *plan) forFunction(wave int) bool {
	return len(p.Definition.Audience.Include.OnCall)+len(p.wave(wave).Who.OnCall) > 0
}

// matcher tells who a rule chooses. What a Target does not carry (groups,
// statuses, on-call functions) was looked up beforehand as a set of people.
type matcher struct {
	rule directory.Rule
	set  map[uuid.UUID]struct{}
}

// needsSet tells a rule that cannot be judged on the Target alone.
func needsSet(r directory.Rule) bool { return len(r.Groups)+len(r.Statuses)+len(r.OnCall) > 0 }

func (m matcher) matches(t directory.Target) bool {
	if m.set != nil {
		_, ok := m.set[t.Person]
		return ok
	}
	r := m.rule
	return r.Duty.Fits(t.Duty) && among(r.Metiers, t.Metier) && anyAmong(r.Qualifications, t.Qualifications) &&
		among(r.Services, t.Service) && among(r.Sites, t.Site) && among(r.People, t.Person)
}

func among[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

func anyAmong(list, values []string) bool {
	return len(list) == 0 || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) })
}
