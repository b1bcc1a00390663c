package alerting

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/vault"
)

// Prepare returns the verification sheet of a draft; it writes nothing. Needs
// access.AlertLaunch. Errors are those Launch would give, save that an audience
// of nobody is a warning here.
func (s *Service) Prepare(ctx context.Context, scope access.Scope, now time.Time, d Draft) (Sheet, error) {
	if err := s.guard.Check(scope, access.AlertLaunch); err != nil {
		return Sheet{}, err
	}
	pr, err := s.ready(ctx, scope, now, d)
	if err != nil {
		return Sheet{}, fmt.Errorf("prepare: %w", err)
	}
	c := newCensus(pr.plan)
	if c.bill.tariff, err = s.dispatch.Tariff(ctx, inside(scope), channels.SMS); err != nil {
		return Sheet{}, err
	}
	if err := s.audience(ctx, inside(scope), pr.plan, pr.narrow, now, func(m member) error {
		c.add(m)
		return nil
	}); err != nil {
		return Sheet{}, fmt.Errorf("prepare %s: %w", d.Scenario, err)
	}
	if len(d.Sites) == 1 {
		pr.plan.Setting.Site = c.sites[d.Sites[0]]
	}
	sheet := Sheet{
		Scenario: pr.scenario, Version: pr.scenario.Version, Definition: pr.plan.Definition, Mode: d.Mode, OrderedBy: d.OrderedBy,
		Messaged: c.messaged, ByMedium: c.media(), ByWave: c.waves, ByUnit: c.unitCounts(), LeftOut: c.left, Missing: c.missing, Rest: pr.plan.rest, Fingerprint: pr.fingerprint(),
	}
	for i, q := range pr.plan.Definition.Quotas {
		sheet.Quotas = append(sheet.Quotas, QuotaLine{
			Line: i, Skill: q.Skill, Site: q.Site, SiteName: c.sites[q.Site], From: q.From.Std(), To: q.To.Std(), Needed: q.Needed, Show: pr.plan.show(i), Relief: pr.plan.Definition.turnOf(q), Keep: pr.plan.keep(i),
		})
	}
	if r, found, err := s.RehearsalBefore(ctx, inside(scope), d.Scenario, now); err != nil {
		return Sheet{}, err
	} else if found {
		sheet.Rehearsed = &r
	}
	isolation, err := s.dispatch.Isolation(ctx, inside(scope))
	if err != nil {
		return Sheet{}, err
	}
	if sheet.Previews, err = s.previews(pr.plan, c.oneSite(), isolation.On); err != nil {
		return Sheet{}, err
	}
	gateways, err := s.dispatch.Gateways(ctx, inside(scope))
	if err != nil {
		return Sheet{}, err
	}
	sheet.Estimate = c.estimate(gateways, segments(sheet.Previews))
	if sheet.Cost, err = s.costOf(ctx, scope, pr.plan, &c.bill, segments(sheet.Previews)); err != nil {
		return Sheet{}, err
	}
	if sheet.Warnings, err = s.warnings(ctx, scope, pr, c, sheet, gateways); isolation.On {
		sheet.Warnings = append(sheet.Warnings, Warning{Key: "alerting.warning.isolated"})
	}
	if err != nil {
		return Sheet{}, err
	}
	return sheet, s.warnCodeless(ctx, scope, c, &sheet)
}

// census counts an audience.
type census struct {
	plan     *plan
	messaged int
	reach    map[channels.Medium]*MediumCount
	firstNow map[channels.Medium]int
	waves    []WaveCount
	units    map[unitKey]*UnitCount
	sites    map[uuid.UUID]string
	skills   map[string]int
	left     map[LeftOut]int
	missing  []MissingPerson
	bill     bill
	// rostered tells that a planning speaks of somebody of the audience.
	rostered bool
	// spoken are those whom a reserved text would be told by telephone.
	spoken []uuid.UUID
}

func newCensus(p *plan) *census {
	c := &census{
		plan: p, reach: map[channels.Medium]*MediumCount{}, firstNow: map[channels.Medium]int{}, units: map[unitKey]*UnitCount{},
		sites: map[uuid.UUID]string{}, skills: map[string]int{}, left: map[LeftOut]int{},
		bill: bill{routes: map[string]*RouteCost{}},
	}
	for _, m := range p.Definition.media() {
		c.reach[m] = &MediumCount{Medium: m}
	}
	for i, w := range p.Definition.Waves {
		c.waves = append(c.waves, WaveCount{Number: i + 1, Name: w.Name, After: w.After.Std(), When: w.When, Relief: w.Relief.Std(), Notice: w.Notice})
	}
	return c
}

func (c *census) add(m member) {
	c.sites[m.Target.Site] = m.Target.SiteName
	c.rostered = c.rostered || m.Target.Duty != directory.UnknownDuty
	k := unitOf(m.Target)
	u := c.units[k]
	if u == nil {
		u = &UnitCount{Site: k.site, Service: k.service, SiteName: k.siteName, ServiceName: k.serviceName}
		c.units[k] = u
	}
	if m.Why != "" {
		c.left[m.Why]++
		if m.Why != LeftNoWave {
			u.LeftOut++
		}
		// Who was asked tonight is counted and not named: a name would tell a refusal.
		if m.Why != LeftNoWave && m.Why != LeftAsked && len(c.missing) < MissingListed {
			c.missing = append(c.missing, MissingPerson{m.Target.Person, m.Target.LastName, m.Target.FirstName, m.Target.ServiceName, m.Target.SiteName, m.Why})
		}
		return
	}
	c.messaged++
	c.bill.add(m.Ladder[0])
	u.People++
	if w := &c.waves[m.Wave]; c.plan.forFunction(m.Wave) && len(w.Named) < NamedMost {
		w.Named = append(w.Named, strings.TrimSpace(m.Target.LastName+" "+m.Target.FirstName))
	}
	c.waves[m.Wave].People++
	c.reach[m.Ladder[0].Medium].First++
	if m.Wave == 0 {
		c.firstNow[m.Ladder[0].Medium]++
	}
	for medium, n := range c.reach {
		if slices.ContainsFunc(m.Ladder, func(r rung) bool { return r.Medium == medium }) {
			n.Reachable++
		}
	}
	c.speak(m)
	c.skills[m.Target.Metier]++
	for _, q := range m.Target.Qualifications {
		if q != m.Target.Metier {
			c.skills[q]++
		}
	}
}

func (c *census) media() []MediumCount {
	var out []MediumCount
	for _, m := range c.plan.Definition.media() {
		out = append(out, *c.reach[m])
	}
	return out
}

func (c *census) unitCounts() []UnitCount {
	out := make([]UnitCount, 0, len(c.units))
	for _, u := range c.units {
		if u.People+u.LeftOut > 0 {
			out = append(out, *u)
		}
	}
	slices.SortFunc(out, func(a, b UnitCount) int {
		return cmp.Or(strings.Compare(a.SiteName, b.SiteName), strings.Compare(a.ServiceName, b.ServiceName), compareIDs(a.Service, b.Service))
	})
	return out
}

// oneSite is the site whose name stands in the previews when texts name it.
func (c *census) oneSite() string {
	if c.plan.Setting.Site != "" {
		return c.plan.Setting.Site
	}
	names := make([]string, 0, len(c.sites))
	for _, name := range c.sites {
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

// estimate is how long the slowest medium takes for the first messages of the
// first wave, at the rate its best gateway is set to; zero when none is limited.
// An SMS of several parts counts for several.
func (c *census) estimate(gateways []dispatch.Gateway, segments int) time.Duration {
	var out time.Duration
	for m, n := range c.firstNow {
		best := 0.0
		for _, g := range gateways {
			if g.Medium == m && g.Enabled {
				best = max(best, perSecond(g))
			}
		}
		if m == channels.SMS {
			n *= max(1, segments)
		}
		if best > 0 {
			out = max(out, time.Duration(float64(n)/best*float64(time.Second)))
		}
	}
	return out.Round(time.Second)
}

// perSecond is the rate a gateway is limited to; e-mail, chat and notifications are set by the minute. 0 is no limit.
func perSecond(g dispatch.Gateway) float64 {
	rate := float64(g.Settings.Int("rate"))
	if g.Medium == channels.Email || g.Medium == channels.Push || g.Medium == channels.Chat {
		return rate / 60
	}
	return rate
}

// segments is the most parts the first SMS of an alert takes.
func segments(previews []Preview) (n int) {
	for _, p := range previews {
		if p.Use == UseAlert {
			n = max(n, p.Segments)
		}
	}
	return n
}

// previewLink has the length of a personal link.
func (s *Service) previewLink() string { return s.linkBase + strings.Repeat("x", vault.LinkCodeLength) }

// previews composes every text that this alert may send, as it will leave.
func (s *Service) previews(p *plan, site string, isolated bool) ([]Preview, error) {
	var out []Preview
	media := p.Definition.media()
	for _, t := range p.Definition.Messages {
		if !slices.Contains(media, t.Medium) {
			continue
		}
		c, ok, err := p.compose(t.Use, t.Medium, t.Language, site, p.Definition.turnsOf(t.Use).first())
		if err != nil {
			return nil, err
		}
		if ok && isolated {
			c.Body = c.Linkless
		}
		if ok {
			m := preview(t, c.Subject, c.Body, s.previewLink())
			m.Reserved = c.Cover != ""
			out = append(out, m)
		}
	}
	return out, nil
}

// warnings say what a launcher should know; none of them forbids the launch.
func (s *Service) warnings(ctx context.Context, scope access.Scope, pr prepared, c *census, sheet Sheet, gateways []dispatch.Gateway) ([]Warning, error) {
	var out []Warning
	warn := func(key string, args ...any) { out = append(out, Warning{key, args}) }
	if c.messaged == 0 {
		warn("alerting.warning.nobody")
	}
	if !c.rostered && c.plan.Definition.asksDuty() {
		warn("alerting.warning.no_roster")
	}
	for i, w := range c.waves {
		if w.People == 0 && c.plan.forFunction(i) {
			warn("alerting.warning.oncall_nobody", "wave", w.Number)
		}
	}
	for _, m := range c.plan.Definition.media() {
		if !slices.ContainsFunc(gateways, func(g dispatch.Gateway) bool { return g.Medium == m && g.Enabled }) {
			warn("alerting.warning.no_gateway", "medium", string(m))
		}
	}
	for _, p := range sheet.Previews {
		if p.Medium != channels.SMS || p.Use != UseAlert && p.Use != UseStayAway {
			continue
		}
		if n := utf8.RuneCountInString(strings.ReplaceAll(p.Body, s.previewLink(), "")); n > SMSRecommended {
			warn("alerting.warning.sms_long", "language", p.Language, "n", n, "limit", SMSRecommended)
		}
		if p.Unicode {
			warn("alerting.warning.sms_unicode", "language", p.Language, "letters", strings.Join(p.Offenders, " "), "segments", p.Segments)
		} else if p.Segments > 1 {
			warn("alerting.warning.sms_segments", "language", p.Language, "segments", p.Segments)
		}
	}
	if sheet.Cost.Passes() {
		key := "alerting.warning.ceiling"
		if !sheet.Cost.Stops {
			key = "alerting.warning.ceiling_life"
		}
		warn(key, "cost", sheet.Cost.Total, "ceiling", sheet.Cost.Ceiling)
	}
	for i, q := range c.plan.Definition.Quotas {
		have := c.messaged
		if q.Skill != "" {
			have = c.skills[q.Skill]
		}
		if have < q.Needed {
			warn("alerting.warning.quota", "line", i+1, "skill", q.Skill, "needed", q.Needed, "have", have)
		}
	}
	if a := c.plan.Definition.Audience; a.IgnoreRest {
		warn("alerting.warning.rest", "reason", a.RestReason.In("fr"))
	}
	if n := c.left[LeftAsked]; n > 0 {
		warn("alerting.warning.asked", "n", n, "hours", int(AskedWithin/time.Hour))
	}
	rules, err := s.Governance(ctx, inside(scope))
	if err != nil {
		return nil, err
	}
	if rules.asks(c.plan.Definition, c.messaged) {
		warn("alerting.warning.second", "n", rules.SecondAbove)
	}
	active, err := s.Active(ctx, inside(scope))
	for _, l := range active {
		if l.Scenario == pr.scenario.ID {
			key := "alerting.warning.running"
			if l.Mode != pr.draft.Mode { // an exercise that runs is no reason not to launch for real
				key = "alerting.warning.running." + string(l.Mode)
			}
			warn(key, "at", l.LaunchedAt.In(pr.plan.Setting.location()).Format("15:04"), "by", l.LaunchedBy)
		}
	}
	return out, err
}

// PreviewDefinition composes the texts of a definition being written, with the
// names of the variables in place of values that are not given, so that the
// editor shows what a phone shows. Needs access.ScenarioRead.
func (s *Service) PreviewDefinition(ctx context.Context, scope access.Scope, now time.Time, def Definition, values map[string]string, mode Mode) ([]Preview, error) {
	if err := s.guard.Check(scope, access.ScenarioRead); err != nil {
		return nil, err
	}
	house, err := s.houses.Get(ctx, inside(scope))
	if err != nil {
		return nil, err
	}
	place := setting{Establishment: house.Name, Word: house.Word, Zone: house.Zone, Language: house.Language}
	var out []Preview
	for _, t := range def.Messages {
		vars := place.variables(shown(def, values, t.Language), mode, t.Language, "", now)
		if ofRelief(t.Use) {
			vars[VarRelief] = reliefHour(now, def.turnsOf(t.Use).first(), place.location())
		}
		subject, body, err := t.compose(vars, mode)
		if err != nil {
			// A brace left open, an unknown name: the author sees his text as it is; Check says why.
			subject, body = t.Subject, t.Body
		}
		m := preview(t, subject, body, s.previewLink())
		m.Reserved = def.Reserved && t.Medium == channels.Voice
		out = append(out, m)
	}
	return out, nil
}

// shown gives each variable a value to look at.
func shown(def Definition, values map[string]string, language string) map[string]string {
	out := map[string]string{}
	for _, v := range def.Variables {
		out[v.Name] = cmp.Or(values[v.Name], v.Default.In(language), "["+cmp.Or(v.Label.In(language), v.Name)+"]")
	}
	return out
}
