package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/syslog"
)

// demoGate puts the detection of behaviour into service, as an establishment does
// that has gone through the three steps: the papers are invented.
func (h *House) demoGate(ctx context.Context, scope access.Scope) error {
	day := func(ago int) string { return h.Clock.Now().AddDate(0, 0, -ago).Format(time.DateOnly) }
	return errors.Join(
		h.Cases.Assess(ctx, scope, cases.Assessment{Day: day(90), Author: "Youssef Lamine, RSSI", Advice: "Favorable, avec revue annuelle des règles", Document: "AIPD-2026-07 (démonstration)"}),
		h.Cases.Consult(ctx, scope, cases.Consultation{Body: "Comité social d’établissement", Day: day(60), Opinion: "Avis favorable, 9 voix sur 11"}),
		h.Cases.Inform(ctx, scope, cases.Notice{Day: day(30), How: "Note de service, intranet, charte informatique annexée au règlement intérieur"}),
		h.Cases.Switch(ctx, scope, true, "Décision du directeur, pour la démonstration"),
	)
}

// demoSystems has servers say what our own rules hear: a backup that somebody
// deletes, and passwords tried on one account.
func (h *House) demoSystems(ctx context.Context, scope access.Scope) error {
	from, err := h.demoSource(ctx, scope, traces.Wanted{Name: "Serveurs (syslog)", Format: syslog.Name, Zone: "Europe/Paris", Addresses: "10.30.0.0/24"})
	if err != nil {
		return err
	}
	now := h.Clock.Now()
	var list []traces.Event
	say := func(e traces.Event) {
		e.Collector, e.At, e.Received = syslog.Name, now.UnixMicro(), now.UnixMicro()
		e.Raw = fmt.Appendf(nil, "<38>1 %s %s %s - - - %s", now.UTC().Format(time.RFC3339), e.Workstation, e.Application, e.Message)
		list = append(list, e)
	}
	for range 12 {
		say(traces.Event{Action: traces.Login, Outcome: traces.Denied, Account: "svc-sauvegarde", Workstation: "srv-fichiers-02", Application: "sshd", Address: "10.30.0.77", Severity: 5, Message: "Failed password for svc-sauvegarde from 10.30.0.77 port 50122 ssh2"})
	}
	say(traces.Event{Action: traces.Execute, Outcome: traces.Success, Account: "svc-sauvegarde", Workstation: "srv-fichiers-02", Application: "powershell", Severity: 4, Message: `C:\Windows\System32\vssadmin.exe delete shadows /all /quiet`})
	return h.Traces.Take(ctx, from, list, nil)
}
