package inventory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/inventory"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
)

func TestAThingFromItsEntryToItsRetirement(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		site := h.node(h.scope, organisation.Site, "Site des Tilleuls", uuid.Nil)
		ward := h.node(h.scope, organisation.CareService, "Réanimation", site)
		maker := h.save(inventory.Item{Kind: inventory.Supplier, Name: "Médilogis"})
		monitor := h.save(inventory.Item{
			Kind: inventory.Biomedical, Name: "  Moniteur   lit 4 ", Code: "BM-0042", Criticality: inventory.Vital, OwnerPerson: h.staff["DUPONT Anne"], OwnerService: ward,
			Service: ward, Site: site, Supplier: maker.ID, Model: "Alpha 3", Notes: "révision en mars\r\nbatterie",
			Identifiers: []inventory.Identifier{{Kind: inventory.Serial, Value: "sn 12 a"}, {Kind: inventory.IP, Value: "::ffff:10.1.2.3"}, {Kind: inventory.Host, Value: "MON-04.chu.example."}},
		})
		v := h.get(monitor.ID)
		if v.Name != "Moniteur lit 4" || v.Owner() != "DUPONT Anne, Réanimation" || v.ServiceName != "Réanimation" || v.SiteName != "Site des Tilleuls" || v.SupplierName != "Médilogis" {
			t.Errorf("%+v", v.Named)
		}
		if got := v.Values(inventory.IP); !slices.Equal(got, []string{"10.1.2.3"}) || v.Identifiers[0].Value != "mon-04.chu.example" || v.Values(inventory.Serial)[0] != "SN12A" {
			t.Errorf("identifiers %+v", v.Identifiers)
		}
		for kind, value := range map[inventory.IdentifierKind]string{inventory.Serial: "SN12A", inventory.IP: "10.1.2.3", inventory.Host: "mon-04.CHU.example"} {
			found, err := h.Identified(t.Context(), h.scope, kind, value)
			if err != nil || len(found) != 1 || found[0].ID != monitor.ID {
				t.Errorf("%s %s leads to %+v, %v", kind, value, found, err)
			}
		}
		// The same again writes nothing; a change is noted with what was before.
		monitor = h.save(v.Item)
		if monitor.Revision != 1 || h.journaled("inventory.item.update") != 0 {
			t.Error("what does not change is written")
		}
		monitor.Criticality = inventory.Critical
		monitor = h.save(monitor)
		records, err := journal.NewReader(h.db, h.guard).Search(t.Context(), h.scope, journal.Filter{Action: "inventory.item.update"})
		if err != nil || len(records) != 1 || !strings.Contains(records[0].Before, `"vital"`) || !strings.Contains(records[0].After, `"critical"`) || !strings.Contains(records[0].After, "Médilogis") {
			t.Errorf("the journal says %+v, %v", records, err)
		}
		stale := v.Item
		stale.Name = "Autre"
		_, err = h.Save(t.Context(), h.scope, stale)
		wants(t, err, "inventory.changed_meanwhile")
		// Retired: out of the list and of what an address leads to, its sheet stays.
		if _, err := h.Retire(t.Context(), h.scope, monitor.ID); err != nil {
			t.Fatal(err)
		}
		if page := h.list(inventory.Filter{Kind: inventory.Biomedical}); page.Total != 0 {
			t.Errorf("%d serve", page.Total)
		}
		if found, err := h.Identified(t.Context(), h.scope, inventory.Serial, "SN12A"); err != nil || len(found) != 0 {
			t.Errorf("a retired thing answers: %+v, %v", found, err)
		}
		if page := h.list(inventory.Filter{Retired: true}); page.Total != 1 || h.get(monitor.ID).Retired.IsZero() {
			t.Errorf("%+v", page)
		}
		if _, err := h.Return(t.Context(), h.scope, monitor.ID); err != nil || !h.get(monitor.ID).Retired.IsZero() {
			t.Errorf("not back: %v", err)
		}
		if h.journaled("inventory.item.retire") != 1 || h.journaled("inventory.item.return") != 1 {
			t.Error("coming and going are not in the journal")
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		other := h.establishment("Clinique du Parc")
		theirs, err := h.Save(t.Context(), other, inventory.Item{Kind: inventory.Supplier, Name: "Leur éditeur"})
		h.must(err)
		theirWard := h.node(other, organisation.CareService, "Leur service", h.node(other, organisation.Site, "Leur site", uuid.Nil))
		taken := h.save(inventory.Item{Kind: inventory.Server, Name: "SRV-01"})
		h.save(inventory.Item{Kind: inventory.Server, Name: "SRV-02", Code: "A1"})
		application := inventory.Item{Kind: inventory.Application, Name: "DPI"}
		for key, change := range map[string]func(i *inventory.Item){
			"inventory.kind_unknown":        func(i *inventory.Item) { i.Kind = "boat" },
			"inventory.name_required":       func(i *inventory.Item) { i.Name = " \t " },
			"inventory.criticality_unknown": func(i *inventory.Item) { i.Criticality = "4" },
			"inventory.too_long":            func(i *inventory.Item) { i.Notes = strings.Repeat("é", inventory.NotesLimit+1) },
			"inventory.place_unknown":       func(i *inventory.Item) { i.Service = theirWard },
			"inventory.owner_unknown":       func(i *inventory.Item) { i.OwnerPerson = uuid.New() },
			"inventory.supplier_unknown":    func(i *inventory.Item) { i.Supplier = theirs.ID },
			"inventory.identifier.ip":       func(i *inventory.Item) { i.Identifiers = []inventory.Identifier{{Kind: inventory.IP, Value: "10.1.2"}} },
			"inventory.identifier.mac":      func(i *inventory.Item) { i.Identifiers = []inventory.Identifier{{Kind: inventory.MAC, Value: "00:1b"}} },
			"inventory.identifier.host":     func(i *inventory.Item) { i.Identifiers = []inventory.Identifier{{Kind: inventory.Host, Value: "a b"}} },
			"inventory.identifier.ae": func(i *inventory.Item) {
				i.Identifiers = []inventory.Identifier{{Kind: inventory.AETitle, Value: strings.Repeat("A", 17)}}
			},
			"inventory.name_taken":         func(i *inventory.Item) { i.Kind, i.Name = inventory.Server, "srv 01" },
			"inventory.code_taken":         func(i *inventory.Item) { i.Kind, i.Code = inventory.Server, "a1" },
			"inventory.not_found":          func(i *inventory.Item) { i.ID = theirs.ID },
			"inventory.identifier.unknown": func(i *inventory.Item) { i.Identifiers = []inventory.Identifier{{Kind: "plate", Value: "x"}} },
		} {
			i := application
			change(&i)
			_, err := h.Save(t.Context(), h.scope, i)
			wants(t, err, key)
		}
		// A supplier of the same name as a server is another thing, and NUL never reaches a database.
		h.save(inventory.Item{Kind: inventory.Supplier, Name: "SRV-01\x00"})
		if _, err := h.Get(t.Context(), other, taken.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment reads: %v", err)
		}
		if _, err := h.Retire(t.Context(), other, taken.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment retires: %v", err)
		}
		if page, err := h.List(t.Context(), other, inventory.Filter{Text: "srv"}); err != nil || page.Total != 0 {
			t.Errorf("another establishment lists %d, %v", page.Total, err)
		}
	})
}

func TestWhoMay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		i := h.save(inventory.Item{Kind: inventory.Server, Name: "SRV-01"})
		for _, role := range access.Roles() {
			scope := h.as(h.scope.Organisation(), role)
			_, err := h.Get(t.Context(), scope, i.ID)
			if reads := !slices.Contains([]access.Role{access.Reader, access.DataProtection, access.SecurityOfficer, access.Controller, access.MedicalInformation}, role); fault.Is(err, fault.Denied) == reads {
				t.Errorf("%s reads: %v", role, err)
			}
			_, err = h.Save(t.Context(), scope, i)
			if writes := role == access.Administrator || role == access.DirectoryManager; fault.Is(err, fault.Denied) == writes {
				t.Errorf("%s writes: %v", role, err)
			}
		}
		reader := h.as(h.scope.Organisation(), access.Reader)
		if found, err := h.Search(t.Context(), reader, inventory.Filter{Text: "srv"}); err != nil || len(found) != 0 {
			t.Errorf("a reader finds %d, %v", len(found), err)
		}
		for what, err := range map[string]error{
			"link":   h.Link(t.Context(), reader, i.ID, i.ID),
			"unlink": h.Unlink(t.Context(), reader, i.ID, i.ID),
			"import": func() error { _, err := h.Imports(t.Context(), reader); return err }(),
			"export": func() error {
				_, err := h.Export(t.Context(), reader, inventory.Filter{}, func(_, code string) string { return code })
				return err
			}(),
		} {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("a reader may %s: %v", what, err)
			}
		}
	})
}

func TestWhatRestsOnWhat(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		application := h.save(inventory.Item{Kind: inventory.Application, Name: "DPI"})
		server := h.save(inventory.Item{Kind: inventory.Server, Name: "SRV-01"})
		gateway := h.save(inventory.Item{Kind: inventory.Gateway, Name: "Passerelle moniteurs"})
		monitor := h.save(inventory.Item{Kind: inventory.Biomedical, Name: "Moniteur"})
		supplier := h.save(inventory.Item{Kind: inventory.Supplier, Name: "Médilogis"})
		for range 2 { // twice is once
			h.must(h.Link(t.Context(), h.scope, application.ID, server.ID))
		}
		h.must(h.Link(t.Context(), h.scope, monitor.ID, gateway.ID))
		for _, pair := range [][2]inventory.Item{{application, application}, {application, supplier}, {supplier, server}, {monitor, monitor}} {
			wants(t, h.Link(t.Context(), h.scope, pair[0].ID, pair[1].ID), "inventory.link_refused")
		}
		wants(t, h.Link(t.Context(), h.establishment("Clinique du Parc"), application.ID, server.ID), "inventory.not_found")
		if v := h.get(application.ID); len(v.Rests) != 1 || v.Rests[0].ID != server.ID || len(v.Carries) != 0 {
			t.Errorf("%+v", v)
		}
		if v := h.get(gateway.ID); len(v.Carries) != 1 || v.Carries[0].ID != monitor.ID {
			t.Errorf("%+v", v)
		}
		h.must(h.Unlink(t.Context(), h.scope, application.ID, server.ID))
		if v := h.get(server.ID); len(v.Carries) != 0 || h.journaled("inventory.link.add") != 2 || h.journaled("inventory.link.remove") != 1 {
			t.Errorf("%+v", v)
		}
	})
}

func TestTheListIsFilteredAndCut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		site := h.node(h.scope, organisation.Site, "Site", uuid.Nil)
		ward := h.node(h.scope, organisation.CareService, "Urgences", site)
		for _, name := range []string{"Écho 1", "Écho 2", "Laboratoire", "100 %"} {
			h.save(inventory.Item{Kind: inventory.Application, Name: name, Service: ward})
		}
		h.save(inventory.Item{Kind: inventory.Server, Name: "SRV", Site: site, Criticality: inventory.Vital, Identifiers: []inventory.Identifier{{Kind: inventory.IP, Value: "10.0.0.7"}}})
		for what, f := range map[string]struct {
			filter inventory.Filter
			want   int
		}{
			"words, folded": {inventory.Filter{Text: "ECHO"}, 2},
			"all words":     {inventory.Filter{Text: "echo 2"}, 1},
			"an address":    {inventory.Filter{Text: "10.0.0.7"}, 1},
			"a joker":       {inventory.Filter{Text: "%"}, 1},
			"a kind":        {inventory.Filter{Kind: inventory.Server}, 1},
			"a service":     {inventory.Filter{Service: ward}, 4},
			"a site":        {inventory.Filter{Site: site}, 1},
			"a level":       {inventory.Filter{Criticality: inventory.Vital}, 1},
			"to weigh":      {inventory.Filter{ToRate: true}, 4},
		} {
			if page := h.list(f.filter); page.Total != f.want || len(page.Items) != f.want || page.Known != 5 || page.Unrated != 4 {
				t.Errorf("%s: %d of %d, want %d", what, page.Total, page.Known, f.want)
			}
		}
		page := h.list(inventory.Filter{Limit: 2, Offset: 2})
		if page.Total != 5 || len(page.Items) != 2 || page.Items[0].Name != "Écho 2" || page.Items[1].Name != "Laboratoire" {
			t.Errorf("%+v", page.Items)
		}
	})
}
