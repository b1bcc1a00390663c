package pages

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// noScenario is the page of an address that leads to nothing.
func noScenario() error { return fault.New(fault.NotFound, "alerting.scenario.unknown") }

// scenarioView is a scenario as the reading page shows it.
type scenarioView struct {
	Scenario alerting.Scenario
	Def      alerting.Definition
	// Shown is the version on the page; 0 for a scenario of the library.
	Shown    int
	Versions []alerting.VersionInfo
	Previews []alerting.Preview
	Problems []problem
	names    map[string]string
	p        scenarioPages
}

// problem is a fault of a definition and the field of the editor that mends it.
type problem struct {
	Section, Field, Text string
}

// href leads to the field.
func (pr problem) href(id uuid.UUID) string {
	path := editPath(id, pr.Section)
	if use, ok := strings.CutPrefix(pr.Field, "messages."); ok {
		use, _, _ = strings.Cut(use, ".")
		path += "?texte=" + use
	}
	return path + "#f-" + pr.Field
}

func (p scenarioPages) view(c *ui.Context, def alerting.Definition) (scenarioView, error) {
	v := scenarioView{Def: def, Problems: p.problems(c, def), names: map[string]string{}, p: p}
	previews, err := p.s.PreviewDefinition(c.Ctx(), c.Scope, c.Now, def, nil, alerting.Real)
	if err != nil {
		return v, err
	}
	v.Previews = previews
	who, err := p.crowd(c)
	if err != nil {
		return v, err
	}
	for _, ch := range slices.Concat(who.Sites, who.Services, who.Groups, who.OnCall) {
		v.names[ch.Value] = ch.Label
	}
	return v, nil
}

// problems are the faults of a definition, in the words of the reader.
func (p scenarioPages) problems(c *ui.Context, def alerting.Definition) []problem {
	var out []problem
	for _, err := range def.Check() {
		f := fault.As(err)
		if f == nil {
			continue
		}
		field := fieldOf(def, f.Field)
		out = append(out, problem{Section: sectionOf(field), Field: field, Text: p.faultText(c, f)})
	}
	return out
}

// fieldOf is the field of the editor a check speaks of: a text is named by what
// it is for, not by its place in the file.
func fieldOf(def alerting.Definition, path string) string {
	rest, ok := strings.CutPrefix(path, "messages.")
	if !ok {
		return inFrench(path)
	}
	number, part, _ := strings.Cut(rest, ".")
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(def.Messages) {
		return path
	}
	field := textField(def.Messages[i])
	if part == "subject" {
		field += subjectSuffix
	}
	return field
}

// inFrench leads to the French field of what is written in two languages.
func inFrench(path string) string {
	for _, part := range []string{".label", ".choices", ".rest_reason"} {
		if strings.HasSuffix(path, part) {
			return path + ".fr"
		}
	}
	return path
}

// faultText says a fault with its codes in words.
func (p scenarioPages) faultText(c *ui.Context, f *fault.Error) string {
	w := alerting.Warning{Key: f.Key, Args: slices.Clone(f.Args)}
	for i := 0; i+1 < len(w.Args); i += 2 {
		if code, ok := w.Args[i+1].(string); ok && w.Args[i] == "use" {
			w.Args[i+1] = c.Loc.T("alerting.page.use." + code)
		}
	}
	return p.warningText(c, w)
}

// previewsOf are the messages of a use, the reader's language first.
func (v scenarioView) previewsOf(use alerting.Use, language string) []alerting.Preview {
	var out []alerting.Preview
	for _, m := range v.Previews {
		if m.Use == use && strings.TrimSpace(m.Body) != "" {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b alerting.Preview) int {
		return rank(a.Language == language) - rank(b.Language == language)
	})
	return out
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// uses are what texts are for, in the order they leave.
func uses() []alerting.Use {
	return []alerting.Use{alerting.UseAlert, alerting.UseReminder, alerting.UseAck, alerting.UseProgress, alerting.UseStandDown, alerting.UseStayAway, alerting.UseKeptBack, alerting.UseRelief, alerting.UseEnd, alerting.UseLate}
}

// ruleWords says whom a rule chooses: "IADE, IBODE · Site Nord".
func (v scenarioView) ruleWords(c *ui.Context, r directory.Rule) string {
	var parts []string
	join := func(words []string) {
		if len(words) > 0 {
			parts = append(parts, strings.Join(words, ", "))
		}
	}
	var skills, others []string
	for _, code := range slices.Concat(r.Metiers, r.Qualifications) {
		skills = append(skills, v.p.skill(c, code))
	}
	join(skills)
	for _, ids := range [][]uuid.UUID{r.OnCall, r.Groups, r.Services, r.Sites} {
		var names []string
		for _, id := range ids {
			name := v.names[id.String()]
			if name == "" {
				name = c.Loc.T("alerting.scenario.rule.gone")
			}
			names = append(names, name)
		}
		join(names)
	}
	for _, s := range r.Statuses {
		others = append(others, c.Loc.T("directory.status."+s))
	}
	join(others)
	if n := len(r.People); n > 0 {
		parts = append(parts, c.Loc.N("alerting.page.people", n))
	}
	for _, n := range r.OnCallLevels {
		parts = append(parts, levelWord(c, n))
	}
	if r.Duty != directory.UnknownDuty {
		parts = append(parts, dutyWord(c, r.Duty))
	}
	return strings.Join(parts, " · ")
}

// waveWhen says when a wave leaves.
func waveWhen(c *ui.Context, w alerting.Wave) string {
	text := c.Loc.T("alerting.page.sheet.wave.now")
	if w.After > 0 {
		text = c.Loc.T("alerting.page.sheet.wave.after", "after", w.After.Std())
	}
	if w.Relief > 0 {
		text += c.Loc.T("alerting.page.sheet.wave.relief", "relief", w.Relief.Std())
		if w.Notice {
			text += c.Loc.T("alerting.page.sheet.wave.told")
		}
	}
	if w.When == alerting.QuotaMissing {
		text += c.Loc.T("alerting.page.sheet.wave.missing")
	}
	return text
}

// mediaWords says the media of a wave in order: "SMS, puis e-mail après 5 min sans réponse".
func mediaWords(c *ui.Context, w alerting.Wave) string {
	var out string
	for i, m := range w.Media {
		switch {
		case i == 0:
			out = medium(c.Loc, m)
		case w.Escalate > 0:
			out += c.Loc.T("alerting.scenario.wave.then_after", "medium", inside(medium(c.Loc, m)), "after", w.Escalate.Std())
		default:
			out += c.Loc.T("alerting.scenario.wave.then", "medium", inside(medium(c.Loc, m)))
		}
	}
	return out
}

// inside is a word as it stands in a sentence: E-mail becomes e-mail, SMS stays.
func inside(word string) string {
	if strings.ToUpper(word) == word {
		return word
	}
	first, size := utf8.DecodeRuneInString(word)
	return string(unicode.ToLower(first)) + word[size:]
}

// delaysWords are the proposed delays of an answer: "15, 30, 60 min".
func delaysWords(c *ui.Context, o alerting.Option) string {
	if len(o.Delays) == 0 {
		return ""
	}
	return c.Loc.T("alerting.scenario.delays", "list", numbers(o.Delays))
}

func numbers(list []int) string {
	var out []string
	for _, n := range list {
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, ", ")
}

// slotWords says when the people of a quota must be there.
func slotWords(c *ui.Context, q alerting.Quota) string {
	switch {
	case q.From == 0 && q.To == 0:
		return c.Loc.T("alerting.scenario.slot.any")
	case q.To == 0:
		return c.Loc.T("alerting.scenario.slot.from", "from", q.From.Std())
	case q.From == 0:
		return c.Loc.T("alerting.scenario.slot.until", "to", q.To.Std())
	}
	return c.Loc.T("alerting.scenario.slot.between", "from", q.From.Std(), "to", q.To.Std())
}

// limitWords are the guards, each in a sentence.
func limitWords(c *ui.Context, l alerting.Limits) []string {
	out := []string{c.Loc.T("alerting.scenario.limit.validity", "after", l.Validity.Std()), c.Loc.N("alerting.scenario.limit.per_person", l.PerPerson)}
	if l.Total > 0 {
		out = append(out, c.Loc.N("alerting.scenario.limit.total", l.Total))
	}
	if l.Ceiling > 0 {
		out = append(out, c.Loc.T("alerting.scenario.limit.ceiling", "amount", alerting.Euros(c.Loc, l.Ceiling*microsPerCent)))
	}
	if l.ArrivalGrace > 0 {
		out = append(out, c.Loc.T("alerting.scenario.limit.grace", "after", l.ArrivalGrace.Std()))
	}
	if l.StandDown {
		out = append(out, c.Loc.T("alerting.scenario.limit.stand_down"))
	}
	if l.RepeatEvery > 0 {
		out = append(out, c.Loc.T("alerting.scenario.limit.repeat", "every", l.RepeatEvery.Std()))
	}
	return out
}

// lane is a wave of the drawing: where it begins and where each further medium
// comes in, in per cent of the width.
type lane struct {
	Number, Name string
	From, Width  string
	Next         []string
	// Late tells a lane that begins in the right half: its words end there.
	Late bool
}

// tick is an hour under the drawing.
type tick struct{ At, Label string }

// laneWidth keeps the last words inside the drawing.
const laneWidth = 96.0

// waveLanes lays the waves out on one line of time.
func waveLanes(c *ui.Context, waves []alerting.Wave) (lanes []lane, ticks []tick) {
	end := 15 * time.Minute
	for _, w := range waves {
		end = max(end, w.After.Std()+time.Duration(len(w.Media))*w.Escalate.Std())
	}
	at := func(d time.Duration) float64 { return 2 + float64(d)/float64(end)*laneWidth }
	percent := func(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) + "%" }
	for i, w := range waves {
		l := lane{Number: strconv.Itoa(i+1) + ".", Name: w.Name.In(lang(c)), From: percent(at(w.After.Std())), Width: percent(at(end) - at(w.After.Std())), Late: at(w.After.Std()) > 55}
		for j := 1; j < len(w.Media) && w.Escalate > 0; j++ {
			l.Next = append(l.Next, percent(at(w.After.Std()+time.Duration(j)*w.Escalate.Std())))
		}
		lanes = append(lanes, l)
	}
	step := niceStep(end)
	for d := time.Duration(0); d <= end; d += step {
		ticks = append(ticks, tick{At: percent(at(d)), Label: c.Loc.Duration(d)})
	}
	return lanes, ticks
}

// niceStep is a round number of minutes that cuts the line in four at most.
func niceStep(whole time.Duration) time.Duration {
	for _, minutes := range []time.Duration{5, 10, 15, 30, 60, 120, 240, 360, 720, 1440} {
		if step := minutes * time.Minute; whole/step <= 4 {
			return step
		}
	}
	return 2 * 24 * time.Hour
}
