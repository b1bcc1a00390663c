package app

import (
	"fmt"
	"strings"

	adminapi "tocsin/internal/administration/api"
	adminpages "tocsin/internal/administration/pages"
	alertapi "tocsin/internal/alerting/api"
	directoryapi "tocsin/internal/directory/api"
	dispatchapi "tocsin/internal/dispatch/api"
	hookapi "tocsin/internal/hooks/api"
	identityapi "tocsin/internal/identity/api"
	inventoryapi "tocsin/internal/inventory/api"
	organisationapi "tocsin/internal/organisation/api"
	"tocsin/internal/rest"
	tracesapi "tocsin/internal/traces/api"
	"tocsin/internal/ui"
)

// openDesk registers every operation for programs.
func (h *House) openDesk() error {
	desk, err := rest.New(rest.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Catalog: h.Catalog, Log: h.Log, Bearers: identityapi.Bearers{Service: h.Accounts},
		Version: Version, Origin: h.origin().String(), Address: ui.AddressOf, Reference: ui.RequestID,
	})
	if err != nil {
		return fmt.Errorf("counter of programs: %w", err)
	}
	identityapi.Register(desk)
	organisationapi.Register(desk, h.Houses)
	directoryapi.Register(desk, h.Directory, h.OnCall)
	inventoryapi.Register(desk, h.Inventory)
	alertapi.Register(desk, h.Alerting)
	dispatchapi.Register(desk, h.Dispatch)
	adminapi.Register(desk, h.Journal)
	hookapi.Register(desk, h.Hooks)
	h.Desk = desk
	return nil
}

// registerDesk gives the desk its addresses and its page.
func (h *House) registerDesk(r *ui.Router) {
	r.Handle("", rest.Root+"/", ui.Public, h.Desk, ui.Bare(), ui.Body(rest.BodyLimit+1<<10))
	intake := tracesapi.Handler(tracesapi.Options{Service: h.Traces, Catalog: h.Catalog, Clock: h.Clock, Log: h.Log, Origin: h.origin().String(), Zone: h.Settings.Zone(), Address: ui.AddressOf})
	for _, at := range []string{tracesapi.Root, tracesapi.Root + "/"} { // shippers ask with and without
		r.Handle("", at, ui.Public, intake, ui.Bare(), ui.Body(tracesapi.BodyLimit))
	}
	h.registerTraceFiles(r)
}

// manual is what the page for those who write programs says of the desk.
func (h *House) manual() adminpages.Manual {
	m := adminpages.Manual{Description: rest.Described + ".json", Root: h.origin().String() + rest.Root}
	for _, d := range h.Desk.Outline() {
		need := string(d.Need)
		switch d.Need {
		case rest.Token:
			need = ""
		case rest.Signed:
			need = adminpages.SignedNeed
		}
		op := adminpages.Operation{ID: d.ID, Tag: d.Tag, Method: d.Method, Path: d.Address(), Summary: d.Summary, Detail: d.Detail, Need: need, Keyed: d.Keying != rest.Unkeyed}
		for _, f := range d.Fields {
			name := f.Name
			if f.Where != "body" {
				name = f.Where + " " + name
			}
			op.Fields = append(op.Fields, adminpages.OperationField{Name: strings.TrimSpace(name), Kind: f.Kind, Doc: f.Doc, Required: f.Required})
		}
		m.Operations = append(m.Operations, op)
	}
	return m
}
