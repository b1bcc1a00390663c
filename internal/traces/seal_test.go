package traces_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/vault"
)

// sealable is a base of one file, whose blocks read as they were sealed.
type sealable struct {
	base
	file traces.BlockFile
}

func (s *sealable) Blocks(_ context.Context, _ uuid.UUID, q traces.BlockQuery) ([]traces.BlockFile, error) {
	f := s.file
	f.Blocks = nil
	for _, b := range s.file.Blocks {
		if b.First >= q.From[f.Name()] {
			b.Read = b.Root
			f.Blocks = append(f.Blocks, b)
		}
	}
	return []traces.BlockFile{f}, nil
}

func (s *sealable) Block(context.Context, uuid.UUID, traces.Class, string, int64) ([]traces.SealedEvent, error) {
	return nil, errors.New("not asked here")
}

func (s *sealable) Witness(context.Context, uuid.UUID, string) (traces.Witness, error) {
	return traces.Witness{}, errors.New("not asked here")
}

func (s *sealable) add(n int) {
	for range n {
		first := int64(len(s.file.Blocks)) * 10
		s.file.Blocks = append(s.file.Blocks, traces.Block{First: first, Events: 10, Lo: first, Hi: first + 9, Root: fmt.Appendf(nil, "root of %-24d", first)})
	}
}

// notary stamps when it is up.
type notary struct {
	down  bool
	asked int
}

func (n *notary) Stamp(_ context.Context, message []byte) ([]byte, time.Time, error) {
	if n.asked++; n.down {
		return nil, time.Time{}, errors.New("the authority is down")
	}
	return append([]byte("seen "), message...), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), nil
}

func (*notary) Read(token, message []byte) (time.Time, error) {
	if string(token) != "seen "+string(message) {
		return time.Time{}, errors.New("another text")
	}
	return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), nil
}

// TestTheLogIsSignedCopiedAndStamped on both engines, whatever fails meanwhile.
func TestTheLogIsSignedCopiedAndStamped(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) {
		guard, err := access.NewGuard()
		must(t, err)
		now := clock.NewFake(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC))
		keys, err := vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), now.Now())
		must(t, err)
		authority, blocks := &notary{down: true}, &sealable{file: traces.BlockFile{Class: traces.System, Month: "2026-12"}}
		copies := filepath.Join(t.TempDir(), "copies")
		must(t, os.WriteFile(copies, nil, 0o600)) // no folder can be made there
		s := traces.New(traces.Options{
			DB: db, Guard: guard, Clock: now, Log: slog.New(slog.DiscardHandler), Vault: keys, Stamper: authority, Copies: copies,
			Formats: func(*time.Location) []traces.Format { return []traces.Format{line{}} },
		})
		s.ReadFrom(blocks)
		scope := access.System(storage.NewID(now.Now()), "test")
		_, _, err = s.Add(t.Context(), scope, traces.Wanted{Name: "DPI", Format: "line", Zone: "UTC"})
		must(t, err)
		tick := func(after time.Duration) traces.Sealing {
			t.Helper()
			now.Advance(after)
			_, err := s.Seal(t.Context(), now.Now())
			must(t, err)
			out, err := s.Sealing(t.Context(), scope)
			must(t, err)
			return out
		}
		blocks.add(1100) // more than two transactions
		got := tick(0)
		if got.Checkpoints != 3 || got.Last.Size != 1100 || got.Last.Problem != "traces.seal.unstamped" || !got.Last.Stamped.IsZero() || got.Uncopied != 3 {
			t.Fatalf("with an authority that is down: %+v", got)
		}
		if got = tick(time.Minute); authority.asked != 1 {
			t.Errorf("asked %d times within ten minutes", authority.asked)
		}
		authority.down = false
		if got = tick(10 * time.Minute); got.Last.Problem != "traces.seal.uncopied" || got.Last.Stamped.IsZero() || got.Uncopied != 3 {
			t.Errorf("with a folder that cannot be made: %+v", got)
		}
		must(t, os.Remove(copies))
		if got = tick(time.Minute); got.Last.Problem != "" || got.Uncopied != 0 || got.Checkpoints != 3 {
			t.Errorf("when all is well: %+v", got)
		}
		if list, err := filepath.Glob(filepath.Join(copies, scope.Organisation().String(), "*")); err != nil || len(list) != 4 {
			t.Errorf("copied %v, %v", list, err)
		}
		blocks.add(3)
		if got = tick(time.Hour); got.Last.Size != 1103 || got.Checkpoints != 4 || got.Uncopied != 0 || got.Late(now.Now()) || !got.Late(now.Now().Add(2*time.Hour)) {
			t.Errorf("an hour later: %+v", got)
		}
		v, err := s.Verify(t.Context(), scope, now.Now(), traces.Check{Checkpoints: copies})
		if err != nil || !v.Holds() || v.Events != 11030 || v.Stamps != 4 || v.Outside != 4 || v.Checkpoints != 4 {
			t.Errorf("%+v %v", v, err)
		}
		// What was signed is changed: nothing is signed over it.
		must(t, db.Write(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE traces_log SET hashes = (SELECT m.hashes FROM traces_log m WHERE m.number = 511) WHERE number = 1023`)
			return err
		}))
		now.Advance(time.Hour)
		if _, err := s.Seal(t.Context(), now.Now()); err == nil || !strings.Contains(err.Error(), "traces.seal.broken") {
			t.Errorf("signed over a log that was changed: %v", err)
		}
		if v, err = s.Verify(t.Context(), scope, now.Now(), traces.Check{}); err != nil || len(v.Flaws) != 1 || v.Flaws[0].Kind != traces.FaultEntry || v.Flaws[0].Entry != 1023 {
			t.Errorf("%+v %v", v.Flaws, err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// together has two nodes see the same blocks before either adds them.
type together struct {
	*sealable
	both *sync.WaitGroup
}

func (g together) Blocks(ctx context.Context, organisation uuid.UUID, q traces.BlockQuery) ([]traces.BlockFile, error) {
	if q.Close {
		g.both.Done()
		g.both.Wait()
	}
	return g.sealable.Blocks(ctx, organisation, q)
}

// TestTwoNodesAddABlockOnce, on both engines.
func TestTwoNodesAddABlockOnce(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) {
		guard, err := access.NewGuard()
		must(t, err)
		now := clock.NewFake(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC))
		keys, err := vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), now.Now())
		must(t, err)
		base := together{&sealable{file: traces.BlockFile{Class: traces.System, Month: "2026-12"}}, &sync.WaitGroup{}}
		base.add(7)
		scope := access.System(storage.NewID(now.Now()), "test")
		var nodes [2]*traces.Service
		for i := range nodes {
			nodes[i] = traces.New(traces.Options{
				DB: db, Guard: guard, Clock: now, Log: slog.New(slog.DiscardHandler), Vault: keys, Formats: func(*time.Location) []traces.Format { return []traces.Format{line{}} },
			})
			nodes[i].ReadFrom(base)
		}
		_, _, err = nodes[0].Add(t.Context(), scope, traces.Wanted{Name: "DPI", Format: "line", Zone: "UTC"})
		must(t, err)
		base.both.Add(2)
		errs := make(chan error, 2)
		for _, s := range nodes {
			go func() {
				_, err := s.Seal(context.WithoutCancel(t.Context()), now.Now())
				errs <- err
			}()
		}
		// Where both write at the same instant one may be told to come again.
		if one, two := <-errs, <-errs; one != nil && two != nil {
			t.Fatal(one, two)
		}
		v, err := nodes[0].Verify(t.Context(), scope, now.Now(), traces.Check{})
		if err != nil || !v.Holds() || v.Events != 70 || v.Entries != 7 {
			t.Errorf("%+v %v", v, err)
		}
	})
}

// TestProofsOfTrees: every event of blocks of every size climbs to the root.
func TestProofsOfTrees(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 33; n++ {
		var digests []byte
		for i := range n {
			d := traces.EventDigest([]byte("salt"), fmt.Append(nil, i))
			digests = append(digests, d[:]...)
		}
		root := string(traces.BlockRoot(append([]byte(nil), digests...)))
		for i := range n {
			path := traces.BlockPath(append([]byte(nil), digests...), i)
			if got := traces.Climb(digests[32*i:32*i+32], int64(i), int64(n), path); string(got) != root {
				t.Errorf("event %d of %d does not climb", i, n)
			}
			if got := traces.Climb(digests[32*i:32*i+32], int64(i), int64(n), append(path, path...)); n > 1 && got != nil {
				t.Errorf("event %d of %d climbs a path too long", i, n)
			}
		}
	}
}
