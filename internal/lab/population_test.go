package lab_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/lab"
)

const crowd = 20_000

func number(n int) uint64 { return uint64(33_639_980_000 + n) }

func TestSameNumberSamePerson(t *testing.T) {
	t.Parallel()
	p := lab.DefaultPopulation()
	for n := range 500 {
		if first, again := p.Telephone(number(n)), p.Telephone(number(n)); first != again {
			t.Fatal("a person changed between two messages")
		}
	}
	other := p
	other.Seed++
	same := 0
	for n := range 500 {
		if p.Telephone(number(n)).Delay == other.Telephone(number(n)).Delay {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d people of 500 are the same with another seed", same)
	}
	if p.Mailbox("Anne.Roy@lab.example") != p.Mailbox("anne.roy@LAB.example") {
		t.Error("the case of an address makes another person")
	}
}

// The shares asked are the shares seen, to three standard deviations.
func TestSharesAreThoseAsked(t *testing.T) {
	t.Parallel()
	p := lab.DefaultPopulation()
	lines, intents := map[lab.Line]float64{}, map[lab.Intent]float64{}
	link, second, woken, silent := 0.0, 0.0, 0.0, 0.0
	for n := range crowd {
		who := p.Telephone(number(n))
		lines[who.Line]++
		intents[who.Intent]++
		if who.Link {
			link++
		}
		if who.Second != lab.Silent {
			second++
		}
		if who.Intent == lab.Silent {
			silent++
			if who.Wakes != lab.Silent {
				woken++
			}
		}
	}
	for what, c := range map[string][3]float64{
		"unknown":     {lines[lab.LineUnknown], p.Unknown, crowd},
		"dead":        {lines[lab.LineDead], p.Dead, crowd},
		"off":         {lines[lab.LineOff], p.Off, crowd},
		"coming":      {intents[lab.Coming], p.Coming, crowd},
		"on site":     {intents[lab.OnSite], p.OnSite, crowd},
		"unavailable": {intents[lab.Unavailable], p.Unavailable, crowd},
		"call me":     {intents[lab.CallMe], p.CallMe, crowd},
		"unclear":     {intents[lab.Unclear], p.Unclear, crowd},
		"stop":        {intents[lab.Stop], p.Stop, crowd},
		"link":        {link, p.Link, crowd},
		"second":      {second, p.Second * (p.Coming + p.Unavailable), crowd},
		"woken":       {woken, p.Reminded, silent},
	} {
		got, want := c[0]/c[2], c[1]
		if margin := 3.5 * math.Sqrt(want*(1-want)/c[2]); math.Abs(got-want) > margin {
			t.Errorf("%s: %.4f of the people, want %.4f ± %.4f", what, got, want, margin)
		}
	}
}

func TestDelaysAreLogNormalAndFasterThanLife(t *testing.T) {
	t.Parallel()
	p := lab.DefaultPopulation()
	p.Speed = 10
	var delays []time.Duration
	for n := range crowd {
		delays = append(delays, p.Telephone(number(n)).Delay)
	}
	slices.Sort(delays)
	for share, want := range map[float64]float64{0.5: 9, 0.8413: 9 * math.Exp(0.8), 0.1587: 9 * math.Exp(-0.8)} {
		got := delays[int(share*crowd)].Seconds()
		if math.Abs(got-want) > 0.06*want {
			t.Errorf("at %.0f %%: %.1f s, want %.1f s", share*100, got, want)
		}
	}
}

// Moving one share moves nobody else.
func TestTraitsAreIndependent(t *testing.T) {
	t.Parallel()
	p := lab.DefaultPopulation()
	q := p
	q.Link, q.Dead = 0.9, 0
	for n := range 2000 {
		a, b := p.Telephone(number(n)), q.Telephone(number(n))
		if a.Intent != b.Intent || a.Minutes != b.Minutes || a.Line != lab.LineDead && a.Line == lab.LineOpen && a.Receipt != b.Receipt {
			t.Fatalf("person %d changed: %+v, %+v", n, a, b)
		}
	}
}

func TestPopulationOfAFile(t *testing.T) {
	t.Parallel()
	for text, wrong := range map[string]string{
		"speed: 20\nmedian: 2m\ncoming: 0.2\n": "",
		"":                                     "",
		"coming: 0.9\nunavailable: 0.2\n":      "more than 1",
		"link: -0.1\n":                         "below 0",
		"speed: 0\n":                           "not positive",
		"comming: 0.3\n":                       "comming",
		"link: .nan\n":                         "below 0",
	} {
		path := filepath.Join(t.TempDir(), "people.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := lab.ReadPopulation(path)
		if wrong == "" {
			if err != nil || strings.Contains(text, "speed") && (p.Speed != 20 || p.Median != 2*time.Minute || p.Coming != 0.2 || p.Dead != 0.015) {
				t.Errorf("%q: %+v, %v", text, p, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v, want an error about %q", text, err, wrong)
		}
	}
}
