package traces

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Proof proves events: each climbs to the root of its block, each block stands in
// the log, and the log's head is signed.
type Proof struct {
	// Checkpoint is the signed note; Stamp the token of an authority for it.
	Checkpoint string        `json:"checkpoint"`
	Stamp      []byte        `json:"stamp,omitempty"`
	Blocks     []BlockProof  `json:"blocks"`
	Events     []ProvenEvent `json:"events"`
}

// BlockProof is an entry of the log with the hashes that lead to its head (RFC
// 6962, 2.1.1).
type BlockProof struct {
	Number int64    `json:"number"`
	Entry  string   `json:"entry"`
	Path   [][]byte `json:"path"`
}

// ProvenEvent is an event with the way to the root of its block.
type ProvenEvent struct {
	Ref string `json:"ref"`
	// Block is the number of its entry in the log.
	Block  int64    `json:"block"`
	Seq    int64    `json:"seq"`
	Salt   []byte   `json:"salt,omitempty"`
	Record []byte   `json:"record,omitempty"`
	Path   [][]byte `json:"path"`
	// Digest stands for the event itself when it is not to be shown; empty otherwise.
	Digest []byte `json:"digest,omitempty"`
}

// Hide leaves of each event its digest only: it still proves that an event of that
// digest was sealed, and, the salt being kept back, tells nothing of it.
func (p *Proof) Hide() {
	for i, e := range p.Events {
		if len(e.Record) > 0 {
			digest := EventDigest(e.Salt, e.Record)
			p.Events[i].Digest, p.Events[i].Salt, p.Events[i].Record = digest[:], nil, nil
		}
	}
}

// Prove gives the proof of events, signing a checkpoint first when one of them is
// not in the log yet. It tells nothing of other events: what stands beside the way
// is digests under salts. Needs access.TracesAsk. Errors: NotFound.
func (s *Service) Prove(ctx context.Context, scope access.Scope, refs []string) (out Proof, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, err
	}
	base, _, err := s.sealer()
	if err != nil {
		return out, err
	}
	witnesses := make([]Witness, len(refs))
	for i, ref := range refs {
		if witnesses[i], err = base.Witness(ctx, scope.Organisation(), ref); fault.Is(err, fault.NotFound) {
			// It may be in the open end.
			if err = s.sealNow(ctx, scope, s.opt.Clock.Now()); err == nil {
				witnesses[i], err = base.Witness(ctx, scope.Organisation(), ref)
			}
		}
		if err != nil {
			return out, err
		}
	}
	out, err = s.prove(ctx, scope, refs, witnesses)
	if fault.Is(err, fault.NotFound) { // a block that is full, and not in the log yet
		if err = s.sealNow(ctx, scope, s.opt.Clock.Now()); err == nil {
			out, err = s.prove(ctx, scope, refs, witnesses)
		}
	}
	return out, err
}

func (s *Service) prove(ctx context.Context, scope access.Scope, refs []string, witnesses []Witness) (out Proof, err error) {
	return out, s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		last, err := checkpoints(ctx, tx, scope, 1)
		if err != nil {
			return err
		}
		if len(last) == 0 {
			return fault.New(fault.NotFound, "traces.base.not_found")
		}
		out.Checkpoint, out.Stamp = last[0].Note, last[0].Stamp
		l, err := openLedger(ctx, tx, scope)
		if err != nil {
			return err
		}
		seen := map[string]int64{}
		for i, w := range witnesses {
			name := blockName(w.Class, w.Month, w.Block.First)
			if _, ok := seen[name]; !ok {
				b, err := proveBlock(ctx, tx, l, last[0].Size, w)
				if err != nil {
					return err
				}
				seen[name], out.Blocks = b.Number, append(out.Blocks, b)
			}
			out.Events = append(out.Events, ProvenEvent{Ref: refs[i], Block: seen[name], Seq: w.Event.Seq, Salt: w.Event.Salt, Record: w.Event.Record, Path: w.Path})
		}
		return nil
	})
}

func proveBlock(ctx context.Context, tx *storage.Tx, l *ledger, size int64, w Witness) (out BlockProof, err error) {
	list, err := entriesWhere(ctx, tx, l.scope, `kind = 'block' AND class = $2 AND month = $3 AND first_seq = $4`, w.Class.String(), w.Month, w.Block.First)
	if err != nil {
		return out, err
	}
	for _, e := range list {
		if !bytes.Equal(e.Block.Root, w.Block.Root) || e.Number >= size {
			continue
		}
		path, err := tlog.ProveRecord(size, e.Number, l)
		if err != nil {
			return out, fmt.Errorf("prove a block: %w", err)
		}
		out.Number, out.Entry = e.Number, e.text(l.scope.Organisation())
		for _, h := range path {
			out.Path = append(out.Path, h[:])
		}
		return out, nil
	}
	return out, fault.New(fault.NotFound, "traces.base.not_found")
}

// Holds verifies a proof with keys that are believed, and gives the events in
// order, as they were sealed; of one that is hidden, an empty one.
func (p Proof) Holds(organisation uuid.UUID, keys []PublicKey) ([]Event, error) {
	c, err := readNote(organisation, p.Checkpoint, keys)
	if err != nil {
		return nil, err
	}
	blocks := map[int64]Entry{}
	for _, b := range p.Blocks {
		var path tlog.RecordProof
		for _, h := range b.Path {
			if len(h) != tlog.HashSize {
				return nil, errCheckpoint
			}
			path = append(path, tlog.Hash(h))
		}
		if err := tlog.CheckRecord(path, c.Size, c.Root, b.Number, tlog.RecordHash([]byte(b.Entry))); err != nil {
			return nil, fmt.Errorf("entry %d: %w", b.Number, err)
		}
		if blocks[b.Number], err = parseEntry(organisation, b.Number, b.Entry); err != nil {
			return nil, err
		}
	}
	var out []Event
	for _, e := range p.Events {
		b := blocks[e.Block].Block
		sum := EventDigest(e.Salt, e.Record)
		digest, hidden := sum[:], len(e.Record) == 0
		if hidden {
			digest = e.Digest
		}
		if b.Root == nil || len(digest) != digestBytes || e.Seq < b.First || e.Seq >= b.First+b.Events || !bytes.Equal(Climb(digest, e.Seq-b.First, b.Events, e.Path), b.Root) {
			return nil, fmt.Errorf("event %s is not in block %d", e.Ref, e.Block)
		}
		event := Event{}
		if !hidden {
			if event, _, err = ReadSealed(e.Record); err != nil {
				return nil, err
			}
		}
		out = append(out, event)
	}
	return out, nil
}

// Export writes what another program needs to verify a month, or all, without
// this one: the log, its checkpoints and their stamps, the public keys, and the
// events of each block as they were sealed (docs/verifier-traces.py reads it). The
// folder must be empty or not be there. Needs access.TracesAsk. Errors: Conflict,
// Unavailable.
func (s *Service) Export(ctx context.Context, scope access.Scope, month, dir string) error {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return err
	}
	base, _, err := s.sealer()
	if err != nil {
		return err
	}
	if held, err := os.ReadDir(dir); err == nil && len(held) > 0 {
		return fault.New(fault.Conflict, "traces.seal.folder", "folder", dir).At("export")
	}
	keys, err := s.publicKeys(scope.Organisation())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("export the seal: %w", err)
	}
	for _, k := range keys {
		text, err := k.PEM()
		if err == nil {
			err = writeWhole(filepath.Join(dir, k.ID+".pem"), text)
		}
		if err != nil {
			return err
		}
	}
	if err := writeWhole(filepath.Join(dir, "month"), []byte(month+"\n")); err != nil {
		return err
	}
	if err := s.exportLog(ctx, scope, dir); err != nil {
		return err
	}
	if err := exportBlocks(ctx, scope, base, month, dir); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		return journal.Append(ctx, tx, scope, s.opt.Clock.Now(), journal.Entry{Action: "traces.seal.export", ObjectKind: "traces", ObjectID: month})
	})
}

func (s *Service) exportLog(ctx context.Context, scope access.Scope, dir string) error {
	return s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		all, err := checkpoints(ctx, tx, scope, 0)
		if err != nil {
			return err
		}
		for _, c := range all {
			if err := writeCheckpoint(dir, c); err != nil {
				return err
			}
		}
		return writing(filepath.Join(dir, "log.txt"), func(w io.Writer) error {
			return readLog(ctx, tx, scope.Organisation(), func(_ int64, text string, _ []byte) error {
				_, err := fmt.Fprintln(w, text)
				return err
			})
		})
	})
}

func writing(name string, do func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("export the seal: %w", err)
	}
	w := bufio.NewWriterSize(file, 1<<16)
	if err := errors.Join(do(w), w.Flush(), file.Close()); err != nil {
		return fmt.Errorf("export the seal: %w", err)
	}
	return nil
}

// exportBlocks writes one file of JSON lines for each class and month: a line
// opens each block, and its events follow.
func exportBlocks(ctx context.Context, scope access.Scope, base Sealer, month, dir string) error {
	files, err := base.Blocks(ctx, scope.Organisation(), BlockQuery{})
	if err != nil {
		return err
	}
	for _, f := range files {
		if month != "" && f.Month != month {
			continue
		}
		err := writing(filepath.Join(dir, f.Name()+".jsonl"), func(w io.Writer) error {
			lines := json.NewEncoder(w) // what a block holds by itself is the block's; the last line is what no block holds
			for _, b := range f.Blocks {
				if err := lines.Encode(map[string]any{"block": strings.Join([]string{f.Class.String(), f.Month, fmt.Sprint(b.First), fmt.Sprint(b.Events)}, " "), "cut": fmt.Sprintf("%x", b.Cut)}); err != nil {
					return err
				}
				events, err := base.Block(ctx, scope.Organisation(), f.Class, f.Month, b.First)
				if err != nil {
					return err
				}
				for _, e := range events {
					if err := lines.Encode(e); err != nil {
						return err
					}
				}
			}
			return lines.Encode(map[string]int64{"open": f.Open, "strays": f.Strays})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
