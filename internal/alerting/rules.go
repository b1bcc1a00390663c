package alerting

import (
	"slices"
	"time"
)

// This file decides what is due. Its functions read facts and the clock and
// nothing else; instants are compared with instants, never wall clocks, so that
// the night of the change of hour is a night like any other.

// facts are what is known of one recipient when his hour comes.
type facts struct {
	Rungs []rung
	// Rung is the index of the address in use, Tried the set of those used (bit i).
	Rung  int
	Tried uint64
	Sent  int
	// Wave is the recipient's, from 0.
	Wave     int
	Answered bool
	// CalledAt is when the current message was queued; the others are zero until known.
	CalledAt, SubmittedAt, DeliveredAt time.Time
	// Failed tells that the current address does not work, or that the message expired before it could leave.
	Failed bool
	// Withdrawn tells that the current message was taken back before it left.
	Withdrawn bool
	// Guarded tells that a runaway limit held the current message back.
	Guarded bool
	// Pending counts his messages that wait to leave, Left those that left and
	// are not known to be lost.
	Pending, Left int
	// Reopened tells that the quota was reached, then missed, after the current message.
	Reopened bool
}

// aggregate is what is known of the whole alert.
type aggregate struct {
	State LaunchState
	// Met are the turns that have enough people.
	Met turns
	// Stopped are the waves a person stopped, by number from 0.
	Stopped map[int]bool
}

// StepKind is what to do with a recipient now.
type StepKind string

// The kinds of steps.
const (
	StepRest    StepKind = "rest"    // nothing more by the clock
	StepWait    StepKind = "wait"    // look again at Until
	StepSend    StepKind = "send"    // a message to Rung
	StepDoubt   StepKind = "doubt"   // every address was used; a message may have arrived
	StepExhaust StepKind = "exhaust" // every address was used and nothing arrived
)

// Step is one decision.
type Step struct {
	Kind  StepKind
	Until time.Time
	Rung  int
	Use   Use
}

// Decide says what is due for one recipient. It always gives exactly one step.
func Decide(p *plan, f facts, a aggregate, now time.Time) []Step {
	w := p.wave(f.Wave)
	switch {
	case a.State != Running, a.Met.has(w.turn()), a.Stopped[f.Wave], f.Answered, len(f.Rungs) == 0:
		return []Step{{Kind: StepRest}}
	case f.Guarded:
		return []Step{ladderEnd(f, w.Escalate.Std(), now)}
	case f.Withdrawn:
		return []Step{{Kind: StepSend, Rung: f.Rung, Use: p.use(f.Wave)}}
	case f.Failed:
		return []Step{afterFailure(p, f, now)}
	case f.Reopened:
		return []Step{afterReopening(p, f)}
	case p.Definition.Profile == Diffusion, w.Escalate == 0:
		// A diffusion is repeated to everyone together: see DecideAlert.
		return []Step{{Kind: StepRest}}
	}
	due := deadline(f, w.Escalate.Std())
	if now.Before(due) {
		return []Step{{Kind: StepWait, Until: due}}
	}
	if next, ok := nextMedium(f); ok {
		return []Step{{Kind: StepSend, Rung: next, Use: p.again(f.Wave)}}
	}
	if next, ok := untried(f, 0); ok {
		return []Step{{Kind: StepSend, Rung: next, Use: p.again(f.Wave)}}
	}
	return []Step{ladderEnd(f, w.Escalate.Std(), now)}
}

// ladderEnd says where someone stands whose every address was used. Silence is
// not failure: most mail servers never tell what they delivered, and an
// operator's receipt may be hours late. So nobody is unreachable while one of
// his messages may have arrived, or may still leave; and who is unreachable is
// somebody the cell must find another way, not somebody who does not answer.
func ladderEnd(f facts, wait time.Duration, now time.Time) Step {
	switch {
	case f.Left > 0:
		return Step{Kind: StepDoubt}
	case f.Pending > 0 && wait > 0:
		return Step{Kind: StepWait, Until: now.Add(wait)}
	case f.Pending > 0:
		return Step{Kind: StepRest} // what becomes of the message brings him back
	}
	return Step{Kind: StepExhaust}
}

// deadline is when silence counts as no answer: from the delivery when the
// operator tells it, else from the submission, else from the moment the message
// was queued, since a medium that lets nothing out must not hold the next one.
func deadline(f facts, wait time.Duration) time.Time {
	switch {
	case !f.DeliveredAt.IsZero():
		return f.DeliveredAt.Add(wait)
	case !f.SubmittedAt.IsZero():
		return f.SubmittedAt.Add(wait)
	}
	return f.CalledAt.Add(wait)
}

// afterFailure goes to the next address at once: the same medium first.
// The person has read nothing yet, so the words are those of the first message.
func afterFailure(p *plan, f facts, now time.Time) Step {
	use := p.use(f.Wave)
	if next, ok := untried(f, f.Rung+1); ok {
		return Step{Kind: StepSend, Rung: next, Use: use}
	}
	if next, ok := untried(f, 0); ok {
		return Step{Kind: StepSend, Rung: next, Use: use}
	}
	return ladderEnd(f, p.wave(f.Wave).Escalate.Std(), now)
}

// afterReopening calls again someone who was told he was not needed: the next
// address, or the first one again when all were used.
func afterReopening(p *plan, f facts) Step {
	if next, ok := nextMedium(f); ok {
		return Step{Kind: StepSend, Rung: next, Use: p.again(f.Wave)}
	}
	next, _ := untried(f, 0)
	return Step{Kind: StepSend, Rung: next, Use: p.again(f.Wave)}
}

// nextMedium is the first untried address of a medium further than the current one.
func nextMedium(f facts) (int, bool) {
	// Looked through rather than gathered: a rehearsal asks this a million times.
	passed := f.Rungs[:min(f.Rung+1, len(f.Rungs))]
	for i := f.Rung + 1; i < len(f.Rungs); i++ {
		of := f.Rungs[i].Medium
		if f.Tried&(1<<i) == 0 && !slices.ContainsFunc(passed, func(r rung) bool { return r.Medium == of }) {
			return i, true
		}
	}
	return 0, false
}

// untried is the first address not used yet, from that rung.
func untried(f facts, from int) (int, bool) {
	for i := from; i < len(f.Rungs) && i < maxRungs; i++ {
		if f.Tried&(1<<i) == 0 {
			return i, true
		}
	}
	return 0, false
}

// maxRungs bounds the addresses of one person: Tried is a set of bits.
const maxRungs = 60

// waveFacts is what is known of a wave.
type waveFacts struct {
	Number int
	State  WaveState
	DueAt  time.Time
	// Met tells that the relief of the wave has its people.
	Met bool
}

// AlertStepKind is what to do with an alert now.
type AlertStepKind string

// The kinds of steps of an alert.
const (
	AlertOpenWave AlertStepKind = "open_wave"
	AlertHoldWave AlertStepKind = "hold_wave"
	AlertFreeWave AlertStepKind = "free_wave" // a held wave waits for its hour again
	AlertMet      AlertStepKind = "quota_met"
	AlertReopen   AlertStepKind = "reopen"
	AlertRepeat   AlertStepKind = "repeat"
)

// AlertStep is one decision about an alert. That of a quota is about the turn of its
// wave, the first of the turn.
type AlertStep struct {
	Kind AlertStepKind
	Wave int
}

// alertFacts is what is known of an alert when the clock ticks.
type alertFacts struct {
	State LaunchState
	// Met are the turns that were found to have enough people.
	Met      turns
	Quotas   []QuotaLine
	Waves    []waveFacts
	RepeatAt time.Time
}

// DecideAlert says what is due for the alert as a whole: quotas first, since
// they hold waves back, then the waves by the clock, then the repetition.
func DecideAlert(p *plan, f alertFacts, now time.Time) []AlertStep {
	if f.State != Running {
		return nil
	}
	var out []AlertStep
	met := p.Definition.reached(f.Quotas)
	for _, turn := range p.Definition.turns() {
		is, was := met.has(turn), f.Met.has(turn)
		if is == was {
			continue
		}
		step := AlertStep{Kind: AlertMet}
		if was {
			step.Kind = AlertReopen
		}
		if turn > 0 {
			step.Wave = p.Definition.wavesOf(turn)[0]
		}
		out = append(out, step)
	}
	for _, w := range f.Waves {
		out = append(out, decideWave(p, w, met.has(p.wave(w.Number).turn()), now)...)
	}
	if !f.RepeatAt.IsZero() && !now.Before(f.RepeatAt) {
		out = append(out, AlertStep{Kind: AlertRepeat})
	}
	return out
}

func decideWave(p *plan, w waveFacts, met bool, now time.Time) []AlertStep {
	held := met && p.conditional(w.Number)
	switch {
	case w.State == WavePending && held:
		return []AlertStep{{Kind: AlertHoldWave, Wave: w.Number}}
	case w.State == WavePending && !now.Before(w.DueAt):
		return []AlertStep{{Kind: AlertOpenWave, Wave: w.Number}}
	case w.State == WaveHeld && !held && !now.Before(w.DueAt):
		return []AlertStep{{Kind: AlertOpenWave, Wave: w.Number}}
	case w.State == WaveHeld && !held:
		return []AlertStep{{Kind: AlertFreeWave, Wave: w.Number}}
	}
	return nil
}
