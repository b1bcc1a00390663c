package dispatch_test

import (
	"sync/atomic"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage/storagetest"
)

func lite(t *testing.T, m channels.Medium) *house {
	t.Helper()
	return newHouse(t, storagetest.SQLite(t, dispatchtest.Migrations()...), m)
}

func TestFailover(t *testing.T) {
	h := lite(t, channels.SMS)
	dispatchtest.Gateway(t, h.d, h.scope, t0, h.air, 1, channels.Settings{"peer": "main"})
	dispatchtest.Gateway(t, h.d, h.scope, t0, h.air, 2, channels.Settings{"peer": "relief"})
	h.start()
	through := func(c dispatch.Campaign, o dispatch.Order) string {
		tries, err := h.d.Attempts(t.Context(), h.scope, c.ID, o.Subject)
		if err != nil {
			t.Fatal(err)
		}
		return tries[len(tries)-1].Gateway
	}
	c, orders := h.post(100)
	h.within("all accepted", func() bool { return h.view(c).Accepted == 100 })
	if got := through(c, orders[0]); got != "passerelle main" {
		t.Errorf("went through %q", got)
	}
	h.air.Channel("main").Cut()
	c, orders = h.post(100)
	h.within("all accepted by the relief", func() bool { return h.view(c).Accepted == 100 })
	if got := through(c, orders[99]); got != "passerelle relief" {
		t.Errorf("went through %q", got)
	}
	v, err := h.d.View(t.Context(), h.scope, c.ID, t0)
	if err != nil {
		t.Fatal(err)
	}
	if main, relief := v.Gateways[0], v.Gateways[1]; main.Carrying || main.Health.Up || !relief.Carrying || v.Media[0].Doubles != 0 {
		t.Errorf("view %+v", v)
	}
	h.air.Channel("main").Mend()
	h.clock.Advance(time.Minute)
	h.within("the first gateway carries again", func() bool {
		v, err := h.d.View(t.Context(), h.scope, c.ID, t0)
		if err != nil {
			t.Fatal(err)
		}
		return v.Gateways[0].Carrying && !v.Gateways[1].Carrying
	})
	c, orders = h.post(1)
	h.within("accepted", func() bool { return h.view(c).Accepted == 1 })
	if got := through(c, orders[0]); got != "passerelle main" {
		t.Errorf("went through %q", got)
	}
}

func TestADownGatewayKeepsItsMessages(t *testing.T) {
	h := lite(t, channels.SMS).open(nil)
	c, _ := h.post(1)
	h.within("accepted", func() bool { return h.view(c).Accepted == 1 })
	h.air.Channel("main").Cut()
	c, _ = h.post(200)
	h.within("the pause is seen", func() bool {
		v, err := h.d.View(t.Context(), h.scope, c.ID, t0)
		if err != nil {
			t.Fatal(err)
		}
		return !v.Gateways[0].Carrying && v.Media[0].Queued == 200 && v.Gateways[0].Health.Reason == channels.ReasonUnreachable
	})
	h.air.Channel("main").Mend()
	h.clock.Advance(time.Minute)
	h.facts(dispatch.FactAccepted, 201)
	if v := h.view(c); v.Doubles != 0 {
		t.Errorf("view %+v", v)
	}
}

func TestAMediumNeverDelaysAnother(t *testing.T) {
	sms := lite(t, channels.SMS)
	mail := dispatchtest.NewAir(channels.Email)
	sms.d = dispatchtest.Outbox(t, sms.db, sms.clock, sms.sink, sms.air, mail)
	dispatchtest.Gateway(t, sms.d, sms.scope, t0, mail, 1, nil)
	block := make(chan struct{})
	mail.Answer(func(m channels.Message) channels.Outcome { <-block; return dispatchtest.Accept(m) })
	sms.open(nil)
	defer close(block)
	c, content, orders := dispatchtest.Mail(t0, channels.Email, 2000)
	dispatchtest.Post(t, sms.d, sms.db, sms.scope, t0, c, content, orders)
	sms.within("the mail hangs", func() bool { return mail.Count() == 8 })
	texts, _ := sms.post(2000)
	sms.within("all texts accepted", func() bool { return sms.view(texts).Accepted == 2000 })
	if mail.Count() != 8 {
		t.Errorf("%d mails left through a peer that hangs", mail.Count())
	}
}

func TestUnknownOutcomeIsSentAgainAndFlagged(t *testing.T) {
	h := lite(t, channels.SMS)
	var tries atomic.Int32
	h.air.Answer(func(m channels.Message) channels.Outcome {
		if tries.Add(1) == 1 {
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout, Uncertain: true}
		}
		return dispatchtest.Accept(m)
	})
	h.open(nil)
	c, orders := h.post(1)
	f := h.facts(dispatch.FactDoublePossible, 1)
	if f[0].Delivery != orders[0].ID || f[0].Reason != channels.ReasonTimeout {
		t.Errorf("fact %+v", f[0])
	}
	h.clock.Advance(time.Minute)
	h.d.Wake()
	h.facts(dispatch.FactAccepted, 1)
	sent := h.air.Sent()
	if len(sent) != 2 || sent[0].ID != sent[1].ID {
		t.Errorf("sent %+v", sent)
	}
	if v := h.view(c); v.Doubles != 1 {
		t.Errorf("view %+v", v)
	}
}

func TestAPanicIsOneMessageOnly(t *testing.T) {
	h := lite(t, channels.SMS)
	var calls atomic.Int32
	h.air.Answer(func(m channels.Message) channels.Outcome {
		if calls.Add(1) == 1 {
			panic("a broken message")
		}
		return dispatchtest.Accept(m)
	})
	h.open(nil)
	h.post(10)
	h.facts(dispatch.FactAccepted, 9)
	h.clock.Advance(time.Minute)
	h.d.Wake()
	h.facts(dispatch.FactAccepted, 10)
}

func TestThrottlingSlowsDownAndLosesNothing(t *testing.T) {
	h := lite(t, channels.SMS)
	var calls atomic.Int32
	h.air.Answer(func(m channels.Message) channels.Outcome {
		if calls.Add(1)%2 == 1 {
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled, RetryAfter: time.Second}
		}
		return dispatchtest.Accept(m)
	})
	h.open(channels.Settings{"senders": "2"})
	c, _ := h.post(30)
	h.within("all accepted", func() bool {
		h.clock.Advance(time.Second)
		h.d.Wake()
		return h.view(c).Accepted == 30
	})
	if v := h.view(c); v.Failed != 0 || v.Doubles != 0 {
		t.Errorf("view %+v", v)
	}
}

// TestRetryEndsWithValidity refuses for now until the message is worth nothing.
func TestRetryEndsWithValidity(t *testing.T) {
	h := lite(t, channels.SMS)
	h.air.Answer(func(channels.Message) channels.Outcome {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError}
	})
	h.open(nil)
	h.post(1, func(_ *dispatch.Campaign, orders []dispatch.Order) { orders[0].ExpiresAt = t0.Add(20 * time.Second) })
	h.within("expired", func() bool {
		h.clock.Advance(time.Second)
		h.d.Wake()
		return len(h.sink.Of(dispatch.FactExpired)) == 1
	})
	if n := h.air.Count(); n < 2 || n > 4 {
		t.Errorf("%d tries in twenty seconds", n)
	}
}

// TestGatewaysAreFollowedBeforeTheStart: the task that follows the gateways may
// be the first to run at a start. It must open nothing by itself.
func TestGatewaysAreFollowedBeforeTheStart(t *testing.T) {
	h := lite(t, channels.SMS)
	dispatchtest.Gateway(t, h.d, h.scope, t0, h.air, 1, channels.Settings{"peer": "main"})
	if err := h.d.FollowGateways(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.start()
	c, _ := h.post(1)
	h.within("accepted", func() bool { return h.view(c).Accepted == 1 })
}
