package traces

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

const (
	// SealEvery is how often the logs of establishments are looked at; sealAfter is
	// how old a checkpoint may be.
	SealEvery = time.Minute
	sealAfter = time.Hour
	// entriesMost is how many entries one transaction adds.
	entriesMost = 500
)

// Stamper asks an authority for the time (RFC 3161).
type Stamper interface {
	// Stamp gives the token of the authority for a message, and the time it says.
	Stamp(ctx context.Context, message []byte) (token []byte, at time.Time, err error)
	// Read checks that a token is for a message and is signed, and gives its time.
	Read(token, message []byte) (time.Time, error)
}

// sealer gives the base as one that can be sealed. Errors: Unavailable.
func (s *Service) sealer() (Sealer, Base, error) {
	s.mu.Lock()
	base := s.base
	s.mu.Unlock()
	if base == nil {
		return nil, nil, fault.New(fault.Unavailable, "traces.error.none")
	}
	sealer, ok := base.(Sealer)
	if !ok || s.opt.Vault == nil {
		return nil, nil, fault.New(fault.Unavailable, "traces.seal.none")
	}
	return sealer, base, nil
}

// Seal signs a checkpoint of every establishment whose last is an hour old, then
// copies and stamps those that wait for it.
func (s *Service) Seal(ctx context.Context, now time.Time) (bool, error) {
	if _, _, err := s.sealer(); err != nil {
		return false, nil // another node may have the base, or it has no seal
	}
	last := map[uuid.UUID]time.Time{}
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT o.organisation_id, CAST(COALESCE((SELECT MAX(c.at_us) FROM traces_checkpoints c WHERE c.organisation_id = o.organisation_id), 0) AS BIGINT)
			FROM (SELECT DISTINCT organisation_id FROM traces_sources) o`, nil, func(row func(...any) error) error {
			var id uuid.UUID
			var at int64
			err := row(&id, &at)
			last[id] = storage.Time(at)
			return err
		})
	})
	errs := []error{err}
	for organisation, at := range last {
		scope := access.System(organisation, "traces")
		if now.Sub(at) >= sealAfter {
			if err := s.sealNow(ctx, scope, now); !baseDown(err) {
				errs = append(errs, err)
			}
		}
		errs = append(errs, s.carry(ctx, scope, now))
	}
	return false, errors.Join(errs...)
}

// baseDown tells a base that starts, or is down: whoever feeds it says so, and
// doctor; the seal is for the next minute.
func baseDown(err error) bool {
	f := fault.As(err)
	return f != nil && f.Key == "traces.error.down"
}

// sealNow closes what is open, adds it to the log, and signs its new head.
func (s *Service) sealNow(ctx context.Context, scope access.Scope, now time.Time) error {
	_, err := s.sealFiles(ctx, scope, now)
	return err
}

// sealFiles is sealNow; it gives the files as they are.
func (s *Service) sealFiles(ctx context.Context, scope access.Scope, now time.Time) ([]BlockFile, error) {
	base, _, err := s.sealer()
	if err != nil {
		return nil, err
	}
	s.sealing.Lock()
	defer s.sealing.Unlock()
	known, err := s.lastBlocks(ctx, scope)
	if err != nil {
		return nil, err
	}
	from := map[string]int64{}
	for name, e := range known {
		from[name] = e.Block.First
	}
	files, err := base.Blocks(ctx, scope.Organisation(), BlockQuery{From: from, Close: true})
	if err != nil {
		return nil, err
	}
	var fresh []Entry
	for _, f := range files {
		last, was := known[f.Name()]
		delete(known, f.Name())
		switch {
		case !was:
			fresh = append(fresh, entriesOf(f, f.Blocks)...)
		case len(f.Blocks) > 0 && f.Blocks[0].First == last.Block.First && bytes.Equal(f.Blocks[0].Root, last.Block.Root):
			fresh = append(fresh, entriesOf(f, f.Blocks[1:])...)
		default:
			known[f.Name()] = last
		}
	}
	for _, e := range known { // the file went back, or is not there any more
		more, err := s.wentBack(ctx, scope, now, base, e.Class, e.Month)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, more...)
	}
	return files, s.extend(ctx, scope, now, fresh)
}

func entriesOf(f BlockFile, blocks []Block) (out []Entry) {
	for _, b := range blocks {
		out = append(out, Entry{Kind: kindBlock, Class: f.Class, Month: f.Month, Block: b})
	}
	return out
}

// lastBlocks gives, by file, the last block that the log knows and the base has.
func (s *Service) lastBlocks(ctx context.Context, scope access.Scope) (map[string]Entry, error) {
	out := map[string]Entry{}
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := entriesWhere(ctx, tx, scope, `kind = 'block' AND NOT gone AND first_seq = (SELECT MAX(m.first_seq) FROM traces_log m
			WHERE m.organisation_id = l.organisation_id AND m.class = l.class AND m.month = l.month AND m.kind = 'block' AND NOT m.gone)`)
		for _, e := range list {
			out[FileName(e.Class, e.Month)] = e
		}
		return err
	})
	return out, err
}

// entriesWhere reads entries of the log in order.
func entriesWhere(ctx context.Context, tx *storage.Tx, scope access.Scope, where string, args ...any) (out []Entry, err error) {
	err = tx.Query(ctx, `SELECT number, entry FROM traces_log l WHERE organisation_id = $1 AND `+where+` ORDER BY number`, append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
		var number int64
		var text string
		if err := row(&number, &text); err != nil {
			return err
		}
		e, err := parseEntry(scope.Organisation(), number, text)
		out = append(out, e)
		return err
	})
	return out, err
}

// wentBack holds a file against all that the log knows of it. What is missing and
// was not to be purged is told, in the log and in the journal, in the transaction
// that stops looking for it: it is never sealed again in silence. It gives the
// blocks that are to be added.
func (s *Service) wentBack(ctx context.Context, scope access.Scope, now time.Time, base Sealer, class Class, month string) ([]Entry, error) {
	files, err := base.Blocks(ctx, scope.Organisation(), BlockQuery{Only: FileName(class, month), Close: true})
	if err != nil {
		return nil, err
	}
	here := map[string]Block{}
	for _, f := range files {
		for _, b := range f.Blocks {
			here[string(b.Root)] = b
		}
	}
	var fresh []Entry
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		live, err := entriesWhere(ctx, tx, scope, `kind = 'block' AND NOT gone AND class = $2 AND month = $3`, class.String(), month)
		if err != nil {
			return err
		}
		var ordered int64
		if err := purgedUpTo(ctx, tx, scope, class, &ordered); err != nil {
			return err
		}
		held, err := heldMarks(ctx, tx, scope, class)
		if err != nil {
			return err
		}
		lost := int64(0)
		for _, e := range live {
			if b, ok := here[string(e.Block.Root)]; ok && b.First == e.Block.First {
				delete(here, string(e.Block.Root))
				continue
			}
			if _, kept := held[e.place()]; kept || e.Block.Hi >= ordered {
				lost += e.Block.Events
			}
			if err := markGone(ctx, tx, scope, e.Number); err != nil {
				return err
			}
		}
		if lost == 0 {
			return nil
		}
		s.opt.Log.Error("the base of traces lost events that were sealed", "establishment", scope.Organisation(), "class", class.String(), "month", month, "events", lost)
		return s.tellLoss(ctx, tx, scope, now, class, month, lost)
	})
	for _, f := range files {
		for _, b := range f.Blocks {
			if _, unknown := here[string(b.Root)]; unknown {
				fresh = append(fresh, entriesOf(f, []Block{b})...)
			}
		}
	}
	return fresh, err
}

// tellLoss writes a loss in the log and in the journal.
func (s *Service) tellLoss(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, class Class, month string, events int64) error {
	l, err := openLedger(ctx, tx, scope)
	if err != nil {
		return err
	}
	if err := s.consistent(ctx, tx, l); err != nil {
		return err
	}
	if err := l.add(Entry{Kind: kindBack, Class: class, Month: month, At: storage.Micros(now)}); err != nil {
		return err
	}
	if err := s.checkpoint(ctx, tx, l, now); err != nil {
		return err
	}
	return journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "traces.seal.lost", ObjectKind: "trace_class", ObjectID: class.String(), ObjectName: class.String(), After: map[string]any{"month": month, "events": events},
	})
}

func markGone(ctx context.Context, tx *storage.Tx, scope access.Scope, number int64) error {
	_, err := tx.Exec(ctx, `UPDATE traces_log SET gone = TRUE WHERE organisation_id = $1 AND number = $2`, scope.Organisation(), number)
	return err
}

// purgedUpTo gives the latest time before which a class was ordered to be purged.
func purgedUpTo(ctx context.Context, tx *storage.Tx, scope access.Scope, class Class, before *int64) error {
	list, err := entriesWhere(ctx, tx, scope, `kind = 'purge' AND class = $2`, class.String())
	for _, e := range list {
		*before = max(*before, e.Before)
	}
	return err
}

// extend adds entries to the log and signs its head, some at a time: the log never
// has an entry that no checkpoint covers.
func (s *Service) extend(ctx context.Context, scope access.Scope, now time.Time, fresh []Entry) error {
	for {
		some := fresh[:min(len(fresh), entriesMost)]
		fresh = fresh[len(some):]
		err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error { return s.addTo(ctx, tx, scope, now, some) })
		if err != nil || len(fresh) == 0 {
			return err
		}
	}
}

// addTo adds entries within a transaction, and signs the head.
func (s *Service) addTo(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, some []Entry) error {
	l, err := openLedger(ctx, tx, scope)
	if err != nil || l.size+int64(len(some)) == 0 {
		return err
	}
	if err := s.consistent(ctx, tx, l); err != nil {
		return err
	}
	known, err := alreadyIn(ctx, tx, scope, some)
	if err != nil {
		return err
	}
	for _, e := range some {
		if e.Kind == kindBlock && known[e.place()+string(e.Block.Root)] {
			continue
		}
		if err := l.add(e); err != nil {
			return err
		}
	}
	return s.checkpoint(ctx, tx, l, now)
}

// alreadyIn tells, by place and root, which blocks another node added since it was
// looked what is to be added: twice in the log, a block would be missing once.
func alreadyIn(ctx context.Context, tx *storage.Tx, scope access.Scope, some []Entry) (map[string]bool, error) {
	first := map[string]Entry{}
	for _, e := range some {
		name := FileName(e.Class, e.Month)
		if was, ok := first[name]; e.Kind == kindBlock && (!ok || e.Block.First < was.Block.First) {
			first[name] = e
		}
	}
	out := map[string]bool{}
	for _, f := range first {
		list, err := entriesWhere(ctx, tx, scope, `kind = 'block' AND NOT gone AND class = $2 AND month = $3 AND first_seq >= $4`, f.Class.String(), f.Month, f.Block.First)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			out[e.place()+string(e.Block.Root)] = true
		}
	}
	return out, nil
}

// consistent holds the log against the checkpoint before: what was signed must
// still be its beginning, by a proof as another would make it. Errors: Conflict.
func (s *Service) consistent(ctx context.Context, tx *storage.Tx, l *ledger) error {
	broken := fault.New(fault.Conflict, "traces.seal.broken")
	last, err := checkpoints(ctx, tx, l.scope, 1)
	if err != nil || len(last) == 0 {
		return err
	}
	keys, err := s.publicKeys(l.scope.Organisation())
	if err != nil {
		return err
	}
	signed, err := readNote(l.scope.Organisation(), last[0].Note, keys)
	if err != nil || signed.Size > l.size {
		return errors.Join(broken, err)
	}
	if signed.Size == 0 {
		return nil
	}
	now, err := l.root(l.size)
	if err != nil {
		return errors.Join(broken, err)
	}
	proof, err := tlog.ProveTree(l.size, signed.Size, l)
	if err == nil {
		err = tlog.CheckTree(proof, l.size, now, signed.Size, signed.Root)
	}
	if err != nil {
		return errors.Join(broken, err)
	}
	return nil
}

// checkpoint signs the head of a log and keeps it.
func (s *Service) checkpoint(ctx context.Context, tx *storage.Tx, l *ledger, now time.Time) error {
	root, err := l.root(l.size)
	if err != nil {
		return err
	}
	keys, err := signers(s.opt.Vault, l.scope.Organisation())
	if err != nil {
		return err
	}
	c := Checkpoint{ID: storage.NewID(now), Size: l.size, Root: root, At: storage.Time(storage.Micros(now))}
	if err := c.sign(l.scope.Organisation(), keys[0]); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO traces_checkpoints (organisation_id, id, size, at_us, key_id, note, problem) VALUES ($1, $2, $3, $4, $5, $6, '')`,
		l.scope.Organisation(), c.ID, c.Size, storage.Micros(c.At), c.Key, c.Note)
	return err
}

// publicKeys are those that this installation signs for an establishment with.
func (s *Service) publicKeys(organisation uuid.UUID) (out []PublicKey, err error) {
	if s.opt.Vault == nil {
		return nil, nil
	}
	all, err := signers(s.opt.Vault, organisation)
	for _, one := range all {
		out = append(out, one.PublicKey)
	}
	return out, err
}

// checkpoints lists the latest first; all when most is zero.
func checkpoints(ctx context.Context, tx *storage.Tx, scope access.Scope, most int) (out []Checkpoint, err error) {
	if most == 0 {
		most = 1 << 30
	}
	err = tx.Query(ctx, `SELECT id, size, at_us, key_id, note, stamp, stamped_us, copied_us, problem FROM traces_checkpoints WHERE organisation_id = $1 ORDER BY size DESC, id DESC LIMIT $2`,
		[]any{scope.Organisation(), most}, func(row func(...any) error) error {
			var c Checkpoint
			var at int64
			var stamped, copied sql.NullInt64
			err := row(&c.ID, &c.Size, &at, &c.Key, &c.Note, &c.Stamp, &stamped, &copied, &c.Problem)
			c.At, c.Stamped, c.Copied = storage.Time(at), storage.NullTime(stamped), storage.NullTime(copied)
			out = append(out, c)
			return err
		})
	return out, err
}
