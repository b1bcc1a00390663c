package alerting

import (
	"slices"
	"time"

	"tocsin/internal/channels"
)

// wake lets a medium send when it can.
func (p *play) wake(i int) {
	o := &p.outlets[i]
	if o.awake || o.lines > 0 && o.busy >= o.lines {
		return
	}
	o.awake = true
	p.cue(max(p.now, o.next), cuePump, 0, i)
}

// pump lets out the next message that is still needed.
func (p *play) pump(i int) {
	o := &p.outlets[i]
	o.awake = false
	for o.head < len(o.queue) {
		l := o.queue[o.head]
		o.head++
		if a := &p.parts[l.who]; a.Answered || l.note <= a.back {
			continue // taken back before it left
		}
		o.waited = max(o.waited, p.now-l.asked)
		p.leave(i, l.who, l.note)
		o.next = p.now + o.gap
		break
	}
	if o.head < len(o.queue) {
		p.wake(i)
	}
}

// leave is what becomes of one message, and of who gets it.
func (p *play) leave(i, who, note int) {
	o := &p.outlets[i]
	a, by := &p.parts[who], p.mood[p.people[who].Kind]
	m := by.media[o.medium]
	p.out.sent[o.medium]++
	a.Pending--
	a.Left++
	if note == a.note {
		a.SubmittedAt = p.at()
	}
	if o.medium == channels.Voice {
		p.ringUp(i, who, note, m)
		return
	}
	if p.dice.happens(m.lost) {
		p.cue(p.now+p.reach[o.medium].draw(p.dice), cueLost, who, note)
		return
	}
	heard := p.now + p.reach[o.medium].draw(p.dice)
	if p.dice.happens(m.heard / max(1-m.lost, 0.01)) {
		p.cue(heard, cueArrived, who, note)
	}
	if p.dice.happens(m.answered) {
		p.cue(heard+p.answer[o.medium].draw(p.dice), cueAnswer, who, note)
	}
}

// ringUp is one call. Only a key is a person: a call without one is a failed one.
func (p *play) ringUp(i, who, note int, m moodOf) {
	p.outlets[i].busy++
	if !p.dice.happens(m.answered) {
		end := p.now + p.ring.draw(p.dice)
		p.cue(end, cueLost, who, note)
		p.cue(end, cueFree, 0, i)
		return
	}
	end := p.now + p.call.draw(p.dice)
	p.cue(end, cueArrived, who, note)
	p.cue(end, cueAnswer, who, note)
	p.cue(end, cueFree, 0, i)
}

// free gives a line back.
func (p *play) free(i int) {
	o := &p.outlets[i]
	o.busy--
	if o.head < len(o.queue) {
		p.wake(i)
	}
}

func (p *play) delivered(who, note int) {
	a := &p.parts[who]
	if note == a.note && a.DeliveredAt.IsZero() {
		a.DeliveredAt = p.at()
	}
	p.reaches(who)
}

func (p *play) reaches(who int) {
	a := &p.parts[who]
	if a.reached {
		return
	}
	a.reached = true
	p.out.reachedAt = append(p.out.reachedAt, p.now)
	p.mark(p.out.reached)
}

// mark counts one more in the minute of now.
func (p *play) mark(curve []int) { curve[int(p.now/time.Minute)]++ }

// lost is a message known not to arrive: as in moveRecipients, the current one
// brings the person back at once, an older one when his ladder has ended.
func (p *play) lost(who, note int) {
	a := &p.parts[who]
	a.Left--
	if a.Answered {
		return
	}
	if note == a.note {
		a.Failed = true
	}
	if note == a.note || a.due < 0 {
		p.remind(who, p.second())
	}
}

// second is when the worker looks next: it wakes each second.
func (p *play) second() time.Duration { return p.now.Truncate(time.Second) + time.Second }

// answers is what a person says.
func (p *play) answers(who int) {
	a, by := &p.parts[who], p.mood[p.people[who].Kind]
	if a.Answered {
		return
	}
	a.Answered, a.due = true, -1
	p.reaches(who)
	if !p.dice.happens(by.coming) {
		return
	}
	a.coming = true
	p.mark(p.out.coming)
	a.eta = p.plan.countsAt(a.Wave, p.plan.LaunchedAt.Add(p.now+p.road.draw(p.dice)), true).Sub(p.plan.LaunchedAt)
	p.place(who)
	if grace := p.plan.Definition.Limits.ArrivalGrace.Std(); grace > 0 {
		p.cue(a.eta+grace, cueLate, who, 0)
	}
	if p.dice.happens(by.shows) {
		late := time.Duration(0)
		if p.dice.happens(0.5) {
			late = p.late.draw(p.dice)
		}
		p.cue(a.eta+late, cueDoor, who, 0)
	}
	p.lookSoon()
}

// place puts somebody who comes in the lines of the quota, as placeInQuota does.
func (p *play) place(who int) {
	a, is := &p.parts[who], &p.people[who]
	at := p.plan.LaunchedAt.Add(a.eta)
	everyone, skilled := linesFor(p.plan, is.Skills, is.Site, presence{At: at, Since: at})
	if len(skilled) > 1 {
		skilled = onePost(skilled, p.lines)
	}
	a.lines = append(everyone, skilled...)
	for _, i := range a.lines {
		p.lines[i].Coming++
	}
}

func (p *play) enters(who int) {
	a := &p.parts[who]
	a.there = true
	p.mark(p.out.arrived)
	for _, i := range a.lines {
		if a.overdue {
			p.lines[i].Overdue--
		} else {
			p.lines[i].Coming--
		}
		p.lines[i].Arrived++
	}
	p.lookSoon()
}

func (p *play) overdue(who int) {
	a := &p.parts[who]
	if a.there {
		return
	}
	a.overdue = true
	for _, i := range a.lines {
		p.lines[i].Coming--
		p.lines[i].Overdue++
	}
	p.lookSoon()
}

func (p *play) lookSoon() {
	if next := p.second(); len(p.lines) > 0 && p.looking != next {
		p.looking = next
		p.cue(next, cueLook, 0, 0)
	}
}

// look asks the rules about the alert as a whole, and does what they say as
// Service.apply does.
func (p *play) look(at time.Duration) {
	if p.looking == at {
		p.looking = -1
	}
	f := alertFacts{State: Running, Quotas: p.lines, Waves: p.waves, Met: p.met}
	for _, step := range DecideAlert(p.plan, f, p.at()) {
		switch step.Kind {
		case AlertMet:
			p.stopCalling(p.plan.wave(step.Wave).turn())
		case AlertReopen:
			p.callAgain(p.plan.wave(step.Wave).turn())
		case AlertHoldWave:
			p.waves[step.Wave].State = WaveHeld
		case AlertFreeWave:
			p.waves[step.Wave].State = WavePending
		case AlertOpenWave:
			p.waves[step.Wave].State = WaveOpen
			for i := range p.parts {
				if p.parts[i].Wave == step.Wave && !p.parts[i].called {
					p.send(i, 0)
				}
			}
		case AlertRepeat:
		}
	}
}

// stopCalling takes back what has not left of the waves of a turn that may be held.
func (p *play) stopCalling(turn time.Duration) {
	p.met = append(slices.Clone(p.met), turn)
	if turn == 0 && p.metAt < 0 {
		p.metAt = p.now
	}
	for i := range p.parts {
		a := &p.parts[i]
		if a.Pending > 0 && p.turns[a.Wave] == turn && (a.Wave == 0 || p.plan.conditional(a.Wave)) {
			a.Pending, a.back, a.Withdrawn = 0, a.note, a.SubmittedAt.IsZero()
		}
	}
}

// callAgain takes the calls of a turn up again: those whose hour passed meanwhile, and,
// when no wave is left, everyone who said nothing.
func (p *play) callAgain(turn time.Duration) {
	p.met = slices.DeleteFunc(slices.Clone(p.met), func(t time.Duration) bool { return t == turn })
	left := false
	for i, w := range p.waves {
		left = left || p.turns[i] == turn && (w.State == WaveHeld || w.State == WavePending)
	}
	for i := range p.parts {
		a := &p.parts[i]
		switch {
		case !a.called || a.Answered || p.turns[a.Wave] != turn:
		case !left:
			p.step(i, true)
		case a.due >= 0 && a.due <= p.now:
			p.step(i, false)
		}
	}
}
