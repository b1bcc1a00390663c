package traces

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/storage"
)

// readBase has the base read its events again.
func (v *verification) readBase(ctx context.Context, base Sealer) error {
	names, err := base.Blocks(ctx, v.organisation, BlockQuery{})
	if err != nil {
		return err
	}
	for _, f := range names {
		if v.check.Month != "" && f.Month != v.check.Month {
			continue
		}
		read, err := base.Blocks(ctx, v.organisation, BlockQuery{Only: f.Name(), Read: true})
		if err != nil {
			return err
		}
		v.files = append(v.files, read...)
	}
	return nil
}

// judge holds what is in the base against what is in the log.
func (v *verification) judge() {
	for _, f := range v.files {
		v.Bytes += f.Bytes
		v.Open += f.Open
		if f.Strays > 0 {
			v.flaw(Flaw{Kind: FaultStray, Class: f.Class.String(), Month: f.Month, Rows: f.Strays})
		}
		for _, b := range f.Blocks {
			v.judgeBlock(f, b)
		}
	}
	for _, list := range v.live {
		for _, e := range list {
			v.judgeMissing(e)
		}
	}
	slices.SortStableFunc(v.Flaws, func(a, b Flaw) int {
		return strings.Compare(fmt.Sprintf("%s %s %012d", a.Class, a.Month, a.First), fmt.Sprintf("%s %s %012d", b.Class, b.Month, b.First))
	})
}

// judgeBlock finds the entry of a block.
func (v *verification) judgeBlock(f BlockFile, b Block) {
	name := blockName(f.Class, f.Month, b.First)
	list := v.live[name]
	i := slices.IndexFunc(list, func(e Entry) bool { return bytes.Equal(e.Block.Root, b.Read) && e.Block.Events == b.Events })
	switch {
	case i < 0 && len(list) == 0 && b.First >= v.ends[f.Name()]:
		v.Open += b.Events // closed since, by a purge or by its size
		if !bytes.Equal(b.Root, b.Read) {
			v.flaw(flawOf(FaultAltered, f.Class, f.Month, b, -1))
		}
		return
	case i < 0 && len(list) == 0:
		v.flaw(flawOf(FaultInserted, f.Class, f.Month, b, -1))
		return
	case i < 0:
		// It stands in the place of the last that was sealed there.
		last := list[len(list)-1]
		v.flaw(flawOf(FaultAltered, f.Class, f.Month, last.Block, last.Number))
		v.live[name] = list[:len(list)-1]
		return
	}
	e := list[i]
	v.live[name] = slices.Delete(list, i, i+1)
	if b.Removed > 0 && !v.lawful(e, b) {
		v.flaw(flawOf(FaultCut, f.Class, f.Month, e.Block, e.Number))
		return
	}
	v.Blocks++
	v.Events += b.Events - b.Removed
	v.PurgedEvents += b.Removed
}

// lawful tells whether what a block lost is what a purge took: as the log says,
// or by a purge that was ordered and whose remains are not in the log yet.
func (v *verification) lawful(e Entry, b Block) bool {
	last := v.lastOf(e)
	if bytes.Equal(last.Block.Cut, b.Cut) {
		return last.Block.Removed == b.Removed
	}
	return v.purged(e, last, e.Block.Lo)
}

// lastOf is what the log last says that a purge left of a block.
func (v *verification) lastOf(e Entry) Entry {
	last := Entry{Number: e.Number}
	for _, c := range v.cuts[e.place()] {
		if c.Number > e.Number {
			last = c
		}
	}
	return last
}

// purged tells whether a purge that was ordered since could take the events of a
// block from a time on: none takes what is held.
func (v *verification) purged(e, last Entry, from int64) bool {
	if last.Kind == kindHeld && v.frees[e.Class] < last.Number {
		return false
	}
	return slices.ContainsFunc(v.purges, func(p Entry) bool { return p.Class == e.Class && p.Number > last.Number && p.Before > from })
}

// judgeMissing looks for the purge that took a block.
func (v *verification) judgeMissing(e Entry) {
	if v.purged(e, v.lastOf(e), e.Block.Hi) {
		v.PurgedBlocks++
		v.PurgedEvents += e.Block.Events
		return
	}
	v.flaw(flawOf(FaultLost, e.Class, e.Month, e.Block, e.Number))
}

func flawOf(kind string, class Class, month string, b Block, entry int64) Flaw {
	from, to := storage.Time(b.Lo), storage.Time(b.Hi)
	return Flaw{Kind: kind, Class: class.String(), Month: month, First: b.First, Last: b.First + b.Events - 1, From: &from, To: &to, Entry: entry}
}
