// Package ui is « La façade »: the frame, the parts and the doors of every page.
//
// It promises that no route exists without saying who may enter, that every
// page works without script under a strict content policy, that what was typed
// is kept, that an error of a kind always has the same status, and that
// nothing a page needs comes from elsewhere than this program.
//
// It never knows a room: rail, banners and search results are handed to it by
// app (Frame), and who visits is told by identity (Visitors).
//
// # A page
//
//	func Routes(r *ui.Router, s *directory.Service) {
//		p := pages{s}
//		r.Get("/annuaire", access.DirectoryRead, p.list)
//		r.Get("/annuaire/{id}", access.DirectoryRead, p.show)
//		r.Post("/annuaire/{id}", access.DirectoryWrite, p.save)
//		r.Post("/annuaire/import", access.DirectoryImport, p.upload, ui.Upload(50<<20))
//		r.Get("/annuaire/flux", access.DirectoryRead, p.stream, ui.Stream())
//	}
//
// The need is an access.Action, ui.SignedIn (any account) or ui.Public. Router
// checks it before the handler; the operation checks it again. Bare() is for
// pages without session (the answer page). A POST form is parsed before the
// handler runs; 1 MB unless Upload.
//
//	func (p pages) list(c *ui.Context) error {
//		q := c.Query()                                  // filters, sort, page: kept in the address
//		column, desc := q.Sort("name", "service")
//		people, total, err := p.s.People(c.Ctx(), c.Scope, directory.PersonFilter{Text: q.Get("q"), …})
//		if err != nil {
//			return err                                  // the page of that error, its status, its log line
//		}
//		return c.Render(listPage(c, q, people, q.Pager(total, 50)))
//	}
//
//	templ listPage(c *ui.Context, q ui.Query, people []directory.Person, pager ui.Pager) {
//		@ui.Page(c, c.Loc.T("directory.title")) {
//			@ui.Heading(c.Loc.T("directory.title"), "") {
//				@ui.Button(ui.ButtonSpec{Label: c.Loc.T("directory.add"), Href: "/annuaire/nouveau", Kind: "primary", Icon: "plus"})
//			}
//			@ui.Table(ui.TableSpec{Caption: …, Columns: []ui.Column{{Label: …, Sort: "name"}}, Query: q, Rows: len(people)}) {
//				for _, p := range people { <tr><td>{ p.Name }</td></tr> }
//			}
//			@ui.Pages(pager)
//		}
//	}
//
// # A form
//
// POST → redirect → GET; when refused, the same page with 422 and what was typed.
//
//	func (p pages) edit(c *ui.Context) error {
//		return c.Render(editPage(c, c.NewForm(map[string]string{"nom": person.Name})))
//	}
//
//	func (p pages) save(c *ui.Context) error {
//		f := c.Form()
//		f.Require("nom")
//		update := directory.PersonUpdate{Name: f.Value("nom"), Rank: f.Int("ordre", 1, 9)}
//		if !f.Valid() {
//			return c.Refill(f, nil, editPage(c, f))
//		}
//		if err := p.s.Update(c.Ctx(), c.Scope, id, update); err != nil {
//			return c.Refill(f, err, editPage(c, f))     // fault.At(field) lands at its field
//		}
//		c.Flash(ui.Success, c.Loc.T("directory.saved"))
//		return c.Redirect("/annuaire/" + id.String())
//	}
//
//	templ editPage(c *ui.Context, f *ui.Form) {
//		@ui.Page(c, …) {
//			@ui.Errors(f)
//			<form method="post" class="form">
//				@ui.Field(f, ui.FieldSpec{Name: "nom", Label: c.Loc.T("directory.name"), Required: true})
//				@ui.Select(f, ui.FieldSpec{Name: "site", Label: …}, choices)
//				<div class="actions">@ui.Button(ui.ButtonSpec{Label: c.Loc.T("common.save"), Kind: "primary"})</div>
//			</form>
//		}
//	}
//
// # htmx
//
// htmx and its event-stream extension are on every page. c.Partial() tells that
// a piece was asked for: render the piece instead of the page. A failure of a
// partial request is shown in the notices of the page that asked. Live pages:
// @ui.Live(url) around @ui.LivePiece(event), the stream written with live.Stream
// on a route with Stream(), its pieces made by c.Piece.
//
// Text and a part on the next line are not parted by a space: write { " " }.
//
// # Frames
//
// Page (the house), Door (sign-in, first start), Wall (screen on a wall),
// Answer (one small style sheet, no script: under 20 kB in all).
//
// # Parts
//
// Heading, Button, Field, Select, Checkbox, Checks, Radios, RadioCards, Errors,
// HoldToConfirm (with Form.Confirmed), Message, Badge, Stats, Stat, Meter,
// Progress, Tabs, Breadcrumb, Steps, Timeline, Ago, Countdown, Elapsed, Card,
// Cards, CardLink, Disclosure, Dialog, DialogLink, EmptyState, Table, TableFilter,
// Pages, Live, LivePiece, Icon, Shape. All are shown on /styleguide (demonstration
// and development). Classes for page authors: form, columns, actions, filters,
// quiet, lead, number, hidden, no-print, print-only, sheet.
//
// No style attribute, no inline script, no hx-on: the content policy refuses
// them. A width that varies is an SVG attribute.
//
// # Bundles
//
// assets/ holds the sources, `go run ./internal/ui/build` makes dist/ (after
// npm ci), `-check` says when it is stale. Colours are tokens of
// assets/css/tokens.css; no page names a colour.
package ui
