package alerting

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/directory"
)

// Profile is the manner of an alert.
type Profile string

// The profiles. The values are stored.
const (
	// Rappel calls people who are off duty: waves, quotas, answers. Who is off duty
	// is told by the rule of the audience and the plannings.
	Rappel Profile = "rappel"
	// Diffusion tells everyone on site: no quota, no wait, repeated until the end.
	Diffusion Profile = "diffusion"
	// Discret is for an attack: no voice, nothing repeated, people off duty are told not to come.
	Discret Profile = "discret"
)

// Mode says how true an alert is; every message carries it.
type Mode string

// The modes. The values are stored.
const (
	Real     Mode = "reel"
	Exercise Mode = "exercice"
	Test     Mode = "test"
)

// Localized is a text by language ("fr", "en").
type Localized map[string]string

// In returns the text in that language, else in French.
func (l Localized) In(lang string) string {
	if s := l[lang]; s != "" {
		return s
	}
	return l["fr"]
}

// Definition is all a scenario says. A version of it never changes once an
// alert used it. Durations are JSON strings such as "5m".
type Definition struct {
	Title   Localized `json:"title" yaml:"title"`
	Purpose Localized `json:"purpose" yaml:"purpose"`
	// Family is the kind of event: plan_blanc, tension, confinement, evacuation, panne_si,
	// releves, cyberattaque, coupure_electrique, nrbc, intrusion, rappel_service, test_mensuel, autre.
	Family  string  `json:"family" yaml:"family"`
	Profile Profile `json:"profile" yaml:"profile"`
	// LifeSafety scenarios never wait for a second person.
	LifeSafety bool `json:"life_safety" yaml:"life_safety"`
	// ByTelephone lets it be launched by somebody who has only a telephone.
	ByTelephone bool `json:"by_telephone,omitempty" yaml:"by_telephone,omitempty"`
	// Reserved has what is said by telephone told to its addressee only, once he gave
	// his personal code; see Service.Addressee.
	Reserved bool `json:"reserved,omitempty" yaml:"reserved,omitempty"`
	// Conference opens an audio conference while the alert runs: a key of the call leads
	// everybody who is called to it.
	Conference bool       `json:"conference,omitempty" yaml:"conference,omitempty"`
	Variables  []Variable `json:"variables" yaml:"variables"`
	Messages   []Text     `json:"messages" yaml:"messages"`
	Answers    []Option   `json:"answers" yaml:"answers"`
	Audience   Audience   `json:"audience" yaml:"audience"`
	Waves      []Wave     `json:"waves" yaml:"waves"`
	Quotas     []Quota    `json:"quotas" yaml:"quotas"`
	Authority  Authority  `json:"authority" yaml:"authority"`
	Duties     []Duty     `json:"duties" yaml:"duties"`
	Limits     Limits     `json:"limits" yaml:"limits"`
	// Publication is what the outside is told; nil tells nothing.
	Publication *Publication `json:"publication,omitempty" yaml:"publication,omitempty"`
	// WhatToBring and WhereToGo are shown on the answer page.
	WhereToGo   Localized `json:"where_to_go" yaml:"where_to_go"`
	WhatToBring Localized `json:"what_to_bring" yaml:"what_to_bring"`
	// Screens are those that show the alert while it runs.
	Screens Screens `json:"screens,omitzero" yaml:"screens,omitempty"`
	// Rooms are the gateways of the rooms of teams that are told of the alert, of its news and of its end.
	Rooms []uuid.UUID `json:"rooms,omitempty" yaml:"rooms,omitempty"`
}

// Variable is asked at launch and fills {name} in the texts.
type Variable struct {
	// Name is [a-z_]{1,30}. The names lien, etablissement, site, mode, heure and mot are the program's own.
	Name  string    `json:"name" yaml:"name"`
	Label Localized `json:"label" yaml:"label"`
	Help  Localized `json:"help" yaml:"help"`
	// Kind is text, number, time or choice.
	Kind     string      `json:"kind" yaml:"kind"`
	Required bool        `json:"required" yaml:"required"`
	Default  Localized   `json:"default" yaml:"default"`
	Choices  []Localized `json:"choices" yaml:"choices"`
	// MaxLength bounds the value, 1 to 200 characters; 0 means 60.
	MaxLength int `json:"max_length" yaml:"max_length"`
}

// Use is what a text is for.
type Use string

// The uses of texts. The values are stored.
const (
	UseAlert     Use = "alert"      // the first message
	UseReminder  Use = "reminder"   // the next medium, or the repetition of a diffusion
	UseProgress  Use = "progress"   // proposed when the cell writes to everyone
	UseStandDown Use = "stand_down" // to people called and not needed
	UseStayAway  Use = "stay_away"  // profile discret: to people off duty
	UseKeptBack  Use = "kept_back"  // at the launch, to those kept for a relief
	UseRelief    Use = "relief"     // calls a relief
	UseEnd       Use = "end"        // end of alert
	UseLate      Use = "late"       // to an answer after the end
	UseAck       Use = "ack"        // to an answer
)

// Text is one message of a scenario for a use, a medium and a language.
type Text struct {
	Use      Use             `json:"use" yaml:"use"`
	Medium   channels.Medium `json:"medium" yaml:"medium"`
	Language string          `json:"language" yaml:"language"`
	Subject  string          `json:"subject,omitempty" yaml:"subject,omitempty"`
	Body     string          `json:"body" yaml:"body"`
	// Recording is said by telephone in place of Body, which is what is shown; see
	// Service.Record.
	Recording uuid.UUID `json:"recording,omitzero" yaml:"-"`
}

// Meaning is what an answer changes for the cell.
type Meaning string

// The meanings of answers. The values are stored.
const (
	Coming      Meaning = "coming"      // je viens, with a delay
	OnSite      Meaning = "on_site"     // already there
	Unavailable Meaning = "unavailable" // je ne peux pas
	CallMe      Meaning = "call_me"     // à rappeler
)

// Option is one way to answer.
type Option struct {
	// Key is the digit typed or sent: "1".
	Key     string    `json:"key" yaml:"key"`
	Meaning Meaning   `json:"meaning" yaml:"meaning"`
	Label   Localized `json:"label" yaml:"label"`
	// Delays are the proposed minutes before arrival, for Coming.
	Delays []int `json:"delays,omitempty" yaml:"delays,omitempty"`
}

// Audience is who may be concerned at all; waves choose among them.
type Audience struct {
	Include directory.Rule `json:"include" yaml:"include"`
	Exclude directory.Rule `json:"exclude" yaml:"exclude"`
	// AskServices and AskSites let the launcher narrow the audience on the sheet.
	AskServices bool `json:"ask_services" yaml:"ask_services"`
	AskSites    bool `json:"ask_sites" yaml:"ask_sites"`
	// Mass scenarios leave out people marked protected (SAMU, exchange operators).
	Mass bool `json:"mass" yaml:"mass"`
	// IgnoreRest calls people inside their rest time; RestReason is then required and shown.
	IgnoreRest bool      `json:"ignore_rest" yaml:"ignore_rest"`
	RestReason Localized `json:"rest_reason" yaml:"rest_reason"`
}

// Condition says when a wave may leave.
type Condition string

// The conditions. The values are stored.
const (
	Always       Condition = "always"
	QuotaMissing Condition = "quota_missing"
)

// Wave is who is called when.
type Wave struct {
	Name Localized `json:"name" yaml:"name"`
	// Who narrows the audience; an empty rule takes everyone not in an earlier wave.
	Who directory.Rule `json:"who" yaml:"who"`
	// After is counted from the launch.
	After Duration  `json:"after" yaml:"after"`
	When  Condition `json:"when" yaml:"when"`
	// Media in order of escalation: the second is used when the first brought no answer.
	Media []channels.Medium `json:"media" yaml:"media"`
	// Escalate is the wait for an answer after delivery (or after submission when the operator tells nothing) before the next medium.
	Escalate Duration `json:"escalate" yaml:"escalate"`
	// Use is the text of this wave: alert when empty, or stay_away for the people off duty of a discret scenario.
	Use Use `json:"use,omitempty" yaml:"use,omitempty"`
	// Relief makes the wave a relief: the beginning of the slot it is called for, that
	// of a line of the quota, counted from the launch. Its people are not called before
	// After. With a rule for Who they are those named; without one they are drawn among
	// the audience, as many as the lines of the slot ask for. Zero calls people now.
	Relief Duration `json:"relief,omitempty" yaml:"relief,omitempty"`
	// Notice tells them at the launch that they are kept back, and for when.
	Notice bool `json:"notice,omitempty" yaml:"notice,omitempty"`
}

// Quota is how many are needed, per skill, site and time slot.
type Quota struct {
	// Skill is a métier or qualification code of the directory; empty counts everyone.
	Skill string `json:"skill" yaml:"skill"`
	// Site is a site id, or Nil for every site together.
	Site uuid.UUID `json:"site" yaml:"site"`
	// From and To bound the time of arrival, counted from the launch; To zero means no end.
	From Duration `json:"from" yaml:"from"`
	To   Duration `json:"to" yaml:"to"`
	// Needed is 1 to 100,000.
	Needed int `json:"needed" yaml:"needed"`
	// Show is the share of those who say they come who are counted on, 50 to 100 per
	// cent; 0 takes what past alerts taught. 100 books nobody over.
	Show int `json:"show_percent,omitempty" yaml:"show_percent,omitempty"`
}

// Authority is who decides a launch in the establishment.
type Authority struct {
	// Functions are those of the plan: "Directeur de garde".
	Functions Localized `json:"functions" yaml:"functions"`
	// Roles of Tocsin that may launch; empty means déclencheur.
	Roles []string `json:"roles" yaml:"roles"`
}

// Duty is someone outside to be told.
type Duty struct {
	Who    Localized `json:"who" yaml:"who"`
	How    Localized `json:"how" yaml:"how"`
	Within Duration  `json:"within" yaml:"within"`
	// Verify marks a duty whose text the establishment must check before use.
	Verify bool `json:"verify" yaml:"verify"`
}

// Limits are the guards of an alert.
type Limits struct {
	// Validity is how long a message may wait before it is withdrawn.
	Validity Duration `json:"validity" yaml:"validity"`
	// PerPerson is the most messages one person may get, 1 to 50.
	PerPerson int `json:"per_person" yaml:"per_person"`
	// Total is the most messages of the alert; 0 means 20 per person of the audience.
	Total int `json:"total" yaml:"total"`
	// ArrivalGrace is how late one who announced himself may be before the quota counts him out.
	ArrivalGrace Duration `json:"arrival_grace" yaml:"arrival_grace"`
	// StandDown sends the stand-down text to those called and not needed.
	StandDown bool `json:"stand_down" yaml:"stand_down"`
	// AskAgain calls those who were asked for the same need in the last hours like everybody.
	AskAgain bool `json:"ask_again,omitempty" yaml:"ask_again,omitempty"`
	// RepeatEvery repeats a diffusion until the end; zero does not.
	RepeatEvery Duration `json:"repeat_every" yaml:"repeat_every"`
	// Ceiling is what the alert may cost, in cents of a euro; 0 leaves that of the establishment.
	Ceiling int64 `json:"ceiling_cents,omitempty" yaml:"ceiling_cents,omitempty"`
}

// Duration is a time.Duration written "5m" in JSON and YAML.
type Duration time.Duration

// Std is the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// MarshalText writes "5m0s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads "5m"; an empty text is zero.
func (d *Duration) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}
