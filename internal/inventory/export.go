package inventory

import (
	"context"
	"strings"

	"tocsin/internal/access"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// ExportColumns are the titles of an export, in French as the import reads them
// back: a file that leaves and comes back changes nothing.
func ExportColumns() []string {
	return []string{
		"Nature", "Nom", "Numéro d’inventaire", "Criticité", "Responsable", "Service responsable", "Service de soins", "Site", "Fournisseur",
		"Marque et modèle", "Nom réseau", "Adresse IP", "Adresse MAC", "Numéro de série", "AE Title", "Notes",
	}
}

// Export gives the items of a filter as rows of ExportColumns. Kinds and levels are written
// by say. It is noted in the journal. Needs access.InventoryExport.
func (s *Service) Export(ctx context.Context, scope access.Scope, f Filter, say func(field, code string) string) (rows [][]string, err error) {
	if err := s.opt.Guard.Check(scope, access.InventoryExport); err != nil {
		return nil, err
	}
	f.Offset, f.Limit = 0, 0
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		items, err := listItems(ctx, tx, scope, f)
		if err != nil {
			return err
		}
		g, err := s.names(ctx, tx, scope, items)
		if err != nil {
			return err
		}
		for _, n := range g.all(items) {
			row := []string{
				say("kind", string(n.Kind)), n.Name, n.Code, say("criticality", string(n.Criticality)), n.OwnerPersonName, n.OwnerServiceName,
				n.ServiceName, n.SiteName, n.SupplierName, n.Model,
			}
			for _, kind := range IdentifierKinds() {
				row = append(row, strings.Join(n.Values(kind), ", "))
			}
			rows = append(rows, append(row, n.Notes))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		return journal.Append(ctx, tx, scope, s.opt.Clock.Now(), journal.Entry{
			Action: "inventory.export", ObjectKind: "inventory", ObjectID: scope.Organisation().String(), After: map[string]int{"rows": len(rows)},
		})
	})
}
