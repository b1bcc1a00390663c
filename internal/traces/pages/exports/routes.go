package exports

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/exports"
	tracepages "tocsin/internal/traces/pages"
	"tocsin/internal/ui"
)

// The addresses.
const (
	Path    = tracepages.ExportsPath
	newPath = tracepages.NewExportPath
)

// RequestPath is the sheet of one.
func RequestPath(id uuid.UUID) string { return Path + "/" + id.String() }

const (
	// patience is how long counting may last, takingPatience a download.
	patience       = 2 * time.Minute
	takingPatience = 30 * time.Minute
	typedTime      = "2006-01-02T15:04"
	wordsMost      = 1000
)

type pages struct{ s *exports.Service }

// Routes registers the pages.
func Routes(r *ui.Router, s *exports.Service) {
	p := pages{s}
	r.Get(Path, access.TracesExportApprove, p.list)
	r.Get(newPath, access.TracesExport, p.fresh)
	r.Post(newPath, access.TracesExport, p.ask, ui.Lasting(patience))
	r.Get(Path+"/{id}", access.TracesExportApprove, p.sheet)
	r.Post(Path+"/{id}/approuver", access.TracesExportApprove, p.approve)
	r.Post(Path+"/{id}/refuser", access.TracesExportApprove, p.refuse)
	// It is posted: each taking is an act that leaves a trace.
	r.Post(Path+"/{id}/archive", access.TracesExport, p.take, ui.Lasting(takingPatience))
}

// from is where one comes from: whoever only approves sees no other page of the
// traces than the requests.
func from(c *ui.Context) ui.Crumb {
	if c.May(access.TracesRead) {
		return ui.Crumb{Label: c.Loc.T("traces.exports.page.room"), Path: tracepages.Path}
	}
	return ui.Crumb{Label: c.Loc.T("traces.exports.page.requests"), Path: tracepages.RequestsPath}
}

// endWord is the key of a word about refusing: one ends one's own request.
func endWord(c *ui.Context, r exports.Request, word string) string {
	if own(c, r) {
		return "traces.exports.page." + word + ".own"
	}
	return "traces.exports.page." + word
}

func (p pages) list(c *ui.Context) error {
	all, err := p.s.List(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(listPage(c, all))
}

func (p pages) fresh(c *ui.Context) error {
	now := c.Now.In(c.Zone)
	return c.Render(newPage(c, c.NewForm(map[string]string{"de": now.AddDate(0, -6, 0).Format(typedTime), "a": now.Format(typedTime)})))
}

// ask keeps a request. Posted with "conditions" and nothing else, from the answer of
// a question, it shows the form with what was asked.
func (p pages) ask(c *ui.Context) error {
	f := c.Form()
	w, err := wanted(c, f)
	if err == nil && f.Value("preparer") != "" {
		return c.Render(newPage(c, f))
	}
	if err != nil || !f.Valid() {
		return c.Refill(f, err, newPage(c, f))
	}
	r, err := p.s.Ask(c.Ctx(), c.Scope, w)
	if err != nil {
		return c.Refill(f, err, newPage(c, f))
	}
	c.Flash(ui.Success, c.Loc.T("traces.exports.page.asked"))
	return c.Redirect(RequestPath(r.ID))
}

// wanted reads the form.
func wanted(c *ui.Context, f *ui.Form) (w exports.Wanted, err error) {
	where, err := conditions(f)
	if err != nil {
		return w, err
	}
	w = exports.Wanted{
		Kind: exports.Kind(f.Value("nature")), Authority: f.Value("autorite"), Reference: f.Value("reference"), Identity: f.Value("identite"), Reason: f.Value("motif"), Exception: f.Value("exception"),
		Selection: exports.Selection{Patient: f.Value("patient"), Account: f.Value("compte"), Zone: c.Zone.String(), Where: where},
	}
	w.From, w.To = moment(c, f, "de"), moment(c, f, "a")
	return w, nil
}

func moment(c *ui.Context, f *ui.Form, name string) time.Time {
	t, err := time.ParseInLocation(typedTime, f.Value(name), c.Zone)
	if err != nil {
		f.Add(name, c.Loc.T("traces.exports.page.time"))
	}
	return t
}

// conditions reads those of a question that was put: a patient and an account take
// their places in the form, the others stay beside it.
func conditions(f *ui.Form) (rest []traces.Condition, err error) {
	text := f.Value("conditions")
	if text == "" {
		return nil, nil
	}
	var all []traces.Condition
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "traces.exports.page.conditions")
	}
	for _, one := range all {
		single := one.Op == traces.Is && len(one.Values) == 1
		switch {
		case single && one.Field == traces.FieldPatient:
			f.Set("patient", one.Values[0])
		case single && one.Field == traces.FieldAccount:
			f.Set("compte", one.Values[0])
		default:
			rest = append(rest, one)
		}
	}
	kept := ""
	if len(rest) > 0 {
		b, err := json.Marshal(rest)
		if err != nil {
			return nil, err
		}
		kept = string(b)
	}
	f.Set("conditions", kept)
	return rest, nil
}

// narrowed is how many conditions stand beside the form.
func narrowed(f *ui.Form) int {
	var all []traces.Condition
	if json.Unmarshal([]byte(f.Value("conditions")), &all) != nil {
		return 0
	}
	return len(all)
}

func (p pages) request(c *ui.Context) (exports.Request, error) {
	id, err := c.ID("id")
	if err != nil {
		return exports.Request{}, err
	}
	return p.s.Get(c.Ctx(), c.Scope, id)
}

func (p pages) sheet(c *ui.Context) error {
	r, err := p.request(c)
	if err != nil {
		return err
	}
	return c.Render(sheetPage(c, c.NewForm(nil), r))
}

func (p pages) approve(c *ui.Context) error {
	r, err := p.request(c)
	if err != nil {
		return err
	}
	if _, err := p.s.Approve(c.Ctx(), c.Scope, r.ID); err != nil {
		return c.Refill(c.Form(), err, sheetPage(c, c.Form(), r))
	}
	c.Flash(ui.Success, c.Loc.T("traces.exports.page.approved"))
	return c.Redirect(RequestPath(r.ID))
}

func (p pages) refuse(c *ui.Context) error {
	r, err := p.request(c)
	if err != nil {
		return err
	}
	f := c.Form()
	if _, err := p.s.Refuse(c.Ctx(), c.Scope, r.ID, f.Value("raison")); err != nil {
		return c.Refill(f, err, sheetPage(c, f, r))
	}
	c.Flash(ui.Success, c.Loc.T("traces.exports.page.refused"))
	return c.Redirect(RequestPath(r.ID))
}

func (p pages) take(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	r, archive, err := p.s.Take(c.Ctx(), c.Scope, id)
	if err != nil {
		return err
	}
	w := c.Download(r.FileName(), "application/zip")
	w.Header().Set("Content-Length", strconv.FormatInt(r.Bytes, 10))
	_, err = io.Copy(w, archive)
	return errors.Join(err, archive.Close())
}

// own tells whether the reader asked for it himself.
func own(c *ui.Context, r exports.Request) bool { return r.Asker == c.Scope.Actor().ID }

func waits(c *ui.Context, r exports.Request) bool {
	return r.State == exports.Asked && c.Now.Before(r.Expires)
}

func tone(s exports.State) ui.Tone {
	switch s {
	case exports.Ready:
		return ui.Success
	case exports.Failed:
		return ui.Alert
	case exports.Asked:
		return ui.Attention
	}
	return ui.Information
}

// steps are what happened, in order.
func steps(c *ui.Context, r exports.Request) []ui.Event {
	at := func(t time.Time, tone ui.Tone, key, text string, args ...any) ui.Event {
		return ui.Event{At: t, When: c.Loc.DateTime(t, c.Zone), Tone: tone, Title: c.Loc.T("traces.exports.page.step."+key, args...), Text: text}
	}
	out := []ui.Event{at(r.Asked, ui.Information, "asked", r.Reason, "who", r.AskedBy)}
	switch {
	case r.State == exports.Refused:
		out = append(out, at(r.Decided, ui.Attention, "refused", r.Decision, "who", r.By))
	case r.State == exports.Expired:
		out = append(out, at(r.Expires, ui.Attention, "expired", ""))
	case !r.Decided.IsZero():
		out = append(out, at(r.Decided, ui.Information, "approved", "", "who", r.By))
	}
	if !r.Done.IsZero() {
		out = append(out, at(r.Done, ui.Success, "ready", ""))
	}
	if !r.TakenAt.IsZero() {
		out = append(out, at(r.TakenAt, ui.Information, "taken", c.Loc.N("traces.exports.page.taken", int(r.Taken))))
	}
	if r.State == exports.Removed {
		out = append(out, at(r.Until, ui.Information, "removed", ""))
	}
	return out
}
