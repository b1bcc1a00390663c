package sms

import (
	"fmt"
	"testing"
	"time"

	"tocsin/internal/clock"
	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// part makes the nth of total parts of a reply.
func part(ref uint16, n, total byte, text string) arrival {
	header := gsm.Part{Reference: ref, Width: gsm.Reference8, Total: total, Number: n}
	_, octets := gsm.Encode(text)
	return arrival{delivery: Delivery{Message: smpp.Message{
		Source:   smpp.Address{TON: smpp.TONInternational, Number: "33639980001"},
		ESMClass: smpp.ESMHeader, ShortMessage: string(append(header.AppendHeader(nil), octets...)),
	}}}
}

func TestReassemblyKeepsTheBeginningAndThenTheWhole(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	r := newReassembly(now.Now)
	if got := r.add(part(7, 1, 2, "OUI ")); len(got) != 0 {
		t.Fatalf("half a reply is ready: %+v", got)
	}
	if got := r.late(); len(got) != 0 {
		t.Fatalf("impatient: %+v", got)
	}
	now.Advance(partPatience)
	late := r.late()
	if len(late) != 1 || late[0].reply.Text != "OUI …" || len(late[0].arrivals) != 1 {
		t.Fatalf("late: %+v", late)
	}
	r.settle(late[0], true)
	whole := r.add(part(7, 2, 2, "20 min"))
	if len(whole) != 1 || whole[0].reply.Text != "OUI 20 min" || len(whole[0].arrivals) != 1 {
		t.Fatalf("whole: %+v", whole)
	}
	r.settle(whole[0], true)
	if len(r.groups) != 0 {
		t.Errorf("%d groups left", len(r.groups))
	}
}

func TestReassemblyAfterAFailure(t *testing.T) {
	t.Parallel()
	r := newReassembly(clock.Real().Now)
	r.add(part(7, 1, 2, "a"))
	whole := r.add(part(7, 2, 2, "b"))
	r.settle(whole[0], false)
	if got := r.add(part(7, 2, 2, "b")); len(got) != 0 {
		t.Fatalf("one part of two is ready: %+v", got)
	}
	again := r.add(part(7, 1, 2, "a"))
	if len(again) != 1 || again[0].reply.Text != "ab" || len(again[0].arrivals) != 2 {
		t.Fatalf("got %+v", again)
	}
}

func TestReassemblyOddities(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	r := newReassembly(now.Now)
	if got := r.add(part(1, 1, 1, "seule")); len(got) != 1 || got[0].reply.Text != "seule" {
		t.Errorf("a part alone: %+v", got)
	}
	r.settle(assembled{complete: true}, true)
	r.add(part(2, 1, 2, "a"))
	if got := r.add(part(2, 1, 2, "a")); len(got) != 0 {
		t.Errorf("the same part twice: %+v", got)
	}
	if got := r.add(part(2, 2, 2, "b")); len(got) != 1 || got[0].reply.Text != "ab" || len(got[0].arrivals) != 3 {
		t.Errorf("got %+v", got)
	}
	sar := arrival{delivery: Delivery{Message: smpp.Message{ShortMessage: "y", TLVs: smpp.TLVs{
		smpp.Uint16(smpp.TagSarMsgRefNum, 300), smpp.Uint8(smpp.TagSarTotalSegments, 2), smpp.Uint8(smpp.TagSarSegmentSeqnum, 2),
	}}}}
	if got := r.add(sar); len(got) != 0 {
		t.Errorf("parts in options: %+v", got)
	}
	now.Advance(partPatience)
	if got := r.late(); len(got) != 1 || got[0].reply.Text != "… y" {
		t.Errorf("the beginning never came: %+v", got)
	}
	now.Advance(partMemory)
	r.late()
	r.late()
	for key, g := range r.groups {
		if g.deadline.IsZero() && now.Now().Sub(g.since) > partMemory {
			t.Errorf("%+v is kept for ever", key)
		}
	}
}

func TestReassemblyIsBounded(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	r := newReassembly(now.Now)
	evicted := 0
	for n := range maxGroups + 50 {
		a := part(uint16(n%256), 1, 2, "a")
		a.delivery.Message.Source.Number = fmt.Sprintf("336399%05d", n)
		evicted += len(r.add(a))
		now.Advance(time.Millisecond)
	}
	if len(r.groups) > maxGroups || evicted != 50 {
		t.Errorf("%d groups, %d let go", len(r.groups), evicted)
	}
}
