package detect

import (
	"math"
	"testing"
	"time"
)

func TestHolidaysAreSundays(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	c := calendar{zone: paris}
	for date, week := range map[string]int{
		"2026-04-06 10:00": 6*24 + 10, // Easter Monday
		"2026-05-14 10:00": 6*24 + 10, // Ascension
		"2027-05-17 10:00": 6*24 + 10, // Whit Monday
		"2026-11-11 23:30": 6*24 + 23,
		"2026-11-12 00:10": 3 * 24,
		"2026-11-30 08:00": 8,
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", date, paris)
		if err != nil {
			t.Fatal(err)
		}
		if s := c.slot(at.UnixMicro()); s.week != week {
			t.Errorf("%s: %+v, want %d", date, s, week)
		}
	}
}

func TestTailOfCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mean, spread float64 }{{0.5, 0.05}, {3, 0.4}, {20, 1}, {60, 3}} {
		r := 1 / c.spread
		sum := 0.0
		for n := 4000; n >= 0; n-- {
			lg, _ := math.Lgamma(float64(n) + r)
			lr, _ := math.Lgamma(r)
			lf, _ := math.Lgamma(float64(n) + 1)
			sum += math.Exp(lg - lr - lf + r*math.Log(r/(r+c.mean)) + float64(n)*math.Log(c.mean/(r+c.mean)))
			if n < 2000 && n%7 == 0 && sum > 1e-30 {
				if got := tail(c.mean, c.spread, n); math.Abs(math.Log(got/sum)) > 0.3 {
					t.Errorf("mean %v spread %v: P(X>=%d) = %g, want %g", c.mean, c.spread, n, got, sum)
				}
			}
		}
		for _, p := range []float64{1e-3, 1e-6} {
			n := beyond(c.mean, c.spread, p)
			if tail(c.mean, c.spread, n) > 1.3*p || tail(c.mean, c.spread, n-1) < p/1.3 {
				t.Errorf("beyond(%v, %v, %g) = %d: %g, %g", c.mean, c.spread, p, n, tail(c.mean, c.spread, n-1), tail(c.mean, c.spread, n))
			}
		}
	}
}

func TestIdsAreCountedOnce(t *testing.T) {
	t.Parallel()
	var s idset
	for range 2 {
		for n := range uint64(1000) {
			s.add(n * 0x9E3779B97F4A7C15)
		}
	}
	if s.n != 1000 {
		t.Error(s.n)
	}
	s.clear()
	if !s.add(5) || s.add(5) || s.n != 1 {
		t.Error(s.n)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := cache[int, int]{most: 100}
	for n := range 10_000 {
		c.put(n, n)
		if _, ok := c.get(0); !ok {
			t.Fatal("what is used is forgotten")
		}
	}
	if n := len(c.young) + len(c.old); n > 200 {
		t.Error(n)
	}
}

func TestStreets(t *testing.T) {
	t.Parallel()
	a, s := lives("12 bis rue des lilas", "29200")
	b, u := lives("14 rue des lilas", "29200")
	_, v := lives("14 rue des lilas", "75001")
	if a == b || s != u || s == v || s == 0 {
		t.Error(a, b, s, u, v)
	}
	if x, y := lives("", "29200"); x != 0 || y != 0 {
		t.Error("an address out of nothing")
	}
}
