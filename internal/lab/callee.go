package lab

import (
	"strconv"
	"time"
)

// Callee is what becomes of one call to a number.
type Callee struct {
	Line Line
	// Pickup is who takes the call.
	Pickup Pickup
	// Ring is how long the telephone rings, Stay how long the call then lasts. Speed
	// is already counted.
	Ring, Stay time.Duration
	// Keys are pressed in order at even intervals; none by a voicemail.
	Keys string
}

// Pickup is how a call is taken.
type Pickup string

// The ways a call is taken.
const (
	PicksUp   Pickup = "picks_up"
	IsBusy    Pickup = "busy"
	Declines  Pickup = "declined"
	NoAnswer  Pickup = "no_answer"
	Voicemail Pickup = "voicemail"
)

// unanswered is longer than any caller waits.
const unanswered = 10 * time.Minute

// Rings returns what becomes of the nth call to a number, from 0.
func (p Population) Rings(number uint64, try int) Callee {
	who := p.Telephone(number)
	roll := func(trait string) float64 { return who.dice.roll(trait + strconv.Itoa(try)) }
	c := Callee{Line: who.Line, Stay: p.scaled(p.Call)}
	c.Ring = p.hasten(p.Ring, 0.3, who.dice.normal("ring"+strconv.Itoa(try)))
	c.Pickup = pick(roll("call"), PicksUp, share[Pickup]{p.Busy, IsBusy}, share[Pickup]{p.Declined, Declines},
		share[Pickup]{p.NoAnswer, NoAnswer}, share[Pickup]{p.Voicemail, Voicemail})
	if who.Line == LineOff {
		c.Pickup = Voicemail
	}
	switch c.Pickup {
	case NoAnswer:
		c.Ring = unanswered
	case PicksUp:
		c.Keys = who.keys(roll("said"), roll("no key") < p.NoKey)
	case IsBusy, Declines, Voicemail:
	}
	return c
}

// keys are those of the answers of a call-out: 1 and the delay, 2 for no, 3 for
// who is there, 4 to be called back; then 1, which confirms. A call wakes those
// whom an SMS leaves silent.
func (who Person) keys(roll float64, silent bool) string {
	intent := who.Intent
	if intent == Silent {
		intent = pick(roll, Coming, share[Intent]{0.4, Unavailable}, share[Intent]{0.05, OnSite})
	}
	if silent {
		return ""
	}
	switch intent {
	case Coming:
		delay := map[int]string{15: "1", 20: "2", 30: "2", 45: "3", 60: "3", 90: "4"}[who.Minutes]
		return "1" + delay + "1"
	case Unavailable:
		return "21"
	case OnSite:
		return "31"
	case CallMe:
		return "41"
	case Silent, Unclear, Stop:
	}
	return ""
}

// hour is when the nth key is pressed, counted from the moment the call is picked
// up: the first once the menu was heard. Beyond the last it is the end of the call.
func (c Callee) hour(n int) time.Duration {
	if n >= len(c.Keys) {
		return c.Stay
	}
	return c.Stay * time.Duration(45+15*n) / 100
}

// refuses is the answer of a line that does not ring; 0 when it does.
func (c Callee) refuses() (status int, words string) {
	switch {
	case c.Line == LineUnknown || c.Line == LineDead:
		return 404, "Not Found"
	case c.Pickup == IsBusy:
		return 486, "Busy Here"
	case c.Pickup == Declines:
		return 603, "Decline"
	}
	return 0, ""
}
