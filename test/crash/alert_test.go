package crash_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/internal/storage/storagetest"
)

// crowd is how many people the alerts of these tests call.
const crowd = 2000

// The program is killed twice in the middle of an alert: everybody is called all
// the same, nobody twice beyond what was in flight, and what may have left twice
// says so.
func TestKillInTheMiddleOfAnAlert(t *testing.T) {
	t.Parallel()
	n, i := startNetwork(t), install(t)
	i.gateway(n)
	i.people(crowd, "Camille")
	scenario := i.scenario()
	p := i.serve()
	i.launch(scenario).done()
	for _, rank := range []int{crowd / 4, crowd / 2} {
		n.reached(rank)
		p.kill()
		if n.sms().Distinct == crowd {
			t.Fatal("the kill came after the end: the test shows nothing")
		}
		p = i.serve()
	}
	n.reached(crowd)
	i.settled()
	p.stop()
	i.called(n, 2*inFlight)
}

// The operator breaks every session again and again: the alert goes on.
func TestOperatorCutAndBack(t *testing.T) {
	t.Parallel()
	n, i := startNetwork(t), install(t)
	i.gateway(n)
	i.people(crowd, "Camille")
	scenario := i.scenario()
	p := i.serve()
	i.launch(scenario).done()
	for _, rank := range []int{crowd / 8, crowd / 4, crowd / 2} {
		n.reached(rank)
		n.cut()
	}
	n.reached(crowd)
	i.settled()
	p.stop()
	i.called(n, 3*inFlight)
}

// settled waits until the data say that every message was accepted.
func (i *installation) settled() {
	i.t.Helper()
	storagetest.Eventually(i.t, patience, "every message is settled", func() bool {
		return i.number(`SELECT COUNT(*) FROM dispatch_deliveries WHERE state NOT IN ('accepted', 'delivered')`) == 0 &&
			i.number(`SELECT COUNT(*) FROM dispatch_facts`) == 0
	})
}

// called holds the operator's numbers against the data.
func (i *installation) called(n *network, most int) {
	i.t.Helper()
	times, flagged := n.times(), i.flagged()
	if len(times) != crowd {
		i.t.Errorf("%d people called, want %d", len(times), crowd)
	}
	doubles := 0
	for number, k := range times {
		if k == 1 {
			continue
		}
		doubles += k - 1
		if !flagged[strings.TrimPrefix(number, "+")] {
			i.t.Errorf("a number was called %d times and nothing says so", k)
		}
	}
	if doubles > most || len(flagged) > most {
		i.t.Errorf("%d doubles, %d flagged, want at most %d", doubles, len(flagged), most)
	}
	if got := i.number(`SELECT COUNT(*) FROM dispatch_deliveries`); got != crowd {
		i.t.Errorf("%d messages in the data, want one for each", got)
	}
}

// A launch that is killed at any moment is a whole alert or none.
func TestKillDuringALaunch(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.people(crowd, "Camille")
	begun := now()
	i.launch(i.scenario()).done()
	whole := now().Sub(begun)
	const tries = 8
	for k := range tries {
		p := i.launch(i.scenario())
		select { // the moment of the crash: nothing outside the program says where its transaction stands
		case <-time.After(whole * time.Duration(k+2) / (tries - 1)):
		case err := <-p.ended:
			p.ended <- err
		}
		p.kill()
		i.whole()
	}
	t.Logf("%d alerts of %d launches that were killed", i.number(`SELECT COUNT(*) FROM alerting_launches`)-1, tries)
	i.launch(i.scenario()).done()
	i.whole()
}

// whole checks that every alert in the data has all its people, all its first
// messages and its line in the journal, and that nothing is left of another.
func (i *installation) whole() {
	i.t.Helper()
	launches := i.number(`SELECT COUNT(*) FROM alerting_launches`)
	for what, query := range map[string]string{
		"people":        `SELECT COUNT(*) FROM alerting_recipients`,
		"messages":      `SELECT COUNT(*) FROM dispatch_deliveries`,
		"journal lines": fmt.Sprintf(`SELECT COUNT(*) * %d FROM journal_entries WHERE action = 'alert.launch'`, crowd),
		"campaigns":     fmt.Sprintf(`SELECT COUNT(*) * %d FROM dispatch_campaigns`, crowd),
	} {
		if got := i.number(query); got != launches*crowd {
			i.t.Fatalf("%d alerts and %d %s, want %d", launches, got, what, launches*crowd)
		}
	}
}
