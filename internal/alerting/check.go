package alerting

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
)

// Check lists every fault of a definition, each with the path of its field
// ("messages.2.body"). A scenario with faults can be kept but not launched.
func (d Definition) Check() []error {
	c := checker{def: d}
	c.identity()
	c.variables()
	c.messages()
	c.answers()
	c.waves()
	c.quotas()
	c.limits()
	c.publication()
	return c.faults
}

// Families are the kinds of events, in the order they are shown.
func Families() []string {
	return []string{
		"plan_blanc", "releves", "tension", "confinement", "evacuation", "panne_si", "cyberattaque", "coupure_electrique",
		"nrbc", "intrusion", "rappel_service", "test_mensuel", "autre",
	}
}

type checker struct {
	def    Definition
	faults []error
}

func (c *checker) add(field, key string, args ...any) {
	c.faults = append(c.faults, fault.New(fault.Invalid, key, args...).At(field))
}

func (c *checker) identity() {
	for _, lang := range []string{"fr", "en"} {
		if strings.TrimSpace(c.def.Title[lang]) == "" {
			c.add("title."+lang, "alerting.check.title")
		}
	}
	if !slices.Contains(Families(), c.def.Family) {
		c.add("family", "alerting.check.family", "family", c.def.Family)
	}
	if !slices.Contains([]Profile{Rappel, Diffusion, Discret}, c.def.Profile) {
		c.add("profile", "alerting.check.profile", "profile", string(c.def.Profile))
	}
	for i, r := range append([]directory.Rule{c.def.Audience.Include, c.def.Audience.Exclude}, rulesOf(c.def.Waves)...) {
		if !slices.Contains([]directory.Duty{directory.UnknownDuty, directory.OnDuty, directory.OffDuty}, r.Duty) {
			c.add("rules."+strconv.Itoa(i)+".duty", "alerting.check.duty", "value", string(r.Duty))
		}
	}
	for i, r := range append([]directory.Rule{c.def.Audience.Include, c.def.Audience.Exclude}, rulesOf(c.def.Waves)...) {
		if slices.ContainsFunc(r.OnCallLevels, func(n int) bool { return n < 1 || n > directory.OnCallLevelsMost }) {
			c.add("rules."+strconv.Itoa(i)+".on_call_levels", "alerting.check.on_call_level", "most", directory.OnCallLevelsMost)
		}
	}
	if c.def.Screens.Show && c.def.Profile == Discret {
		c.add("screens.show", "alerting.check.screens_discret")
	}
	if len(c.def.Rooms) > 0 && c.def.Profile == Discret {
		c.add("rooms", "alerting.check.rooms_discret")
	}
	if c.def.ByTelephone && slices.ContainsFunc(c.def.Variables, func(v Variable) bool { return v.Required && v.Default.In("fr") == "" }) {
		c.add("by_telephone", "alerting.check.by_telephone")
	}
	if c.def.Audience.IgnoreRest && c.def.Audience.RestReason.In("fr") == "" {
		c.add("audience.rest_reason", "alerting.check.rest_reason")
	}
}

func rulesOf(waves []Wave) []directory.Rule {
	out := make([]directory.Rule, len(waves))
	for i, w := range waves {
		out[i] = w.Who
	}
	return out
}

var variableName = regexp.MustCompile(`^[a-z_]{1,30}$`)

func (c *checker) variables() {
	seen := map[string]bool{}
	used := c.used()
	for i, v := range c.def.Variables {
		at := "variables." + strconv.Itoa(i)
		switch {
		case !variableName.MatchString(v.Name):
			c.add(at+".name", "alerting.check.variable_name", "name", v.Name)
		case slices.Contains(builtins(), v.Name):
			c.add(at+".name", "alerting.check.variable_builtin", "name", v.Name)
		case seen[v.Name]:
			c.add(at+".name", "alerting.check.variable_twice", "name", v.Name)
		case !used[v.Name]:
			c.add(at+".name", "alerting.check.variable_unused", "name", v.Name)
		}
		seen[v.Name] = true
		if !slices.Contains([]string{"text", "number", "time", "choice"}, v.Kind) {
			c.add(at+".kind", "alerting.check.variable_kind", "name", v.Name)
		}
		if v.Kind == "choice" && len(v.Choices) == 0 {
			c.add(at+".choices", "alerting.check.variable_choices", "name", v.Name)
		}
		if v.MaxLength < 0 || v.MaxLength > 200 {
			c.add(at+".max_length", "alerting.check.variable_length", "name", v.Name)
		}
		if v.Label.In("fr") == "" {
			c.add(at+".label", "alerting.check.variable_label", "name", v.Name)
		}
		if !v.Required && v.Default.In("fr") == "" && used[v.Name] {
			c.add(at+".required", "alerting.check.variable_optional", "name", v.Name)
		}
	}
}

// used are the variables the texts name.
func (c *checker) used() map[string]bool {
	out := map[string]bool{}
	for _, t := range c.def.Messages {
		for _, name := range Blanks(t.Subject + " " + t.Body) {
			out[name] = true
		}
	}
	for _, l := range []Localized{c.def.WhereToGo, c.def.WhatToBring} {
		for _, text := range l {
			for _, name := range Blanks(text) {
				out[name] = true
			}
		}
	}
	return out
}

// media are those the waves use.
func (d Definition) media() []channels.Medium {
	var out []channels.Medium
	for _, w := range d.Waves {
		for _, m := range w.Media {
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

// usesOf are those the scenario cannot do without in a medium. A call reminds with
// the words of the alert, and acknowledges an answer before it ends; a pager has no way
// to answer.
func (d Definition) usesOf(medium channels.Medium) []Use {
	out := []Use{UseAlert, UseEnd}
	if medium == channels.Voice || medium == channels.Pager {
		if d.Limits.StandDown {
			out = append(out, UseStandDown)
		}
		return append(out, d.reliefTexts()...)
	}
	if len(d.Answers) > 0 {
		out = append(out, UseAck, UseLate)
	}
	if d.escalates() || d.Limits.RepeatEvery > 0 {
		out = append(out, UseReminder)
	}
	if d.Limits.StandDown {
		out = append(out, UseStandDown)
	}
	if d.Profile == Discret {
		out = append(out, UseStayAway)
	}
	return append(out, d.reliefTexts()...)
}

func (d Definition) escalates() bool {
	return slices.ContainsFunc(d.Waves, func(w Wave) bool { return len(w.Media) > 1 && w.Escalate > 0 })
}

func (c *checker) messages() {
	for _, medium := range c.def.media() {
		for _, use := range c.def.usesOf(medium) {
			for _, lang := range []string{"fr", "en"} {
				t, ok := c.def.text(use, medium, lang)
				if !ok || t.Language != lang || strings.TrimSpace(t.Body) == "" {
					c.add("messages."+string(use)+"."+string(medium)+"."+lang, "alerting.check.message_missing",
						"use", string(use), "medium", string(medium), "language", lang)
				}
			}
		}
	}
	known := builtins()
	for _, v := range c.def.Variables {
		known = append(known, v.Name)
	}
	for i, t := range c.def.Messages {
		c.message(fmt.Sprintf("messages.%d", i), t, known)
	}
	for _, lang := range []string{"fr", "en"} {
		c.blanks("where_to_go."+lang, c.def.WhereToGo[lang], known)
		c.blanks("what_to_bring."+lang, c.def.WhatToBring[lang], known)
	}
}

func (c *checker) message(at string, t Text, known []string) {
	if !ofRelief(t.Use) {
		known = slices.DeleteFunc(slices.Clone(known), func(name string) bool { return name == VarRelief })
	}
	c.blanks(at+".body", t.Body, known)
	c.blanks(at+".subject", t.Subject, known)
	if t.Medium == channels.Email && strings.TrimSpace(t.Subject) == "" {
		c.add(at+".subject", "alerting.check.subject")
	}
	if utf8.RuneCountInString(t.Body) > 5000 {
		c.add(at+".body", "alerting.check.body_long", "limit", 5000)
	}
	if t.Medium == channels.Voice && slices.Contains(Blanks(t.Body), VarLink) {
		c.add(at+".body", "alerting.check.voice_link")
	}
	if t.Medium == channels.Voice && utf8.RuneCountInString(t.Body) > VoiceMost {
		c.add(at+".body", "alerting.check.body_long", "limit", VoiceMost)
	}
	if t.Medium == channels.Pager && slices.Contains(Blanks(t.Body), VarLink) {
		c.add(at+".body", "alerting.check.pager_link")
	}
	if t.Medium == channels.Pager && utf8.RuneCountInString(t.Body) > PagerMost {
		c.add(at+".body", "alerting.check.body_long", "limit", PagerMost)
	}
	if t.Medium == channels.SMS && utf8.RuneCountInString(t.Body) > 600 {
		c.add(at+".body", "alerting.check.body_long", "limit", 600)
	}
}

func (c *checker) blanks(at, text string, known []string) {
	for _, name := range Blanks(text) {
		if !slices.Contains(known, name) {
			c.add(at, "alerting.check.blank_unknown", "name", name)
		}
	}
	if strings.ContainsAny(blank.ReplaceAllString(text, ""), "{}") {
		c.add(at, "alerting.render.braces")
	}
}

func (c *checker) answers() {
	keys := map[string]bool{}
	for i, o := range c.def.Answers {
		at := "answers." + strconv.Itoa(i)
		if len(o.Key) != 1 || o.Key < "0" || o.Key > "9" {
			c.add(at+".key", "alerting.check.answer_key", "key", o.Key)
		}
		if c.def.Conference && o.Key == ConferenceKey {
			c.add(at+".key", "alerting.check.conference_key", "key", o.Key)
		}
		if keys[o.Key] {
			c.add(at+".key", "alerting.check.answer_twice", "key", o.Key)
		}
		keys[o.Key] = true
		if !slices.Contains(Meanings(), o.Meaning) {
			c.add(at+".meaning", "alerting.check.answer_meaning", "key", o.Key)
		}
		for _, m := range o.Delays {
			if m < 0 || m > 24*60 {
				c.add(at+".delays", "alerting.check.answer_delay", "key", o.Key)
			}
		}
		if o.Label.In("fr") == "" {
			c.add(at+".label", "alerting.check.answer_label", "key", o.Key)
		}
	}
	if c.def.Conference && !slices.ContainsFunc(c.def.Waves, func(w Wave) bool { return slices.Contains(w.Media, channels.Voice) }) {
		c.add("conference", "alerting.check.conference_voice")
	}
	if len(c.def.Quotas) > 0 && !slices.ContainsFunc(c.def.Answers, func(o Option) bool { return o.Meaning == Coming }) {
		c.add("answers", "alerting.check.answer_coming")
	}
}

// Meanings lists what an answer can mean.
func Meanings() []Meaning { return []Meaning{Coming, OnSite, Unavailable, CallMe} }

func (c *checker) waves() {
	if len(c.def.Waves) == 0 {
		c.add("waves", "alerting.check.wave_none")
	}
	before := time.Duration(-1)
	for i, w := range c.def.Waves {
		at := "waves." + strconv.Itoa(i)
		after := w.After.Std()
		switch {
		case i == 0 && after != 0:
			c.add(at+".after", "alerting.check.wave_first")
		case after < 0 || after > 7*24*time.Hour:
			c.add(at+".after", "alerting.check.wave_after", "wave", i+1)
		case after < before:
			c.add(at+".after", "alerting.check.wave_order", "wave", i+1)
		}
		before = after
		if len(w.Media) == 0 {
			c.add(at+".media", "alerting.check.wave_media", "wave", i+1)
		}
		for j, m := range w.Media {
			if !slices.Contains(Media(), m) || slices.Contains(w.Media[:j], m) {
				c.add(at+".media", "alerting.check.wave_medium", "wave", i+1, "medium", string(m))
			}
		}
		if c.def.Profile == Discret && slices.Contains(w.Media, channels.Voice) {
			c.add(at+".media", "alerting.check.voice_discret", "wave", i+1)
		}
		if c.def.Profile == Discret && slices.Contains(w.Media, channels.Pager) {
			c.add(at+".media", "alerting.check.pager_discret", "wave", i+1)
		}
		if w.Escalate < 0 || w.Escalate > Duration(24*time.Hour) || len(w.Media) > 1 && w.Escalate == 0 && c.def.Profile == Rappel {
			c.add(at+".escalate", "alerting.check.wave_escalate", "wave", i+1)
		}
		if w.When != "" && w.When != Always && w.When != QuotaMissing {
			c.add(at+".when", "alerting.check.wave_when", "wave", i+1)
		}
		c.relief(at, i, w)
		if w.Use != "" && w.Use != UseAlert && w.Use != UseStayAway {
			c.add(at+".use", "alerting.check.wave_use", "wave", i+1)
		}
	}
}

func (c *checker) quotas() {
	type line struct {
		skill string
		site  uuid.UUID
	}
	slots := map[line][]Quota{}
	for i, q := range c.def.Quotas {
		at := "quotas." + strconv.Itoa(i)
		if q.Needed < 1 || q.Needed > 100_000 {
			c.add(at+".needed", "alerting.check.quota_needed", "line", i+1)
		}
		if q.Show != 0 && (q.Show < ShowLeast || q.Show > 100) {
			c.add(at+".show", "alerting.check.quota_show", "line", i+1, "least", ShowLeast)
		}
		if q.From < 0 || q.To < 0 || q.To > 0 && q.To <= q.From {
			c.add(at+".to", "alerting.check.quota_slot", "line", i+1)
		}
		k := line{q.Skill, q.Site}
		for _, o := range slots[k] {
			if q.From < end(o) && o.From < end(q) {
				c.add(at+".from", "alerting.check.quota_overlap", "line", i+1)
				break
			}
		}
		slots[k] = append(slots[k], q)
	}
	if c.def.Profile == Diffusion && len(c.def.Quotas) > 0 {
		c.add("quotas", "alerting.check.quota_diffusion")
	}
	if len(c.def.Quotas) == 0 {
		for i, w := range c.def.Waves {
			if w.When == QuotaMissing {
				c.add("waves."+strconv.Itoa(i)+".when", "alerting.check.wave_quota", "wave", i+1)
			}
		}
	}
}

// end is the end of a slot; one without end lasts a year.
func end(q Quota) Duration {
	if q.To == 0 {
		return Duration(365 * 24 * time.Hour)
	}
	return q.To
}

func (c *checker) limits() {
	l := c.def.Limits
	if l.Validity < Duration(time.Minute) || l.Validity > Duration(7*24*time.Hour) {
		c.add("limits.validity", "alerting.check.validity")
	}
	if l.PerPerson < 1 || l.PerPerson > 50 {
		c.add("limits.per_person", "alerting.check.per_person")
	}
	if l.Total < 0 {
		c.add("limits.total", "alerting.check.total")
	}
	if l.Ceiling < 0 || l.Ceiling > CeilingMost {
		c.add("limits.ceiling", "alerting.check.ceiling")
	}
	if l.ArrivalGrace < 0 || l.ArrivalGrace > Duration(24*time.Hour) {
		c.add("limits.arrival_grace", "alerting.check.arrival_grace")
	}
	if l.RepeatEvery != 0 && (l.RepeatEvery < Duration(time.Minute) || c.def.Profile != Diffusion) {
		c.add("limits.repeat_every", "alerting.check.repeat_every")
	}
}
