package lab

import (
	"hash/fnv"
	"math"
)

// dice are the chances of one person: each trait has its own roll, so that
// changing one share moves no other trait.
type dice struct{ seed, who uint64 }

// roll is between 0 and 1, 1 excluded.
func (d dice) roll(trait string) float64 {
	return float64(d.number(trait)>>11) / (1 << 53)
}

func (d dice) number(trait string) uint64 {
	return mix(mix(d.seed^0x9e3779b97f4a7c15) ^ mix(d.who) ^ spread(trait))
}

// normal is drawn from the normal law (Box and Muller).
func (d dice) normal(trait string) float64 {
	u := 1 - d.roll(trait+"/u")
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*d.roll(trait+"/v"))
}

// mix spreads every bit over all (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func spread(s string) uint64 {
	h := fnv.New64a()
	if _, err := h.Write([]byte(s)); err != nil {
		panic(err) // a hash never fails
	}
	return h.Sum64()
}

// share is a slice of the people and what it does.
type share[T any] struct {
	part  float64
	value T
}

// pick reads a roll against shares put end to end.
func pick[T any](roll float64, rest T, shares ...share[T]) T {
	for _, s := range shares {
		if roll < s.part {
			return s.value
		}
		roll -= s.part
	}
	return rest
}
