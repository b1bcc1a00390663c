package sigma

import "time"

// Try asks some rules about events of a person's choice, in order and a second
// apart: hits tells of each event whether a rule that counts alone hits it, and
// with which evidence; held whether a correlation holds over them all. An event
// that names no log source is taken to be of each rule's.
func Try(rules Collection, events []Record) (hits [][]Evidence, held bool, err error) {
	set, err := Compile(rules.Rules, nil)
	if err != nil {
		return nil, false, err
	}
	correlator, err := NewCorrelator(set, rules.Correlations, DefaultBounds())
	if err != nil {
		return nil, false, err
	}
	m := set.NewMatcher()
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	hits = make([][]Evidence, len(events))
	for i, e := range events {
		at = at.Add(time.Second)
		got := matchAs(m, rules.Rules, e, nil)
		for _, h := range got {
			if correlator.Alone(h) {
				hits[i] = append(hits[i], m.Evidence(h, saidToBe(e, rules.Rules[h].Source))...)
				// A rule may hit by what is not there.
				hits[i] = append(make([]Evidence, 0, len(hits[i])), hits[i]...)
			}
		}
		held = len(correlator.Observe(at, got, e)) > 0 || held
	}
	// What is judged when its window ends is judged now.
	return hits, len(correlator.Advance(at.Add(365*24*time.Hour))) > 0 || held, nil
}

// saidToBe is an event that says it is of a log source.
func saidToBe(e Record, source LogSource) Record {
	said := make(Record, len(e)+3)
	for name, values := range e {
		said[name] = values
	}
	for _, c := range ownWords(source) {
		if _, known := said[c.field]; !known {
			said[c.field] = []Value{Text(c.values[0])}
		}
	}
	return said
}
