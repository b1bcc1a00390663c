package voice

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/time/rate"

	"tocsin/internal/channels"
	"tocsin/internal/i18n"
)

// How often the trunk is asked whether it lives, and how soon it is tried again.
const (
	pingEvery = 15 * time.Second
	pingAgain = time.Second
	pingSlow  = 20 * time.Second
	farewell  = time.Second
	keepFor   = 5 * time.Second
	keepTries = 3
)

// trunk is one way into the telephone network.
type trunk struct {
	config  config
	kind    Kind
	opening channels.Opening
	log     *slog.Logger
	now     func() time.Time
	catalog *i18n.Catalog

	// pace bounds the calls begun each second: an exchange that gets them all at once
	// drops some.
	pace *rate.Limiter
	// reception is that of the calls that come in.
	reception reception
	pulse     *channels.Pulse

	mu    sync.Mutex
	agent *agent
	using sync.WaitGroup
	// struck counts the calls in a row that the trunk refused for reasons of its own.
	struck int
}

func newTrunk(cfg config, k Kind, o channels.Opening) (*trunk, error) {
	begun := rate.Inf
	if cfg.rate > 0 {
		begun = rate.Limit(cfg.rate)
	}
	catalog, err := i18n.Load(Locales)
	if err != nil {
		return nil, err
	}
	return &trunk{
		config: cfg, kind: k, opening: o, log: o.Log, now: o.Now, catalog: catalog,
		reception: reception{most: cfg.incoming},
		pace:      rate.NewLimiter(begun, max(cfg.rate/20, 1)),
		pulse:     channels.NewPulse(o.Now),
	}, nil
}

// Check asks the trunk whether it lives, registers where it must, and lets the
// speech program say one word.
func (t *trunk) Check(ctx context.Context) error {
	if err := t.kind.Studio.Ready(ctx); err != nil {
		return faultOf(err, t.config.address())
	}
	if a := t.enter(); a != nil {
		defer t.using.Done()
		return t.checkBy(ctx, a)
	}
	a, err := newAgent(ctx, &t.config, t.kind.Clock)
	if err != nil {
		return faultOf(err, t.config.address())
	}
	err = t.checkBy(ctx, a)
	if closing := a.close(); closing != nil {
		t.log.Debug("sip: the check did not end in good order", "error", closing)
	}
	return err
}

func (t *trunk) checkBy(ctx context.Context, a *agent) error {
	err := a.ping(ctx)
	if err == nil && t.config.register {
		_, err = a.enrol(ctx, t.config.registerEvery)
	}
	if err != nil {
		return faultOf(err, t.config.address())
	}
	return nil
}

// Run keeps our end open, and the trunk known to live, until ctx ends.
func (t *trunk) Run(ctx context.Context) error {
	defer t.pulse.Begin()()
	for wait := pingAgain; ctx.Err() == nil; wait = min(2*wait, pingSlow) {
		a, err := newAgent(ctx, &t.config, t.kind.Clock)
		if err == nil {
			t.keep(ctx, a)
			break
		}
		t.seen(err)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// keep asks and registers by turns, then ends the calls and our end.
func (t *trunk) keep(ctx context.Context, a *agent) {
	t.mu.Lock()
	t.agent = a
	t.mu.Unlock()
	if t.config.incoming > 0 {
		a.mu.Lock()
		a.toPilot = t.forPilots
		a.answer = func(req *sip.Request, tx sip.ServerTransaction) { t.receive(ctx, a, req, tx) }
		a.mu.Unlock()
	}
	var enrolled time.Duration // how long to wait before the next registration
	for ctx.Err() == nil {
		err := a.ping(ctx)
		wait := pingEvery
		if err == nil && t.config.register && enrolled <= 0 {
			enrolled, err = a.enrol(ctx, t.config.registerEvery)
			enrolled /= 2
		}
		if ctx.Err() != nil {
			break
		}
		if t.seen(err); err != nil {
			wait, enrolled = pingAgain, 0
			if reasonOf(err) == channels.ReasonAuth {
				wait = pingSlow // an account that insists is locked
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		enrolled -= wait
	}
	t.mu.Lock()
	t.agent = nil
	t.mu.Unlock()
	t.using.Wait()
	if t.config.register {
		goodbye, cancel := context.WithTimeout(context.Background(), farewell)
		if _, err := a.enrol(goodbye, 0); err != nil {
			t.log.Debug("sip: the trunk was not told that we leave", "error", err)
		}
		cancel()
	}
	if err := a.close(); err != nil {
		t.log.Debug("sip: our end did not close in good order", "error", err)
	}
}

// enter gives our end, which stays open until using.Done; nil when there is none.
func (t *trunk) enter() *agent {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.agent != nil {
		t.using.Add(1)
	}
	return t.agent
}

// seen notes whether the trunk answered.
func (t *trunk) seen(err error) {
	if err == nil {
		t.pulse.Seen(channels.ReasonNone, "")
		return
	}
	t.log.Warn("sip: the trunk cannot be used; trying again", "trunk", t.config.address(), "error", err)
	t.pulse.Seen(reasonOf(err), err.Error())
}

// Health is what the last question to the trunk showed.
func (t *trunk) Health() channels.Health { return t.pulse.Health() }

// verdict lets several refusals in a row say that the trunk is at fault.
func (t *trunk) verdict(o channels.Outcome) channels.Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !aboutTrunk(o) {
		t.struck = 0
		return o
	}
	if t.struck++; t.struck >= strikes {
		o.GatewayDown, t.struck = true, 0
	}
	return o
}
