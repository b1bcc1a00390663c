package child_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// Copy implements traces.Copier: one file, the keys. Names among the known say what
// goes wrong.
func (e *toy) Copy(_ context.Context, q traces.CopyQuery, to traces.CopySink) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	text, err := json.Marshal(e.kept.Keys)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	f := traces.CopiedFile{Name: "keys", Size: int64(len(text)), SHA256: sum[:]}
	if err := to.Begin([]traces.CopiedFile{f}); err != nil {
		return err
	}
	content := io.Reader(bytes.NewReader(text))
	switch {
	case bytes.Equal(q.Known["keys"].SHA256, sum[:]):
		content = nil
	case q.Known["refuses"].Size > 0:
		return fault.New(fault.Conflict, "traces.copy.behind", "n", 7)
	case q.Known["dies"].Size > 0:
		content = io.MultiReader(io.LimitReader(content, f.Size/2), dying{})
	}
	return to.Take(f, content)
}

// dying ends its process.
type dying struct{}

func (dying) Read([]byte) (int, error) {
	return 0, errors.Join(errors.New("it did not die"), syscall.Kill(os.Getpid(), syscall.SIGKILL))
}

// basket receives a copy.
type basket struct {
	told []traces.CopiedFile
	same bool
	text []byte
	full bool
}

func (b *basket) Begin(files []traces.CopiedFile) error { b.told = files; return nil }

func (b *basket) Take(_ traces.CopiedFile, content io.Reader) (err error) {
	if b.full {
		return errors.New("no room")
	}
	if b.same = content == nil; b.same {
		return nil
	}
	b.text, err = io.ReadAll(content)
	return err
}

func TestTheBaseIsCopiedAcross(t *testing.T) {
	y := newYard(t)
	for n := range 500 {
		y.put(strconv.Itoa(n))
	}
	after, err := spool.Laid(filepath.Join(y.dir, "spool"))
	if err != nil || after.Before(y.queue.Durable()) {
		t.Fatalf("%s, durable is %s: %v", after, y.queue.Durable(), err)
	}
	y.keys(1) // the process is there
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var b basket
	copied := func(known traces.CopiedFile) error {
		return y.base.Copy(ctx, traces.CopyQuery{After: after, Known: map[string]traces.CopiedFile{known.Name: known}}, &b)
	}
	var keys []string
	if err := errors.Join(copied(traces.CopiedFile{}), json.Unmarshal(b.text, &keys)); err != nil || len(keys) != 500 || len(b.told) != 1 {
		t.Fatalf("%d keys of 500, %+v: %v", len(keys), b.told, err)
	}
	if err := copied(b.told[0]); err != nil || !b.same {
		t.Errorf("what is known is given again: %v", err)
	}
	err = copied(traces.CopiedFile{Name: "refuses", Size: 1})
	if f := fault.As(err); f == nil || f.Kind != fault.Conflict || f.Key != "traces.copy.behind" {
		t.Errorf("a refusal in the middle: %v", err)
	}
	b.full = true
	if err := copied(traces.CopiedFile{}); err == nil || err.Error() != "no room" {
		t.Errorf("a full disk on this side: %v", err)
	}
	b.full = false
	err = copied(traces.CopiedFile{Name: "dies", Size: 1})
	if f := fault.As(err); f == nil || f.Key != "traces.copy.cut" && f.Key != "traces.error.down" {
		t.Errorf("a base that dies in the middle: %v", err)
	}
	y.put("after")
	y.keys(501)
	if err := copied(traces.CopiedFile{}); err != nil {
		t.Errorf("a base that came back: %v", err)
	}
	// What the queue does not bring is not waited for without end by who gives up.
	gone, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer leave()
	err = y.base.Copy(gone, traces.CopyQuery{After: spool.Position{Segment: 1 << 50}}, &b)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a place that never comes: %v", err)
	}
}
