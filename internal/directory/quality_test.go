package directory_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/storage"
)

func TestQualityAndItsCauses(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		ctx := t.Context()
		if q, err := h.Quality(ctx, h.scope); err != nil || q.People != 0 || q.Computed.IsZero() {
			t.Errorf("empty directory: %+v, %v", q, err)
		}
		at := h.places(t, "Site Nord", "Urgences", "Bloc")
		number := func(n int) string { return fmt.Sprintf("+3363998%04d", n) }
		add := func(name string, service uuid.UUID, contacts ...directory.ContactPoint) {
			h.save(t, h.scope, directory.Person{LastName: name, Service: service, Contacts: contacts})
		}
		add("Prouvé", at[1], contact("mobile", number(1)))
		add("Ancien", at[1], contact("mobile", number(2)))
		add("Muet", at[1])
		add("Fixe", at[2], contact("landline", "+33199000001"))
		add("Bloqué", at[2], contact("mobile", number(3)))
		add("Rejeté", at[2], contact("mobile", number(4)), contact("email", "parti@chu.example"))
		add("Échec", uuid.Nil, contact("mobile", number(5)))
		shared := contact("mobile", number(6))
		shared.Shared = true
		add("Partagé", uuid.Nil, shared)
		when := morning.Add(-time.Hour)
		h.record(t, directory.ContactEvent{Address: number(1), Kind: directory.EventAnswered, At: when},
			directory.ContactEvent{Address: number(2), Kind: directory.EventAnswered, At: morning.Add(-directory.ProvenFor - time.Hour)},
			directory.ContactEvent{Address: number(3), Kind: directory.EventStopped, At: when}, directory.ContactEvent{Address: "parti@chu.example", Kind: directory.EventBounced, At: when},
			directory.ContactEvent{Address: number(5), Kind: directory.EventFailed, At: when}, directory.ContactEvent{Address: number(5), Kind: directory.EventFailed, At: when.Add(time.Second)},
			directory.ContactEvent{Address: number(5), Kind: directory.EventFailed, At: when.Add(2 * time.Second)}, directory.ContactEvent{Address: number(6), Kind: directory.EventAnswered, At: when})
		if err := h.RefreshQuality(ctx, access.Instance("test")); err != nil {
			t.Fatal(err)
		}
		q, err := h.Quality(ctx, h.scope)
		if err != nil {
			t.Fatal(err)
		}
		want := map[directory.Cause]int{
			directory.CauseNoContact: 1, directory.CauseNoMobile: 1, directory.CauseStopped: 1, directory.CauseBounced: 1,
			directory.CauseFailed: 1, directory.CauseShared: 1, directory.CauseNeverTried: 1, directory.CauseUnproven: 7,
		}
		if q.People != 8 || q.Proven != 1 || !maps.Equal(q.Causes, want) || q.NeverProven != 2 {
			t.Errorf("quality = %+v", q)
		}
		if last := q.Services[len(q.Services)-1]; last.ServiceName != "Urgences" || last.Site != "Site Nord" || last.People != 3 || last.Proven != 1 {
			t.Errorf("best service = %+v", last)
		}
		for cause, n := range want {
			page, err := h.People(ctx, h.scope, directory.Filter{Cause: cause})
			if err != nil || len(page.People) != n || page.Total != n {
				t.Errorf("%s: %d of %d people, want %d (%v)", cause, len(page.People), page.Total, n, err)
			}
		}
		h.clock.Advance(directory.ProvenFor)
		if err := h.RefreshQuality(ctx, access.Instance("test")); err != nil {
			t.Fatal(err)
		}
		if q, err := h.Quality(ctx, h.scope); err != nil || q.Proven != 0 {
			t.Errorf("six months later: %d proven, %v", q.Proven, err)
		}
	})
}

func TestListOfPeople(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		ctx := t.Context()
		at := h.places(t, "Site Nord", "Réanimation", "Urgences")
		var gone uuid.UUID
		for n, name := range []string{"Zola", "Émile", "de La Tour", "Élan", "Martin", "Martin", "Œuvrard"} {
			p := h.save(t, h.scope, directory.Person{
				LastName: name, FirstName: fmt.Sprintf("P%d", n%3), Matricule: fmt.Sprintf("M%d", n), MetierLabel: "IDE",
				Service: at[1+n%2], Contacts: []directory.ContactPoint{contact("mobile", fmt.Sprintf("063998%04d", n))},
			})
			gone = p.ID
		}
		if err := h.Depart(ctx, h.scope, gone); err != nil {
			t.Fatal(err)
		}
		list := func(f directory.Filter) (out []string) {
			for {
				page, err := h.People(ctx, h.as(access.Reader), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range page.People {
					if len(p.Contacts) != 1 || !p.Contacts[0].Masked {
						t.Errorf("%s: contacts %+v", p.LastName, p.Contacts)
					}
					out = append(out, p.LastName)
				}
				if f.After = page.Next; f.After == "" {
					return out
				}
			}
		}
		for _, c := range []struct {
			name string
			f    directory.Filter
			want string
		}{
			{"by name, two at a time", directory.Filter{Limit: 2}, "[de La Tour Élan Émile Martin Martin Zola]"},
			{"a word without accent", directory.Filter{Text: "emile"}, "[Émile]"},
			{"a matricule", directory.Filter{Text: "m4"}, "[Martin]"},
			{"a service by its name", directory.Filter{Text: "rea"}, "[de La Tour Martin Zola]"},
			{"a name and a service", directory.Filter{Text: "martin urg"}, "[Martin]"},
			{"nothing like it", directory.Filter{Text: "100%"}, "[]"},
			{"a service", directory.Filter{Service: at[2]}, "[Élan Émile Martin]"},
			{"a site", directory.Filter{Site: at[0], Metier: "ide"}, "[de La Tour Élan Émile Martin Martin Zola]"},
			{"those who left", directory.Filter{Departed: true}, "[Œuvrard]"},
		} {
			if got := fmt.Sprint(list(c.f)); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		services, err := h.Services(ctx, h.scope)
		if err != nil || len(services) != 2 || services[0].Name != "Réanimation" || services[0].People != 3 || services[0].Site != "Site Nord" {
			t.Errorf("services = %+v, %v", services, err)
		}
		if sites, err := h.Sites(ctx, h.scope); err != nil || len(sites) != 1 || sites[0].People != 6 {
			t.Errorf("sites = %+v, %v", sites, err)
		}
		if metiers, err := h.Metiers(ctx, h.scope, "en"); err != nil || len(metiers) != 1 || metiers[0].Name != "Registered nurse" || metiers[0].People != 6 {
			t.Errorf("métiers = %+v, %v", metiers, err)
		}
	})
}

// Beyond what is counted, a list still goes on to its last person, and a person
// who leaves between two pages loses nobody.
func TestLongListIsReadToItsEnd(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		const people = directory.TotalLimit + 120
		h.crowd(t, people)
		for name, f := range map[string]directory.Filter{"by name": {}, "a service or a name": {Text: "nom"}, "never tried": {Cause: directory.CauseNeverTried}} {
			f.Limit = 400
			var names []string
			for pages := 0; ; pages++ {
				page, err := h.People(t.Context(), h.scope, f)
				if err != nil || page.Total != directory.TotalLimit || !page.More {
					t.Fatalf("%s: total %d, more %v, %v", name, page.Total, page.More, err)
				}
				for _, p := range page.People {
					names = append(names, storage.Fold(p.LastName+" "+p.FirstName)+" "+p.ID.String())
				}
				if f.After = page.Next; f.After == "" || pages > people {
					break
				}
			}
			if !slices.IsSorted(names) || len(slices.Compact(names)) != people {
				t.Errorf("%s: %d people, sorted %v", name, len(names), slices.IsSorted(names))
			}
		}
		first, err := h.People(t.Context(), h.scope, directory.Filter{Text: "nom10", Limit: 5})
		if err != nil || first.More || first.Total < 50 {
			t.Fatalf("total %d, more %v, %v", first.Total, first.More, err)
		}
		if err := h.Depart(t.Context(), h.scope, first.People[4].ID); err != nil {
			t.Fatal(err)
		}
		next, err := h.People(t.Context(), h.scope, directory.Filter{Text: "nom10", Limit: 5, After: first.Next})
		if err != nil || len(next.People) != 5 || next.Total != first.Total-1 || next.People[0].ID == first.People[4].ID {
			t.Errorf("after the one who left: %d people of %d, %v", len(next.People), next.Total, err)
		}
		if alone, err := h.People(t.Context(), h.scope, directory.Filter{Text: "nom10", Limit: 5, Uncounted: true}); err != nil || len(alone.People) != 5 || alone.Total != 0 || alone.Next == "" {
			t.Errorf("uncounted: %+v, %v", alone.Total, err)
		}
	})
}
