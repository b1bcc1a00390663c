package vault_test

import (
	"testing"
	"time"

	"tocsin/internal/vault"
)

func TestWait(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int64]time.Duration{
		0: 0, 1: 0, 5: 0, 6: 2 * time.Second, 7: 4 * time.Second, 8: 8 * time.Second, 13: 256 * time.Second, 14: 5 * time.Minute, 15: 5 * time.Minute, 1 << 40: 5 * time.Minute,
	} {
		if got := vault.Wait(failures, 5); got != want {
			t.Errorf("after %d failures: %s, want %s", failures, got, want)
		}
	}
}

func TestWorthNoting(t *testing.T) {
	t.Parallel()
	var noted []int64
	for n := int64(0); n <= 1000; n++ {
		if vault.WorthNoting(n, 5) {
			noted = append(noted, n)
		}
	}
	if len(noted) != 8 || noted[0] != 5 || noted[7] != 640 {
		t.Errorf("%v", noted)
	}
}

func TestGuessable(t *testing.T) {
	t.Parallel()
	for digits, want := range map[string]bool{
		"": true, "0": true, "000000": true, "123456": true, "987654": true, "123123": true, "13579": true, "482957": false, "1234567809": false, "112358": false,
	} {
		if got := vault.Guessable(digits); got != want {
			t.Errorf("%q: %v", digits, got)
		}
	}
}
