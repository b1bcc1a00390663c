package app

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/document/table"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/care"
)

// demoStay is when a service opened the record of a patient: the demonstration
// has him stay there.
type demoStay struct{ first, last int64 }

// demoStays are the stays of the invented patients, by IPP and service.
type demoStays map[[2]string]demoStay

// unexplained is one in how many: a few accesses of an ordinary month are of
// patients whom no message spoke of.
const unexplained = 60

func (d demoStays) see(e *traces.Event) {
	if e.IPP == "" || e.Service == "" {
		return
	}
	key := [2]string{strings.Clone(e.IPP), strings.Clone(e.Service)}
	s, known := d[key]
	if !known {
		s.first = e.At
	}
	s.last = max(s.last, e.At)
	d[key] = s
}

// file writes the stays as the administration of patients would export them.
func (d demoStays) file() string {
	var out []string
	for key, s := range d {
		sum := fnv.New32a()
		if _, err := sum.Write([]byte(key[0] + key[1])); err != nil || sum.Sum32()%unexplained == 0 {
			continue
		}
		out = append(out, fmt.Sprintf("%s;%s;%s;%s", key[0], key[1], storage.Time(s.first).Add(-8*time.Hour).Format("02/01/2006 15:04"), storage.Time(s.last).Add(24*time.Hour).Format("02/01/2006 15:04")))
	}
	slices.Sort(out)
	return "IPP;Service;Entrée;Sortie\n" + strings.Join(out, "\n") + "\n"
}

// demoCare tells who cares for whom, through the files that an establishment
// without HL7 would give, and copies the staff.
func (h *House) demoCare(ctx context.Context, scope, dpo access.Scope, stays demoStays, now time.Time) error {
	stays[[2]string{DemoPatient, "Cardiologie 1"}] = demoStay{now.AddDate(0, 0, -10).UnixMicro(), now.UnixMicro()}
	if err := h.CareDesk.Refresh(ctx, scope.Organisation()); err != nil {
		return err
	}
	admin, err := h.demoAs(ctx, scope, "admin", access.Administrator)
	if err != nil {
		return err
	}
	return errors.Join(
		h.demoCareFile(ctx, admin, care.Stays, "Séjours.csv", stays.file()),
		h.demoCareFile(ctx, admin, care.Accounts, "Comptes.csv", "Compte;Partagé\nurg-ide;oui\nSYSTEM;machine\n"),
		h.demoCareFile(ctx, dpo, care.WellKnowns, "Patients connus.csv", "IPP;Motif\n"+DemoPatient+";Maire de la commune\n"),
	)
}

func (h *House) demoCareFile(ctx context.Context, scope access.Scope, kind care.FileKind, name, text string) error {
	src, err := table.Open(strings.NewReader(text), int64(len(text)), name, table.DefaultLimits())
	if err != nil {
		return err
	}
	f, err := h.CareDesk.Stage(ctx, scope, kind, name, src, time.UTC)
	if err = errors.Join(err, src.Close()); err != nil {
		return err
	}
	_, err = h.CareDesk.Confirm(ctx, scope, f.ID, time.UTC)
	return err
}
