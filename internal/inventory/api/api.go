// Package api is « Cartographie » for programs: what is in the inventory, and
// what bears an address.
//
// It promises what a person with the same right reads on the pages.
//
// It never changes the inventory: that is done on the pages.
package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/inventory"
	"tocsin/internal/rest"
)

type api struct{ service *inventory.Service }

// Register adds the operations of this room.
func Register(d *rest.Desk, s *inventory.Service) {
	a := api{s}
	rest.Register(d, rest.Operation{
		ID: "inventory", Method: http.MethodGet, Path: "/inventory", Need: access.InventoryRead, Tag: "inventory",
		Summary: "Applications, servers, devices and suppliers, by name",
		Detail:  "Give one of `host`, `ip`, `mac`, `serial` and `ae` to know what bears it: several things may.",
	}, a.list)
	rest.Register(d, rest.Operation{
		ID: "inventoryItem", Method: http.MethodGet, Path: "/inventory/{id}", Need: access.InventoryRead, Tag: "inventory",
		Summary: "One thing of the inventory, with what it rests on and what rests on it",
	}, a.one)
}

// InventoryItem is one thing of the inventory, or a supplier.
type InventoryItem struct {
	ID           uuid.UUID             `json:"id" format:"uuid"`
	Kind         string                `json:"kind" enum:"application,server,device,biomedical,gateway,supplier"`
	Name         string                `json:"name"`
	Code         string                `json:"code,omitempty" doc:"The establishment's own number for it"`
	Criticality  string                `json:"criticality,omitempty" enum:"vital,critical,important,standard" doc:"What a stop does to care; absent when nobody has weighed it"`
	Owner        *InventoryName        `json:"owner,omitempty" doc:"The person who answers for it"`
	OwnerService *InventoryName        `json:"owner_service,omitempty"`
	Service      *InventoryName        `json:"service,omitempty" doc:"The care service that lives by it"`
	Site         *InventoryName        `json:"site,omitempty"`
	Supplier     *InventoryName        `json:"supplier,omitempty"`
	Model        string                `json:"model,omitempty" doc:"Make and model, or version"`
	Identifiers  []InventoryIdentifier `json:"identifiers" nullable:"false"`
	Source       string                `json:"source,omitempty" doc:"The list that owns it; absent when entered by hand"`
	Retired      *time.Time            `json:"retired,omitempty"`
	Revision     int64                 `json:"revision"`
	Updated      time.Time             `json:"updated"`
}

// InventoryName is what a thing points at.
type InventoryName struct {
	ID   uuid.UUID `json:"id" format:"uuid"`
	Name string    `json:"name"`
}

// InventoryIdentifier is what names a thing for machines.
type InventoryIdentifier struct {
	Kind  string `json:"kind" enum:"host,ip,mac,serial,ae"`
	Value string `json:"value"`
}

// InventorySheet is a thing with what surrounds it.
type InventorySheet struct {
	InventoryItem
	Notes   string          `json:"notes,omitempty"`
	Rests   []InventoryName `json:"rests_on" nullable:"false"`
	Carries []InventoryName `json:"carries" nullable:"false"`
}

func shown(n inventory.Named) InventoryItem {
	out := InventoryItem{
		ID: n.ID, Kind: string(n.Kind), Name: n.Name, Code: n.Code, Criticality: string(n.Criticality), Owner: named(n.OwnerPerson, n.OwnerPersonName),
		OwnerService: named(n.OwnerService, n.OwnerServiceName), Service: named(n.Service, n.ServiceName), Site: named(n.Site, n.SiteName),
		Supplier: named(n.Supplier, n.SupplierName), Model: n.Model, Identifiers: []InventoryIdentifier{}, Source: n.Source, Revision: n.Revision, Updated: n.Updated,
	}
	for _, d := range n.Identifiers {
		out.Identifiers = append(out.Identifiers, InventoryIdentifier{string(d.Kind), d.Value})
	}
	if !n.Retired.IsZero() {
		out.Retired = &n.Retired
	}
	return out
}

func named(id uuid.UUID, name string) *InventoryName {
	if id == uuid.Nil {
		return nil
	}
	return &InventoryName{id, name}
}

type wanted struct {
	rest.Paging
	Text        string    `query:"q" maxLength:"200" doc:"Looked for in names, codes, models, identifiers and notes, word by word"`
	Kind        string    `query:"kind" enum:"application,server,device,biomedical,gateway,supplier"`
	Criticality string    `query:"criticality" enum:"vital,critical,important,standard"`
	Service     uuid.UUID `query:"service" format:"uuid"`
	Site        uuid.UUID `query:"site" format:"uuid"`
	Retired     bool      `query:"retired" doc:"Those that left the service instead"`
	Host        string    `query:"host" maxLength:"253"`
	IP          string    `query:"ip" maxLength:"64"`
	MAC         string    `query:"mac" maxLength:"64"`
	Serial      string    `query:"serial" maxLength:"253"`
	AE          string    `query:"ae" maxLength:"16" doc:"DICOM application entity title"`
}

// identifier is the one asked for; a zero one when none is. Errors: Invalid.
func (in wanted) identifier() (d inventory.Identifier, err error) {
	for kind, text := range map[inventory.IdentifierKind]string{
		inventory.Host: in.Host, inventory.IP: in.IP, inventory.MAC: in.MAC, inventory.Serial: in.Serial, inventory.AETitle: in.AE,
	} {
		if text == "" {
			continue
		}
		if d, err = inventory.ParseIdentifier(kind, text); err != nil {
			if e := fault.As(err); e != nil {
				return d, e.At("query." + string(kind))
			}
			return d, err
		}
	}
	return d, nil
}

func (a api) list(ctx context.Context, c *rest.Call, in *wanted) (*rest.List[InventoryItem], error) {
	d, err := in.identifier()
	if err != nil {
		return nil, err
	}
	after, err := in.Cursor()
	if err != nil {
		return nil, err
	}
	from := 0
	if after != "" {
		if from, err = strconv.Atoi(after); err != nil || from < 0 {
			return nil, fault.Wrap(err, fault.Invalid, "rest.after").At("query.after")
		}
	}
	page, err := a.service.List(ctx, c.Scope, inventory.Filter{
		Text: in.Text, Kind: inventory.Kind(in.Kind), Criticality: inventory.Criticality(in.Criticality), Service: in.Service, Site: in.Site, Identifier: d,
		Retired: in.Retired, Offset: from, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	var out []InventoryItem
	for _, n := range page.Items {
		out = append(out, shown(n))
	}
	next := ""
	if from+len(out) < page.Total && len(out) > 0 {
		next = strconv.Itoa(from + len(out))
	}
	return rest.Listed(c, out, next), nil
}

func (a api) one(ctx context.Context, c *rest.Call, in *struct {
	ID string `path:"id"`
},
) (*rest.One[InventorySheet], error) {
	id, err := rest.ID(in.ID)
	if err != nil {
		return nil, err
	}
	v, err := a.service.Get(ctx, c.Scope, id)
	if err != nil {
		return nil, err
	}
	return &rest.One[InventorySheet]{Body: InventorySheet{InventoryItem: shown(v.Named), Notes: v.Notes, Rests: list(v.Rests), Carries: list(v.Carries)}}, nil
}

func list(items []inventory.Item) []InventoryName {
	out := make([]InventoryName, len(items))
	for n, i := range items {
		out[n] = InventoryName{i.ID, i.Name}
	}
	return out
}
