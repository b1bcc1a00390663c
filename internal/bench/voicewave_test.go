package bench

import (
	"testing"
	"time"

	"tocsin/internal/lab"
)

// Two lines and five calls of ten seconds: the third waits for the first, and a line
// given back as another call begins is one line.
func TestTheUseOfLinesIsRead(t *testing.T) {
	t.Parallel()
	s := func(n int64) int64 { return n * 1_000_000 }
	calls := []lab.CallEntry{
		{To: "a", Begun: s(1), End: s(11), Confirmed: s(5)},
		{To: "b", Begun: s(1), End: s(11), Confirmed: s(5)},
		{To: "c", Begun: s(11), End: s(21), Confirmed: s(15)},
		{To: "d", Begun: s(13), End: s(23), Confirmed: s(15)},
		{To: "e", Begun: s(21), End: s(31), Confirmed: s(25)},
	}
	u := useOf(calls, 2)
	if u.most != 2 || u.calls != 5 || u.total != 30*time.Second {
		t.Errorf("%+v", u)
	}
	// 20 seconds of two lines as long as somebody waits, of which two were not used.
	if u.busyPct != 95 {
		t.Errorf("busy %.1f %%", u.busyPct)
	}
	over := append(calls, lab.CallEntry{To: "f", Begun: s(14), End: s(15)})
	if u := useOf(over, 2); u.most != 3 {
		t.Errorf("one call too many is %d at once", u.most)
	}
	if err := onceEach(calls); err != nil {
		t.Error(err)
	}
	for what, more := range map[string]lab.CallEntry{"twice": {To: "a", Confirmed: 1}, "never": {To: "z"}} {
		if onceEach(append(calls, more)) == nil {
			t.Errorf("%s is not seen", what)
		}
	}
}

// The delay of a key is until the last reader saw a figure that holds it.
func TestTheDelayOfAKeyIsTheLastReaders(t *testing.T) {
	t.Parallel()
	at := func(ms int64) time.Time { return time.UnixMicro(ms * 1000) }
	calls := []lab.CallEntry{{Confirmed: 1_000_000}, {Confirmed: 1_200_000}}
	shown := [][]seen{{{at(900), 3}, {at(1500), 5}}, {{at(1100), 4}, {at(1900), 5}}}
	if got := keysSeen(calls, shown, 5); len(got) != 2 || got[0] != 500 || got[1] != 700 {
		t.Errorf("%v", got)
	}
}
