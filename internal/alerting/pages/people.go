package pages

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// peoplePerPage is how many people one page of the table shows.
const peoplePerPage = 50

// listing is one page of the people of an alert.
type listing struct {
	Form   *ui.Form
	Crowd  crowd
	People []alerting.Recipient
	// Next is after whom the next page begins; Nil on the last one.
	Next   uuid.UUID
	launch uuid.UUID
	query  url.Values
}

// listed reads the page of people the address asks for.
func (p *Pages) listed(c *ui.Context, l alerting.Launch) (listing, error) {
	out := listing{Form: c.NewForm(nil), launch: l.ID, query: c.Request.URL.Query()}
	if !c.May(access.AlertAnswers) {
		return out, nil
	}
	for _, name := range []string{"etat", "reponse", "ecarte", "service", "vague", "texte", "marque"} {
		out.Form.Set(name, c.Query().Get(name))
	}
	var err error
	if out.Crowd, err = p.crowd(c); err != nil {
		return out, err
	}
	after, err := uuid.Parse(c.Query().Get("apres"))
	if err != nil {
		after = uuid.Nil // the first page
	}
	out.People, err = p.s.Recipients(c.Ctx(), c.Scope, l.ID, filter(out.Form), alerting.Page{After: after, Limit: peoplePerPage + 1})
	if len(out.People) > peoplePerPage {
		out.People = out.People[:peoplePerPage]
		out.Next = out.People[peoplePerPage-1].ID
	}
	return out, err
}

// filter reads the filters; what cannot be one is left out.
func filter(f *ui.Form) alerting.RecipientFilter {
	out := alerting.RecipientFilter{Text: f.Value("texte"), Stopped: f.Value("marque") == "stop", Unread: f.Value("marque") == "illisible"}
	if s := alerting.State(f.Value("etat")); slices.Contains(alerting.States(), s) {
		out.State = s
	}
	if m := alerting.Meaning(f.Value("reponse")); slices.Contains(alerting.Meanings(), m) {
		out.Meaning = m
	}
	if why := alerting.LeftOut(f.Value("ecarte")); slices.Contains(alerting.LeftOuts(), why) {
		out.LeftOut = why
	}
	if wave, err := strconv.Atoi(f.Value("vague")); err == nil && wave > 0 {
		out.Wave = wave
	}
	if id, err := uuid.Parse(f.Value("service")); err == nil {
		out.Service = id
	}
	return out
}

// partial is where the table alone is read again.
func (l listing) partial(*ui.Context) string {
	path := alertPath(l.launch, "/personnes")
	if text := l.query.Encode(); text != "" {
		path += "?" + text
	}
	return path
}

// page is the address of the people after someone; Nil is the first page.
func (l listing) page(after uuid.UUID) string {
	q := url.Values{}
	for k, v := range l.query {
		q[k] = v
	}
	q.Del("apres")
	if after != uuid.Nil {
		q.Set("apres", after.String())
	}
	return alertPath(l.launch, "?"+q.Encode()+"#personnes")
}

// first tells whether this is the first page.
func (l listing) first() bool { return !l.query.Has("apres") }

// filtered tells whether some people are left out of the list.
func (l listing) filtered() bool {
	return filter(l.Form) != alerting.RecipientFilter{}
}

// people is the table alone for the live page; the address of a person who
// opens it by hand is the follow-up.
func (p *Pages) people(c *ui.Context) error {
	l, err := p.alert(c)
	if err != nil {
		return err
	}
	list, err := p.listed(c, l)
	if err != nil {
		return err
	}
	if !c.Partial() {
		return c.Redirect(list.page(uuid.Nil))
	}
	return c.Render(p.peopleTable(c, l, list))
}

// stateChoices are the states to filter by, the empty one first.
func stateChoices(loc *i18n.Localizer) []ui.Choice {
	out := []ui.Choice{{Label: loc.T("common.all")}}
	for _, s := range alerting.States() {
		out = append(out, ui.Choice{Value: string(s), Label: loc.T(s.Key())})
	}
	return out
}

func meaningChoices(loc *i18n.Localizer) []ui.Choice {
	out := []ui.Choice{{Label: loc.T("common.all")}}
	for _, m := range alerting.Meanings() {
		out = append(out, ui.Choice{Value: string(m), Label: loc.T(m.Key())})
	}
	return out
}

func withAll(loc *i18n.Localizer, choices []ui.Choice) []ui.Choice {
	return append([]ui.Choice{{Label: loc.T("common.all")}}, choices...)
}

// person is one person of an alert: every message, every answer, what can be done.
func (p *Pages) person(c *ui.Context) error {
	l, r, err := p.recipient(c)
	if err != nil {
		return err
	}
	return c.Render(p.personPage(c, l, r, c.NewForm(nil)))
}

func (p *Pages) recipient(c *ui.Context) (l alerting.Launch, r alerting.Recipient, err error) {
	if l, err = p.alert(c); err != nil {
		return l, r, err
	}
	id, err := c.ID("personne")
	if err != nil {
		return l, r, err
	}
	r, err = p.s.RecipientByID(c.Ctx(), c.Scope, l.ID, id)
	return l, r, err
}

// nobodyAnswered is the choice of a call that rang in vain.
const nobodyAnswered = "personne"

// noteCall keeps a call made by hand and its answer.
func (p *Pages) noteCall(c *ui.Context) error {
	l, r, err := p.recipient(c)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require("reponse")
	if !f.Valid() {
		return c.Refill(f, nil, p.personPage(c, l, r, f))
	}
	meaning, minutes := alerting.Meaning(""), -1
	if f.Value("reponse") != nobodyAnswered {
		meaning, minutes = parseChoice(f.Value("reponse"))
		if meaning == "" {
			f.Add("reponse", c.Loc.T("alerting.page.answer.wrong"))
			return c.Refill(f, nil, p.personPage(c, l, r, f))
		}
	}
	if err := p.s.ManualCall(c.Ctx(), c.Scope, c.Now, l.ID, r.ID, meaning, minutes, f.Value("note")); err != nil {
		return c.Refill(f, err, p.personPage(c, l, r, f))
	}
	c.Flash(ui.Success, c.Loc.T("alerting.page.call.noted", "name", name(r.LastName, r.FirstName)))
	return c.Redirect(alertPath(l.ID, "/personnes/"+r.ID.String()))
}

// callChoices are the answers one hears on the phone.
func callChoices(c *ui.Context) []ui.Choice {
	var out []ui.Choice
	for _, n := range []int{15, 30, 60, 90} {
		out = append(out, ui.Choice{Value: choiceValue(alerting.Coming, n), Label: answerWord(c.Loc, alerting.Coming, n)})
	}
	for _, m := range []alerting.Meaning{alerting.OnSite, alerting.Unavailable, alerting.CallMe} {
		out = append(out, ui.Choice{Value: string(m), Label: answerWord(c.Loc, m, -1)})
	}
	return append(out, ui.Choice{Value: nobodyAnswered, Label: c.Loc.T("alerting.page.call.nobody")})
}
