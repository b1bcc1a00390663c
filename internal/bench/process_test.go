package bench

import (
	"errors"
	"testing"
)

// A peer that ends as it starts is an error at once, not a wait of minutes.
func TestAPeerThatEndsIsNoticed(t *testing.T) {
	t.Parallel()
	b := &bench{Options: Options{Program: "/bin/false"}}
	if p, err := b.startPeer(t.Context()); !errors.Is(err, errEnded) {
		t.Errorf("got %v, %v", p, err)
	}
}
