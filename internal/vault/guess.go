package vault

import "time"

// The waits of those who try short secrets.
const (
	firstWait = 2 * time.Second
	mostWait  = 5 * time.Minute
)

// Wait is how long to wait after the nth failure: nothing for the free ones, then
// 2 s, 4 s, 8 s… and never more than five minutes.
func Wait(failures, free int64) time.Duration {
	over := failures - free
	if over <= 0 {
		return 0
	}
	if over > 9 {
		return mostWait
	}
	return min(mostWait, firstWait<<(over-1))
}

// WorthNoting tells the failures that the journal takes: the last free one, and each
// time they have doubled.
func WorthNoting(failures, free int64) bool {
	for n := free; n <= failures; n *= 2 {
		if n == failures {
			return true
		}
	}
	return false
}

// Guessable tells digits that anybody tries first: 000000, 123456, 987654, 123123.
func Guessable(digits string) bool {
	steps := map[byte]bool{}
	for i := 1; i < len(digits); i++ {
		steps[digits[i]-digits[i-1]] = true
	}
	half := len(digits) / 2
	return len(steps) <= 1 || len(digits)%2 == 0 && digits[:half] == digits[half:]
}
