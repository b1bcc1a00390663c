package organisation_test

import (
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/organisation/finess"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

var morning = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

type house struct {
	*organisation.Service
	db    *storage.DB
	clock *clock.Fake
	scope access.Scope
}

func each(t *testing.T, suite func(t *testing.T, h house)) {
	t.Parallel()
	storagetest.Each(t, []fs.FS{organisation.Migrations, journal.Migrations}, func(t *testing.T, db *storage.DB) {
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		h := house{db: db, clock: clock.NewFake(morning)}
		h.Service = organisation.New(db, guard, h.clock)
		h.scope = h.create(t, "CHU de Valbrume")
		suite(t, h)
	})
}

func (h house) create(t *testing.T, name string) access.Scope {
	t.Helper()
	e, err := h.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return access.System(e.ID, "test")
}

func (h house) add(t *testing.T, scope access.Scope, kind organisation.Kind, name string, parent uuid.UUID) uuid.UUID {
	t.Helper()
	n, err := h.AddNode(t.Context(), scope, organisation.Node{Kind: kind, Name: name}, parent)
	if err != nil {
		t.Fatalf("add %s: %v", name, err)
	}
	return n.ID
}

func wantFault(t *testing.T, err error, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Key != key {
		t.Errorf("error = %v, want %s", err, key)
	}
}

func TestEstablishments(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		ctx := t.Context()
		other := h.create(t, "Hôpital des Arcs")
		got, err := h.Get(ctx, h.scope)
		if err != nil || got.Name != "CHU de Valbrume" || got.Zone != "Europe/Paris" || got.Language != "fr" || got.Colour != organisation.Palette()[0] {
			t.Errorf("Get = %+v, %v", got, err)
		}
		number, err := finess.Parse("750712184")
		if err != nil {
			t.Fatal(err)
		}
		got.FINESS, got.Zone, got.Word = number, "Indian/Reunion", "Vanille"
		if _, err := h.Update(ctx, h.scope, got); err != nil {
			t.Fatal(err)
		}
		if again, err := h.Get(ctx, h.scope); err != nil || again != got {
			t.Errorf("after update %+v, want %+v (%v)", again, got, err)
		}
		all, err := h.List(ctx, access.Instance("test"))
		if err != nil || len(all) != 2 || all[0].Name != "CHU de Valbrume" {
			t.Errorf("List everywhere = %v, %v", all, err)
		}
		own, err := h.List(ctx, other)
		if err != nil || len(own) != 1 || own[0].Name != "Hôpital des Arcs" {
			t.Errorf("List of one = %v, %v", own, err)
		}
		_, err = h.Create(ctx, h.scope, organisation.Establishment{Name: "Autre"})
		wantFault(t, err, "organisation.instance_only")
	})
}

func TestEstablishmentIsChecked(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		for key, e := range map[string]organisation.Establishment{
			"organisation.name_required":    {Name: " \n"},
			"organisation.colour_unknown":   {Name: "A", Colour: "#ffffff"},
			"organisation.zone_unknown":     {Name: "A", Zone: "Europe/Pari"},
			"organisation.language_unknown": {Name: "A", Language: "de"},
			"organisation.word_too_long":    {Name: "A", Word: "un mot trop long"},
			"organisation.word_letters":     {Name: "A", Word: "Chêne"},
		} {
			_, err := h.Create(t.Context(), access.Instance("test"), e)
			wantFault(t, err, key)
		}
		_, err := h.Update(t.Context(), access.For(h.scope.Organisation(), access.Actor{Kind: access.Person}, true, access.Reader), organisation.Establishment{Name: "A"})
		wantFault(t, err, "access.denied")
	})
}

func TestGraphIsDatedAndHasNoCycle(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		ctx := t.Context()
		ght := h.add(t, h.scope, organisation.GHT, "GHT des Trois Vallées", uuid.Nil)
		north := h.add(t, h.scope, organisation.Site, "Site Nord", ght)
		pole := h.add(t, h.scope, organisation.CareService, "Pôle urgences", north)
		ward := h.add(t, h.scope, organisation.CareService, "UHCD", pole)
		_, err := h.Join(ctx, h.scope, organisation.Link{Parent: ward, Child: pole, Relation: organisation.Member})
		wantFault(t, err, "organisation.cycle")
		_, err = h.Join(ctx, h.scope, organisation.Link{Parent: ward, Child: ward, Relation: organisation.Member})
		wantFault(t, err, "organisation.cycle")
		south := h.add(t, h.scope, organisation.Site, "Site Sud", uuid.Nil)
		_, err = h.Join(ctx, h.scope, organisation.Link{Parent: ward, Child: south, Relation: organisation.Member})
		wantFault(t, err, "organisation.misfit")
		_, err = h.AddNode(ctx, h.scope, organisation.Node{Kind: organisation.CareService, Name: "uhcd "}, pole)
		wantFault(t, err, "organisation.node_exists")

		all, err := h.Links(ctx, h.scope)
		if err != nil || len(all) != 3 {
			t.Fatalf("links = %v, %v", all, err)
		}
		leaving := all[slices.IndexFunc(all, func(l organisation.Link) bool { return l.Child == ward })].ID
		h.clock.Advance(time.Hour)
		if err := h.Part(ctx, h.scope, leaving, time.Time{}); err != nil { // UHCD leaves the pole
			t.Fatal(err)
		}
		wantFault(t, h.Part(ctx, h.scope, leaving, time.Time{}), "organisation.link_not_found")
		// Now that it left, the other way round is no cycle any more.
		if _, err := h.Join(ctx, h.scope, organisation.Link{Parent: ward, Child: pole, Relation: organisation.Member}); err != nil {
			t.Errorf("join after part: %v", err)
		}
		before, err := h.Tree(ctx, h.scope, morning.Add(time.Minute))
		if err != nil || path(before) != "GHT des Trois Vallées/Site Nord/Pôle urgences/UHCD" {
			t.Errorf("tree of the morning = %s, %v", path(before), err)
		}
		after, err := h.Tree(ctx, h.scope, h.clock.Now())
		if err != nil || len(after) != 3 || path(after) != "GHT des Trois Vallées/Site Nord/Pôle urgences" {
			t.Errorf("tree of now = %d roots, %s, %v", len(after), path(after), err)
		}
	})
}

// path is the first branch all the way down.
func path(b []organisation.Branch) string {
	if len(b) == 0 {
		return ""
	}
	if below := path(b[0].Children); below != "" {
		return b[0].Name + "/" + below
	}
	return b[0].Name
}

func TestClosedNodeStaysInHistory(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		ctx := t.Context()
		site := h.add(t, h.scope, organisation.Site, "Site Nord", uuid.Nil)
		h.add(t, h.scope, organisation.CareService, "Dialyse", site)
		h.clock.Advance(time.Hour)
		if err := h.CloseNode(ctx, h.scope, site); err != nil {
			t.Fatal(err)
		}
		wantFault(t, h.CloseNode(ctx, h.scope, site), "organisation.node_closed")
		if tree, err := h.Tree(ctx, h.scope, morning); err != nil || path(tree) != "Site Nord/Dialyse" {
			t.Errorf("before = %s, %v", path(tree), err)
		}
		if tree, err := h.Tree(ctx, h.scope, h.clock.Now()); err != nil || path(tree) != "Dialyse" {
			t.Errorf("after = %s, %v", path(tree), err)
		}
	})
}

func TestOneEstablishmentNeverSeesAnother(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		ctx := t.Context()
		other := h.create(t, "Hôpital des Arcs")
		mine := h.add(t, h.scope, organisation.Site, "Site Nord", uuid.Nil)
		theirs := h.add(t, other, organisation.Site, "Site des Arcs", uuid.Nil)
		tree, err := h.Tree(ctx, other, morning)
		if err != nil || len(tree) != 1 || tree[0].Name != "Site des Arcs" {
			t.Errorf("other's tree = %v, %v", tree, err)
		}
		_, err = h.Join(ctx, other, organisation.Link{Parent: theirs, Child: mine, Relation: organisation.Member})
		wantFault(t, err, "organisation.node_not_found")
		wantFault(t, h.CloseNode(ctx, other, mine), "organisation.node_not_found")
		_, err = h.UpdateNode(ctx, other, organisation.Node{ID: mine, Name: "Pris"})
		wantFault(t, err, "organisation.node_not_found")
	})
}

func TestEnsurePlaces(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		ctx := t.Context()
		names := []organisation.PlaceName{
			{Site: "Site Nord", Service: "Urgences"},
			{Site: "SITE  NORD", Service: "urgences"},
			{Site: "Site Sud", Service: "Urgences"},
			{Service: "Direction"},
			{Site: "Site Nord", Service: "Réanimation", Code: "UF 4512"},
			{Site: "Site Nord", Code: "uf 4512"},
			{Service: "Urgences"},
		}
		for range 2 {
			var places *organisation.Places
			err := h.db.Write(ctx, h.scope, func(tx *storage.Tx) (err error) {
				places, err = h.EnsurePlaces(ctx, tx, h.scope, morning, names)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(places.Sites()) != 2 || len(places.Services()) != 5 {
				t.Fatalf("%d sites, %d services: %v", len(places.Sites()), len(places.Services()), places.Services())
			}
			north, first := places.Find(names[0])
			_, third := places.Find(names[2])
			_, alone := places.Find(names[6])
			if first == uuid.Nil || third == uuid.Nil || first == third || alone == first || alone == uuid.Nil {
				t.Errorf("urgences: %v, %v, %v", first, third, alone)
			}
			if p, ok := places.Get(first); !ok || p.SiteName != "Site Nord" || p.Site != north || p.Zone != "Europe/Paris" {
				t.Errorf("place = %+v", p)
			}
			if got := places.Within([]uuid.UUID{north}); len(got) != 3 {
				t.Errorf("within the north site: %v", got)
			}
			if _, byCode := places.Find(organisation.PlaceName{Code: "UF 4512"}); byCode == uuid.Nil {
				t.Error("a service is not found by its code alone")
			}
		}
	})
}

func TestPaletteIsReadable(t *testing.T) {
	t.Parallel()
	for _, colour := range organisation.Palette() {
		if c := 1.05 / (luminance(t, colour) + 0.05); c < 4.5 {
			t.Errorf("%s: contrast %.1f with white", colour, c)
		}
	}
	for _, zone := range organisation.Zones() {
		if _, err := time.LoadLocation(zone); err != nil {
			t.Error(err)
		}
	}
}

// luminance follows WCAG 2.2, "relative luminance".
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	v, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift uint) float64 {
		c := float64(v>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", os.DirFS("pages"), organisation.Locales, finess.Locales)
	l := i18ntest.Localizer(t, "fr", organisation.Locales)
	for _, k := range organisation.Kinds() {
		if !l.Has("organisation.kind." + string(k)) {
			t.Errorf("no word for %s", k)
		}
	}
}
