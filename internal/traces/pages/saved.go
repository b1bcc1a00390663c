package pages

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/traces"
	"tocsin/internal/traces/kept"
	"tocsin/internal/ui"
)

func (p pages) savedRoutes(r *ui.Router) {
	r.Post(questionPath+"{key}/garder", access.TracesAsk, p.keepQuestion)
	r.Post(searchPath+"/garder", access.TracesAsk, p.keepSearch)
	r.Get(SavedPath, access.TracesAsk, p.savedList)
	r.Post(SavedPath, access.TracesAsk, p.saveNew)
	r.Get(SavedPath+"/{id}", access.TracesAsk, p.saved)
	r.Post(SavedPath+"/{id}", access.TracesAsk, p.savedChange)
	r.Post(SavedPath+"/{id}/poser", access.TracesAsk, p.savedAsk, ui.Lasting(patience))
	r.Post(SavedPath+"/{id}/fichier", access.TracesAsk, p.savedFile, ui.Lasting(patience))
	r.Post(SavedPath+"/{id}/envoi", access.TracesAsk, p.savedSend)
	r.Post(SavedPath+"/{id}/envoi/arreter", access.TracesAsk, p.savedStop)
	r.Get(SavedPath+"/{id}/supprimer", access.TracesAsk, p.dropping)
	r.Post(SavedPath+"/{id}/supprimer", access.TracesAsk, p.drop)
	r.Post(SavedPath+"/{id}/reponses/{reponse}/{format}", access.TracesAsk, p.document)
}

// SavedAddress is the sheet of one kept question.
func SavedAddress(id uuid.UUID) string { return SavedPath + "/" + id.String() }

// huntWords says a free search in words.
func huntWords(loc *i18n.Localizer, names named, x traces.Hunt) string {
	var out []string
	if x.Text != "" {
		out = append(out, loc.T("traces.saved.text", "text", x.Text))
	}
	for _, cond := range x.Where {
		var values []string
		for _, v := range cond.Values {
			values = append(values, valueWord(loc, names, cond.Field, v))
		}
		out = append(out, strings.TrimSpace(fieldWord(loc, cond.Field)+" "+loc.T("traces.op."+string(cond.Op))+" "+strings.Join(values, ", ")))
	}
	return strings.Join(out, " ; ")
}

func spanWord(loc *i18n.Localizer, s kept.Span) string {
	return loc.T("traces.saved.span." + string(s))
}

func spanChoices(loc *i18n.Localizer) (out []ui.Choice) {
	for _, s := range kept.Spans() {
		out = append(out, ui.Choice{Value: string(s), Label: spanWord(loc, s)})
	}
	return out
}

// inquiryWords says a kept question as it is put.
func inquiryWords(loc *i18n.Localizer, names named, in traces.Inquiry, when string) string {
	if in.Search != nil {
		return loc.T("traces.phrase.sentence.free", "what", huntWords(loc, names, *in.Search), "period", when)
	}
	ph, filling, err := in.Check()
	if err != nil {
		return loc.T("traces.phrase.unknown")
	}
	return said(loc, ph, filling, when)
}

// keepQuestion prepares a phrase to be kept; it asks nothing.
func (p pages) keepQuestion(c *ui.Context) error {
	ph, err := p.phrase(c)
	if err != nil {
		return err
	}
	f := c.Form()
	in := traces.Inquiry{Phrase: ph.Key, Filling: traces.Filling{}}
	for _, b := range ph.Blanks {
		in.Filling[b.Name] = f.Value(b.Name)
	}
	if _, _, err := in.Check(); err != nil {
		return c.Refill(f, err, questionPage(c, f, asked{phrase: ph}))
	}
	return p.toKeep(c, f, in)
}

// keepSearch prepares a free search to be kept.
func (p pages) keepSearch(c *ui.Context) error {
	f := c.Form()
	h := hunt{rows: rowsOf(f)}
	sources, err := p.s.Sources(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	h.names = namesOf(sources)
	in := traces.Inquiry{Search: &traces.Hunt{Text: f.Value("q"), Where: h.conditions(c, f), By: traces.Field(f.Value("par"))}}
	if _, _, err := in.Check(); err != nil || !f.Valid() {
		return c.Refill(f, err, searchPage(c, f, h))
	}
	return p.toKeep(c, f, in)
}

// toKeep asks what is still to be said of a question to keep.
func (p pages) toKeep(c *ui.Context, from *ui.Form, in traces.Inquiry) error {
	words, err := json.Marshal(in)
	if err != nil {
		return err
	}
	span := kept.Span(from.Value("periode"))
	if !span.Known() {
		span = kept.LastWeek
	}
	f := c.NewForm(map[string]string{"question": string(words), "duree": string(span), "motif": from.Value("motif"), "nom": c.Loc.T("traces.phrase.title." + in.Key())})
	return p.renderKeep(c, f, in)
}

func (p pages) renderKeep(c *ui.Context, f *ui.Form, in traces.Inquiry) error {
	sources, err := p.s.Sources(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(toKeepPage(c, f, inquiryWords(c.Loc, namesOf(sources), in, c.Loc.T("traces.saved.when"))))
}

// wantedOf reads what a person says of a kept question.
func wantedOf(f *ui.Form) kept.Wanted {
	return kept.Wanted{Name: f.Value("nom"), Shared: f.Value("partage") != "", Span: kept.Span(f.Value("duree")), Why: f.Value("motif")}
}

func (p pages) saveNew(c *ui.Context) error {
	f := c.Form()
	w := wantedOf(f)
	if err := json.Unmarshal([]byte(f.Value("question")), &w.Inquiry); err != nil {
		return fault.Wrap(err, fault.Invalid, "traces.phrase.unknown")
	}
	q, err := p.kept.Keep(c.Ctx(), c.Scope, w)
	if e := fault.As(err); e != nil && e.Kind == fault.Invalid {
		f.Take(err)
		c.Status(http.StatusUnprocessableEntity)
		return p.renderKeep(c, f, w.Inquiry)
	}
	if err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("traces.saved.kept"))
	return c.Redirect(SavedAddress(q.ID))
}

func (p pages) savedList(c *ui.Context) error {
	list, err := p.kept.List(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(savedPage(c, list))
}

// book is a kept question with what was sent, and the forms of its page.
type book struct {
	kept.Saved
	words        string
	runs         []kept.Run
	people       []kept.Person
	change, send *ui.Form
}

func (p pages) book(c *ui.Context) (out book, err error) {
	id, err := c.ID("id")
	if err != nil {
		return out, err
	}
	if out.Saved, err = p.kept.Find(c.Ctx(), c.Scope, id); err != nil {
		return out, err
	}
	if out.runs, err = p.kept.Runs(c.Ctx(), c.Scope, id); err != nil {
		return out, err
	}
	if out.people, err = p.kept.Entitled(c.Ctx(), c.Scope); err != nil {
		return out, err
	}
	sources, err := p.s.Sources(c.Ctx(), c.Scope)
	out.words = inquiryWords(c.Loc, namesOf(sources), out.Inquiry, spanWord(c.Loc, out.Span))
	out.change = c.NewForm(map[string]string{"nom": out.Name, "duree": string(out.Span), "motif": out.Why, "partage": yes(out.Shared)}).As("c")
	out.send = sendForm(c, out.Sent)
	return out, err
}

func yes(b bool) string {
	if b {
		return "oui"
	}
	return ""
}

// sendForm shows when a question is asked by itself, or what is usual.
func sendForm(c *ui.Context, s *kept.Schedule) *ui.Form {
	if s == nil {
		s = &kept.Schedule{Rhythm: kept.Weekly, Day: 1, Hour: 7, KeepDays: 30, OnlyFound: false, Recipients: []uuid.UUID{c.Scope.Actor().ID}}
	}
	f := c.NewForm(map[string]string{"rythme": string(s.Rhythm), "heure": strconv.Itoa(s.Hour), "garde": strconv.Itoa(s.KeepDays), "seulement": yes(s.OnlyFound), "jour_semaine": "1", "jour_mois": "1"}).As("e")
	switch s.Rhythm {
	case kept.Weekly:
		f.Set("jour_semaine", strconv.Itoa(s.Day))
	case kept.Monthly:
		f.Set("jour_mois", strconv.Itoa(s.Day))
	}
	var ids []string
	for _, id := range s.Recipients {
		ids = append(ids, id.String())
	}
	f.SetList("destinataires", ids)
	return f
}

func (p pages) saved(c *ui.Context) error {
	d, err := p.book(c)
	if err != nil {
		return err
	}
	return c.Render(bookPage(c, d))
}

// did goes back to the sheet, or shows it with what was refused.
func (p pages) did(c *ui.Context, err error, f *ui.Form, put func(d *book), said string) error {
	id, idErr := c.ID("id")
	if idErr != nil {
		return idErr
	}
	if err == nil && f.Valid() {
		c.Flash(ui.Success, c.Loc.T(said))
		return c.Redirect(SavedAddress(id))
	}
	d, readErr := p.book(c)
	if readErr != nil {
		return readErr
	}
	put(&d)
	return c.Refill(f, err, bookPage(c, d))
}

func (p pages) savedChange(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("c")
	return p.did(c, p.kept.Change(c.Ctx(), c.Scope, id, wantedOf(f)), f, func(d *book) { d.change = f }, "traces.saved.changed")
}

func (p pages) savedSend(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("e")
	f.Require("heure", "garde")
	s := kept.Schedule{Rhythm: kept.Rhythm(f.Value("rythme")), Hour: f.Int("heure", 0, 23), KeepDays: f.Int("garde", 1, 90), OnlyFound: f.Value("seulement") != "", Zone: c.Zone.String()}
	switch s.Rhythm {
	case kept.Weekly:
		s.Day = f.Int("jour_semaine", 1, 7)
	case kept.Monthly:
		f.Require("jour_mois")
		s.Day = f.Int("jour_mois", 1, 28)
	}
	for _, text := range f.List("destinataires") {
		if one, err := uuid.Parse(text); err == nil && !slices.Contains(s.Recipients, one) {
			s.Recipients = append(s.Recipients, one)
		}
	}
	if f.Valid() {
		err = p.kept.Send(c.Ctx(), c.Scope, id, s)
	}
	return p.did(c, err, f, func(d *book) { d.send = f }, "traces.saved.sent")
}

func (p pages) savedStop(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	return p.did(c, p.kept.Stop(c.Ctx(), c.Scope, id), c.Form(), func(*book) {}, "traces.saved.stopped")
}

// told is the answer to a kept question as of now.
func (p pages) askedAgain(c *ui.Context, takes string) (kept.Saved, *told, error) {
	id, err := c.ID("id")
	if err != nil {
		return kept.Saved{}, nil, err
	}
	q, reply, err := p.kept.Ask(c.Ctx(), c.Scope, id, c.Zone, takes)
	if err != nil {
		return q, nil, err
	}
	sources, err := p.s.Sources(c.Ctx(), c.Scope)
	t := tell(c.Loc, c.Zone, reply, sources)
	t.hunt, t.files, t.again = q.Inquiry.Search, SavedAddress(id)+"/fichier", true
	return q, t, err
}

// unready leads to the page that says that this program has no base of traces; what
// somebody may not see is refused before.
func (p pages) unready(c *ui.Context, err error) error {
	if fault.Is(err, fault.Unavailable) && !p.s.Ready() {
		return c.Redirect(Path)
	}
	return err
}

func (p pages) savedAsk(c *ui.Context) error {
	q, t, err := p.askedAgain(c, "")
	if err != nil {
		return p.unready(c, err)
	}
	return c.Render(savedAnswerPage(c, c.NewForm(map[string]string{"motif": q.Why}), q, t))
}

func (p pages) savedFile(c *ui.Context) error {
	kind := c.FormValue("format")
	w, ok := writers()[kind]
	if !ok {
		if _, err := p.book(c); err != nil {
			return err // to whom it is not shared with, it is not there
		}
		return fault.New(fault.Invalid, "traces.phrase.choice")
	}
	q, t, err := p.askedAgain(c, kind)
	if err != nil {
		return p.unready(c, err)
	}
	return p.give(c, c.NewForm(map[string]string{"motif": q.Why}), t, kind, w)
}

func (p pages) dropping(c *ui.Context) error {
	d, err := p.book(c)
	if err != nil {
		return err
	}
	return c.Render(dropPage(c, d))
}

func (p pages) drop(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.kept.Drop(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("traces.saved.dropped"))
	return c.Redirect(SavedPath)
}

// document gives a document that was kept: posted, since opening it is a look.
func (p pages) document(c *ui.Context) error {
	run, err := c.ID("reponse")
	if err != nil {
		return err
	}
	d, plain, err := p.kept.Open(c.Ctx(), c.Scope, run, c.PathValue("format"))
	if err != nil {
		return err
	}
	_, err = c.Download(c.Loc.T("traces.paper.file", "at", d.Number[:8])+"."+d.Format, writers()[d.Format].contentType).Write(plain)
	return err
}

func rhythmChoices(loc *i18n.Localizer) (out []ui.Choice) {
	for _, r := range kept.Rhythms() {
		out = append(out, ui.Choice{Value: string(r), Label: loc.T("traces.saved.rhythm." + string(r))})
	}
	return out
}

func weekdayChoices(loc *i18n.Localizer) (out []ui.Choice) {
	for n := 1; n <= 7; n++ {
		out = append(out, ui.Choice{Value: strconv.Itoa(n), Label: loc.Weekday(time.Weekday(n % 7))})
	}
	return out
}

func peopleChoices(people []kept.Person) (out []ui.Choice) {
	for _, one := range people {
		out = append(out, ui.Choice{Value: one.ID.String(), Label: one.Name})
	}
	return out
}

// sentWord says when a question is asked by itself.
func sentWord(c *ui.Context, s *kept.Schedule) string {
	if s == nil {
		return c.Loc.T("traces.saved.never")
	}
	day := ""
	switch s.Rhythm {
	case kept.Weekly:
		day = c.Loc.Weekday(time.Weekday(s.Day % 7))
	case kept.Monthly:
		day = c.Loc.Int(s.Day)
	}
	return c.Loc.T("traces.saved.every."+string(s.Rhythm), "day", day, "hour", s.Hour)
}

// tone is that of what became of an answer.
func tone(s kept.State) ui.Tone {
	switch s {
	case kept.Done:
		return ui.Success
	case kept.Failed, kept.Nobody:
		return ui.Attention
	}
	return ui.Information
}
