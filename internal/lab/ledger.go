package lab

import (
	"hash/maphash"
	"sync"
	"time"
)

// maxRows bounds what the ledger lists one by one; beyond it only the counters go on.
const maxRows = 2_000_000

// row is one message accepted: 24 octets, so that 100,000 of them weigh nothing.
type row struct {
	to   uint64
	text uint64
	at   int64 // microseconds
}

// pair is what makes two messages the same one: SMPP carries no id of ours, so
// the receiving side recognises a double by its address and its text.
type pair struct{ to, text uint64 }

// ledger is what a receiving side saw: every message accepted, and how many
// times each came.
type ledger struct {
	seed maphash.Seed

	mu       sync.Mutex
	seen     map[pair]uint32
	rows     []row
	accepted uint64
	first    int64
	last     int64
	names    map[uint64]string // addresses that are no number
}

func newLedger() *ledger {
	return &ledger{seed: maphash.MakeSeed(), seen: map[pair]uint32{}, names: map[uint64]string{}}
}

// add counts a message and tells how many times it came so far.
func (l *ledger) add(to uint64, text string, part byte, at time.Time) uint32 {
	key := pair{to, maphash.String(l.seed, text) + uint64(part)}
	now := at.UnixMicro()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.accepted == 0 {
		l.first = now
	}
	l.accepted++
	l.last = now
	l.seen[key]++
	if len(l.rows) < maxRows {
		l.rows = append(l.rows, row{key.to, key.text, now})
	}
	return l.seen[key]
}

// named gives the key of an address of letters.
func (l *ledger) named(address string) uint64 {
	key := maphash.String(l.seed, address) | 1<<63 // no telephone number is that large
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names[key] = address
	return key
}

// reset forgets everything.
func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.seen)
	clear(l.names)
	l.rows, l.accepted, l.first, l.last = nil, 0, 0, 0
}

// Tally is what a receiving side counted.
type Tally struct {
	// Accepted counts every message taken, doubles included; Distinct those
	// that differ by address or text, Doubles the difference.
	Accepted uint64 `json:"accepted"`
	Distinct int    `json:"distinct"`
	Doubles  uint64 `json:"doubles"`
	// First and Last are when the first and the last were taken, in microseconds
	// since 1970; 0 when none was.
	First int64 `json:"first_us"`
	Last  int64 `json:"last_us"`
}

func (l *ledger) tally() Tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Tally{Accepted: l.accepted, Distinct: len(l.seen), Doubles: l.accepted - uint64(len(l.seen)), First: l.first, Last: l.last}
}

// Entry is one message as the control port tells it.
type Entry struct {
	// Seq is the rank of the message, from 1.
	Seq int `json:"seq"`
	// To is the number, or the address.
	To string `json:"to"`
	// Text is a fingerprint of the text, which is not kept: equal for equal texts
	// as long as this lab runs.
	Text string `json:"text"`
	// Count is how many times this message came in all, this time included.
	Count uint32 `json:"count"`
	At    int64  `json:"at_us"`
}

// after lists the messages beyond rank since, limit at most.
func (l *ledger) after(since, limit int) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	since = min(max(since, 0), len(l.rows))
	rows := l.rows[since:min(since+limit, len(l.rows))]
	out := make([]Entry, len(rows))
	for i, r := range rows {
		out[i] = Entry{Seq: since + i + 1, To: l.name(r.to), Text: fingerprint(r.text), Count: l.seen[pair{r.to, r.text}], At: r.at}
	}
	return out
}

// doubles lists, by address, the messages that came more than once.
func (l *ledger) doubles(limit int) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []Entry{}
	for key, n := range l.seen {
		if n > 1 && len(out) < limit {
			out = append(out, Entry{To: l.name(key.to), Text: fingerprint(key.text), Count: n})
		}
	}
	return out
}

func (l *ledger) name(key uint64) string {
	if name, ok := l.names[key]; ok {
		return name
	}
	return formatNumber(key)
}
