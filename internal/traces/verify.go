package traces

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Check says what is to be verified.
type Check struct {
	// Month is "2026-11"; every month when empty.
	Month string
	// Keys are those that are believed; when empty, those of this installation.
	Keys []PublicKey
	// Checkpoints is a folder of copies kept elsewhere; empty for none.
	Checkpoints string
}

// The ways in which traces are not what was sealed.
const (
	FaultAltered  = "altered"  // a block reads otherwise than it was sealed
	FaultLost     = "lost"     // a block is not there, and no purge took it
	FaultInserted = "inserted" // a block stands where none was sealed
	FaultStray    = "stray"    // rows belong to no block
	FaultCut      = "cut"      // a block lost events that no purge took
	FaultEntry    = "entry"    // an entry of the log is not what was hashed
	FaultUnsigned = "unsigned" // a checkpoint is not signed by a key that is believed
	FaultRewrote  = "rewrote"  // the log is not the one that a checkpoint signed
	FaultStamp    = "stamp"    // a stamp is not of its checkpoint
	FaultShort    = "short"    // no checkpoint covers the end of the log
)

// Flaw is one thing that is not as it was sealed.
type Flaw struct {
	Kind string `json:"kind"`
	// Class, Month, First and Last name the block; From and To are the times of its
	// first and last event.
	Class string     `json:"class,omitempty"`
	Month string     `json:"month,omitempty"`
	First int64      `json:"first_event"`
	Last  int64      `json:"last_event"`
	From  *time.Time `json:"from,omitempty"`
	To    *time.Time `json:"to,omitempty"`
	// Entry is the number of an entry of the log, Rows how many rows are meant.
	Entry int64 `json:"entry"`
	Rows  int64 `json:"rows,omitempty"`
	// What names a checkpoint or a file.
	What string `json:"what,omitempty"`
}

// PurgeSeen is a purge of the log, with what is gone by it.
type PurgeSeen struct {
	Class  string    `json:"class"`
	Before time.Time `json:"before"`
	At     time.Time `json:"at"`
}

// Verdict is what a verification found.
type Verdict struct {
	Establishment uuid.UUID `json:"establishment"`
	Month         string    `json:"month,omitempty"`
	// Entries and Checkpoints were read; Stamps holds how many of these bear a stamp
	// that is sound, Outside how many were read from the folder of copies.
	Entries     int64 `json:"log_entries"`
	Checkpoints int   `json:"checkpoints"`
	Stamps      int   `json:"stamps"`
	Outside     int   `json:"copies"`
	// Last is the time of the last checkpoint.
	Last *time.Time `json:"last_checkpoint,omitempty"`
	// Blocks, Events and Bytes were read again and are what was sealed.
	Blocks int64 `json:"blocks"`
	Events int64 `json:"events"`
	Bytes  int64 `json:"bytes"`
	// PurgedBlocks and PurgedEvents are gone by Purges; Open events came since the
	// last checkpoint and are not in the log yet.
	PurgedBlocks int64       `json:"purged_blocks"`
	PurgedEvents int64       `json:"purged_events"`
	Purges       []PurgeSeen `json:"purges,omitempty"`
	Open         int64       `json:"not_sealed_yet"`
	Flaws        []Flaw      `json:"flaws"`
}

// Holds tells whether all is as it was sealed.
func (v Verdict) Holds() bool { return len(v.Flaws) == 0 }

// Verify reads the log of the scope's establishment, its checkpoints, and every
// event of a month or of all, and says what is not as it was sealed. Needs
// access.TracesRead. Errors: Unavailable when the base cannot be read, Invalid.
func (s *Service) Verify(ctx context.Context, scope access.Scope, now time.Time, c Check) (out Verdict, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return out, err
	}
	if _, err := time.Parse("2006-01", c.Month); c.Month != "" && err != nil {
		return out, fault.New(fault.Invalid, "traces.seal.month").At("month")
	}
	base, _, err := s.sealer()
	if err != nil {
		return out, err
	}
	if len(c.Keys) == 0 {
		if c.Keys, err = s.publicKeys(scope.Organisation()); err != nil {
			return out, err
		}
	}
	// A purge, or a checkpoint, may change the log while the base is read: what was
	// found then is looked at again.
	for again := 0; ; again++ {
		out, err = s.verify(ctx, scope, base, c)
		if err != nil {
			return out, err
		}
		size, err := s.logSize(ctx, scope)
		if err != nil || out.Holds() || size == out.Entries || again == verifyMost {
			if err != nil {
				return out, err
			}
			break
		}
	}
	return out, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.seal.verify", ObjectKind: "traces", ObjectID: c.Month, After: map[string]any{"events": out.Events, "flaws": len(out.Flaws)}})
	})
}

// verifyMost is how often a verification begins again.
const verifyMost = 3

func (s *Service) verify(ctx context.Context, scope access.Scope, base Sealer, c Check) (Verdict, error) {
	out := Verdict{Establishment: scope.Organisation(), Month: c.Month, Flaws: []Flaw{}}
	v := verification{Verdict: &out, check: c, stamper: s.opt.Stamper, organisation: scope.Organisation(), heads: map[int64][]head{}, live: map[string][]Entry{}, cuts: map[string][]Entry{}, ends: map[string]int64{}, frees: map[Class]int64{}}
	if err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error { return v.readLog(ctx, tx, scope) }); err != nil {
		return out, err
	}
	if err := v.readBase(ctx, base); err != nil {
		return out, err
	}
	v.judge()
	return out, nil
}

func (s *Service) logSize(ctx context.Context, scope access.Scope) (size int64, err error) {
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		l, err := openLedger(ctx, tx, scope)
		if err == nil {
			size = l.size
		}
		return err
	})
	return size, err
}

// head is a root that a checkpoint signed.
type head struct {
	root tlog.Hash
	what string
}

// verification is a Verify under way.
type verification struct {
	*Verdict
	check        Check
	stamper      Stamper
	organisation uuid.UUID
	// heads are the roots signed, by size.
	heads map[int64][]head
	// live are the blocks of the log that are looked for, and cuts what purges left
	// of them, held or not, by place; ends is where the sealed part of a file ends.
	live, cuts map[string][]Entry
	ends       map[string]int64
	purges     []Entry
	// frees is the last entry by which a class was freed of a hold, by class.
	frees map[Class]int64
	files []BlockFile
}

func (v *verification) flaw(f Flaw) { v.Flaws = append(v.Flaws, f) }

// readLog holds each entry against its hashes, and the log at each size that a
// checkpoint signed against what that says.
func (v *verification) readLog(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	all, err := checkpoints(ctx, tx, scope, 0)
	if err != nil {
		return err
	}
	for _, c := range all {
		v.head(c.Note, c.Stamp, c.At.UTC().Format(time.RFC3339))
	}
	v.Checkpoints = len(all)
	if err := v.outside(); err != nil {
		return err
	}
	covered := int64(0)
	for size := range v.heads {
		covered = max(covered, size)
	}
	var tree forest
	err = readLog(ctx, tx, v.organisation, func(number int64, text string, hashes []byte) error {
		if number != tree.size {
			v.flaw(Flaw{Kind: FaultEntry, Entry: tree.size})
			tree.size = number
		}
		leaf := tree.add(text)
		e, err := parseEntry(v.organisation, number, text)
		if err != nil || len(hashes) < tlog.HashSize || !bytes.Equal(leaf[:], hashes[:tlog.HashSize]) {
			v.flaw(Flaw{Kind: FaultEntry, Entry: number})
		}
		v.compare(tree.size, tree.root())
		if err == nil {
			v.note(e)
		}
		return nil
	})
	v.Entries = tree.size
	if covered < tree.size {
		v.flaw(Flaw{Kind: FaultShort, Entry: covered})
	}
	for size, list := range v.heads { // those that the log does not reach
		for _, h := range list {
			if size > 0 {
				v.flaw(Flaw{Kind: FaultRewrote, Entry: size, What: h.what})
			}
		}
	}
	return err
}

// head takes a signed checkpoint.
func (v *verification) head(text string, stamp []byte, what string) {
	c, err := readNote(v.organisation, text, v.check.Keys)
	if err != nil {
		v.flaw(Flaw{Kind: FaultUnsigned, What: what})
		return
	}
	v.heads[c.Size] = append(v.heads[c.Size], head{c.Root, what})
	if v.Last == nil || c.At.After(*v.Last) {
		v.Last = &c.At
	}
	if len(stamp) == 0 || v.stamper == nil {
		return
	}
	if _, err := v.stamper.Read(stamp, []byte(text)); err != nil {
		v.flaw(Flaw{Kind: FaultStamp, What: what})
		return
	}
	v.Stamps++
}

// outside reads the copies of a folder that are of this establishment.
func (v *verification) outside() error {
	if v.check.Checkpoints == "" {
		return nil
	}
	err := filepath.WalkDir(v.check.Checkpoints, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".checkpoint") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !ofOrigin(v.organisation, text) {
			return err
		}
		stamp, err := os.ReadFile(strings.TrimSuffix(path, ".checkpoint") + ".tsr")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		v.Outside++
		v.head(string(text), stamp, path)
		return nil
	})
	if err != nil {
		return fault.Wrap(fmt.Errorf("read copies: %w", err), fault.Unavailable, "traces.seal.copies", "folder", v.check.Checkpoints)
	}
	return nil
}

// compare holds the log at a size against what was signed there.
func (v *verification) compare(size int64, root tlog.Hash) {
	for _, h := range v.heads[size] {
		if h.root != root {
			v.flaw(Flaw{Kind: FaultRewrote, Entry: size, What: h.what})
		}
	}
	delete(v.heads, size)
}

// note keeps what an entry says of the months that are verified.
func (v *verification) note(e Entry) {
	switch {
	case e.Kind == kindPurge:
		v.purges = append(v.purges, e)
		v.Purges = append(v.Purges, PurgeSeen{Class: e.Class.String(), Before: storage.Time(e.Before), At: storage.Time(e.At)})
	case e.Kind == kindFree:
		v.frees[e.Class] = e.Number
	case v.check.Month != "" && e.Month != v.check.Month:
	case e.Kind == kindCut || e.Kind == kindHeld:
		v.cuts[e.place()] = append(v.cuts[e.place()], e)
	case e.Kind == kindBlock:
		v.live[e.place()] = append(v.live[e.place()], e)
		name := FileName(e.Class, e.Month)
		v.ends[name] = max(v.ends[name], e.Block.First+e.Block.Events)
	}
}
