package alerting

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

func reliefPlan() *plan {
	d := Definition{
		Profile: Rappel,
		Waves:   []Wave{{}, {After: Duration(10 * time.Minute), When: QuotaMissing}, {After: Duration(6 * time.Hour), When: QuotaMissing, Relief: Duration(8 * time.Hour)}},
		Quotas:  []Quota{{Skill: "iade", To: Duration(8 * time.Hour), Needed: 2}, {Skill: "iade", From: Duration(8 * time.Hour), Needed: 2}},
	}
	return &plan{Definition: d, LaunchedAt: t0, rest: 11 * time.Hour, zone: time.UTC}
}

// The first turn and the relief have their own quotas, waves and calls.
func TestTurnsDoNotHoldEachOther(t *testing.T) {
	t.Parallel()
	p := reliefPlan()
	lines := func(first, relief int) []QuotaLine {
		return []QuotaLine{{Needed: 2, Coming: first, Show: Show{Rate: 1}}, {Needed: 2, Coming: relief, Show: Show{Rate: 1}, Relief: 8 * time.Hour}}
	}
	waves := func(second, relief WaveState) []waveFacts {
		return []waveFacts{{0, WaveOpen, t0, false}, {1, second, t0.Add(10 * time.Minute), false}, {2, relief, t0.Add(6 * time.Hour), false}}
	}
	for name, tc := range map[string]struct {
		f    alertFacts
		now  time.Duration
		want []AlertStep
	}{
		"the first is reached":                                   {alertFacts{Quotas: lines(2, 0), Waves: waves(WavePending, WavePending)}, time.Minute, []AlertStep{{AlertMet, 0}, {AlertHoldWave, 1}}},
		"the relief leaves though the first is reached":          {alertFacts{Met: turns{0}, Quotas: lines(2, 0), Waves: waves(WaveHeld, WavePending)}, 6 * time.Hour, []AlertStep{{AlertOpenWave, 2}}},
		"the relief misses people: the first wave does not mind": {alertFacts{Met: turns{0}, Quotas: lines(2, 1), Waves: waves(WaveHeld, WavePending)}, time.Hour, nil},
		"the relief is reached before it leaves":                 {alertFacts{Met: turns{0}, Quotas: lines(2, 2), Waves: waves(WaveHeld, WavePending)}, time.Hour, []AlertStep{{AlertMet, 2}, {AlertHoldWave, 2}}},
		"the first misses again: the relief stays":               {alertFacts{Met: turns{0, 8 * time.Hour}, Quotas: lines(1, 2), Waves: waves(WaveOpen, WaveHeld)}, time.Hour, []AlertStep{{AlertReopen, 0}}},
	} {
		tc.f.State = Running
		if got := DecideAlert(p, tc.f, t0.Add(tc.now)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	f := facts{Rungs: []rung{sms1, mail1}, Tried: 1, Failed: true}
	for wave, want := range map[int]StepKind{1: StepRest, 2: StepSend} {
		f.Wave = wave
		if got := Decide(p, f, aggregate{State: Running, Met: turns{0}}, t0.Add(time.Hour)); got[0].Kind != want {
			t.Errorf("the first turn is reached, wave %d: %v", wave, got)
		}
	}
}

// Who worked in the first turn counts in the relief only after his rest, to the minute.
func TestRestBeforeTheRelief(t *testing.T) {
	t.Parallel()
	p := reliefPlan()
	at := func(d time.Duration) time.Time { return t0.Add(d) }
	for name, tc := range map[string]struct {
		who   person
		stays []Stay
		want  []int
	}{
		"comes now":                                {person{Meaning: Coming, ETA: at(30 * time.Minute)}, nil, []int{0}},
		"announced now, ticked in the relief":      {person{Meaning: Coming, ETA: at(30 * time.Minute), Arrived: at(9 * time.Hour)}, []Stay{{ArrivedAt: at(9 * time.Hour)}}, nil},
		"says himself that he comes later":         {person{Meaning: Coming, ETA: at(9 * time.Hour)}, nil, []int{1}},
		"of the relief, says half an hour":         {person{Wave: 2, Meaning: Coming, ETA: at(30 * time.Minute)}, nil, []int{1}},
		"of the relief, an hour early":             {person{Wave: 2, Meaning: Coming, ETA: at(8 * time.Hour), Arrived: at(7 * time.Hour)}, []Stay{{ArrivedAt: at(7 * time.Hour)}}, []int{1}},
		"of the relief, came at once all the same": {person{Wave: 2, Arrived: at(time.Hour)}, []Stay{{ArrivedAt: at(time.Hour)}}, []int{0}},
		"back a minute before the end of his rest": {person{Meaning: Coming, ETA: at(time.Hour), Arrived: at(time.Hour)}, []Stay{{ArrivedAt: at(time.Hour), LeftAt: at(3 * time.Hour)}, {ArrivedAt: at(14*time.Hour - time.Minute)}}, []int{0}},
		"back after his rest":                      {person{Meaning: Coming, ETA: at(time.Hour), Arrived: at(time.Hour)}, []Stay{{ArrivedAt: at(time.Hour), LeftAt: at(3 * time.Hour)}, {ArrivedAt: at(14 * time.Hour)}}, []int{0, 1}},
		"says he comes back after his rest":        {person{Meaning: Coming, ETA: at(15 * time.Hour), Arrived: at(time.Hour)}, []Stay{{ArrivedAt: at(time.Hour), LeftAt: at(3 * time.Hour)}}, []int{0, 1}},
	} {
		_, got := linesFor(p, " iade ", uuid.Nil, p.attendance(&tc.who, tc.stays))
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: lines %v, want %v", name, got, tc.want)
		}
	}
}

// Those at rest are kept first, then at most half of the others, the same all day.
func TestWhoIsKeptBack(t *testing.T) {
	t.Parallel()
	p := reliefPlan()
	p.keeps = []Keep{{}, {People: 6}}
	var pool []spareOne
	for i := range 10 {
		id := uuid.NewSHA1(uuid.Nil, []byte{byte(i)})
		pool = append(pool, spareOne{person: id, skills: " iade ", waves: []int{2}, resting: i < 2, lot: lotOf(id, t0)})
	}
	pool = append(pool, spareOne{person: uuid.New(), skills: " ide ", waves: []int{2}, resting: true})
	kept := p.draw(slices.Clone(pool))
	if len(kept) != 6 {
		t.Fatalf("%d kept, want two at rest and four of eight", len(kept))
	}
	for _, one := range pool[:2] {
		if kept[one.person] != 2 {
			t.Error("somebody at rest was not kept")
		}
	}
	slices.Reverse(pool)
	again := p.draw(pool)
	for id := range kept {
		if again[id] != 2 {
			t.Error("the lot depends on the order of the directory")
		}
	}
	if lotOf(pool[0].person, t0) == lotOf(pool[0].person, t0.AddDate(0, 0, 1)) {
		t.Error("the same are always kept")
	}
	p.keeps[1].People = 60
	if n := len(p.draw(pool)); n != 6 {
		t.Errorf("%d kept of eight who could come now: more than half", n-2)
	}
}
