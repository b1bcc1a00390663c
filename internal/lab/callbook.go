package lab

import (
	"sync"
	"time"
)

// callRow is one call as the telephones saw it, in microseconds; 0 for what did
// not happen.
type callRow struct {
	number                     uint64
	dialled                    string
	begun, answered, keys, end int64
	confirmed                  int64
}

// callBook is every call: a line is taken from the first sign of the caller to the
// last, whatever became of it.
type callBook struct {
	mu    sync.Mutex
	rows  []*callRow
	tries map[uint64]int
	busy  int
	most  int
}

func newCallBook() *callBook { return &callBook{tries: make(map[uint64]int)} }

// begin takes a line, and tells how often the number was called before.
func (b *callBook) begin(number uint64, dialled string, at time.Time) (row *callRow, try int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	row = &callRow{number: number, dialled: dialled, begun: at.UnixMicro()}
	if len(b.rows) < maxRows {
		b.rows = append(b.rows, row)
	}
	try = b.tries[number]
	b.tries[number]++
	b.busy++
	b.most = max(b.most, b.busy)
	return row, try
}

// end gives the line back, once.
func (b *callBook) end(row *callRow, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if row.end == 0 {
		row.end = at.UnixMicro()
		b.busy--
	}
}

func (b *callBook) answer(row *callRow, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	row.answered = at.UnixMicro()
}

// press notes a key; last is the one that confirms.
func (b *callBook) press(row *callRow, at time.Time, last bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	row.keys++
	if last {
		row.confirmed = at.UnixMicro()
	}
}

// reset forgets the calls that ended.
func (b *callBook) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.tries)
	var under []*callRow
	for _, r := range b.rows {
		if r.end == 0 {
			under = append(under, r)
		}
	}
	b.rows, b.most = under, b.busy
}

// CallCounts are the calls and what became of them.
type CallCounts struct {
	Begun     int `json:"begun"`
	Answered  int `json:"answered"`
	Confirmed int `json:"confirmed"`
	Ended     int `json:"ended"`
	// Under are under way now, Most the most at once.
	Under int `json:"under"`
	Most  int `json:"most"`
}

func (b *callBook) counts() CallCounts {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := CallCounts{Begun: len(b.rows), Under: b.busy, Most: b.most, Ended: len(b.rows) - b.busy}
	for _, r := range b.rows {
		if r.answered != 0 {
			c.Answered++
		}
		if r.confirmed != 0 {
			c.Confirmed++
		}
	}
	return c
}

// CallEntry is one call as the control port tells it, in microseconds since 1970; 0
// for what did not happen.
type CallEntry struct {
	To        string `json:"to"`
	Begun     int64  `json:"begun_us"`
	Answered  int64  `json:"answered_us"`
	Confirmed int64  `json:"confirmed_us"`
	End       int64  `json:"end_us"`
}

// after lists the calls beyond rank since, limit at most.
func (b *callBook) after(since, limit int) []CallEntry {
	b.mu.Lock()
	defer b.mu.Unlock()
	since = min(max(since, 0), len(b.rows))
	rows := b.rows[since:min(since+limit, len(b.rows))]
	out := make([]CallEntry, len(rows))
	for i, r := range rows {
		out[i] = CallEntry{To: r.dialled, Begun: r.begun, Answered: r.answered, Confirmed: r.confirmed, End: r.end}
	}
	return out
}
