package pages

import (
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/ui"
)

// The addresses of on-call functions.
const (
	OnCallPath     = "/annuaire/astreintes"
	functionsPath  = OnCallPath + "/fonctions"
	troublesPath   = OnCallPath + "/problemes"
	shownReplaced  = 40
	shownTroubles  = 5
	localMoment    = "2006-01-02T15:04"
	stepSeparation = ":"
)

func (p pages) onCallRoutes(r *ui.Router) {
	r.Get(OnCallPath, access.DirectoryRead, p.onCall)
	r.Get(troublesPath, access.DirectoryRead, p.troubles)
	r.Get(functionsPath+"/nouvelle", access.OnCallWrite, p.newFunction)
	r.Post(functionsPath+"/nouvelle", access.OnCallWrite, p.saveFunction)
	r.Get(functionsPath+"/{id}", access.DirectoryRead, p.function)
	r.Get(functionsPath+"/{id}/modifier", access.OnCallWrite, p.editFunction)
	r.Post(functionsPath+"/{id}/modifier", access.OnCallWrite, p.saveFunction)
	r.Get(functionsPath+"/{id}/supprimer", access.OnCallWrite, p.deletingFunction)
	r.Post(functionsPath+"/{id}/supprimer", access.OnCallWrite, p.deleteFunction)
	r.Get(functionsPath+"/{id}/tours/nouveau", access.OnCallWrite, p.newRotation)
	r.Post(functionsPath+"/{id}/tours/nouveau", access.OnCallWrite, p.saveRotation)
	r.Get(functionsPath+"/{id}/tours/{tour}/modifier", access.OnCallWrite, p.editRotation)
	r.Post(functionsPath+"/{id}/tours/{tour}/modifier", access.OnCallWrite, p.saveRotation)
	r.Post(functionsPath+"/{id}/tours/{tour}/monter", access.OnCallWrite, p.raiseRotation)
	r.Get(functionsPath+"/{id}/tours/{tour}/retirer", access.OnCallWrite, p.droppingRotation)
	r.Post(functionsPath+"/{id}/tours/{tour}/retirer", access.OnCallWrite, p.dropRotation)
	r.Get(functionsPath+"/{id}/remplacement", access.OnCallWrite, p.replacing)
	r.Post(functionsPath+"/{id}/remplacement", access.OnCallWrite, p.replace)
	r.Post(functionsPath+"/{id}/remplacements/{remplacement}/retirer", access.OnCallWrite, p.withdraw)
	r.Get(functionsPath+"/{id}/echange", access.OnCallWrite, p.swapping)
	r.Post(functionsPath+"/{id}/echange", access.OnCallWrite, p.swap)
	r.Post(functionsPath+"/{id}/echanges/{echange}/accepter", access.OnCallWrite, p.acceptSwap)
	r.Post(functionsPath+"/{id}/echanges/{echange}/refuser", access.OnCallWrite, p.refuseSwap)
}

func functionPath(id uuid.UUID, under string) string {
	return functionsPath + "/" + id.String() + under
}

func mayRoster(c *ui.Context) bool { return c.May(access.OnCallWrite) }

func (p pages) onCall(c *ui.Context) error {
	list, err := p.desk.Now(c.Ctx(), c.Scope, c.Now)
	if err != nil {
		return err
	}
	troubles, err := p.desk.Problems(c.Ctx(), c.Scope, c.Now)
	if err != nil {
		return err
	}
	return c.Render(onCallPage(c, list, troubles))
}

func (p pages) troubles(c *ui.Context) error {
	troubles, err := p.desk.Problems(c.Ctx(), c.Scope, c.Now)
	if err != nil {
		return err
	}
	return c.Render(troublesPage(c, troubles))
}

// rota is what the pages of one function show.
type rota struct {
	oncall.View
	zone *time.Location
	site string
}

// rota reads the function of the address over the four weeks to come.
func (p pages) rota(c *ui.Context) (rota, error) {
	id, err := c.ID("id")
	if err != nil {
		return rota{}, err
	}
	v, err := p.desk.View(c.Ctx(), c.Scope, id, c.Now, c.Now.Add(oncall.Horizon))
	if err != nil {
		return rota{}, err
	}
	out := rota{View: v, zone: zoneNamed(v.Function.Zone, c.Zone)}
	if v.Function.Site != uuid.Nil {
		places, err := p.places(c)
		if err != nil {
			return out, err
		}
		out.site = nameOf(c, places.sites, v.Function.Site)
	}
	return out, nil
}

func zoneNamed(name string, other *time.Location) *time.Location {
	if zone, err := time.LoadLocation(name); err == nil {
		return zone
	}
	return other
}

func (p pages) function(c *ui.Context) error {
	v, err := p.rota(c)
	if err != nil {
		return err
	}
	return c.Render(functionPage(c, v))
}

// Block is « de garde maintenant », for the pages of other rooms; nothing when
// the establishment keeps no function.
func Block(s *oncall.Service) func(*ui.Context) (templ.Component, error) {
	return func(c *ui.Context) (templ.Component, error) {
		if !c.May(access.DirectoryRead) {
			return nil, nil
		}
		list, err := s.Now(c.Ctx(), c.Scope, c.Now)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		return onCallBlock(c, list), nil
	}
}

// moment says an instant by the wall clock of a function: "lun. 30 novembre 2026 à 08:00".
func moment(c *ui.Context, t time.Time, zone *time.Location) string {
	return c.Loc.Weekday(t.In(zone).Weekday()) + " " + c.Loc.DateTime(t, zone)
}

// brief says an instant in a table: "lundi 30/11 08:00".
func brief(c *ui.Context, t time.Time, zone *time.Location) string {
	at := t.In(zone)
	return c.Loc.Weekday(at.Weekday()) + " " + at.Format("02/01") + " " + c.Loc.Clock(t, zone)
}

// untilWords says until when somebody holds a function.
func untilWords(c *ui.Context, s oncall.Standing) string {
	if s.Endless {
		return c.Loc.T("directory.page.oncall.endless")
	}
	return c.Loc.T("directory.page.oncall.until", "moment", untilCell(c, s))
}

// untilCell says the same under a heading that says "until" already.
func untilCell(c *ui.Context, s oncall.Standing) string {
	if s.Endless {
		return c.Loc.T("directory.page.oncall.endless")
	}
	return moment(c, s.Until, zoneNamed(s.Function.Zone, c.Zone))
}

// viaWord says by what somebody holds a function.
func viaWord(c *ui.Context, v oncall.Via) string {
	return c.Loc.T("directory.page.oncall.via." + string(v))
}

func viaTone(v oncall.Via) ui.Tone {
	switch v {
	case oncall.ByRotation:
		return ui.Success
	case oncall.ByReplacement:
		return ui.Information
	case oncall.ByFallback:
		return ui.Attention
	case oncall.Gap:
		return ui.Critical
	case oncall.Idle:
	}
	return ui.Neutral
}

func troubleTone(k oncall.Trouble) ui.Tone {
	switch k {
	case oncall.Unheld:
		return ui.Critical
	case oncall.Departed, oncall.OnLeave, oncall.NoMobile:
		return ui.Alert
	case oncall.StoodIn, oncall.Unproven:
	}
	return ui.Attention
}

// troubleWords says a problem of a function, with its hours.
func troubleWords(c *ui.Context, t oncall.Problem) string {
	zone := zoneNamed(t.Zone, c.Zone)
	name := t.Agent.Name
	if name == "" {
		name = c.Loc.T("directory.page.oncall.erased")
	}
	return c.Loc.T("directory.page.oncall.trouble."+string(t.Kind), "name", name, "from", brief(c, t.From, zone), "to", brief(c, t.To, zone))
}

// shifts are the spans worth a line: outside the hours of the function nobody is expected.
func (v rota) shifts() (out []oncall.Span) {
	for _, s := range v.Spans {
		if s.Via != oncall.Idle {
			out = append(out, s)
		}
	}
	return out
}

// holiday names the public holiday a span begins on or crosses; empty when there is none.
func (v rota) holiday(c *ui.Context, s oncall.Span) string {
	var names []string
	first, last := oncall.DayOf(s.From, v.zone), oncall.DayOf(s.To.Add(-time.Second), v.zone)
	for d := first; d <= last && d < first+oncall.Day(oncall.Horizon/(24*time.Hour)); d++ {
		if name, is := oncall.HolidayOn(v.Function.Calendar, d); is {
			names = append(names, c.Loc.T("directory.page.oncall.holiday."+name))
		}
	}
	return strings.Join(names, ", ")
}

// who names a person of the view.
func (v rota) who(c *ui.Context, id uuid.UUID) string {
	if a, known := v.People[id]; known {
		return a.Name
	}
	return c.Loc.T("directory.page.oncall.erased")
}

// stepWords says a level of the chain.
func (v rota) stepWords(c *ui.Context, s oncall.Step) string {
	switch s.Kind {
	case oncall.ToPerson:
		return v.who(c, s.ID)
	case oncall.ToFunction, oncall.ToGroup:
		if name := v.Names[s.ID]; name != "" {
			return c.Loc.T("directory.page.oncall.step."+string(s.Kind), "name", name)
		}
		return c.Loc.T("directory.page.rule.closed")
	}
	return ""
}

// turnWords says how long a turn lasts and when it changes hands.
func turnWords(c *ui.Context, r oncall.Rotation) string {
	every := c.Loc.N("directory.page.oncall.every."+string(r.Unit), r.Every)
	if r.Unit == oncall.Weekly {
		return c.Loc.T("directory.page.oncall.turn.week", "every", every, "day", c.Loc.Weekday(r.Start.Weekday()), "hour", r.Handover.String())
	}
	return c.Loc.T("directory.page.oncall.turn", "every", every, "hour", r.Handover.String())
}

// hoursWords says when something holds.
func hoursWords(c *ui.Context, h oncall.Hours) string {
	var parts []string
	if h.Nights {
		parts = append(parts, c.Loc.T("directory.page.oncall.hours.nights", "from", h.From.String(), "to", h.To.String()))
	}
	if h.Weekends {
		parts = append(parts, c.Loc.T("directory.page.oncall.hours.weekends"))
	}
	if h.Holidays {
		parts = append(parts, c.Loc.T("directory.page.oncall.hours.holidays"))
	}
	if len(parts) == 0 {
		return c.Loc.T("directory.page.oncall.hours.always")
	}
	return strings.Join(parts, ", ")
}

// dayWords says a day; empty for none.
func dayWords(c *ui.Context, d oncall.Day) string {
	if d == 0 {
		return ""
	}
	return c.Loc.Date(d.At(0, time.UTC), time.UTC)
}
