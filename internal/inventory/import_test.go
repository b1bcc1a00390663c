package inventory_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/inventory"
	"tocsin/internal/organisation"
)

const fleet = "N° d’inventaire;Désignation;Type;Criticité;Responsable;Service;Fournisseur;Adresse IP;N° de série\n" +
	"BM-1;Moniteur lit 1;Biomédical;Vitale;DUPONT Anne;Réanimation;Médilogis;10.1.0.1;SN1\n" +
	"BM-2;Moniteur lit 2;Biomédical;gravissime;Personne;Bloc;Médilogis;10.1.0;SN2\n" +
	"BM-3;;Biomédical;Vitale;;;;;\n" +
	"PASS-1;Passerelle moniteurs;Passerelle;Critique;;Réanimation;;10.1.0.9;\n" +
	"BM-1;Moniteur lit 1 bis;Biomédical;;;;;;\n" +
	"X-1;Navire;Bateau;;;;;;\n"

func (h *house) ward() {
	h.t.Helper()
	h.node(h.scope, organisation.CareService, "Réanimation", h.node(h.scope, organisation.Site, "Site des Tilleuls", uuid.Nil))
}

func keysOf(list []inventory.Result) (out []string) {
	for _, r := range list {
		for _, p := range r.Problems {
			out = append(out, strconv.Itoa(r.Line)+" "+p.Column+" "+p.Key)
		}
	}
	slices.Sort(out)
	return out
}

func TestAFileFromItsHeaderToItsUndoing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.ward()
		i := h.staged(fleet)
		if want := (inventory.Mapping{
			inventory.FieldCode, inventory.FieldName, inventory.FieldKind, inventory.FieldCriticality, inventory.FieldOwner, inventory.FieldService,
			inventory.FieldSupplier, inventory.FieldIP, inventory.FieldSerial,
		}); !slices.Equal(i.Mapping, want) || i.Remembered {
			t.Fatalf("proposed %q", i.Mapping)
		}
		i, err := h.Map(t.Context(), h.scope, i.ID, i.Mapping)
		h.must(err)
		if s := i.Summary; i.State != inventory.Ready || s.New != 3 || s.Refused != 3 || s.Warnings != 1 || s.Suppliers != 1 || s.Gone != 0 {
			t.Fatalf("%s %+v", i.State, s)
		}
		if page := h.list(inventory.Filter{}); page.Known != 0 {
			t.Fatal("a preview writes")
		}
		results, err := h.Results(t.Context(), h.scope, i.ID, inventory.ResultFilter{})
		h.must(err)
		want := []string{
			"3 Adresse IP inventory.identifier.ip", "3 Criticité inventory.import.criticality", "3 Responsable inventory.import.owner", "3 Service inventory.import.service",
			"4 Désignation inventory.name_required", "6  inventory.import.twice", "7 Type inventory.import.kind",
		}
		if got := keysOf(results); !slices.Equal(got, want) {
			t.Errorf("problems %q, want %q", got, want)
		}
		i, err = h.Apply(t.Context(), h.scope, i.ID, false)
		h.must(err)
		monitor := h.named("Moniteur lit 1")
		if monitor.Kind != inventory.Biomedical || monitor.Criticality != inventory.Vital || monitor.OwnerPersonName != "DUPONT Anne" || monitor.ServiceName != "Réanimation" ||
			monitor.SiteName != "Site des Tilleuls" || monitor.SupplierName != "Médilogis" || monitor.Source != "Biomédical" || monitor.Values(inventory.Serial)[0] != "SN1" {
			t.Errorf("%+v", monitor)
		}
		if page := h.list(inventory.Filter{}); page.Known != 4 || h.journaled("inventory.import.apply") != 1 {
			t.Errorf("%d things", page.Known)
		}
		h.sameTwice(t)
		undone, err := h.Undo(t.Context(), h.scope, i.ID)
		h.must(err)
		if page := h.list(inventory.Filter{}); page.Known != 0 || undone.State != inventory.Undone || len(undone.Summary.Kept) != 0 || h.journaled("inventory.import.undo") != 1 {
			t.Errorf("%d things are left, kept %q", page.Known, undone.Summary.Kept)
		}
		if n := h.number(`SELECT COUNT(*) FROM inventory_identifiers WHERE organisation_id = $1`, h.scope.Organisation()); n != 0 {
			t.Errorf("%d identifiers are left", n)
		}
	})
}

// sameTwice gives the file again: its columns are remembered, and nothing changes.
func (h *house) sameTwice(t *testing.T) {
	t.Helper()
	again := h.staged(fleet)
	if !again.Remembered {
		t.Error("the columns are not remembered")
	}
	again, err := h.Map(t.Context(), h.scope, again.ID, again.Mapping)
	h.must(err)
	if s := again.Summary; s.New+s.Changed+s.Gone+s.Suppliers != 0 || s.Same != 3 || s.Refused != 3 {
		t.Errorf("the same file changes %+v", s)
	}
	before := h.number(`SELECT COALESCE(SUM(revision), 0) FROM inventory_items WHERE organisation_id = $1`, h.scope.Organisation())
	again, err = h.Apply(t.Context(), h.scope, again.ID, true)
	h.must(err)
	if after := h.number(`SELECT COALESCE(SUM(revision), 0) FROM inventory_items WHERE organisation_id = $1`, h.scope.Organisation()); after != before {
		t.Error("the same file writes")
	}
}

func TestAFileChangesWhatItSaysAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		byHand := h.save(inventory.Item{
			Kind: inventory.Biomedical, Name: "Moniteur lit 1", Notes: "batterie neuve", Criticality: inventory.Standard,
			Identifiers: []inventory.Identifier{{Kind: inventory.IP, Value: "10.9.9.9"}, {Kind: inventory.Serial, Value: "S1"}},
		})
		h.applied("Numéro d’inventaire;Nom;Criticité;Adresse IP\nBM-1;Moniteur lit 1;;10.1.0.1\nBM-2;Moniteur lit 2;Vitale;\n", false)
		got := h.get(byHand.ID)
		if got.Code != "BM-1" || got.Notes != "batterie neuve" || got.Criticality != inventory.Standard || got.Values(inventory.IP)[0] != "10.1.0.1" || got.Values(inventory.Serial)[0] != "S1" {
			t.Errorf("%+v", got.Named)
		}
		// A name that two bear is not enough; a code that nobody has is a new thing.
		h.save(inventory.Item{Kind: inventory.Biomedical, Name: "Moniteur lit 1", Code: "BM-9"})
		i := h.compared("Nom\nMoniteur lit 1\n")
		results, err := h.Results(t.Context(), h.scope, i.ID, inventory.ResultFilter{})
		h.must(err)
		if keys := keysOf(results); !slices.Equal(keys, []string{"2  inventory.import.several"}) {
			t.Errorf("problems %q", keys)
		}
		if i = h.compared("Numéro d’inventaire;Nom\nBM-7;Moniteur lit 1\n"); i.Summary.New != 1 || i.Summary.Gone != 2 {
			t.Errorf("%+v", i.Summary)
		}
	})
}

func TestWhatLeavesTheFileIsRetiredOnlyIfAsked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		byHand := h.save(inventory.Item{Kind: inventory.Biomedical, Name: "À la main"})
		h.applied("Nom;Code\nUn;1\nDeux;2\n", false)
		if i := h.applied("Nom;Code\nUn;1\n", false); i.Summary.Gone != 1 || !h.named("Deux").Retired.IsZero() {
			t.Errorf("%+v", i.Summary)
		}
		// A row that could be anything: nobody is said to be gone.
		if i := h.compared("Nom;Code\n;\"\n"); i.Summary.Gone != 0 {
			t.Errorf("%+v", i.Summary)
		}
		i := h.applied("Nom;Code\nUn;1\n", true)
		if page := h.list(inventory.Filter{Retired: true}); page.Total != 1 || page.Items[0].Name != "Deux" || !h.get(byHand.ID).Retired.IsZero() {
			t.Errorf("%+v", page.Items)
		}
		if _, err := h.Undo(t.Context(), h.scope, i.ID); err != nil || !h.named("Deux").Retired.IsZero() {
			t.Errorf("not back: %v", err)
		}
		// A retired thing that a file speaks of again serves again.
		_, err := h.Retire(t.Context(), h.scope, h.named("Un").ID)
		h.must(err)
		if i := h.applied("Nom;Code\nUn;1\nDeux;2\n", false); i.Summary.Changed != 1 || !h.named("Un").Retired.IsZero() {
			t.Errorf("%+v", i.Summary)
		}
	})
}

func TestAnUndoLeavesWhatWasTouched(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		i := h.applied("Nom;Code;Fournisseur\nUn;1;Médilogis\nDeux;2;Médilogis\nTrois;3;\n", false)
		one := h.named("Un").Item
		one.Notes = "vérifié"
		h.save(one)
		server := h.save(inventory.Item{Kind: inventory.Gateway, Name: "Passerelle"})
		h.must(h.Link(t.Context(), h.scope, h.named("Trois").ID, server.ID))
		i, err := h.Undo(t.Context(), h.scope, i.ID)
		h.must(err)
		if want := []string{"Un", "Trois", "Médilogis"}; !slices.Equal(i.Summary.Kept, want) {
			t.Errorf("kept %q, want %q", i.Summary.Kept, want)
		}
		if page := h.list(inventory.Filter{}); page.Known != 4 || h.named("Un").SupplierName != "Médilogis" {
			t.Errorf("%d things", page.Known)
		}
		_, err = h.Undo(t.Context(), h.scope, i.ID)
		wants(t, err, "inventory.import.state")
		late := h.applied("Nom;Code\nQuatre;4\n", false)
		h.clock.Advance(inventory.UndoFor)
		_, err = h.Undo(t.Context(), h.scope, late.ID)
		wants(t, err, "inventory.import.too_old")
	})
}

// cutting ends its context after some transactions.
type cutting struct {
	context.Context
	left int
}

func (c *cutting) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return c.Context.Err()
}

// TestCutInTheMiddle applies and undoes a file whose work is cut again and again:
// nothing is doubled, nothing is missing.
func TestCutInTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var b strings.Builder
		b.WriteString("Nom;Code;Fournisseur\n")
		for n := range 450 {
			b.WriteString("Pompe " + strconv.Itoa(n) + ";P" + strconv.Itoa(n) + ";Médilogis\n")
		}
		i := h.compared(b.String())
		insist := func(do func(ctx context.Context) error) (cuts int) {
			for patience := 1; ; patience += 3 {
				err := do(&cutting{t.Context(), patience})
				if err == nil {
					return cuts
				}
				if cuts++; cuts > 2_000 || fault.Is(err, fault.Conflict) {
					t.Fatalf("after %d cuts: %v", cuts, err)
				}
			}
		}
		cuts := insist(func(ctx context.Context) error {
			_, err := h.Apply(ctx, h.scope, i.ID, false)
			return err
		})
		if page := h.list(inventory.Filter{Limit: 1}); page.Known != 451 {
			t.Errorf("%d things after %d cuts", page.Known, cuts)
		}
		if n := h.number(`SELECT COUNT(*) FROM inventory_items WHERE organisation_id = $1 AND revision <> 1`, h.scope.Organisation()); n != 0 {
			t.Errorf("%d things are written twice", n)
		}
		insist(func(ctx context.Context) error {
			_, err := h.Undo(ctx, h.scope, i.ID)
			return err
		})
		if page := h.list(inventory.Filter{}); page.Known != 0 {
			t.Errorf("%d things are left", page.Known)
		}
	})
}

func TestAnImportIsOfOneEstablishment(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		i := h.compared("Nom;Code\nUn;1\n;\n")
		other := h.establishment("Clinique du Parc")
		for what, err := range map[string]error{
			"read":    func() error { _, err := h.Import(t.Context(), other, i.ID); return err }(),
			"map":     func() error { _, err := h.Map(t.Context(), other, i.ID, i.Mapping); return err }(),
			"apply":   func() error { _, err := h.Apply(t.Context(), other, i.ID, true); return err }(),
			"undo":    func() error { _, err := h.Undo(t.Context(), other, i.ID); return err }(),
			"abandon": h.Abandon(t.Context(), other, i.ID),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("another establishment may %s: %v", what, err)
			}
		}
		if rows, err := h.Sample(t.Context(), other, i.ID, 10); err != nil || len(rows) != 0 {
			t.Errorf("another establishment sees %q, %v", rows, err)
		}
		if list, err := h.Results(t.Context(), other, i.ID, inventory.ResultFilter{}); err != nil || len(list) != 0 {
			t.Errorf("another establishment sees %+v, %v", list, err)
		}
		h.must(h.Abandon(t.Context(), h.scope, i.ID))
		_, err := h.Apply(t.Context(), h.scope, i.ID, false)
		wants(t, err, "inventory.import.state")
	})
}

// endless is a file that ends badly, or never.
type endless struct {
	table.Format
	row   table.Row
	worst error
	after int
}

func (e *endless) Header() []string { return []string{"Nom"} }
func (e *endless) Next() (table.Row, error) {
	if e.after--; e.after < 0 {
		return table.Row{}, e.worst
	}
	return e.row, nil
}

type rows struct{ *endless }

func (r rows) Format() table.Format { return r.endless.Format }

func TestAFileThatCannotBeReadLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		broken := errors.New("broken")
		for key, e := range map[string]*endless{
			"":                          {row: table.Row{Cells: []string{"a"}}, worst: broken, after: 450},
			"inventory.import.too_many": {row: table.Row{Cells: []string{"a"}}, worst: broken, after: inventory.RowsMost + 1},
		} {
			_, err := h.Stage(t.Context(), h.scope, rows{e}, inventory.File{Name: "x.csv", Kind: inventory.Server})
			if key == "" && !errors.Is(err, broken) {
				t.Errorf("got %v", err)
			}
			if key != "" {
				wants(t, err, key)
			}
		}
		if n := h.number(`SELECT COUNT(*) FROM inventory_import_rows WHERE organisation_id = $1`, h.scope.Organisation()); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		if list, err := h.Imports(t.Context(), h.scope); err != nil || len(list) != 0 {
			t.Errorf("%d imports, %v", len(list), err)
		}
		_, err := h.Stage(t.Context(), h.scope, rows{&endless{}}, inventory.File{Name: "x.csv", Kind: "boat"})
		wants(t, err, "inventory.kind_unknown")
		i := h.staged("Nom;Code\nUn;1\n")
		for key, m := range map[string]inventory.Mapping{
			"inventory.import.mapping_columns": {inventory.FieldName},
			"inventory.import.mapping_field":   {inventory.FieldName, "age"},
			"inventory.import.mapping_twice":   {inventory.FieldName, inventory.FieldName},
			"inventory.import.mapping_name":    {inventory.FieldCode, inventory.Ignored},
		} {
			_, err := h.Map(t.Context(), h.scope, i.ID, m)
			wants(t, err, key)
		}
	})
}

func TestAnExportComesBackUnchanged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.ward()
		h.applied(fleet, false)
		h.save(inventory.Item{Kind: inventory.Application, Name: "=CMD()", Notes: "deux\nlignes"})
		catalog, err := i18n.Load(i18n.Locales, inventory.Locales)
		h.must(err)
		loc := catalog.For(i18n.French)
		out, err := h.Export(t.Context(), h.scope, inventory.Filter{}, func(field, code string) string {
			if code == "" {
				return ""
			}
			return loc.T("inventory." + field + "." + code)
		})
		h.must(err)
		if len(out) != 5 || len(out[0]) != len(inventory.ExportColumns()) || h.journaled("inventory.export") != 1 {
			t.Fatalf("%d rows", len(out))
		}
		var b strings.Builder
		for _, row := range append([][]string{inventory.ExportColumns()}, out...) {
			for n, cell := range row {
				if n > 0 {
					b.WriteByte(';')
				}
				b.WriteString(`"` + strings.ReplaceAll(cell, `"`, `""`) + `"`)
			}
			b.WriteByte('\n')
		}
		i := h.compared(b.String())
		if s := i.Summary; s.New+s.Refused+s.Warnings+s.Suppliers != 0 || s.Same+s.Changed != 5 {
			t.Errorf("%+v", s)
		}
		results, err := h.Results(t.Context(), h.scope, i.ID, inventory.ResultFilter{})
		h.must(err)
		for _, r := range results {
			for _, c := range r.Changes {
				if c.Field != "source" {
					t.Errorf("%s: %+v", r.Name, c)
				}
			}
		}
		var refused strings.Builder
		staff, err := i18n.Load(i18n.Locales, inventory.Locales, table.Locales, access.Locales)
		h.must(err)
		i = h.compared("Nom;Notes\n;=1+1\n")
		h.must(h.Unreadable(t.Context(), h.scope, i.ID, staff.For(i18n.French), &refused))
		if got := refused.String(); !strings.Contains(got, "'=1+1") || !strings.Contains(got, "2;Il manque un nom.") {
			t.Errorf("%q", got)
		}
	})
}
