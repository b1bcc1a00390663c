package sms

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/wire/smpp"
)

func TestIDs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format      string
		response    string
		text, tlv   string
		wantReceipt string
	}{
		"same, case and zeros":           {idSame, "00AB", "ab", "", "ab"},
		"same, both given":               {idSame, "AB", "171", "AB", "ab"},
		"response in hexadecimal":        {idHex, "1A2B", "0000006699", "", "1a2b"},
		"response in hexadecimal, copy":  {idHex, "1A2B", "6699", "1A2B", "1a2b"},
		"response in decimal":            {idDec, "6699", "1A2B", "", "6699"},
		"a name is no number":            {idHex, "x-1", "x-1", "", "x-1"},
		"a uuid":                         {idHex, "3F2504E0-4F89", "3f2504e0-4f89", "", "3f2504e0-4f89"},
		"more than 64 bits":              {idHex, "AAAABBBBCCCCDDDDEEEE", "99999999999999999999999", "", "99999999999999999999999"},
		"nothing but zeros":              {idSame, "0", "0", "", "0"},
		"auto before any response":       {idAuto, "", "0042", "", "42"},
		"auto, the copy when unknown":    {idAuto, "", "66", "42", "42"},
		"auto, hexadecimal at first try": {idAuto, "1A2B", "6699", "", "1a2b"},
		"auto, decimal at first try":     {idAuto, "6699", "1A2B", "", "6699"},
	} {
		names := newIDs(c.format)
		names.remember(c.response)
		if got := names.ofReceipt(smpp.Receipt{ID: c.text, TLVID: c.tlv}); got != c.wantReceipt {
			t.Errorf("%s: got %q, want %q", name, got, c.wantReceipt)
		}
	}
}

// Small ids in sequence match in the wrong base by chance: what has been learnt
// from the others decides.
func TestIDsLearnedResistChance(t *testing.T) {
	t.Parallel()
	names := newIDs(idAuto)
	for n := uint64(1); n <= 0x60; n++ {
		names.remember(fmt.Sprintf("%x", n))
	}
	for n := uint64(0x60); n >= 1; n-- {
		want := fmt.Sprintf("%x", n)
		if got := names.ofReceipt(smpp.Receipt{ID: fmt.Sprint(n)}); got != want {
			t.Errorf("receipt %d: got %q, want %q", n, got, want)
		}
	}
	// A receipt of before the restart is in no memory: the habit translates it.
	if got := names.ofReceipt(smpp.Receipt{ID: "6699"}); got != "1a2b" {
		t.Errorf("got %q", got)
	}
}

func TestIDsForgetTheOldest(t *testing.T) {
	t.Parallel()
	names := newIDs(idAuto)
	for n := range remembered + 10 {
		names.remember(fmt.Sprintf("id-%d", n))
	}
	if len(names.known) != remembered {
		t.Errorf("%d ids kept, want %d", len(names.known), remembered)
	}
}

func TestPaceHoldsItsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(100, clock.Real())
		start := clock.Real().Now()
		for range 205 {
			if _, err := p.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := clock.Real().Now().Sub(start); took != 2*time.Second {
			t.Errorf("205 segments at 100 a second, 5 at once, took %s", took)
		}
	})
}

func TestPaceSlowsDownAndComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(100, clock.Real())
		if pause := p.throttled(); pause != firstPause || p.current != 70 {
			t.Errorf("first complaint: pause %s, rate %v", pause, p.current)
		}
		if pause := p.throttled(); pause != firstPause || p.current != 70 {
			t.Errorf("a complaint of the same moment: pause %s, rate %v", pause, p.current)
		}
		if _, err := p.wait(t.Context()); err != nil {
			t.Errorf("a short pause is waited for: %v", err)
		}
		for range 3 {
			<-time.After(maxPause)
			p.throttled()
		}
		if p.current >= 35 {
			t.Errorf("rate %v after four complaints", p.current)
		}
		if left, err := p.wait(t.Context()); !errors.Is(err, errPaced) || left <= patientPause {
			t.Errorf("a long pause is told: %s, %v", left, err)
		}
		for range 60 {
			<-time.After(recoverEvery)
			p.accepted()
		}
		if p.current != 100 || p.limiter.Limit() != 100 {
			t.Errorf("rate %v after a minute without complaint", p.current)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.wait(ctx); !errors.Is(err, errPaced) {
			t.Errorf("caller gone: %v", err)
		}
	})
}

func TestPaceWithoutRateLearnsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(0, clock.Real())
		for range 1000 {
			p.accepted()
		}
		<-time.After(time.Second)
		p.throttled()
		if p.current < 600 || p.current > 800 {
			t.Errorf("rate %v after 1000 accepted in a second, want about 700", p.current)
		}
		for range 60 {
			<-time.After(recoverEvery)
			p.accepted()
		}
		if p.current != p.wanted {
			t.Errorf("rate %v after a minute without complaint", p.current)
		}
	})
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	t.Parallel()
	for failures, most := range map[int]time.Duration{0: firstBackoff, 3: 8 * firstBackoff, 1000: maxBackoff} {
		for range 100 {
			if got := backoff(failures, channels.ReasonUnreachable); got < most/2 || got > most {
				t.Fatalf("%d failures: %s, want %s to %s", failures, got, most/2, most)
			}
		}
	}
	if got := backoff(1000, channels.ReasonAuth); got < authBackoff/2 || got > authBackoff {
		t.Errorf("refused credentials: %s", got)
	}
}
