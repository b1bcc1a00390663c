package app

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/demo"
	"tocsin/internal/directory"
	"tocsin/internal/document/table"
	"tocsin/internal/inventory"
)

// demoInventory passes the file of the computer department through the import,
// and says what rests on what.
func (h *House) demoInventory(ctx context.Context, scope access.Scope, invented demo.Establishment) error {
	if err := demoFile("parc.csv", invented.WriteInventory, func(rows *table.Source, file directory.File) error {
		staged, err := h.Inventory.Stage(ctx, scope, rows, inventory.File{Name: file.Name, Source: "DSI", Kind: inventory.Application})
		if err != nil {
			return err
		}
		if _, err := h.Inventory.Map(ctx, scope, staged.ID, staged.Mapping); err != nil {
			return err
		}
		_, err = h.Inventory.Apply(ctx, scope, staged.ID, false)
		return err
	}); err != nil {
		return err
	}
	all, err := h.Inventory.Search(ctx, scope, inventory.Filter{})
	if err != nil {
		return err
	}
	byCode := map[string]inventory.Item{}
	for _, i := range all {
		byCode[i.Code] = i
	}
	for _, pair := range [][2]string{
		{"APP-01", "SRV-01"},
		{"APP-01", "SRV-02"},
		{"APP-05", "APP-01"},
		{"APP-04", "SRV-03"},
		{"PAS-01", "APP-01"},
		{"BM-0101", "PAS-01"},
		{"BM-0102", "PAS-01"},
		{"BM-0210", "APP-04"},
	} {
		if err := h.Inventory.Link(ctx, scope, byCode[pair[0]].ID, byCode[pair[1]].ID); err != nil {
			return err
		}
	}
	return nil
}
