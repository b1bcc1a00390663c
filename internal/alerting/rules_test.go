package alerting

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/directory"
)

var (
	t0    = time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC) // the clocks go back half an hour later
	sms1  = rung{channels.SMS, "+33639980001"}
	sms2  = rung{channels.SMS, "+33639980002"}
	mail1 = rung{channels.Email, "a@valbrume.example"}
)

func planFor(profile Profile, waves ...Wave) *plan {
	if len(waves) == 0 {
		waves = []Wave{{Media: []channels.Medium{channels.SMS, channels.Email}, Escalate: Duration(5 * time.Minute)}}
	}
	return &plan{Definition: Definition{Profile: profile, Waves: waves}, LaunchedAt: t0}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return t0.Add(d) }
	all := []rung{sms1, sms2, mail1}
	running := aggregate{State: Running}
	cases := []struct {
		name string
		plan *plan
		f    facts
		a    aggregate
		now  time.Duration
		want Step
	}{
		{"queued, time left", nil, facts{Rungs: all, Tried: 1, CalledAt: t0}, running, 299 * time.Second, Step{Kind: StepWait, Until: at(300 * time.Second)}},
		{"queued, the medium lets nothing out", nil, facts{Rungs: all, Tried: 1, CalledAt: t0}, running, 300 * time.Second, Step{Kind: StepSend, Rung: 2, Use: UseReminder}},
		{"submitted: counted from there", nil, facts{Rungs: all, Tried: 1, CalledAt: t0, SubmittedAt: at(time.Minute)}, running, 300 * time.Second, Step{Kind: StepWait, Until: at(6 * time.Minute)}},
		{"delivered: counted from there", nil, facts{Rungs: all, Tried: 1, CalledAt: t0, SubmittedAt: at(time.Second), DeliveredAt: at(2 * time.Hour)}, running, 2*time.Hour + 5*time.Minute - 1, Step{Kind: StepWait, Until: at(2*time.Hour + 5*time.Minute)}},
		{"delivered, silent: next medium, not next number", nil, facts{Rungs: all, Tried: 1, CalledAt: t0, DeliveredAt: t0}, running, 5 * time.Minute, Step{Kind: StepSend, Rung: 2, Use: UseReminder}},
		{"every medium was used: the number left over", nil, facts{Rungs: all, Rung: 2, Tried: 0b101, CalledAt: t0}, running, 5 * time.Minute, Step{Kind: StepSend, Rung: 1, Use: UseReminder}},
		{"all used, the last is lost", nil, facts{Rungs: all, Rung: 1, Tried: 0b111, CalledAt: t0}, running, 5 * time.Minute, Step{Kind: StepExhaust}},
		{"all used, one left without receipt", nil, facts{Rungs: all, Rung: 1, Tried: 0b111, CalledAt: t0, SubmittedAt: t0, Left: 1}, running, 5 * time.Minute, Step{Kind: StepDoubt}},
		{"all used, one still waits to leave", nil, facts{Rungs: all, Rung: 1, Tried: 0b111, CalledAt: t0, Pending: 1}, running, 5 * time.Minute, Step{Kind: StepWait, Until: at(10 * time.Minute)}},
		{"the last failed, an earlier message may have arrived", nil, facts{Rungs: all, Rung: 2, Tried: 0b111, Failed: true, Left: 1}, running, 0, Step{Kind: StepDoubt}},
		{"a diffusion waits for what is left of it", planFor(Diffusion, Wave{}), facts{Rungs: all, Rung: 2, Tried: 0b111, Failed: true, Pending: 1}, running, 0, Step{Kind: StepRest}},
		{"guarded, but an earlier message may have arrived", nil, facts{Rungs: all, Tried: 1, Guarded: true, Left: 1}, running, 0, Step{Kind: StepDoubt}},
		{"failed: next number at once", nil, facts{Rungs: all, Tried: 1, CalledAt: t0, Failed: true}, running, 0, Step{Kind: StepSend, Rung: 1, Use: UseAlert}},
		{"second failed: next medium", nil, facts{Rungs: all, Rung: 1, Tried: 0b11, Failed: true}, running, 0, Step{Kind: StepSend, Rung: 2, Use: UseAlert}},
		{"the last failed, an earlier one is left", nil, facts{Rungs: all, Rung: 2, Tried: 0b101, Failed: true}, running, 0, Step{Kind: StepSend, Rung: 1, Use: UseAlert}},
		{"all failed", nil, facts{Rungs: all, Rung: 2, Tried: 0b111, Failed: true}, running, 0, Step{Kind: StepExhaust}},
		{"withdrawn: the same again", nil, facts{Rungs: all, Tried: 1, Withdrawn: true}, running, 0, Step{Kind: StepSend, Rung: 0, Use: UseAlert}},
		{"guarded: no insisting", nil, facts{Rungs: all, Tried: 1, Guarded: true}, running, time.Hour, Step{Kind: StepExhaust}},
		{"reopened", nil, facts{Rungs: all, Tried: 1, Reopened: true}, running, 0, Step{Kind: StepSend, Rung: 2, Use: UseReminder}},
		{"reopened, all tried: the first again", nil, facts{Rungs: all, Rung: 2, Tried: 0b111, Reopened: true}, running, 0, Step{Kind: StepSend, Rung: 0, Use: UseReminder}},
		{"answered", nil, facts{Rungs: all, Tried: 1, Answered: true, Failed: true}, running, time.Hour, Step{Kind: StepRest}},
		{"quota reached", nil, facts{Rungs: all, Tried: 1, Failed: true}, aggregate{State: Running, Met: turns{0}}, time.Hour, Step{Kind: StepRest}},
		{"wave stopped", nil, facts{Rungs: all, Tried: 1, Failed: true}, aggregate{State: Running, Stopped: map[int]bool{0: true}}, time.Hour, Step{Kind: StepRest}},
		{"ended", nil, facts{Rungs: all, Tried: 1, Failed: true}, aggregate{State: Ended}, time.Hour, Step{Kind: StepRest}},
		{"killed", nil, facts{Rungs: all, Tried: 1, Failed: true}, aggregate{State: Killed}, time.Hour, Step{Kind: StepRest}},
		{"a diffusion does not escalate", planFor(Diffusion), facts{Rungs: all, Tried: 1, CalledAt: t0}, running, time.Hour, Step{Kind: StepRest}},
		{"but a dead number has a successor", planFor(Diffusion), facts{Rungs: all, Tried: 1, Failed: true}, running, 0, Step{Kind: StepSend, Rung: 1, Use: UseAlert}},
		{"stay away keeps its words", planFor(Discret, Wave{Use: UseStayAway}), facts{Rungs: all, Tried: 1, Failed: true}, running, 0, Step{Kind: StepSend, Rung: 1, Use: UseStayAway}},
	}
	for _, c := range cases {
		p := c.plan
		if p == nil {
			p = planFor(Rappel)
		}
		if got := Decide(p, c.f, c.a, at(c.now)); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestDecideAlert(t *testing.T) {
	t.Parallel()
	p := planFor(Rappel, Wave{}, Wave{After: Duration(10 * time.Minute)}, Wave{After: Duration(20 * time.Minute), When: Always})
	waves := func(states ...WaveState) []waveFacts {
		out := make([]waveFacts, len(states))
		for i, s := range states {
			out[i] = waveFacts{i, s, t0.Add(time.Duration(i) * 10 * time.Minute), false}
		}
		return out
	}
	full, short := []QuotaLine{{Needed: 2, Coming: 1, Arrived: 1}}, []QuotaLine{{Needed: 2, Coming: 1}}
	cases := []struct {
		name string
		f    alertFacts
		now  time.Duration
		want []AlertStep
	}{
		{"nothing yet", alertFacts{Waves: waves(WaveOpen, WavePending, WavePending), Quotas: short}, 599 * time.Second, nil},
		{"second wave", alertFacts{Waves: waves(WaveOpen, WavePending, WavePending), Quotas: short}, 10 * time.Minute, []AlertStep{{AlertOpenWave, 1}}},
		{"late tick opens both", alertFacts{Waves: waves(WaveOpen, WavePending, WavePending)}, time.Hour, []AlertStep{{AlertOpenWave, 1}, {AlertOpenWave, 2}}},
		{
			"met: held, save the wave that always leaves",
			alertFacts{Waves: waves(WaveOpen, WavePending, WavePending), Quotas: full},
			time.Hour,
			[]AlertStep{{AlertMet, 0}, {AlertHoldWave, 1}, {AlertOpenWave, 2}},
		},
		{"still met", alertFacts{Met: turns{0}, Waves: waves(WaveOpen, WaveHeld, WaveOpen), Quotas: full}, time.Hour, nil},
		{
			"missed again, hour past",
			alertFacts{Met: turns{0}, Waves: waves(WaveOpen, WaveHeld, WaveOpen), Quotas: short},
			time.Hour,
			[]AlertStep{{AlertReopen, 0}, {AlertOpenWave, 1}},
		},
		{
			"missed again, hour to come",
			alertFacts{Met: turns{0}, Waves: waves(WaveOpen, WaveHeld, WavePending), Quotas: short},
			time.Minute,
			[]AlertStep{{AlertReopen, 0}, {AlertFreeWave, 1}},
		},
		{"stopped stays stopped", alertFacts{Waves: waves(WaveOpen, WaveStopped, WaveStopped)}, time.Hour, nil},
		{"repeat", alertFacts{Waves: waves(WaveOpen), RepeatAt: t0.Add(time.Minute)}, time.Minute, []AlertStep{{AlertRepeat, 0}}},
		{"over", alertFacts{State: Ended, Waves: waves(WaveOpen, WavePending), RepeatAt: t0}, time.Hour, nil},
	}
	for _, c := range cases {
		if c.f.State == "" {
			c.f.State = Running
		}
		got := DecideAlert(p, c.f, t0.Add(c.now))
		if len(got) != len(c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
			}
		}
	}
}

func TestLadder(t *testing.T) {
	t.Parallel()
	contact := func(kind, address string, state directory.ContactState) directory.Contact {
		return directory.Contact{Kind: kind, Address: address, State: state}
	}
	both := []channels.Medium{channels.SMS, channels.Email}
	cases := []struct {
		name   string
		target directory.Target
		media  []channels.Medium
		want   []rung
		why    LeftOut
	}{
		{"media first, preference within", directory.Target{Contacts: []directory.Contact{
			contact("email", mail1.Address, ""), contact("mobile", sms2.Address, ""),
			contact("mobile", sms1.Address, ""),
		}}, both, []rung{sms2, sms1, mail1}, ""},
		{
			"the wave's order",
			directory.Target{Contacts: []directory.Contact{contact("mobile", sms1.Address, ""), contact("email", mail1.Address, "")}},
			[]channels.Medium{channels.Email, channels.SMS},
			[]rung{mail1, sms1},
			"",
		},
		{
			"refused",
			directory.Target{Refused: []string{"sms"}, Contacts: []directory.Contact{contact("mobile", sms1.Address, ""), contact("email", mail1.Address, "")}},
			both,
			[]rung{mail1},
			"",
		},
		{
			"stopped and bounced",
			directory.Target{Contacts: []directory.Contact{contact("mobile", sms1.Address, directory.Stopped), contact("email", mail1.Address, directory.Bounced)}},
			both, nil, LeftStopped,
		},
		{"failed is tried again", directory.Target{Contacts: []directory.Contact{contact("mobile", sms1.Address, directory.Failed)}}, both, []rung{sms1}, ""},
		{"all refused", directory.Target{Refused: []string{"sms", "email"}, Contacts: []directory.Contact{contact("mobile", sms1.Address, "")}}, both, nil, LeftRefused},
		{"an extension is no road yet", directory.Target{Contacts: []directory.Contact{contact("extension", "4512", "")}}, both, nil, LeftNoAddress},
		{"nothing", directory.Target{}, both, nil, LeftNoAddress},
	}
	for _, c := range cases {
		got := ladder(c.target, c.media)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
		if len(got) == 0 && whyNoRung(c.target, c.media) != c.why {
			t.Errorf("%s: %s, want %s", c.name, whyNoRung(c.target, c.media), c.why)
		}
		if back := readLadder(writeLadder(got)); len(back) != len(got) {
			t.Errorf("%s: kept as %v", c.name, back)
		}
	}
}

func TestQuotaLines(t *testing.T) {
	t.Parallel()
	nord, sud := uuid.New(), uuid.New()
	p := planFor(Rappel)
	p.Definition.Quotas = []Quota{
		{Skill: "iade", Site: nord, To: Duration(time.Hour), Needed: 1},
		{Skill: "iade", Site: nord, From: Duration(time.Hour), Needed: 1},
		{Skill: "ide", Needed: 1},
		{Needed: 10},
	}
	cases := []struct {
		name     string
		skills   string
		site     uuid.UUID
		eta      time.Duration
		everyone []int
		skilled  []int
	}{
		{"first slot", skills("iade", nil), nord, 30 * time.Minute, []int{3}, []int{0}},
		{"the bound belongs to the next slot", skills("iade", nil), nord, time.Hour, []int{3}, []int{1}},
		{"other site", skills("iade", nil), sud, 0, []int{3}, nil},
		{"two skills", skills("ide", []string{"iade"}), nord, 0, []int{3}, []int{0, 2}},
		{"no skill asked for", skills("ash", nil), nord, 0, []int{3}, nil},
		{"a code inside another is another", skills("iadex", nil), nord, 0, []int{3}, nil},
	}
	same := func(a, b []int) bool {
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return true
	}
	for _, c := range cases {
		everyone, skilled := linesFor(p, c.skills, c.site, presence{At: t0.Add(c.eta), Since: t0.Add(c.eta)})
		if !same(everyone, c.everyone) || !same(skilled, c.skilled) {
			t.Errorf("%s: %v %v, want %v %v", c.name, everyone, skilled, c.everyone, c.skilled)
		}
	}
	lines := []QuotaLine{{Needed: 1, Coming: 1}, {}, {Needed: 1}}
	if got := onePost([]int{0, 2}, lines); !same(got, []int{2}) {
		t.Errorf("the post that misses someone: %v", got)
	}
	lines[2].Arrived = 1
	if got := onePost([]int{0, 2}, lines); !same(got, []int{0}) {
		t.Errorf("when none misses anyone, the first: %v", got)
	}
}
