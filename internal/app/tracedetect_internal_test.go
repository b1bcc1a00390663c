package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/config"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/detect"
	"tocsin/internal/traces/jsonl"
	"tocsin/internal/traces/watch"
)

// silentBase is a base that is never asked.
type silentBase struct{ traces.Base }

// TestALookThatNoCareExplainsBecomesACase passes events through the live flow of
// the house, before and after the detection is put into service, and again after
// a restart of what learns.
func TestALookThatNoCareExplainsBecomesACase(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := &config.Server{Listen: "127.0.0.1:0", PublicURL: "https://tocsin.test", Data: filepath.Join(folder, "data"), KeyFile: filepath.Join(folder, "tocsin.key"), LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Validate())
	h, err := Build(t.Context(), Plan{Settings: s, Log: slog.New(slog.DiscardHandler)})
	must(err)
	defer func() { must(h.Close()) }()
	e, err := h.Houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU", Language: "fr"})
	must(err)
	scope := access.System(e.ID, "test")
	now := h.Clock.Now()
	must(h.CareDesk.Keep(t.Context(), e.ID, e.ID, traces.News{
		Sent: now.UnixMicro(), Patient: traces.Identity{IPP: []string{"8001"}, Surname: "Faure"},
		Moves: []traces.Move{{Kind: traces.MoveIn, Visit: "S1", Class: traces.Inpatient, Services: []string{"Cardiologie"}, At: now.Add(-time.Hour).UnixMicro()}},
	}))
	must(h.CareDesk.Name(t.Context(), scope, traces.Identity{IPP: []string{"9009"}}, "élu de la commune"))

	queue, err := spool.Open(filepath.Join(s.Data, "traces", "spool"), spool.Options{})
	must(err)
	defer func() { must(queue.Close()) }()
	h.Traces.Connect(queue, silentBase{})
	from, err := h.demoSource(t.Context(), scope, traces.Wanted{Name: "DPI", Format: jsonl.Name, Zone: "Europe/Paris"})
	must(err)
	look := func(account, ipp string) {
		t.Helper()
		us := h.Clock.Now().UnixMicro()
		must(h.Traces.Take(t.Context(), from, []traces.Event{{
			Collector: jsonl.Name, At: us, Received: us, Account: account, Person: account, Service: "Cardiologie", IPP: ipp, Action: traces.Read, Outcome: traces.Success, Severity: -1, Raw: []byte("{}"),
		}}, nil))
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stored := make(chan struct{}, 100)
	watching := h.watchTold(queue, func(watch.State) { stored <- struct{}{} })
	done := make(chan error, 1)
	go func() { done <- watching.Run(ctx) }()
	count := func() int {
		t.Helper()
		list, err := h.Cases.Find(t.Context(), scope, cases.Filter{})
		must(err)
		return list.Total
	}
	look("u1", "9009")
	<-stored
	if n := count(); n != 0 {
		t.Fatalf("%d cases before the detection is in service", n)
	}
	must(h.demoGate(t.Context(), scope))
	look("u1", "8001") // its own service cares for the patient
	look("u2", "9009") // nothing explains it, and the patient is watched
	for count() == 0 {
		<-stored
	}
	list, err := h.Cases.Find(t.Context(), scope, cases.Filter{})
	must(err)
	if len(list.Cases) != 1 || list.Cases[0].Rule != detect.RuleWellKnown || list.Cases[0].Account != "u2" {
		t.Errorf("%+v", list.Cases)
	}
	all, services, err := h.Cases.ExplainedShare(t.Context(), scope)
	must(err)
	if all.Explained != 1 || all.Unexplained != 1 || len(services) != 1 || services[0].Service != storage.Fold("Cardiologie") {
		t.Errorf("%+v %+v", all, services)
	}
	figures, err := h.Cases.Figures(t.Context(), scope)
	must(err)
	if i := slices.IndexFunc(figures, func(f cases.Figures) bool { return f.Kind == cases.Patient }); i < 0 || figures[i].Examined != all.Explained+all.Unexplained {
		t.Errorf("%+v judged, and examined %+v", all, figures)
	}
	stop()
	must(<-done)
	must(h.writeLearnt())
	before := h.Detection.Costs()
	h.openDetection()
	if after := h.Detection.Costs(); len(after) != 1 || after[0] != before[0] {
		t.Errorf("learnt %+v, and after a restart %+v", before, after)
	}
}
