package storage

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// text is one SQL text made ready for an engine. order tells, for each
// parameter as the engine meets it, which argument it is; nil is as given. need
// is how many arguments the text speaks of.
type text struct {
	query string
	order []int
	need  int
}

// texts keeps the texts made ready. Our SQL is written once, but lists of
// parameters come in many lengths: beyond textsMost it begins again.
type texts struct {
	engine Engine

	mu   sync.RWMutex
	kept map[string]text
}

const textsMost = 2048

func newTexts(e Engine) *texts { return &texts{engine: e, kept: make(map[string]text)} }

func (t *texts) of(query string) text {
	t.mu.RLock()
	ready, ok := t.kept[query]
	t.mu.RUnlock()
	if ok {
		return ready
	}
	ready = t.engine.ready(query)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.kept) >= textsMost {
		clear(t.kept)
	}
	t.kept[query] = ready
	return ready
}

// ready fills in the few words that differ, and on SQLite makes the parameters
// anonymous: its driver looks a named one up by its name, for every row.
func (e Engine) ready(query string) text {
	query = e.fill(query)
	if e != SQLite {
		return text{query: query}
	}
	var b strings.Builder
	var order []int
	quoted, straight, need := false, true, 0
	for i := 0; i < len(query); i++ {
		c := query[i]
		quoted = quoted != (c == '\'')
		n, end := 0, i+1
		for c == '$' && !quoted && end < len(query) && query[end] >= '0' && query[end] <= '9' {
			n, end = n*10+int(query[end]-'0'), end+1
		}
		if n == 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('?')
		straight = straight && n == len(order)+1
		order, need = append(order, n-1), max(need, n)
		i = end - 1
	}
	if straight {
		order = nil
	}
	return text{b.String(), order, need}
}

// arguments puts the values in the engine's order and, for PostgreSQL, in the
// form it stores: an id is its 16 bytes on both engines. Left as it is, an id
// would be written as a text of 36 signs, in every row and index.
func (e Engine) arguments(t text, args []any) ([]any, error) {
	if len(args) < t.need {
		return nil, fmt.Errorf("%d arguments for %d parameters", len(args), t.need)
	}
	if t.order != nil {
		ordered := make([]any, len(t.order))
		for i, n := range t.order {
			ordered[i] = args[n]
		}
		args = ordered
	}
	if e == SQLite {
		return args, nil // see lite.bind
	}
	for i, a := range args {
		switch v := a.(type) {
		case uuid.UUID:
			args[i] = [16]byte(v)
		case uuid.NullUUID:
			if args[i] = nil; v.Valid {
				args[i] = [16]byte(v.UUID)
			}
		case sql.NullInt64:
			if args[i] = nil; v.Valid {
				args[i] = v.Int64
			}
		}
	}
	return args, nil
}
