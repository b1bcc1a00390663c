package pages

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/inventory"
	"tocsin/internal/organisation"
	"tocsin/internal/ui"
)

// The addresses of this room.
const (
	Path       = "/inventaire"
	ImportPath = Path + "/import"
	itemPath   = Path + "/elements/"
)

// fileLimit bounds a file: 20,000 rows are far below.
const fileLimit = 16 << 20

// importPatience is how long a comparison or an application may last.
const importPatience = 2 * time.Minute

// Options are what the pages rest on.
type Options struct {
	Service      *inventory.Service
	Organisation *organisation.Service
}

type pages struct {
	s      *inventory.Service
	houses *organisation.Service
}

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{s: o.Service, houses: o.Organisation}
	r.Get(Path, access.InventoryRead, p.list)
	r.Post(Path+"/export", access.InventoryExport, p.export, ui.Lasting(importPatience))
	r.Get(Path+"/nouveau", access.InventoryWrite, p.newItem)
	r.Post(Path+"/nouveau", access.InventoryWrite, p.addItem)
	r.Get(itemPath+"{id}", access.InventoryRead, p.sheet)
	r.Get(itemPath+"{id}/modifier", access.InventoryWrite, p.edit)
	r.Post(itemPath+"{id}/modifier", access.InventoryWrite, p.save)
	r.Get(itemPath+"{id}/retirer", access.InventoryWrite, p.retiring)
	r.Post(itemPath+"{id}/retirer", access.InventoryWrite, p.retire)
	r.Post(itemPath+"{id}/remettre", access.InventoryWrite, p.putBack)
	r.Get(itemPath+"{id}/dependances", access.InventoryWrite, p.linking)
	r.Post(itemPath+"{id}/dependances", access.InventoryWrite, p.link)
	r.Post(itemPath+"{id}/dependances/retirer", access.InventoryWrite, p.unlink)
	r.Get(ImportPath, access.InventoryWrite, p.imports)
	r.Post(ImportPath, access.InventoryWrite, p.upload, ui.Upload(fileLimit), ui.Lasting(importPatience))
	r.Get(ImportPath+"/{id}", access.InventoryWrite, p.passage)
	r.Get(ImportPath+"/{id}/colonnes", access.InventoryWrite, p.columns)
	r.Post(ImportPath+"/{id}/colonnes", access.InventoryWrite, p.setColumns, ui.Lasting(importPatience))
	r.Post(ImportPath+"/{id}/confirmer", access.InventoryWrite, p.confirm, ui.Lasting(importPatience))
	r.Post(ImportPath+"/{id}/abandonner", access.InventoryWrite, p.abandon)
	r.Get(ImportPath+"/{id}/annuler", access.InventoryWrite, p.undoing)
	r.Post(ImportPath+"/{id}/annuler", access.InventoryWrite, p.undo, ui.Lasting(importPatience))
	r.Get(ImportPath+"/{id}/illisibles", access.InventoryWrite, p.unreadable)
}

// Rail are the entries of this room in the left rail.
func Rail() []ui.NavItem {
	return []ui.NavItem{{Label: "inventory.page.rail", Path: Path, Icon: "list", Need: access.InventoryRead}}
}

// ItemPath is the sheet of one thing.
func ItemPath(id uuid.UUID) string { return itemPath + id.String() }

// Search finds things by name, code, address or number.
type Search struct{ Service *inventory.Service }

// found bounds the hits.
const found = 8

// Search gives the things whose words hold the query; none to who may not read them.
func (s Search) Search(ctx context.Context, scope access.Scope, loc *i18n.Localizer, query string) ([]ui.Hit, error) {
	page, err := s.Service.Search(ctx, scope, inventory.Filter{Text: query, Limit: found})
	if err != nil {
		return nil, err
	}
	var out []ui.Hit
	for _, i := range page {
		out = append(out, ui.Hit{Kind: kindWord(loc, i.Kind), Title: i.Name, Detail: i.Code, Path: ItemPath(i.ID), Icon: "list"})
	}
	return out, nil
}

func mayWrite(c *ui.Context) bool { return c.May(access.InventoryWrite) }
