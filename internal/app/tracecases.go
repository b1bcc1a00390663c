package app

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/alerting"
	alertpages "tocsin/internal/alerting/pages"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/spool"
	"tocsin/internal/traces/cases"
	tracealerts "tocsin/internal/traces/pages/alerts"
	"tocsin/internal/traces/rules"
	"tocsin/internal/traces/sigma"
	"tocsin/internal/traces/watch"
	"tocsin/internal/ui"
)

// joinCases joins what stands out in the traces with those who handle it, and
// with the alerts.
func (h *House) joinCases() {
	dir := cmp.Or(h.Settings.TracesRules, filepath.Join(h.Settings.Data, "traces", "rules"))
	h.Rules = rules.New(rules.Options{DB: h.DB, Guard: h.Guard, Clock: h.Clock, Log: h.Log, Dir: dir})
	h.Cases = cases.New(cases.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Log: h.Log, Looks: h.Traces, People: holders{h}, Watchman: watchmen{h.Accounts}, Alarm: caseAlarm{h},
		TitleKey: caseTitle, Watched: caseWatched,
		CaseLink: func(id uuid.UUID) string { return h.origin().String() + tracealerts.CasePath(id) },
	})
}

// detectors look at the live flow, in this order.
func (h *House) detectors() []watch.Guarded {
	return []watch.Guarded{{Detector: h.Rules.Detector()}, {Detector: h.Detection, Behaviour: true}}
}

// watch looks at what waits in the queue of the traces.
func (h *House) watch(queue *spool.Spool) *watch.Watch { return h.watchTold(queue, nil) }

// watchTold is watch; stored is told each time that something was stored.
func (h *House) watchTold(queue *spool.Spool, stored func(watch.State)) *watch.Watch {
	w := watch.New(watch.Options{
		Stored: stored,
		DB:     h.DB, Spool: queue, Flow: h.flow(), Dir: filepath.Join(h.Settings.Data, "traces", "spool"), Keeper: h.Cases, Detectors: h.detectors(), Clock: h.Clock, Log: h.Log, Pause: pause,
	})
	h.watching.Store(w)
	return w
}

// looked tells how far the watch is.
func (h *House) looked() (tracealerts.Watching, bool) {
	w := h.watching.Load()
	if w == nil {
		return tracealerts.Watching{}, h.Traces.Ready()
	}
	behind, state := w.Behind()
	return tracealerts.Watching{State: state, Behind: behind}, true
}

// unwatched is how many bytes of the queue nobody looked at yet; -1 before
// anybody looks.
func (h *House) unwatched() int64 {
	w := h.watching.Load()
	if w == nil {
		return -1
	}
	behind, _ := w.Behind()
	return behind
}

func (h *House) registerCases(r *ui.Router) {
	tracealerts.Routes(r, tracealerts.Options{
		Cases: h.Cases, Rules: h.Rules, Traces: h.Traces, Watch: h.looked, Scenarios: h.caseScenarios, Behaviour: behaviourTitles,
		LaunchPath: func(id uuid.UUID) string { return alertpages.AlertsPath + "/" + id.String() },
	})
}

// caseScenarios are what a grave case may launch.
func (h *House) caseScenarios(ctx context.Context, scope access.Scope) ([]ui.Choice, error) {
	list, err := h.Alerting.Scenarios(ctx, scope, alerting.ScenarioFilter{})
	var out []ui.Choice
	for _, s := range list {
		out = append(out, ui.Choice{Value: s.ID.String(), Label: s.Title.In("fr")})
	}
	return out, err
}

// holders has « Identités » say who holds a role.
type holders struct{ h *House }

// Holders implements cases.People.
func (o holders) Holders(ctx context.Context, scope access.Scope, role access.Role) ([]cases.Person, error) {
	members, err := o.h.Accounts.Members(ctx, scope)
	var out []cases.Person
	for _, m := range members {
		if m.Active() && m.Has(role) {
			out = append(out, cases.Person{ID: m.ID, Name: m.Name})
		}
	}
	return out, err
}

// caseAlarm launches the alert of a grave case.
type caseAlarm struct{ h *House }

// linkVariable is the variable of a scenario that takes the link to the case.
const linkVariable = "dossier"

// Launch implements cases.Alarm. The program acts; the scenario, which a person
// chose and who is called by it, is the authority.
func (a caseAlarm) Launch(ctx context.Context, scope access.Scope, now time.Time, c cases.Call) (uuid.UUID, error) {
	_, def, err := a.h.Alerting.Scenario(ctx, scope, c.Scenario)
	if err != nil {
		return uuid.Nil, err
	}
	said := c.Say(a.h.Catalog.For(i18n.French))
	launch, _, err := a.h.Alerting.Launch(ctx, scope, now, alerting.Draft{
		Scenario: c.Scenario, Mode: alerting.Mode(c.Mode), Values: caseValues(def, said, c.Link), OrderedBy: "Tocsin (traces)", IdempotencyKey: c.Key,
	})
	return launch.ID, err
}

// caseValues fills the variables of a scenario: the link where it asks for one,
// what the case is about in the first other text.
func caseValues(def alerting.Definition, said, link string) map[string]string {
	out, told := map[string]string{}, false
	for _, v := range def.Variables {
		most := cmp.Or(v.MaxLength, 60)
		switch {
		case v.Kind != "text":
		case v.Name == linkVariable:
			if len(link) <= most {
				out[v.Name] = link
			}
		case !told:
			told, out[v.Name] = true, cutRunes(said, most)
		}
	}
	return out
}

func cutRunes(text string, most int) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	return string(r[:min(len(r), most)])
}

// checkWatch looks whether what comes in is looked at.
func (h *House) checkWatch(ctx context.Context, _ access.Scope) administration.Finding {
	state, err := watch.Read(ctx, h.DB, h.flow())
	if err != nil {
		f := finding(administration.Broken, "app.check.watch.silent", "app.check.watch.todo")
		f.Err = err
		return f
	}
	args := []any{"examined", state.Examined, "megabytes", state.Skipped >> 20}
	if state.Skipped > 0 && h.Clock.Now().Sub(state.SkippedAt) < 7*24*time.Hour {
		return finding(administration.Weak, "app.check.watch.skipped", "app.check.watch.todo", args...)
	}
	if state.Examined == 0 {
		return finding(administration.Unused, "app.check.watch.none", "")
	}
	return finding(administration.Well, "app.check.watch.well", "", args...)
}

type rulesCommand struct {
	Test rulesTest `cmd:"" help:"Read the rules of a file or folder and try them, on the events beside them or on those given."`
}

type rulesTest struct {
	Path   string `arg:"" help:"Rules: a file or a folder. Trials stand beside them as NAME.test.yml."`
	Events string `arg:"" optional:"" help:"Events in JSON to ask the rules about."`
}

// Run says of each file what is wrong with it; the command fails when any is.
func (c *rulesTest) Run(s *session) error {
	if c.Events != "" {
		return c.ask(s)
	}
	dir, name := filepath.Split(filepath.Clean(c.Path))
	if info, err := os.Stat(c.Path); err != nil {
		return fault.Wrap(err, fault.Invalid, "app.watch.unreadable", "path", c.Path)
	} else if info.IsDir() {
		dir, name = c.Path, ""
	}
	tried, err := sigma.Parser{}.TestFolder(os.DirFS(cmp.Or(dir, ".")))
	if err != nil {
		return err
	}
	loc, read, bad := s.words(), 0, 0
	for _, t := range tried {
		if name != "" && t.File != name {
			continue
		}
		read++
		if s.printf("%s", trialWords(loc, t)); !t.OK() {
			bad++
		}
	}
	s.printf("%s", loc.T("app.rules.sum", "read", read, "bad", bad))
	if bad > 0 || read == 0 {
		return fault.New(fault.Invalid, "app.rules.bad")
	}
	return nil
}

// trialWords says how the trial of a file went.
func trialWords(loc *i18n.Localizer, t sigma.Tried) string {
	switch {
	case t.Err != nil:
		return loc.T("app.rules.refused", "file", t.File, "why", loc.Fault(t.Err))
	case len(t.Failed) > 0:
		var lines []string
		for _, f := range t.Failed {
			key := "app.rules.missed"
			if !f.WantHit {
				key = "app.rules.wrong"
			}
			lines = append(lines, loc.T(key, "line", f.Line))
		}
		return loc.T("app.rules.refused", "file", t.File, "why", strings.Join(lines, " "))
	case !t.Tested:
		return loc.T("app.rules.untested", "file", t.File, "title", t.Title)
	}
	return loc.N("app.rules.passed", t.Cases, "file", t.File, "title", t.Title)
}

// ask asks the rules of a file about events.
func (c *rulesTest) ask(s *session) error {
	text, err := os.ReadFile(c.Path)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "app.watch.unreadable", "path", c.Path)
	}
	events, err := os.ReadFile(c.Events)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "app.watch.unreadable", "path", c.Events)
	}
	set, err := sigma.Parser{}.Parse(filepath.Base(c.Path), text)
	if err != nil {
		return err
	}
	answer, err := rules.Ask(set, events)
	if err != nil {
		return err
	}
	loc := s.words()
	for i, e := range answer.Events {
		key := "app.rules.event.miss"
		if e.Hit {
			key = "app.rules.event.hit"
		}
		var why []string
		for _, x := range e.Evidence {
			why = append(why, x.Field+" = "+x.Value)
		}
		s.printf("%s", loc.T(key, "n", i+1, "why", strings.Join(why, ", ")))
	}
	if answer.Held {
		s.printf("%s", loc.T("app.rules.event.held"))
	}
	return nil
}
