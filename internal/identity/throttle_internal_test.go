package identity

import "testing"

func TestNetworkOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "::ffff:192.0.2.77": "192.0.2.0/24", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "pipe": "pipe",
	} {
		if got := networkOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestDamagedHashIsAnErrorNotAYes(t *testing.T) {
	t.Parallel()
	h := newHasher(Cost{Memory: 64, Passes: 1, Lanes: 1})
	good := h.make("quatre chevaux")
	for _, kept := range []string{"x", "$argon2id$v=19$m=64,t=1,p=1$$", "$argon2id$v=19$m=4294967295,t=1,p=1$AAAA$AAAA", "$argon2i" + good[9:], good[:len(good)-4]} {
		if ok, _, err := h.matches("quatre chevaux", kept); ok || err == nil {
			t.Errorf("%q: ok=%v err=%v", kept, ok, err)
		}
	}
	if ok, stale, err := h.matches("quatre chevaux", good); !ok || stale || err != nil {
		t.Errorf("the good one: %v %v %v", ok, stale, err)
	}
	if ok, _, err := h.matches("anything", ""); ok || err != nil {
		t.Errorf("no password: %v %v", ok, err)
	}
}

// A flood of strangers is turned away, and a known device still gets its turn.
func TestLanesAreApart(t *testing.T) {
	t.Parallel()
	h := newHasher(Cost{Memory: 64, Passes: 1, Lanes: 1})
	strangers := h.lane(false)
	for range cap(strangers.turns) {
		if _, err := strangers.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	strangers.waiting.Store(mostWaiting)
	if _, err := strangers.enter(t.Context()); err == nil || err.Error() != "unavailable identity.busy" {
		t.Errorf("one stranger too many: %v", err)
	}
	leave, err := h.lane(true).enter(t.Context())
	if err != nil {
		t.Fatalf("a known device: %v", err)
	}
	leave()
}
