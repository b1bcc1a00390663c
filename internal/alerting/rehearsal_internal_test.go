package alerting

import (
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"tocsin/internal/channels"
)

// troupe is so many people with a mobile and an address, in one wave.
func troupe(n int, change ...func(*Definition)) *cast {
	d := Definition{
		Profile: Rappel, Waves: []Wave{{Media: []channels.Medium{channels.SMS, channels.Voice, channels.Email}, Escalate: Duration(5 * time.Minute)}},
		Answers: []Option{{Key: "1", Meaning: Coming}}, Limits: Limits{ArrivalGrace: Duration(15 * time.Minute)},
	}
	for _, c := range change {
		c(&d)
	}
	p := &plan{Definition: d, LaunchedAt: t0, zone: time.UTC}
	mem := newMemory()
	c := newCast(p, mem)
	c.kinds = []kind{mem.kindOf("iade", d.media(), t0)}
	c.stage = Stage{SMS: 30, Email: 10, Lines: 60, Trunk: 30, Segments: 1}
	for i := range n {
		number := "+336399" + strconv.Itoa(10000+i)
		c.people = append(c.people, actor{
			Wave: i * len(d.Waves) / n, Skills: " iade ",
			Rungs: []rung{{channels.SMS, number}, {channels.Voice, number}, {channels.Email, number}},
		})
	}
	return c
}

// sure makes everybody behave in one way.
func (c *cast) sure(m channels.Medium, lost, heard, answered float64) *cast {
	exactly := func(p float64) rate { return rate{p * 1e9, 1e9} }
	for i := range c.kinds {
		c.kinds[i].media[m] = manner{exactly(lost), exactly(heard), exactly(answered)}
	}
	return c
}

// Lines are all used and never more: 4,300 people, 60 % silent to the SMS, calls
// of about 35 s on 60 lines. The facts a launcher is told: about 25 minutes.
func TestRehearsalOfALargeAlertIsTheArithmetic(t *testing.T) {
	t.Parallel()
	c := troupe(4300).sure(channels.SMS, 0, 1, 0.4).sure(channels.Voice, 0, 1, 1)
	d := c.perform(1, 0, 3*time.Hour)
	calls := d.sent[channels.Voice]
	if calls < 2200 || calls > 2650 {
		t.Fatalf("%d people were called by telephone, 60 %% of 4,300 are 2,580, less those who answer while they wait", calls)
	}
	want := time.Duration(float64(calls) / 60 * float64(35*time.Second))
	if got := d.waited[channels.Voice]; math.Abs(float64(got-want)) > 0.12*float64(want) {
		t.Errorf("the last call waited %s, arithmetic says %s", got, want)
	}
	if rate := float64(d.sent[channels.SMS]) / 30; math.Abs(d.waited[channels.SMS].Seconds()-rate) > 2 {
		t.Errorf("the last SMS waited %s at 30 a second", d.waited[channels.SMS])
	}
}

// The same seed shows the same; another shows another night.
func TestRehearsalIsRepeatable(t *testing.T) {
	t.Parallel()
	c := troupe(300)
	a, err := c.rehearse(t.Context(), 7, 20, nil)
	b, err2 := c.rehearse(t.Context(), 7, 20, nil)
	other, err3 := c.rehearse(t.Context(), 8, 20, nil)
	if err != nil || err2 != nil || err3 != nil {
		t.Fatal(err, err2, err3)
	}
	if !slices.Equal(a.Points, b.Points) {
		t.Error("two rehearsals with the same seed differ")
	}
	if slices.Equal(a.Points, other.Points) {
		t.Error("another seed shows the same")
	}
}

// Two waves and a quota: when enough come the second never leaves, and what had
// not left is taken back.
func TestRehearsalStopsAtTheQuota(t *testing.T) {
	t.Parallel()
	c := troupe(400, func(d *Definition) {
		d.Waves = append(d.Waves, Wave{After: Duration(10 * time.Minute), When: QuotaMissing, Media: d.Waves[0].Media, Escalate: Duration(5 * time.Minute)})
		d.Quotas = []Quota{{Skill: "iade", Needed: 20}}
	}).sure(channels.SMS, 0, 1, 0.9)
	o, err := c.rehearse(t.Context(), 1, 30, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.Quota.Never > 0 || o.Quota.Middle > 10*60 || o.Called.High > 200 {
		t.Errorf("quota %+v, called %+v: the second wave left", o.Quota, o.Called)
	}
}

// Which limit binds: few lines, a slow gateway, or people.
func TestRehearsalNamesTheLimit(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cast *cast
		want Limit
	}{
		"a slow gateway": {withStage(troupe(600).sure(channels.SMS, 0, 1, 0.4), Stage{SMS: 1, Email: 10, Lines: 100, Segments: 1}), LimitSMS},
		"few lines":      {withStage(troupe(600).sure(channels.SMS, 0, 0.2, 0.1), Stage{SMS: 100, Email: 10, Lines: 3, Trunk: 3, Segments: 1}), LimitVoice},
		"too few people": {troupe(20, func(d *Definition) { d.Quotas = []Quota{{Needed: 500}} }), LimitPeople},
		"nothing":        {withStage(troupe(20).sure(channels.SMS, 0, 1, 0.9), Stage{SMS: 100, Email: 10, Lines: 100, Segments: 1}), LimitNone},
	} {
		o, err := tc.cast.rehearse(t.Context(), 3, 40, nil)
		if err != nil {
			t.Fatal(err)
		}
		if o.Binds != tc.want {
			t.Errorf("%s: %s binds, want %s (80 %% in %+v, %+v)", name, o.Binds, tc.want, o.At80, o.Lifts)
		}
	}
}

func withStage(c *cast, s Stage) *cast {
	c.stage = s
	return c
}

func BenchmarkRehearsal4300(b *testing.B) {
	c := troupe(4300)
	for b.Loop() {
		if _, err := c.rehearse(b.Context(), 1, 200, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// A wish puts a medium of the wave first; one the wave does not use changes nothing.
func TestLadderFollowsTheWish(t *testing.T) {
	t.Parallel()
	media := []channels.Medium{channels.SMS, channels.Voice, channels.Email}
	for first, want := range map[string][]channels.Medium{
		"": media, "sms": media, "pigeon": media, "voice": {channels.Voice, channels.SMS, channels.Email}, "email": {channels.Email, channels.SMS, channels.Voice},
	} {
		if got := wished(media, first); !slices.Equal(got, want) {
			t.Errorf("%q first: %v", first, got)
		}
	}
	if got := wished(media[:1], "voice"); !slices.Equal(got, media[:1]) || media[0] != channels.SMS {
		t.Errorf("a wave by SMS calls by %v", got)
	}
}
