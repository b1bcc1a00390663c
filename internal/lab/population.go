package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Population is how people behave, in shares from 0 to 1 of those concerned.
// The same seed and the same address give the same person in each run.
type Population struct {
	Seed uint64 `yaml:"seed" help:"Another seed, other people." default:"1"`
	// Speed divides every delay: at 10, the fifteen minutes of a night take ninety seconds.
	Speed float64 `yaml:"speed" help:"How many times faster than life." default:"1"`
	// Median and Spread shape the time before an answer: log-normal, as people are.
	Median time.Duration `yaml:"median" help:"Half of the answers come within." default:"90s"`
	Spread float64       `yaml:"spread" help:"Spread of that time (sigma of the logarithm)." default:"0.8"`
	// Receipt is the median time before a telephone has a message.
	Receipt time.Duration `yaml:"receipt" help:"Half of the telephones have a message within." default:"3s"`

	Unknown float64 `yaml:"unknown" help:"Numbers the gateway refuses at once." default:"0.005"`
	Dead    float64 `yaml:"dead" help:"Numbers no longer in service." default:"0.015"`
	Off     float64 `yaml:"off" help:"Telephones switched off for a while." default:"0.04"`

	// What people reached do; the rest stays silent.
	Coming      float64 `yaml:"coming" help:"People who come." default:"0.46"`
	OnSite      float64 `yaml:"on_site" help:"People already there." default:"0.07"`
	Unavailable float64 `yaml:"unavailable" help:"People who cannot come." default:"0.16"`
	CallMe      float64 `yaml:"call_me" help:"People who ask to be called." default:"0.02"`
	Unclear     float64 `yaml:"unclear" help:"People whose answer nobody understands." default:"0.02"`
	Stop        float64 `yaml:"stop" help:"People who answer STOP." default:"0.003"`

	Link     float64 `yaml:"link" help:"Those who answer by the link, among those who answer." default:"0.35"`
	Second   float64 `yaml:"second" help:"Those who answer again, differently." default:"0.05"`
	Reminded float64 `yaml:"reminded" help:"Silent people whom a second message wakes." default:"0.3"`
	// Exercise is who does not bother when the message says EXERCICE or TEST.
	Exercise float64 `yaml:"exercise" help:"Those who answer in life and not in an exercise." default:"0.1"`

	MailFull  float64 `yaml:"mail_full" help:"Mailboxes that are full." default:"0.02"`
	MailDead  float64 `yaml:"mail_dead" help:"Mailboxes that do not exist." default:"0.015"`
	MailAway  float64 `yaml:"mail_away" help:"Mailboxes that answer by an absence message." default:"0.05"`
	MailReads float64 `yaml:"mail_reads" help:"People who read their mail in time." default:"0.35"`

	// What a telephone that rings does; the rest is picked up.
	Ring      time.Duration `yaml:"ring" help:"Half of those who pick up do so within." default:"6s"`
	Call      time.Duration `yaml:"call" help:"How long a call lasts, from the moment somebody picks up." default:"35s"`
	Busy      float64       `yaml:"busy" help:"Lines that are busy." default:"0.04"`
	Declined  float64       `yaml:"declined" help:"Calls refused by a thumb." default:"0.02"`
	NoAnswer  float64       `yaml:"no_answer" help:"Telephones that nobody picks up." default:"0.12"`
	Voicemail float64       `yaml:"voicemail" help:"Telephones whose voicemail picks up." default:"0.22"`
	NoKey     float64       `yaml:"no_key" help:"People who listen and press nothing." default:"0.06"`
}

// DefaultPopulation is a hospital at night.
func DefaultPopulation() Population {
	return Population{
		Seed: 1, Speed: 1, Median: 90 * time.Second, Spread: 0.8, Receipt: 3 * time.Second,
		Unknown: 0.005, Dead: 0.015, Off: 0.04,
		Coming: 0.46, OnSite: 0.07, Unavailable: 0.16, CallMe: 0.02, Unclear: 0.02, Stop: 0.003,
		Link: 0.35, Second: 0.05, Reminded: 0.3, Exercise: 0.1,
		MailFull: 0.02, MailDead: 0.015, MailAway: 0.05, MailReads: 0.35,
		Ring: 6 * time.Second, Call: 35 * time.Second, Busy: 0.04, Declined: 0.02, NoAnswer: 0.12, Voicemail: 0.22, NoKey: 0.06,
	}
}

// ReadPopulation reads a YAML file; what it does not say is as DefaultPopulation.
func ReadPopulation(path string) (Population, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Population{}, err
	}
	p := DefaultPopulation()
	reader := yaml.NewDecoder(bytes.NewReader(text))
	reader.KnownFields(true)
	if err := reader.Decode(&p); err != nil && !errors.Is(err, io.EOF) {
		return Population{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, p.Check()
}

// Check refuses shares that no population can have.
func (p Population) Check() error {
	for _, group := range [][]float64{
		{p.Unknown, p.Dead, p.Off},
		{p.Coming, p.OnSite, p.Unavailable, p.CallMe, p.Unclear, p.Stop},
		{p.MailFull, p.MailDead, p.MailAway},
		{p.Link},
		{p.Second},
		{p.Reminded},
		{p.Exercise},
		{p.MailReads},
		{p.Busy, p.Declined, p.NoAnswer, p.Voicemail},
		{p.NoKey},
	} {
		sum := 0.0
		for _, share := range group {
			if share < 0 || math.IsNaN(share) {
				return errors.New("lab: a share of people is below 0")
			}
			sum += share
		}
		if sum > 1+1e-9 {
			return errors.New("lab: shares of people add up to more than 1")
		}
	}
	if p.Speed <= 0 || p.Spread < 0 || p.Median < 0 || p.Receipt < 0 || p.Ring < 0 || p.Call < 0 {
		return errors.New("lab: delays of people are not positive")
	}
	return nil
}

// Line is the state of a telephone or a mailbox.
type Line string

// The states of a line. Unknown is refused at once, Dead after a while.
const (
	LineOpen    Line = "open"
	LineOff     Line = "off"
	LineDead    Line = "dead"
	LineUnknown Line = "unknown"
	LineFull    Line = "full"
	LineAway    Line = "away"
)

// Intent is what a person wants to say.
type Intent string

// The intents.
const (
	Silent      Intent = "silent"
	Coming      Intent = "coming"
	OnSite      Intent = "on_site"
	Unavailable Intent = "unavailable"
	CallMe      Intent = "call_me"
	Unclear     Intent = "unclear"
	Stop        Intent = "stop"
)

// Person is who holds a number or a mailbox.
type Person struct {
	Line Line
	// Intent is the first answer, Second the one that replaces it; Silent for none.
	Intent, Second Intent
	// Minutes is when a person who comes will be there.
	Minutes int
	// Wakes is the intent of a silent person after a second message.
	Wakes Intent
	// Link answers by the page, not by a message.
	Link bool
	// LazyInExercise does not answer an exercise.
	LazyInExercise bool
	// Receipt is when the line has the message, Delay how long the person then
	// takes to answer, Again until the second answer. Speed is already counted.
	Receipt, Delay, Again time.Duration

	dice dice
}

// Telephone returns who holds a number.
func (p Population) Telephone(number uint64) Person {
	d := dice{p.Seed, number}
	return p.person(d, pick(d.roll("line"), LineOpen,
		share[Line]{p.Unknown, LineUnknown}, share[Line]{p.Dead, LineDead}, share[Line]{p.Off, LineOff}))
}

// Mailbox returns who reads an address; case does not count.
func (p Population) Mailbox(address string) Person {
	d := dice{p.Seed, spread(strings.ToLower(address))}
	who := p.person(d, pick(d.roll("line"), LineOpen,
		share[Line]{p.MailFull, LineFull}, share[Line]{p.MailDead, LineDead}, share[Line]{p.MailAway, LineAway}))
	if d.roll("reads") >= p.MailReads {
		who.Intent, who.Second, who.Wakes = Silent, Silent, Silent
	}
	return who
}

func (p Population) person(d dice, line Line) Person {
	who := Person{Line: line, dice: d, Second: Silent, Wakes: Silent}
	who.Intent = p.intent(d.roll("intent"))
	who.Minutes = pick(d.roll("minutes"), 30, share[int]{0.30, 15}, share[int]{0.15, 20}, share[int]{0.10, 45}, share[int]{0.10, 60}, share[int]{0.04, 90})
	who.Link = d.roll("link") < p.Link
	who.LazyInExercise = d.roll("lazy") < p.Exercise
	who.Delay = p.hasten(p.Median, p.Spread, d.normal("delay"))
	who.Receipt = p.hasten(p.Receipt, 0.6, d.normal("receipt"))
	if line == LineOff {
		who.Receipt = p.hasten(40*time.Minute, 0.9, d.normal("off"))
	}
	who.Again = p.hasten(5*time.Minute, 0.5, d.normal("again"))
	switch {
	case who.Intent == Silent && d.roll("reminded") < p.Reminded:
		who.Wakes = pick(d.roll("wakes"), Coming, share[Intent]{0.3, Unavailable})
	case who.Intent == Coming && d.roll("second") < p.Second:
		who.Second = pick(d.roll("change"), Unavailable, share[Intent]{0.5, Coming})
	case who.Intent == Unavailable && d.roll("second") < p.Second:
		who.Second = Coming
	}
	return who
}

func (p Population) intent(roll float64) Intent {
	return pick(roll, Silent, share[Intent]{p.Coming, Coming}, share[Intent]{p.OnSite, OnSite}, share[Intent]{p.Unavailable, Unavailable},
		share[Intent]{p.CallMe, CallMe}, share[Intent]{p.Unclear, Unclear}, share[Intent]{p.Stop, Stop})
}

// hasten draws a log-normal time around a median and divides it by the speed.
func (p Population) hasten(median time.Duration, sigma, normal float64) time.Duration {
	t := float64(median) * math.Exp(sigma*normal) / p.Speed
	return time.Duration(min(t, float64(24*time.Hour)))
}

// scaled is a time of life at the speed of the lab.
func (p Population) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / p.Speed)
}
