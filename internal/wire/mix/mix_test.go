package mix_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"tocsin/internal/wire/mix"
)

// voice is somebody who says one constant level, in packets of a given length.
type voice struct {
	seat *mix.Seat
	hour uint32
}

func (v *voice) say(level int16, n int) {
	samples := make([]int16, n)
	for i := range samples {
		samples[i] = level
	}
	v.seat.Hear(v.hour, samples)
	v.hour += uint32(n)
}

// settle lets everybody speak long enough to be heard.
func settle(r *mix.Room, levels map[*voice]int16) {
	for range 10 {
		for v, level := range levels {
			v.say(level, mix.Frame)
		}
		r.Turn()
	}
}

func heard(r *mix.Room, s *mix.Seat) (first, last int16) {
	var out [mix.Frame]int16
	r.Mix(s, &out)
	return out[0], out[mix.Frame-1]
}

func want(t *testing.T, r *mix.Room, v *voice, level int16) {
	t.Helper()
	if first, last := heard(r, v.seat); first != level || last != level {
		t.Errorf("heard %d to %d, want %d", first, last, level)
	}
}

func TestTwoHearEachOtherAsTheySpeak(t *testing.T) {
	var r mix.Room
	a, b := &voice{r.Sit(), 7}, &voice{r.Sit(), math.MaxUint32 - 500} // hours turn around
	sound := make([]int16, 40*mix.Frame)
	for i := range sound {
		sound[i] = int16(rand.IntN(1<<16) - 1<<15)
	}
	var got []int16
	for n := range 40 {
		b.seat.Hear(b.hour, sound[n*mix.Frame:(n+1)*mix.Frame])
		b.hour += mix.Frame
		a.say(12, mix.Frame)
		r.Turn()
		var out [mix.Frame]int16
		r.Mix(a.seat, &out)
		got = append(got, out[:]...)
	}
	const late = 3 * mix.Frame
	for i := late; i < len(got); i++ {
		if got[i] != sound[i-late] {
			t.Fatalf("sample %d: heard %d, said %d", i, got[i], sound[i-late])
		}
	}
	want(t, &r, b, 12)
}

func TestNobodyHearsHimselfAndTooLoudIsCut(t *testing.T) {
	var r mix.Room
	a, b, c := &voice{seat: r.Sit()}, &voice{seat: r.Sit()}, &voice{seat: r.Sit()}
	settle(&r, map[*voice]int16{a: 30000, b: 20000, c: -25000})
	want(t, &r, a, -5000)
	want(t, &r, b, 5000)
	want(t, &r, c, math.MaxInt16)
	settle(&r, map[*voice]int16{a: -30000, b: -20000, c: 1})
	want(t, &r, c, math.MinInt16)
	want(t, &r, b, -29999)
}

func TestWhoLeavesIsHeardNoMore(t *testing.T) {
	var r mix.Room
	a, b, c := &voice{seat: r.Sit()}, &voice{seat: r.Sit()}, &voice{seat: r.Sit()}
	settle(&r, map[*voice]int16{a: 1000, b: 200, c: 30})
	want(t, &r, a, 230)
	if n := r.Leave(b.seat); n != 2 {
		t.Errorf("%d are left", n)
	}
	want(t, &r, a, 30)
	b.say(200, mix.Frame)
	settle(&r, map[*voice]int16{a: 1000, c: 30})
	want(t, &r, a, 30)
	want(t, &r, c, 1000)
	if n := r.Leave(b.seat); n != 2 {
		t.Errorf("twice: %d are left", n)
	}
}

// Whatever one telephone does with its packets, the others hear it right.
func TestPacketsThatComeBadly(t *testing.T) {
	for what, play := range map[string]func(v *voice, turn int) (level int16){
		"none at all":           func(*voice, int) int16 { return 0 },
		"of 30 ms":              func(v *voice, n int) int16 { return burst(v, n, 3, 240, 2) },
		"of 40 ms":              func(v *voice, n int) int16 { return burst(v, n, 2, 320, 1) },
		"of 10 ms":              func(v *voice, _ int) int16 { v.say(100, 80); v.say(100, 80); return 100 },
		"twice":                 func(v *voice, _ int) int16 { v.say(100, 160); v.hour -= 160; v.say(100, 160); return 100 },
		"from a clock too fast": func(v *voice, n int) int16 { v.say(100, 160+16*(n%2)); return 100 },
		"two by two, the wrong way": func(v *voice, n int) int16 {
			if n%2 == 0 {
				v.hour += 160
				v.say(100, 160)
				v.hour -= 320
				v.say(100, 160)
				v.hour += 160
			}
			return 100
		},
		"after a silence": func(v *voice, n int) int16 {
			if n > 40 && n < 60 {
				return 0
			}
			v.say(100, 160)
			return 100
		},
		"from other hours at once": func(v *voice, n int) int16 {
			if n == 50 {
				v.hour += 1 << 20
			}
			v.say(100, 160)
			return 100
		},
		"from hours before": func(v *voice, n int) int16 {
			if n == 50 {
				v.hour -= 1 << 20
			}
			v.say(100, 160)
			return 100
		},
	} {
		t.Run(what, func(t *testing.T) {
			var r mix.Room
			good, bad, listener := &voice{seat: r.Sit()}, &voice{seat: r.Sit()}, r.Sit()
			level := int16(0)
			for n := range 100 {
				good.say(7, mix.Frame)
				level = play(bad, n)
				if r.Turn(); n > 5 {
					want(t, &r, bad, 7)
				}
			}
			if first, last := heard(&r, listener); first != 7+level || last != 7+level {
				t.Errorf("heard %d to %d, want %d", first, last, 7+level)
			}
		})
	}
}

// burst says packets of n samples, count of them every few turns.
func burst(v *voice, turn, every, n, count int) int16 {
	if turn%every == 0 {
		for range count {
			v.say(100, n)
		}
	}
	return 100
}

func TestTooLongIsNotHeard(t *testing.T) {
	var r mix.Room
	a, b := r.Sit(), r.Sit()
	a.Hear(0, make([]int16, 4096))
	a.Hear(0, nil)
	r.Turn()
	if first, last := heard(&r, b); first != 0 || last != 0 {
		t.Error(first, last)
	}
}

func TestATurnAllocatesNothing(t *testing.T) {
	var r mix.Room
	voices := make([]*voice, 25)
	for i := range voices {
		voices[i] = &voice{seat: r.Sit()}
	}
	samples := make([]int16, mix.Frame)
	var out [mix.Frame]int16
	if n := testing.AllocsPerRun(100, func() {
		for _, v := range voices {
			v.seat.Hear(v.hour, samples)
			v.hour += mix.Frame
		}
		r.Turn()
		for _, v := range voices {
			r.Mix(v.seat, &out)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A turn of 25 voices, of which a processor has 50 a second to do.
func BenchmarkTurnOf25(b *testing.B) {
	var r mix.Room
	voices := make([]*voice, 25)
	for i := range voices {
		voices[i] = &voice{seat: r.Sit()}
	}
	samples := make([]int16, mix.Frame)
	var out [mix.Frame]int16
	b.ReportAllocs()
	for b.Loop() {
		for _, v := range voices {
			v.seat.Hear(v.hour, samples)
			v.hour += mix.Frame
		}
		r.Turn()
		for _, v := range voices {
			r.Mix(v.seat, &out)
		}
	}
}
