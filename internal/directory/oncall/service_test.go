package oncall_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

// monday is in the week of Alice.
var monday = utc("2026-03-23T09:00:00Z")

// house is an establishment with three people.
type house struct {
	*oncall.Service
	t                   *testing.T
	db                  *storage.DB
	d                   *directory.Directory
	org                 *organisation.Service
	clock               *clock.Fake
	scope               access.Scope
	alice, bruno, chloe directory.Person
}

func each(t *testing.T, suite func(t *testing.T, h *house)) {
	t.Parallel()
	storagetest.Each(t, []fs.FS{organisation.Migrations, directory.Migrations, journal.Migrations}, func(t *testing.T, db *storage.DB) { suite(t, newHouse(t, db)) })
}

func newHouse(t *testing.T, db *storage.DB) *house {
	t.Helper()
	guard, err := access.NewGuard()
	h := &house{t: t, db: db, clock: clock.NewFake(monday)}
	h.must(err)
	h.org = organisation.New(db, guard, h.clock)
	h.d, err = directory.New(db, guard, h.clock, h.org, vault.Derived{Key: "k1", Secret: [32]byte{1}})
	h.must(err)
	h.Service = oncall.New(oncall.Options{DB: db, Guard: guard, Clock: h.clock, Organisation: h.org})
	h.d.Consult(h.Service)
	h.scope = h.establishment("CHU de Valbrume")
	h.alice, h.bruno, h.chloe = h.person("ALBERT", "Alice", "T1"), h.person("BERNARD", "Bruno", "T2"), h.person("CARON", "Chloé", "")
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) establishment(name string) access.Scope {
	h.t.Helper()
	e, err := h.org.Create(h.t.Context(), access.Instance("test"), organisation.Establishment{Name: name, Zone: "Europe/Paris", Language: "fr"})
	h.must(err)
	return access.System(e.ID, "test")
}

func (h *house) person(last, first, matricule string) directory.Person {
	h.t.Helper()
	p, err := h.d.Save(h.t.Context(), h.scope, directory.Person{LastName: last, FirstName: first, Matricule: matricule, Contacts: []directory.ContactPoint{
		{Contact: directory.Contact{Kind: directory.Mobile, Address: "+336399800" + map[string]string{"ALBERT": "01", "BERNARD": "02", "CARON": "03"}[last]}},
	}})
	h.must(err)
	return p
}

// turns is Alice then Bruno by week.
func (h *house) turns() oncall.Function {
	return oncall.Function{Name: "Cadre de garde", Roster: oncall.Roster{Rotations: []oncall.Rotation{{
		Start: day(h.t, "2026-03-23"), Handover: 8 * 60, Every: 1, Unit: oncall.Weekly, Members: []uuid.UUID{h.alice.ID, h.bruno.ID},
	}}}}
}

func (h *house) save(f oncall.Function) oncall.Function {
	h.t.Helper()
	f, err := h.Save(h.t.Context(), h.scope, f)
	h.must(err)
	return f
}

func (h *house) holder(id uuid.UUID) string {
	h.t.Helper()
	list, err := h.Now(h.t.Context(), h.scope, h.clock.Now())
	h.must(err)
	for _, s := range list {
		if s.Function.ID == id {
			return strings.TrimSpace(s.Agent.Name + " " + string(s.Via))
		}
	}
	return "no such function"
}

func wantFault(t testing.TB, err error, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Key != key {
		t.Errorf("error = %v, want %s", err, key)
	}
}

func TestAFunctionIsKeptAndHeld(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f := h.save(h.turns())
		if f.Zone != "Europe/Paris" || f.Calendar != oncall.Metropole || f.Rotations[0].ID == uuid.Nil {
			t.Errorf("%+v", f)
		}
		if got := h.holder(f.ID); got != "ALBERT Alice rotation" {
			t.Error(got)
		}
		h.clock.Advance(7 * 24 * time.Hour)
		if got := h.holder(f.ID); got != "BERNARD Bruno rotation" {
			t.Error(got)
		}
		_, err := h.Save(t.Context(), h.scope, h.turns())
		wantFault(t, err, "directory.oncall.name_taken")
		f.Revision--
		_, err = h.Save(t.Context(), h.scope, f)
		wantFault(t, err, "directory.changed_since")
		f.Revision++
		f.Chain = []oncall.Step{{Kind: oncall.ToFunction, ID: f.ID}}
		_, err = h.Save(t.Context(), h.scope, f)
		wantFault(t, err, "directory.oncall.itself")
		f.Chain = []oncall.Step{{Kind: oncall.ToGroup, ID: uuid.New()}}
		_, err = h.Save(t.Context(), h.scope, f)
		wantFault(t, err, "directory.oncall.step_unknown")
		h.must(h.Delete(t.Context(), h.scope, f.ID))
		_, err = h.Function(t.Context(), h.scope, f.ID)
		wantFault(t, err, "directory.oncall.not_found")
	})
}

func TestWhoMay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f := h.save(h.turns())
		as := func(strong bool, role access.Role) access.Scope {
			return access.For(h.scope.Organisation(), access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Quelqu’un"}, strong, role)
		}
		for _, role := range access.Roles() {
			if _, err := h.Now(t.Context(), as(true, role), h.clock.Now()); err != nil {
				t.Errorf("%s does not read who is on call: %v", role, err)
			}
			f.Revision = h.revision(f.ID)
			_, err := h.Save(t.Context(), as(true, role), f)
			if may := role == access.Administrator || role == access.DirectoryManager; may != (err == nil) {
				t.Errorf("%s: %v", role, err)
			}
		}
		_, err := h.Save(t.Context(), as(false, access.DirectoryManager), f)
		wantFault(t, err, "access.second_factor")
		// Another establishment sees nothing, and its ids are worth nothing.
		other := h.establishment("Clinique du Parc")
		if list, err := h.Functions(t.Context(), other); err != nil || len(list) > 0 {
			t.Errorf("%v %v", list, err)
		}
		wantFault(t, h.Delete(t.Context(), other, f.ID), "directory.oncall.not_found")
		_, err = h.Replace(t.Context(), other, oncall.Replacement{Function: f.ID, Person: h.chloe.ID, From: monday, To: monday.Add(time.Hour)})
		wantFault(t, err, "directory.oncall.not_found")
		_, err = h.Save(t.Context(), other, h.turns())
		wantFault(t, err, "directory.oncall.person_unknown")
	})
}

func (h *house) revision(id uuid.UUID) int64 {
	f, err := h.Function(h.t.Context(), h.scope, id)
	h.must(err)
	return f.Revision
}

func TestReplacementsAndSwaps(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f, ctx := h.save(h.turns()), t.Context()
		r, err := h.Replace(ctx, h.scope, oncall.Replacement{Function: f.ID, Person: h.chloe.ID, From: monday.Add(-time.Hour), To: monday.Add(time.Hour)})
		h.must(err)
		if got := h.holder(f.ID); got != "CARON Chloé replacement" {
			t.Error(got)
		}
		h.must(h.Withdraw(ctx, h.scope, f.ID, r.ID))
		wantFault(t, h.Withdraw(ctx, h.scope, f.ID, r.ID), "directory.oncall.replacement.not_found")
		_, err = h.Replace(ctx, h.scope, oncall.Replacement{Function: f.ID, Person: uuid.New(), From: monday, To: monday.Add(time.Hour)})
		wantFault(t, err, "directory.oncall.person_unknown")
		_, err = h.Replace(ctx, h.scope, oncall.Replacement{Function: f.ID, Person: h.chloe.ID, From: monday, To: monday})
		wantFault(t, err, "directory.oncall.replacement.order")
		// Alice gives her Monday, Bruno his next one.
		x := oncall.Swap{Function: f.ID, Person: h.alice.ID, From: monday, To: monday.Add(10 * time.Hour), Other: h.bruno.ID, OtherFrom: monday.AddDate(0, 0, 7), OtherTo: monday.AddDate(0, 0, 8)}
		wrong := x
		wrong.OtherFrom, wrong.OtherTo = x.From, x.To
		_, err = h.ProposeSwap(ctx, h.scope, wrong)
		wantFault(t, err, "directory.oncall.swap.not_his")
		x, err = h.ProposeSwap(ctx, h.scope, x)
		h.must(err)
		if got := h.holder(f.ID); got != "ALBERT Alice rotation" {
			t.Errorf("a swap that is only proposed moved something: %s", got)
		}
		h.must(h.SettleSwap(ctx, h.scope, f.ID, x.ID, true))
		wantFault(t, h.SettleSwap(ctx, h.scope, f.ID, x.ID, true), "directory.oncall.swap.settled")
		if got := h.holder(f.ID); got != "BERNARD Bruno replacement" {
			t.Error(got)
		}
		h.clock.Advance(7 * 24 * time.Hour)
		if got := h.holder(f.ID); got != "ALBERT Alice replacement" {
			t.Error(got)
		}
	})
}

func TestProblemsAreSaidBefore(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f, ctx := h.turns(), t.Context()
		f.Rotations[0].Until = day(t, "2026-04-13")
		f = h.save(f)
		_, err := h.d.AddAbsence(ctx, h.scope, directory.Absence{Person: h.alice.ID, From: monday.AddDate(0, 0, 14), To: monday.AddDate(0, 0, 16)})
		h.must(err)
		h.must(h.d.Depart(ctx, h.scope, h.bruno.ID))
		problems, err := h.Problems(ctx, h.scope, monday)
		h.must(err)
		var got []string
		for _, p := range problems {
			got = append(got, string(p.Kind)+" "+p.Agent.Name+" "+p.From.Format("02/01"))
		}
		want(t, strings.Join(got, "\n"), "unproven ALBERT Alice 23/03\ngap  30/03\nabsent ALBERT Alice 06/04\ngap  13/04\ndeparted BERNARD Bruno 23/03")
	})
}

// TestAFallbackIsAProblemOnlyWhenSomebodyIsNeeded: by day it costs nothing that only the fallback is there.
func TestAFallbackIsAProblemOnlyWhenSomebodyIsNeeded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f := oncall.Function{Name: "Astreinte", Roster: oncall.Roster{
			Needed: oncall.Hours{Nights: true, From: 18 * 60, To: 8 * 60}, Fallback: oncall.Step{Kind: oncall.ToPerson, ID: h.chloe.ID},
		}}
		f = h.save(f)
		v, err := h.View(t.Context(), h.scope, f.ID, monday, monday.Add(24*time.Hour))
		h.must(err)
		var got []string
		for _, p := range v.Problems {
			got = append(got, string(p.Kind)+" "+p.From.Format("02 15:04")+" "+p.To.Format("02 15:04"))
		}
		want(t, strings.Join(got, "\n"), "unproven 23 09:00 23 17:00\nfallback 23 17:00 24 07:00")
	})
}

// TestAnAlertReachesTheHolderAndTheChain: a rule about a function chooses at the instant.
func TestAnAlertReachesTheHolderAndTheChain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f := h.turns()
		f.Chain = []oncall.Step{{Kind: oncall.ToPerson, ID: h.chloe.ID}}
		f = h.save(f)
		resolve := func(r directory.Rule) string {
			var out []string
			h.must(h.db.Read(t.Context(), h.scope, func(tx *storage.Tx) error {
				return h.d.Resolve(t.Context(), tx, h.scope, r, directory.Rule{}, h.clock.Now(), func(target directory.Target) error {
					out = append(out, target.FirstName)
					return nil
				})
			}))
			slices.Sort(out)
			return strings.Join(out, " ")
		}
		ids := []uuid.UUID{f.ID}
		for _, c := range []struct {
			levels []int
			want   string
		}{{nil, "Alice"}, {[]int{1}, "Alice"}, {[]int{2}, "Chloé"}, {[]int{1, 2}, "Alice Chloé"}, {[]int{3}, ""}} {
			if got := resolve(directory.Rule{OnCall: ids, OnCallLevels: c.levels}); got != c.want {
				t.Errorf("levels %v: %q, want %q", c.levels, got, c.want)
			}
		}
		if got := resolve(directory.Rule{OnCall: []uuid.UUID{uuid.New()}}); got != "" {
			t.Errorf("an unknown function chooses %s", got)
		}
		h.clock.Advance(7 * 24 * time.Hour)
		if got := resolve(directory.Rule{OnCall: ids}); got != "Bruno" {
			t.Errorf("a week later: %s", got)
		}
	})
}

func TestFind(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, typed := range []string{"T1", "t1", "ALBERT Alice", "alice albert", "Quoi que ce soit (T1)"} {
			found, err := h.Find(t.Context(), h.scope, []string{typed})
			if err != nil || found[0].ID != h.alice.ID {
				t.Errorf("%q: %v %v", typed, found, err)
			}
		}
		_, err := h.Find(t.Context(), h.scope, []string{"Personne"})
		wantFault(t, err, "directory.oncall.person_not_found")
		twin, err := h.d.Save(t.Context(), h.scope, directory.Person{LastName: "Caron", FirstName: "Chloé"})
		h.must(err)
		_, err = h.Find(t.Context(), h.scope, []string{"Caron Chloé"})
		wantFault(t, err, "directory.oncall.person_several")
		h.must(h.d.Depart(t.Context(), h.scope, twin.ID))
		_, err = h.Find(t.Context(), h.scope, []string{"Caron Chloé"})
		h.must(err)
	})
}
