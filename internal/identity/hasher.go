package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"tocsin/internal/fault"
)

// Cost is how hard a password is to test (argon2id, RFC 9106). It is written
// in each hash: a change applies at the next sign-in of each person.
type Cost struct {
	// Memory is in KiB.
	Memory, Passes uint32
	Lanes          uint8
}

// DefaultCost takes about 70 ms on the two cores we promise to run on, above
// the least that OWASP's password storage sheet asks (19 MiB, two passes).
func DefaultCost() Cost { return Cost{Memory: 32 << 10, Passes: 2, Lanes: 1} }

const (
	saltSize = 16
	hashSize = 32
	// mostWaiting bounds those who wait for their turn, in each lane.
	mostWaiting = 64
)

// hasher stretches passwords, a few at a time so that a flood of sign-ins
// takes neither all the memory nor all the cores from an alert. Known devices
// have a lane of their own: strangers cannot fill it.
type hasher struct {
	cost            Cost
	known, stranger *lane
	// decoy is tested when there is no account, so that it takes as long.
	decoy string
}

type lane struct {
	turns   chan struct{}
	waiting atomic.Int32
}

func newHasher(cost Cost) *hasher {
	if cost == (Cost{}) {
		cost = DefaultCost()
	}
	width := max(1, runtime.NumCPU()/2)
	h := &hasher{cost: cost, known: &lane{turns: make(chan struct{}, width)}, stranger: &lane{turns: make(chan struct{}, width)}}
	h.decoy = h.make(rand.Text())
	return h
}

// enter waits for a turn. Errors: Unavailable when too many wait already.
func (l *lane) enter(ctx context.Context) (leave func(), err error) {
	if l.waiting.Add(1) > mostWaiting {
		l.waiting.Add(-1)
		return nil, fault.New(fault.Unavailable, "identity.busy")
	}
	defer l.waiting.Add(-1)
	select {
	case l.turns <- struct{}{}:
		return func() { <-l.turns }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to test a password: %w", ctx.Err())
	}
}

func (h *hasher) lane(known bool) *lane {
	if known {
		return h.known
	}
	return h.stranger
}

// hash makes the text that is kept of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.known.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return h.make(password), nil
}

func (h *hasher) make(password string) string {
	salt := make([]byte, saltSize)
	_, err := rand.Read(salt)
	if err != nil {
		panic("identity: no randomness: " + err.Error())
	}
	key := argon2.IDKey([]byte(password), salt, h.cost.Passes, h.cost.Memory, h.cost.Lanes, hashSize)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.Memory, h.cost.Passes, h.cost.Lanes, b64(salt), b64(key))
}

// matches tests a password; stale tells that its hash was made at another cost.
// Without a hash the decoy is tested and never matches.
func (h *hasher) matches(password, kept string) (ok, stale bool, err error) {
	exists := kept != ""
	if !exists {
		kept = h.decoy
	}
	cost, salt, key, err := readHash(kept)
	if err != nil {
		return false, false, err
	}
	got := argon2.IDKey([]byte(password), salt, cost.Passes, cost.Memory, cost.Lanes, hashSize)
	return subtle.ConstantTimeCompare(got, key) == 1 && exists, cost != h.cost, nil
}

// readHash reads the PHC string format. The bounds keep a damaged row from
// asking for all the memory.
func readHash(text string) (cost Cost, salt, key []byte, err error) {
	parts := strings.Split(text, "$")
	bad := errors.New("identity: a password hash is damaged")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost, nil, nil, bad
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.Memory, &cost.Passes, &cost.Lanes); err != nil {
		return cost, nil, nil, bad
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(key) != hashSize || cost.Memory > 1<<20 || cost.Passes == 0 || cost.Passes > 100 || cost.Lanes == 0 {
		return cost, nil, nil, bad
	}
	return cost, salt, key, nil
}
