package pages

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
	"tocsin/internal/ui"
)

func (p pages) requestRoutes(r *ui.Router) {
	r.Get(RequestsPath, access.TracesAuditAsk, p.requests)
	r.Get(RequestsPath+"/nouvelle", access.TracesAuditAsk, p.newRequest)
	r.Post(RequestsPath+"/nouvelle", access.TracesAuditAsk, p.addRequest)
	r.Get(RequestsPath+"/{id}", access.TracesAuditAsk, p.request)
	r.Post(RequestsPath+"/{id}/retirer", access.TracesAuditAsk, p.withdraw)
	r.Post(RequestsPath+"/{id}/avis", access.TracesAuditAdvise, p.advise)
	r.Post(RequestsPath+"/{id}/decision", access.TracesAuditDecide, p.rule)
	r.Post(RequestsPath+"/{id}/exception", access.TracesAuditDecide, p.unmask)
	r.Get(RequestsPath+"/{id}/questions/{key}", access.TracesAuditLook, p.boundQuestion)
	r.Post(RequestsPath+"/{id}/questions/{key}", access.TracesAuditLook, p.boundAnswer, ui.Lasting(patience))
	r.Post(RequestsPath+"/{id}/questions/{key}/fichier", access.TracesAuditLook, p.boundFile, ui.Lasting(patience))
	r.Get(RequestsPath+"/{id}/evenements/{ref}", access.TracesAuditLook, p.boundEvent)
	r.Post(RequestsPath+"/{id}/reponse", access.TracesAuditLook, p.patientAnswer, ui.Lasting(patience))
	r.Post(RequestsPath+"/{id}/conclusion", access.TracesAuditLook, p.conclude)
}

func requestPath(id uuid.UUID) string { return RequestsPath + "/" + id.String() }

// RequestAddress is the sheet of one request for audit.
func RequestAddress(id uuid.UUID) string { return requestPath(id) }

func (p pages) requests(c *ui.Context) error {
	list, err := p.audits.List(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(requestsPage(c, list))
}

func (p pages) newRequest(c *ui.Context) error {
	today := c.Now.In(c.Zone)
	return c.Render(newRequestPage(c, c.NewForm(map[string]string{
		"sorte": string(audits.OfPatient), "de": today.AddDate(0, -1, 0).Format(time.DateOnly), "a": today.Format(time.DateOnly),
	})))
}

// extentOf reads what a request is about: one value a line, and two days, the last
// included.
func extentOf(c *ui.Context, f *ui.Form) audits.Extent {
	day := func(name string, more int) int64 {
		f.Require(name)
		if f.Value(name) == "" {
			return 0
		}
		t, err := time.ParseInLocation(time.DateOnly, f.Value(name), c.Zone)
		if err != nil {
			f.Add(name, c.Loc.T("traces.page.period.unreadable"))
		}
		return storage.Micros(t.AddDate(0, 0, more))
	}
	lines := func(name string) []string { return strings.Split(f.Value(name), "\n") }
	return audits.Extent{Patients: lines("patients"), Services: lines("services"), Accounts: lines("comptes"), From: day("de", 0), To: day("a", 1)}
}

// extentValues shows an extent in a form.
func extentValues(c *ui.Context, e audits.Extent) map[string]string {
	out := map[string]string{"patients": strings.Join(e.Patients, "\n"), "services": strings.Join(e.Services, "\n"), "comptes": strings.Join(e.Accounts, "\n")}
	if e.To > 0 {
		out["de"] = storage.Time(e.From).In(c.Zone).Format(time.DateOnly)
		out["a"] = storage.Time(e.To - 1).In(c.Zone).Format(time.DateOnly)
	}
	return out
}

func (p pages) addRequest(c *ui.Context) error {
	f := c.Form()
	// All that is missing is said at once, and not one field after the other.
	f.Require("objet", "motif")
	if f.Value("sorte") == string(audits.OfPatient) {
		f.Require("demandeur", "identite", "patients")
	}
	d := audits.Draft{Kind: audits.Kind(f.Value("sorte")), Behalf: f.Value("demandeur"), Checked: f.Value("identite"), Subject: f.Value("objet"), Reason: f.Value("motif"), Extent: extentOf(c, f)}
	if !f.Valid() {
		return c.Refill(f, nil, newRequestPage(c, f))
	}
	r, err := p.audits.Ask(c.Ctx(), c.Scope, d)
	if err != nil {
		return c.Refill(f, err, newRequestPage(c, f))
	}
	c.Flash(ui.Success, c.Loc.T("traces.request.asked", "number", r.Number))
	return c.Redirect(requestPath(r.ID))
}

// brief is a request with what the visitor may do of it.
type brief struct {
	audits.Request
	roles     []access.Role // under which the visitor may advise
	decides   bool
	mine      bool // the delegate, while it is open
	delegates []audits.Person

	advise, decide, exception, conclude *ui.Form
}

func (p pages) brief(c *ui.Context) (b brief, err error) {
	id, err := c.ID("id")
	if err != nil {
		return b, err
	}
	if b.Request, err = p.audits.Find(c.Ctx(), c.Scope, id); err != nil {
		return b, err
	}
	for _, role := range audits.Advisers() {
		if b.State == audits.Asked && c.Scope.Has(role) && c.May(access.TracesAuditAdvise) {
			b.roles = append(b.roles, role)
		}
	}
	b.decides = p.audits.Decidable(c.Scope, b.Request)
	b.mine = b.Open(c.Now) && b.DelegateID == c.Scope.Actor().ID && c.May(access.TracesAuditLook)
	if b.decides {
		b.delegates, err = p.audits.Delegates(c.Ctx(), c.Scope)
	}
	values := extentValues(c, b.Wanted)
	values["fin"] = c.Now.In(c.Zone).AddDate(0, 1, 0).Format(time.DateOnly)
	b.advise, b.decide, b.exception, b.conclude = c.NewForm(nil).As("v"), c.NewForm(values).As("d"), c.NewForm(nil).As("x"), c.NewForm(nil).As("c")
	if len(b.roles) > 0 {
		b.advise.Set("role", string(b.roles[0]))
	}
	return b, err
}

func (p pages) request(c *ui.Context) error {
	b, err := p.brief(c)
	if err != nil {
		return err
	}
	return c.Render(requestPage(c, b))
}

// stepped goes back to the request, or shows it with what was refused.
func (p pages) stepped(c *ui.Context, err error, f *ui.Form, put func(b *brief), said string) error {
	id, idErr := c.ID("id")
	if idErr != nil {
		return idErr
	}
	if err == nil && f.Valid() {
		c.Flash(ui.Success, c.Loc.T(said))
		return c.Redirect(requestPath(id))
	}
	b, readErr := p.brief(c)
	if readErr != nil {
		return readErr
	}
	put(&b)
	return c.Refill(f, err, requestPage(c, b))
}

func (p pages) advise(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("v")
	if sense := f.Value("sens"); sense != "favorable" && sense != "defavorable" {
		f.Add("sens", c.Loc.T("traces.phrase.choice"))
	}
	if f.Valid() {
		err = p.audits.Advise(c.Ctx(), c.Scope, id, access.Role(f.Value("role")), f.Value("sens") == "favorable", f.Value("avis"))
	}
	return p.stepped(c, err, f, func(b *brief) { b.advise = f }, "traces.request.advised")
}

// rule is the decision of the controller's representative.
func (p pages) rule(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("d")
	v := audits.Verdict{Accepted: f.Value("sens") == "accepter", Words: f.Value("decision")}
	if !v.Accepted && f.Value("sens") != "refuser" {
		f.Add("sens", c.Loc.T("traces.phrase.choice"))
	}
	if v.Accepted {
		v.Extent = extentOf(c, f)
		v.Extent.Originals = f.Checked("originaux", "oui")
		if v.Delegate, err = uuid.Parse(f.Value("delegue")); err != nil {
			v.Delegate = uuid.Nil // nobody: refused at its field
		}
		end, err := time.ParseInLocation(time.DateOnly, f.Value("fin"), c.Zone)
		if err != nil {
			f.Add("fin", c.Loc.T("traces.page.period.unreadable"))
		}
		v.Ends = end.AddDate(0, 0, 1)
	}
	err = nil
	if f.Valid() {
		err = p.audits.Decide(c.Ctx(), c.Scope, id, v)
	}
	return p.stepped(c, err, f, func(b *brief) { b.decide = f }, "traces.request.decided")
}

func (p pages) unmask(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("x")
	return p.stepped(c, p.audits.Unmask(c.Ctx(), c.Scope, id, f.Value("exception")), f, func(b *brief) { b.exception = f }, "traces.request.unmasked")
}

func (p pages) conclude(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	f := c.Form().As("c")
	return p.stepped(c, p.audits.Conclude(c.Ctx(), c.Scope, id, f.Value("conclusion")), f, func(b *brief) { b.conclude = f }, "traces.request.concluded")
}

func (p pages) withdraw(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := p.audits.Withdraw(c.Ctx(), c.Scope, id); err != nil {
		return err
	}
	c.Flash(ui.Success, c.Loc.T("traces.request.withdrawn"))
	return c.Redirect(requestPath(id))
}

// boundPhrases are the questions of a delegate: all but that about our own looks,
// which is about what others ask.
func boundPhrases() (out []traces.Phrase) {
	for _, ph := range traces.Phrases() {
		if ph.Key != "looks" {
			out = append(out, ph)
		}
	}
	return out
}

// bound reads the request and the phrase of an address; only the delegate goes on.
func (p pages) bound(c *ui.Context) (q asked, err error) {
	b, err := p.brief(c)
	if err != nil {
		return q, err
	}
	if !b.mine {
		return q, fault.New(fault.Conflict, "traces.warrant.over")
	}
	if q.phrase, err = p.phrase(c); err == nil && q.phrase.Key == "looks" {
		err = fault.New(fault.NotFound, "traces.phrase.unknown")
	}
	q.under = &b.Request
	return q, err
}

func (p pages) boundQuestion(c *ui.Context) error {
	q, err := p.bound(c)
	if err != nil {
		return err
	}
	g := q.under.Granted
	values := map[string]string{"periode": fromTo, "de": storage.Time(g.From).In(c.Zone).Format(typedTime), "a": storage.Time(g.To).In(c.Zone).Format(typedTime), "motif": q.under.Number}
	for name, list := range map[string][]string{"patient": g.Patients, "service": g.Services, "account": g.Accounts} {
		if len(list) > 0 {
			values[name] = list[0]
		}
	}
	return c.Render(questionPage(c, c.NewForm(values), q))
}

// lookUnder puts the question of a form under a request; nil when the form does not
// hold.
func (p pages) lookUnder(c *ui.Context, f *ui.Form, q asked, takes string) (*told, error) {
	in, when := readQuestion(c, f, q.phrase)
	if !f.Valid() {
		return nil, nil
	}
	return p.tellUnder(c, q.under.ID, traces.Look{Why: f.Value("motif"), Takes: takes}, traces.Inquiry{Phrase: q.phrase.Key, Filling: in}, when)
}

func (p pages) tellUnder(c *ui.Context, id uuid.UUID, l traces.Look, in traces.Inquiry, when traces.Period) (*told, error) {
	r, reply, err := p.audits.Look(c.Ctx(), c.Scope, id, l, in, when)
	if err != nil {
		return nil, err
	}
	// A delegate may not list the sources; an answer still says which were silent.
	sources, err := p.s.Sources(c.Ctx(), access.System(c.Scope.Organisation(), "traces"))
	t := tell(c.Loc, c.Zone, reply, sources)
	t.request, t.files, t.event = r.Number, requestPath(id)+"/questions/"+in.Phrase+"/fichier", nil
	if r.Granted.Originals {
		t.event = func(ref string) string { return requestPath(id) + "/evenements/" + url.PathEscape(ref) }
	}
	return t, err
}

// boundEvent is one event with its original, under a request.
func (p pages) boundEvent(c *ui.Context) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	r, e, err := p.audits.Original(c.Ctx(), c.Scope, id, c.PathValue("ref"))
	if err != nil {
		return err
	}
	s := sheet{Stored: e, under: &r}
	if e.Source != uuid.Nil {
		// A delegate may not see the source; the sheet still says its name.
		s.source, err = p.s.Source(c.Ctx(), access.System(c.Scope.Organisation(), "traces"), e.Source)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return c.Render(eventPage(c, s))
}

func (p pages) boundAnswer(c *ui.Context) error {
	q, err := p.bound(c)
	if err != nil {
		return err
	}
	f := c.Form()
	t, err := p.lookUnder(c, f, q, "")
	if err != nil || t == nil {
		return c.Refill(f, err, questionPage(c, f, q))
	}
	q.answer = t
	return c.Render(questionPage(c, f, q))
}

func (p pages) boundFile(c *ui.Context) error {
	q, err := p.bound(c)
	if err != nil {
		return err
	}
	f := c.Form()
	kind := f.Value("format")
	w, ok := writers()[kind]
	if !ok {
		return c.Status(http.StatusUnprocessableEntity).Render(questionPage(c, f, q))
	}
	t, err := p.lookUnder(c, f, q, kind)
	if err != nil || t == nil {
		return c.Refill(f, err, questionPage(c, f, q))
	}
	return p.give(c, f, t, kind, w)
}

// patientAnswer is what a patient is given: who opened the record over what was
// decided, without the names of staff unless somebody wrote down why.
func (p pages) patientAnswer(c *ui.Context) error {
	b, err := p.brief(c)
	if err != nil {
		return err
	}
	if !b.mine {
		return fault.New(fault.Conflict, "traces.warrant.over")
	}
	f := c.Form().As("r")
	w, ok := writers()[f.Value("format")]
	if !ok {
		return fault.New(fault.Invalid, "traces.phrase.choice")
	}
	when := traces.Period{From: storage.Time(b.Granted.From), To: storage.Time(b.Granted.To), Zone: c.Zone.String()}
	in := traces.Inquiry{Phrase: "record", Filling: traces.Filling{"patient": f.Value("patient")}}
	t, err := p.tellUnder(c, b.ID, traces.Look{Why: b.Number, Takes: f.Value("format")}, in, when)
	if err != nil {
		return err
	}
	if b.Unmasked == "" {
		t.reply = t.reply.Masked(func(n int) string { return c.Loc.T("traces.request.agent", "n", n) })
	}
	return p.give(c, c.NewForm(map[string]string{"motif": b.Number}), t, f.Value("format"), w)
}

func stateTone(s audits.State) ui.Tone {
	switch s {
	case audits.Accepted, audits.Closed:
		return ui.Success
	case audits.Refused:
		return ui.Attention
	}
	return ui.Information
}

// stateWord says how far a request is, for those who read it now.
func stateWord(c *ui.Context, r audits.Request) string {
	if r.State == audits.Accepted && !r.Open(c.Now) {
		return c.Loc.T("traces.request.state.over")
	}
	if r.State == audits.Asked && !r.Advised() {
		return awaited(c, r)
	}
	return c.Loc.T("traces.request.state." + string(r.State))
}

// awaited says whose advice a request still waits for.
func awaited(c *ui.Context, r audits.Request) string {
	var missing []access.Role
	for _, role := range audits.Advisers() {
		if _, given := r.Of(role); !given {
			missing = append(missing, role)
		}
	}
	if len(missing) == 1 {
		return c.Loc.T("traces.request.state.unadvised." + string(missing[0]))
	}
	return c.Loc.T("traces.request.state.unadvised")
}

func extentWords(c *ui.Context, e audits.Extent) (out []string) {
	for _, one := range []struct {
		key    string
		values []string
	}{{"patients", e.Patients}, {"services", e.Services}, {"accounts", e.Accounts}} {
		if len(one.values) > 0 {
			out = append(out, c.Loc.T("traces.request.extent."+one.key, "values", strings.Join(one.values, ", ")))
		}
	}
	if e.Originals {
		out = append(out, c.Loc.T("traces.request.extent.originals"))
	}
	return append(out, c.Loc.T("traces.request.extent.period", "from", c.Loc.Date(storage.Time(e.From), c.Zone), "to", c.Loc.Date(storage.Time(e.To-1), c.Zone)))
}

func roleChoices(loc *i18n.Localizer, roles []access.Role) (out []ui.Choice) {
	for _, r := range roles {
		out = append(out, ui.Choice{Value: string(r), Label: loc.T("access.role." + string(r))})
	}
	return out
}

func delegateChoices(list []audits.Person) (out []ui.Choice) {
	for _, one := range list {
		out = append(out, ui.Choice{Value: one.ID.String(), Label: one.Name})
	}
	return out
}

func patientChoices(e audits.Extent) (out []ui.Choice) {
	for _, v := range e.Patients {
		out = append(out, ui.Choice{Value: v, Label: v})
	}
	return out
}

func mayDecide(c *ui.Context) bool { return c.May(access.TracesAuditDecide) }

func advised(b brief, role string) bool {
	_, ok := b.Of(access.Role(role))
	return ok
}

// answerHint says what a patient will read.
func answerHint(c *ui.Context, b brief) string {
	if b.Unmasked != "" {
		return c.Loc.T("traces.request.answer.named")
	}
	return c.Loc.T("traces.request.answer.masked")
}
