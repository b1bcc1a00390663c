package dispatch

import (
	"errors"

	"tocsin/internal/channels"
)

// recentMost is how many acceptances a gateway remembers: a few seconds of the
// quickest, whose receipts follow at once.
const recentMost = 16384

// recent remembers what a gateway took lately, so that the receipt that follows
// costs no look at the database. The database stays the judge: an update that
// finds the delivery in another state changes nothing, and the pass begins
// again without this memory. Only the clerk uses it; nil remembers nothing.
type recent struct {
	byProvider map[string]*carried
	// order is a ring of the ids, the oldest leaves first.
	order []string
	next  int
}

// errOutlived tells that a delivery is no longer what was known of it.
var errOutlived = errors.New("dispatch: a receipt concerns a delivery that changed meanwhile")

func newRecent() *recent {
	return &recent{byProvider: make(map[string]*carried), order: make([]string, recentMost)}
}

// get gives a copy of the delivery that a receipt says has arrived; other
// receipts are rare and looked up.
func (m *recent) get(r channels.Receipt) *carried {
	if m == nil || !r.Delivered || r.ProviderID == "" {
		return nil
	}
	c := m.byProvider[r.ProviderID]
	if c == nil {
		return nil
	}
	same := *c
	return &same
}

// learn takes over what a pass has committed.
func (m *recent) learn(known *ledger) {
	for id, part := range known.byProvider {
		c := part.c
		if c.state != Accepted || c.parts != 1 || c.changed {
			delete(m.byProvider, id)
			continue
		}
		if m.byProvider[id] == nil {
			delete(m.byProvider, m.order[m.next])
			m.order[m.next] = id
			m.next = (m.next + 1) % recentMost
		}
		c.stored = true
		m.byProvider[id] = c
	}
}

func (m *recent) forget() { clear(m.byProvider) }
