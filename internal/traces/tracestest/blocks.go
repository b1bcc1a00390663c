package tracestest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// sealer is the base as one that is sealed: every base is.
func (b *bench) sealer() traces.Sealer {
	b.Helper()
	s, ok := b.Engine.(traces.Sealer)
	if !ok {
		b.Fatalf("%T has no seal", b.Engine)
	}
	return s
}

// blocks lists the blocks, by file.
func (b *bench) blocks(q traces.BlockQuery) map[string]traces.BlockFile {
	b.Helper()
	list, err := b.sealer().Blocks(context.Background(), b.organisation, q)
	if err != nil {
		b.Fatal(err)
	}
	out := map[string]traces.BlockFile{}
	for _, f := range list {
		out[f.Name()] = f
	}
	return out
}

// accesses are n accesses to records from the from-th on, one a second.
func (b *bench) accesses(from, n int) (out []traces.Event) {
	for i := from; i < from+n; i++ {
		out = append(out, b.event(i, func(e *traces.Event) {
			e.Class, e.Message, e.IPP, e.Raw, e.Key = traces.PatientAccess, fmt.Sprintf("%04d", i), fmt.Sprint(i%9), fmt.Appendf(nil, "original %d", i), fmt.Sprint("k", i)
			e.Extra = []traces.Pair{{Name: "salle", Value: fmt.Sprint(i % 4)}}
		}))
	}
	return out
}

const accessFile = "patient-2026-11"

// sound wants the blocks of a file to follow each other from the first, to hold so
// many events, to be the trees over their events, and to read as they were made.
func (b *bench) sound(f traces.BlockFile, events, open int64) (all []traces.Event) {
	b.Helper()
	next := int64(0)
	for _, block := range f.Blocks {
		if block.First != next || !bytes.Equal(block.Read, block.Root) || len(block.Root) != 32 {
			b.Errorf("block %d of %d events, %x, reads %x; want it at %d", block.First, block.Events, block.Root, block.Read, next)
		}
		next += block.Events
		list, err := b.sealer().Block(context.Background(), b.organisation, f.Class, f.Month, block.First)
		if err != nil {
			b.Fatal(err)
		}
		var digests []byte
		for i, e := range list {
			digest := traces.EventDigest(e.Salt, e.Record)
			event, _, err := traces.ReadSealed(e.Record)
			if err != nil || e.Seq != block.First+int64(i) || !bytes.Equal(digest[:], e.Digest) || event.At < block.Lo || event.At > block.Hi {
				b.Errorf("event %d of block %d: %+v %v", i, block.First, event, err)
			}
			digests, all = append(digests, digest[:]...), append(all, event)
		}
		if root := traces.BlockRoot(digests); !bytes.Equal(root, block.Root) {
			b.Errorf("the root of block %d is %x, its events give %x", block.First, block.Root, root)
		}
	}
	if next != events || f.Open != open || f.Strays != 0 {
		b.Errorf("%d events in blocks, %d open, %d strays; want %d and %d", next, f.Open, f.Strays, events, open)
	}
	return all
}

func sealedBlocks(b *bench) {
	b.take(b.accesses(0, 30)...)
	b.take(append(b.accesses(30, 20), b.event(7, nil))...)
	f := b.blocks(traces.BlockQuery{Read: true})[accessFile]
	b.sound(f, 0, 50)
	if f.Held != 50 || f.Oldest != b.event(0, nil).At {
		b.Errorf("holds %d from %d", f.Held, f.Oldest)
	}
	files := b.blocks(traces.BlockQuery{Close: true, Read: true})
	for i, e := range b.sound(files[accessFile], 50, 0) {
		want := b.accesses(i, 1)[0]
		if e.Message != want.Message || e.Key != want.Key || string(e.Raw) != string(want.Raw) || e.IPP != want.IPP || e.Source != want.Source {
			b.Errorf("sealed %+v, want %+v", e, want)
		}
	}
	if f := files["system-2026-11"]; len(files) != 2 || len(f.Blocks) != 1 || f.Blocks[0].Events != 1 {
		b.Errorf("files %v", files)
	}
	b.reopen()
	b.take(b.accesses(50, 10)...)
	b.sound(b.blocks(traces.BlockQuery{Only: accessFile, Read: true})[accessFile], 50, 10)
	late := b.blocks(traces.BlockQuery{Close: true, From: map[string]int64{accessFile: 50}})[accessFile]
	if len(late.Blocks) != 1 || late.Blocks[0].First != 50 || late.Blocks[0].Events != 10 || late.Open != 0 {
		b.Errorf("from the fiftieth: %+v", late)
	}
	b.sound(b.blocks(traces.BlockQuery{Read: true})[accessFile], 60, 0)
	list, err := b.sealer().Blocks(context.Background(), b.other, traces.BlockQuery{Close: true})
	if err != nil || len(list) != 0 {
		b.Errorf("another establishment has our blocks: %v %v", list, err)
	}
}

func sealedTwiceTold(b *bench) {
	placed := b.place(b.accesses(0, 40)...)
	for _, end := range []int{10, 25, 25, 40} {
		if err := b.Take(context.Background(), slices.Clone(placed[:end]), placed[end-1].At); err != nil {
			b.Fatal(err)
		}
		b.blocks(traces.BlockQuery{Close: true})
		b.reopen()
	}
	b.sound(b.blocks(traces.BlockQuery{Read: true})[accessFile], 40, 0)
}

func witnesses(b *bench) {
	b.take(b.accesses(0, 50)...)
	b.blocks(traces.BlockQuery{Close: true})
	b.take(b.accesses(50, 37)...)
	open := b.ask(all()).Events[0]
	none := func(of traces.Sealer, ref string) {
		b.Helper()
		if _, err := of.Witness(context.Background(), b.other, ref); fault.As(err) == nil || fault.As(err).Kind != fault.NotFound {
			b.Errorf("another establishment proves our event: %v", err)
		}
	}
	none(b.sealer(), open.Ref)
	if _, err := b.sealer().Witness(context.Background(), b.organisation, open.Ref); fault.As(err) == nil || fault.As(err).Kind != fault.NotFound {
		b.Errorf("an event that no block holds: %v", err)
	}
	was := b.blocks(traces.BlockQuery{Close: true})[accessFile].Blocks
	for _, s := range b.ask(all()).Events {
		w, err := b.sealer().Witness(context.Background(), b.organisation, s.Ref)
		if err != nil {
			b.Fatal(err)
		}
		i := slices.IndexFunc(was, func(o traces.Block) bool { return o.First == w.Block.First })
		digest := traces.EventDigest(w.Event.Salt, w.Event.Record)
		root := traces.Climb(digest[:], w.Event.Seq-w.Block.First, w.Block.Events, w.Path)
		got, _, err := traces.ReadSealed(w.Event.Record)
		if i < 0 || !bytes.Equal(root, was[i].Root) || traces.FileName(w.Class, w.Month) != accessFile || err != nil || got.Message != s.Message {
			b.Errorf("event %s climbs to %x in block %d: %+v %v", s.Message, root, i, got, err)
		}
	}
}

// cutByPurge: what stays is read against the root of before, and nothing tells what
// went.
func cutByPurge(b *bench) {
	b.take(b.accesses(0, 40)...)
	was := b.blocks(traces.BlockQuery{Close: true})[accessFile].Blocks
	b.take(b.accesses(40, 40)...)
	purge := func(n int) {
		b.Helper()
		if _, err := b.Purge(context.Background(), b.organisation, traces.Purging{Class: traces.PatientAccess, Before: b.event(n, nil).At}); err != nil {
			b.Fatal(err)
		}
		b.reopen()
	}
	for _, n := range []int{10, 25} {
		purge(n)
		f := b.blocks(traces.BlockQuery{Read: true})[accessFile]
		if len(f.Blocks) != 2 || f.Open != 0 || f.Strays != 0 || f.Held != int64(80-n) || f.Oldest != b.event(n, nil).At {
			b.Fatalf("after the purge: %+v", f)
		}
		one, two := f.Blocks[0], f.Blocks[1]
		if one.Removed != int64(n) || len(one.Cut) != 32 || !bytes.Equal(one.Root, was[0].Root) || !bytes.Equal(one.Read, one.Root) || two.Removed != 0 || two.Cut != nil || !bytes.Equal(two.Read, two.Root) {
			b.Errorf("after the purge: %+v %+v", one, two)
		}
		list, err := b.sealer().Block(context.Background(), b.organisation, traces.PatientAccess, "2026-11", 0)
		if err != nil || len(list) != 40 {
			b.Fatalf("%d events, %v", len(list), err)
		}
		for i, e := range list {
			if gone := i < n; gone != (e.Record == nil) || gone != (e.Salt == nil) || len(e.Digest) != 32 {
				b.Errorf("event %d after the purge of %d: %+v", i, n, e)
			}
		}
	}
	b.take(b.accesses(80, 5)...)
	purge(60)
	f := b.blocks(traces.BlockQuery{Read: true})[accessFile]
	if len(f.Blocks) != 2 || f.Blocks[0].First != 40 || f.Blocks[0].Removed != 20 || f.Blocks[1].Events != 5 || f.Strays != 0 {
		b.Errorf("a block of which all is purged: %+v", f)
	}
	purge(1000)
	if files := b.blocks(traces.BlockQuery{Close: true}); len(files) != 0 {
		b.Errorf("a file of which all is purged: %+v", files)
	}
	b.take(b.accesses(90, 5)...)
	if f := b.blocks(traces.BlockQuery{Close: true, Read: true})[accessFile]; len(f.Blocks) != 1 || f.Blocks[0].Events != 5 || !bytes.Equal(f.Blocks[0].Read, f.Blocks[0].Root) || f.Strays != 0 {
		b.Errorf("what comes late: %+v", f)
	}
}
