package alerts

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cases"
	tracepages "tocsin/internal/traces/pages"
	"tocsin/internal/traces/rules"
	"tocsin/internal/traces/watch"
	"tocsin/internal/ui"
)

// The addresses.
const (
	Path          = tracepages.AlertsPath
	RulesPath     = tracepages.RulesPath
	DetectionPath = tracepages.DetectionPath
	settingsPath  = tracepages.Path + "/seuils/"
	registerPath  = DetectionPath + "/registre"
)

// CasePath is the sheet of one case.
func CasePath(id uuid.UUID) string { return Path + "/" + id.String() }

func rulePath(key string) string { return RulesPath + "/" + url.PathEscape(key) }

// Watching is how far the watch is, when this program has one.
type Watching struct {
	State  watch.State
	Behind int64
}

// Options are what the pages rest on.
type Options struct {
	Cases  *cases.Service
	Rules  *rules.Service
	Traces *traces.Service
	// Watch tells how far the watch is; false when nothing is watched here.
	Watch func() (Watching, bool)
	// Scenarios are what an alert may launch.
	Scenarios func(ctx context.Context, scope access.Scope) ([]ui.Choice, error)
	// LaunchPath is the follow-up of an alert.
	LaunchPath func(id uuid.UUID) string
	// Behaviour are the keys of the titles of the rules of behaviour; nil when this
	// program has none.
	Behaviour func() []string
}

type pages struct{ o Options }

// Routes registers the pages.
func Routes(r *ui.Router, o Options) {
	p := pages{o}
	r.Get(Path, access.TracesCases, p.list)
	r.Get(Path+"/{id}", access.TracesCases, p.sheet)
	r.Post(Path+"/{id}/attribuer", access.TracesCases, p.assign)
	r.Post(Path+"/{id}/noter", access.TracesCases, p.note)
	r.Post(Path+"/{id}/conclure", access.TracesCases, p.decide)
	r.Post(Path+"/{id}/rouvrir", access.TracesCases, p.reopen)
	r.Get(settingsPath+"{type}", access.TracesCases, p.settings)
	r.Post(settingsPath+"{type}", access.TracesCases, p.set)
	r.Get(RulesPath, access.TracesCases, p.rules)
	r.Get(RulesPath+"/{regle}", access.TracesCases, p.rule)
	r.Post(RulesPath+"/{regle}/essayer", access.TracesCases, p.try)
	r.Post(RulesPath+"/{regle}/service", access.TracesRules, p.switchRule)
	r.Get(DetectionPath, access.TracesCases, p.gate)
	r.Post(DetectionPath+"/aipd", access.TracesGovern, p.assess)
	r.Post(DetectionPath+"/consultation", access.TracesGovern, p.consult)
	r.Post(DetectionPath+"/information", access.TracesGovern, p.inform)
	r.Post(DetectionPath+"/service", access.TracesGovern, p.switchGate)
	r.Get(registerPath, access.TracesCases, p.register)
	r.Get(registerPath+".pdf", access.TracesCases, p.registerPDF)
	r.Get(registerPath+".txt", access.TracesCases, p.registerText)
}
