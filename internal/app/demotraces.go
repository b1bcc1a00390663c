package app

import (
	"context"
	"fmt"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/traces"
	"tocsin/internal/traces/jsonl"
	"tocsin/internal/traces/sample"
)

// The traces of the demonstration: a month of an ordinary hospital, and a few
// things that are worth a question.
const (
	demoTraceDays = 30
	demoTraces    = 40_000
	// DemoPatient is the number of a patient whom somebody looked up without any
	// need of care.
	DemoPatient = "800424242"
)

// demoTrace fills the base, when this program has one, through the door that
// sources use.
func (h *House) demoTrace(ctx context.Context, scope access.Scope) error {
	if !h.Traces.Ready() {
		return nil
	}
	known, err := h.Traces.Sources(ctx, scope)
	if err != nil || len(known) > 0 {
		return err
	}
	dpo, err := h.demoAs(ctx, scope, "dpo", access.DataProtection)
	if err != nil {
		return err
	}
	if err := h.demoGate(ctx, dpo); err != nil {
		return err
	}
	from, err := h.demoSource(ctx, scope, traces.Wanted{Name: "Dossier patient", Format: jsonl.Name, Zone: "Europe/Paris", Quiet: 24 * 60})
	if err != nil {
		return err
	}
	if _, err := h.demoSource(ctx, scope, traces.Wanted{Name: "Radiologie (RIS)", Format: "atna", Zone: "Europe/Paris", Quiet: 180, Addresses: "10.20.0.0/24"}); err != nil {
		return err
	}
	now := h.Clock.Now()
	day := sample.New(sample.Options{Organisation: scope.Organisation(), People: 600, Patients: 9000, Services: 12, Start: now.AddDate(0, 0, -demoTraceDays), Days: demoTraceDays, Events: demoTraces, Seed: 7})
	batch := make([]traces.Event, 0, 2000)
	stays := demoStays{}
	for range demoTraces {
		var e traces.Event
		day.Next(&e)
		stays.see(&e)
		e.Raw = append([]byte(nil), e.Raw...)
		if batch = append(batch, e); len(batch) == cap(batch) {
			if err := h.Traces.Take(ctx, from, batch, nil); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if err := h.Traces.Take(ctx, from, append(batch, demoPlanted(now)...), nil); err != nil {
		return err
	}
	if err := h.demoCare(ctx, scope, dpo, stays, now); err != nil {
		return err
	}
	if err := h.demoSystems(ctx, scope); err != nil {
		return err
	}
	return h.demoAsks(ctx, scope)
}

func (h *House) demoSource(ctx context.Context, scope access.Scope, w traces.Wanted) (traces.Speaker, error) {
	_, token, err := h.Traces.Add(ctx, scope, w)
	if err != nil {
		return traces.Speaker{}, err
	}
	return h.Traces.ByToken(ctx, token)
}

// demoPlanted are what stands out: a record opened by a colleague of another
// service, at night too; an emergency access without a reason; a list taken out;
// an account used on several workstations at once; passwords tried.
func demoPlanted(now time.Time) (out []traces.Event) {
	night := now.Truncate(24 * time.Hour).Add(-22 * time.Hour) // 2 h UTC of yesterday
	put := func(at time.Time, e traces.Event) {
		e.Collector, e.At, e.Received, e.Severity, e.Application = jsonl.Name, at.UnixMicro(), at.UnixMicro(), -1, "DPI"
		if e.Outcome == traces.OutcomeUnsaid {
			e.Outcome = traces.Success
		}
		e.Raw = fmt.Appendf(nil, `{"timestamp":%q,"login":%q,"action":%q,"ipp":%q,"poste":%q,"resultat":%q}`, at.UTC().Format(time.RFC3339), e.Account, e.Verb, e.IPP, e.Workstation, e.Outcome)
		out = append(out, e)
	}
	reader := traces.Event{Action: traces.Read, Verb: "consultation", IPP: DemoPatient, PatientName: "Odile MARCHAND", Stay: "2600424242", Object: "Compte rendu", Service: "Cardiologie 1", Site: "Site A"}
	of := func(account, person, function, service, station, purpose string) traces.Event {
		e := reader
		e.Account, e.Person, e.Function, e.Service, e.Workstation, e.Purpose = account, person, function, service, station, purpose
		return e
	}
	care := of("u70001", "Agnès FAURE", "IDE", "Cardiologie 1", "PC-000-04", "TREAT")
	for n := range 9 {
		put(now.Add(-time.Duration(200-20*n)*time.Hour), care)
	}
	put(now.Add(-70*time.Hour), of("u70002", "Rémi LAMBERT", "Médecin", "Cardiologie 1", "PC-000-01", "TREAT"))
	curious := of("u70099", "Yann BONNET", "Secrétaire médicale", "Gériatrie 1", "PC-005-11", "")
	for n := range 4 {
		put(night.Add(time.Duration(n*7)*time.Minute), curious)
	}
	glass := of("u70031", "Karim ROUX", "Interne", "Urgences 1", "PC-001-02", "")
	glass.Action, glass.Verb, glass.IPP, glass.PatientName = traces.BreakGlass, "bris de glace", "800131313", "Louis GARNIER"
	put(now.Add(-30*time.Hour), glass)
	list := of("u70077", "Zoé SIMON", "Cadre de santé", "Oncologie 1", "PC-006-03", "")
	list.Action, list.Verb, list.Object = traces.Export, "export de liste", "Liste des patients"
	put(now.Add(-26*time.Hour), list)
	for n, station := range []string{"PC-001-01", "PC-001-07", "PC-001-09", "PC-002-02"} {
		shared := of("urg-ide", "Compte partagé", "IDE", "Urgences 1", station, "TREAT")
		put(now.Add(-50*time.Hour).Truncate(time.Hour).Add(time.Duration(n*9)*time.Minute), shared)
	}
	for n := range 12 {
		put(now.Add(-20*time.Hour).Add(time.Duration(n)*time.Second), traces.Event{Account: "u70002", Action: traces.Login, Verb: "ouverture de session", Outcome: traces.Denied, Workstation: "PC-009-22", Address: "10.0.9.32"})
	}
	return out
}
