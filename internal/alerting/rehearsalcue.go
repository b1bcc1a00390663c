package alerting

import "time"

// cueKind is what happens on the stage.
type cueKind uint8

const (
	cueLook    cueKind = iota // the worker looks at the alert
	cueDue                    // the hour of a person has come
	cuePump                   // a medium may let something out
	cueArrived                // a message is delivered
	cueLost                   // a message is known to be lost
	cueAnswer                 // a person answers
	cueDoor                   // a person is there
	cueLate                   // a person who announced himself is overdue
	cueFree                   // a line is given back
)

// cue is one thing to come; note is the number of a message, or a medium.
type cue struct {
	at        time.Duration
	seq       int32
	who, note int32
	kind      cueKind
}

func (c cue) before(o cue) bool { return c.at < o.at || c.at == o.at && c.seq < o.seq }

// cues are those to come, the next one first: a heap of four children, since
// millions pass through it and container/heap would put each in a box.
type cues []cue

func (q *cues) push(c cue) {
	*q = append(*q, c)
	list := *q
	i := len(list) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !c.before(list[up]) {
			break
		}
		list[i] = list[up]
		i = up
	}
	list[i] = c
}

func (q *cues) pop() cue {
	list := *q
	first, last := list[0], list[len(list)-1]
	list = list[:len(list)-1]
	*q = list
	i := 0
	for {
		least := 4*i + 1
		if least >= len(list) {
			break
		}
		for j := least + 1; j < min(4*i+5, len(list)); j++ {
			if list[j].before(list[least]) {
				least = j
			}
		}
		if !list[least].before(last) {
			break
		}
		list[i] = list[least]
		i = least
	}
	if len(list) > 0 {
		list[i] = last
	}
	return first
}
