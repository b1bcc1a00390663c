package dispatch

import "time"

// sightings tells who is alive by watching: each node renews a number of its
// own in the database, and whoever sees the number stand still for long enough,
// by its own monotonic counter, knows that its owner has stopped. Clocks that
// differ, or are corrected, change nothing.
type sightings[K comparable] struct {
	patience time.Duration
	seen     map[K]sighting
}

type sighting struct {
	number int64
	// at is when the number was first seen, after it was read.
	at time.Duration
}

func newSightings[K comparable](patience time.Duration) *sightings[K] {
	return &sightings[K]{patience: patience, seen: make(map[K]sighting)}
}

// still notes the numbers just read and returns whose have not changed for the
// length of the patience. Those that are no longer there are forgotten.
func (s *sightings[K]) still(now time.Duration, numbers map[K]int64) (dead []K) {
	for k := range s.seen {
		if _, there := numbers[k]; !there {
			delete(s.seen, k)
		}
	}
	for k, n := range numbers {
		if before, known := s.seen[k]; !known || before.number != n {
			s.seen[k] = sighting{n, now}
		} else if now-before.at >= s.patience {
			dead = append(dead, k)
		}
	}
	return dead
}
