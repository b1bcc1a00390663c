package sealing

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"tocsin/internal/traces"
)

// Opened is a block whose events are read again, in whatever order they come.
type Opened struct {
	*traces.Block
	// Spots is what a purge left in each place; nil for a whole block.
	Spots []Spot
	// List is the events with what their digests are made of, when they are kept.
	List []traces.SealedEvent
	// Digests are those of the events, one after the other.
	Digests []byte
	// Broken tells that the block is not one that was ever sealed.
	Broken bool
	// Lingers tells that the base takes out what was purged a while after the block
	// says so: until then such an event may be there, as it was.
	Lingers bool

	seen []bool
}

// Open begins to read a block that a purge may have cut; keep has the forms of
// events kept, not their digests alone.
func Open(b *traces.Block, cut []byte, keep bool) *Opened {
	o := &Opened{Block: b, Digests: make([]byte, b.Events*sha256.Size), seen: make([]bool, b.Events)}
	if keep {
		o.List = make([]traces.SealedEvent, b.Events)
		for i := range o.List {
			o.List[i].Seq = b.First + int64(i)
		}
	}
	var err error
	if o.Spots, err = spots(cut, b.Events); err != nil {
		o.Broken = true
	}
	return o
}

// Gone tells whether a purge took the event at a place.
func (o *Opened) Gone(i int) bool { return o.Spots != nil && o.Spots[i].Digest != nil }

// Put lays the event at a place, as SealedForm begins and AppendSealed ends it. One
// that comes twice, or that was purged, breaks the block.
func (o *Opened) Put(i int, form []byte) {
	sum := sha256.Sum256(form)
	if o.Gone(i) && o.Lingers && bytes.Equal(sum[:], o.Spots[i].Digest) {
		return
	}
	if o.seen[i] || o.Gone(i) {
		o.Broken = true
		return
	}
	o.seen[i] = true
	copy(o.Digests[i*sha256.Size:], sum[:])
	if o.List != nil {
		o.List[i].Salt, o.List[i].Record = slices.Clone(form[1:1+SaltBytes]), slices.Clone(form[1+SaltBytes:])
	}
}

// Finish makes the root, when every event is there.
func (o *Opened) Finish() {
	for i := range o.seen {
		gone := o.Gone(i)
		if gone {
			copy(o.Digests[i*sha256.Size:], o.Spots[i].Digest)
		}
		o.Broken = o.Broken || !gone && !o.seen[i]
		if o.List != nil {
			o.List[i].Digest = slices.Clone(o.Digests[i*sha256.Size : (i+1)*sha256.Size])
		}
	}
	o.Read = nil
	if !o.Broken {
		o.Read = slices.Clone(traces.BlockRoot(slices.Clone(o.Digests)))
	}
}

// Path is the digests beside the way from the event at a place to the root; false
// for an event that is not there as it was sealed.
func (o *Opened) Path(i int) ([][]byte, bool) {
	if o.Broken || i < 0 || i >= len(o.List) || o.List[i].Record == nil {
		return nil, false
	}
	return traces.BlockPath(slices.Clone(o.Digests), i), true
}

// Cut is what is left of the block once some more of its events are taken, beside
// those that are gone already: their digests, under salts that are then forgotten.
// The block was finished, and its events were kept.
func (o *Opened) Cut(taken func(i int) bool) (cut []byte) {
	for i, ev := range o.List {
		if o.Gone(i) || taken(i) {
			cut = append(append(cut, markGone), ev.Digest...)
			continue
		}
		cut = append(append(cut, markKept), ev.Salt...)
	}
	return cut
}
