package app

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/demo"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
	"tocsin/internal/traces/kept"
)

// demoAs is the scope of the account of a role of the demonstration, as after its
// sign-in: what is kept, asked and advised has its author.
func (h *House) demoAs(ctx context.Context, scope access.Scope, login string, role access.Role) (access.Scope, error) {
	a, err := h.Accounts.ByLogin(ctx, console(), login+"@"+demo.Domain)
	return access.For(scope.Organisation(), access.Actor{Kind: access.Person, ID: a.ID, Name: a.Name}, true, role), err
}

// demoAsks is what people did with the questions before the newcomer arrives: some
// are kept and sent, a dashboard shows them, and audits are asked for.
func (h *House) demoAsks(ctx context.Context, scope access.Scope) error {
	dpo, err := h.demoAs(ctx, scope, "dpo", access.DataProtection)
	if err != nil {
		return err
	}
	return errors.Join(h.demoKept(ctx, dpo), h.demoAudits(ctx, scope, dpo))
}

// demoKept keeps the questions of a weekly review, sends one every Monday and puts
// them on a dashboard.
func (h *House) demoKept(ctx context.Context, dpo access.Scope) error {
	const why = "Revue hebdomadaire des accès"
	board, err := h.Kept.AddBoard(ctx, dpo, kept.WantedBoard{Name: why, Why: why, Shared: true})
	if err != nil {
		return err
	}
	for _, one := range []struct {
		name, phrase string
		filling      traces.Filling
		span         kept.Span
		form         kept.Form
		sent         bool
	}{
		{"Bris de glace sans motif", "break_glass", nil, kept.LastWeek, kept.Number, true},
		{"Connexions refusées", "logins", nil, kept.LastWeek, kept.Table, false},
		{"Dossiers ouverts la nuit", "hours", traces.Filling{"when": "night"}, kept.LastWeek, kept.Curve, false},
		{"Listes et dossiers exportés", "exports", traces.Filling{"action": "export"}, kept.LastMonth, kept.Table, false},
	} {
		q, err := h.Kept.Keep(ctx, dpo, kept.Wanted{Name: one.name, Shared: true, Span: one.span, Why: why, Inquiry: traces.Inquiry{Phrase: one.phrase, Filling: one.filling}})
		if err != nil {
			return err
		}
		if err := h.Kept.AddTile(ctx, dpo, board.ID, q.ID, one.form); err != nil {
			return err
		}
		if !one.sent {
			continue
		}
		monday := kept.Schedule{Rhythm: kept.Weekly, Day: 1, Hour: 8, Zone: "Europe/Paris", Recipients: []uuid.UUID{dpo.Actor().ID}, KeepDays: 30}
		if err := h.Kept.Send(ctx, dpo, q.ID, monday); err != nil {
			return err
		}
	}
	return nil
}

// demoAudits are three requests for audit: one that an adviser has still to read,
// one that waits for its decision, and one that the auditor looks at.
func (h *House) demoAudits(ctx context.Context, scope, dpo access.Scope) error {
	asker, err := h.demoAs(ctx, scope, "lecture", access.Reader)
	if err != nil {
		return err
	}
	dim, err := h.demoAs(ctx, scope, "dim", access.MedicalInformation)
	if err != nil {
		return err
	}
	now := h.Clock.Now()
	month := audits.Extent{From: now.AddDate(0, 0, -demoTraceDays).UnixMicro(), To: now.UnixMicro()}
	of := func(services, patients []string) audits.Extent {
		e := month
		e.Services, e.Patients = services, patients
		return e
	}
	granted, err := h.demoAudit(ctx, asker, audits.Draft{
		Kind: audits.OfService, Subject: "Consultations du dossier de Mme Marchand", Extent: of(nil, []string{DemoPatient}),
		Reason: "La famille dit que des informations du dossier circulent hors du service.",
	}, map[access.Role]access.Scope{access.DataProtection: dpo, access.MedicalInformation: dim})
	if err != nil {
		return err
	}
	if err := h.demoDecision(ctx, scope, granted, now); err != nil {
		return err
	}
	if _, err := h.demoAudit(ctx, asker, audits.Draft{
		Kind: audits.OfPatient, Behalf: "Mme Odile Marchand", Checked: "Carte d’identité présentée au bureau des usagers", Subject: "Qui a ouvert mon dossier ?",
		Reason: "La patiente demande qui a ouvert son dossier pendant son séjour.", Extent: of(nil, []string{DemoPatient}),
	}, map[access.Role]access.Scope{access.DataProtection: dpo, access.MedicalInformation: dim}); err != nil {
		return err
	}
	_, err = h.demoAudit(ctx, asker, audits.Draft{
		Kind: audits.OfService, Subject: "Accès au service d’oncologie après un export de liste", Extent: of([]string{"Oncologie 1"}, nil),
		Reason: "Une liste de patients a été exportée ; l’encadrement du service n’en connaît pas la raison.",
	}, map[access.Role]access.Scope{access.DataProtection: dpo})
	return err
}

// demoAudit asks, and has the given roles advise.
func (h *House) demoAudit(ctx context.Context, asker access.Scope, d audits.Draft, advisers map[access.Role]access.Scope) (audits.Request, error) {
	r, err := h.Audits.Ask(ctx, asker, d)
	if err != nil {
		return r, err
	}
	words := map[access.Role]string{
		access.DataProtection:     "Demande proportionnée : un seul objet, une période courte, une personne désignée.",
		access.MedicalInformation: "Le périmètre correspond aux passages enregistrés. Avis favorable.",
	}
	for _, role := range audits.Advisers() {
		as, ok := advisers[role]
		if !ok {
			continue
		}
		if err := h.Audits.Advise(ctx, as, r.ID, role, true, words[role]); err != nil {
			return r, err
		}
	}
	return r, nil
}

// demoDecision grants a request to the auditor for two weeks.
func (h *House) demoDecision(ctx context.Context, scope access.Scope, r audits.Request, now time.Time) error {
	direction, err := h.demoAs(ctx, scope, "direction", access.Controller)
	if err != nil {
		return err
	}
	auditor, err := h.demoAs(ctx, scope, "audit", access.Auditor)
	if err != nil {
		return err
	}
	return h.Audits.Decide(ctx, direction, r.ID, audits.Verdict{
		Accepted: true, Words: "Accordée pour ce patient et ce mois, à rendre sous quinze jours.", Extent: r.Wanted, Delegate: auditor.Actor().ID, Ends: now.AddDate(0, 0, 14),
	})
}
