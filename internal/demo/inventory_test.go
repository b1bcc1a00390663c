package demo_test

import (
	"encoding/csv"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tocsin/internal/demo"
)

// TestTheInventoryIsInvented: services that the hospital has, addresses that
// lead nowhere.
func TestTheInventoryIsInvented(t *testing.T) {
	t.Parallel()
	e := demo.Hospital(1, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	services := map[string]bool{"": true}
	for _, p := range e.People {
		services[p.Service] = true
	}
	var b strings.Builder
	if err := e.WriteInventory(&b); err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(b.String()))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 10 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	examples := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24")}
	for _, row := range rows[1:] {
		if !services[row[4]] || !services[row[5]] {
			t.Errorf("%s: no service %q or %q", row[2], row[4], row[5])
		}
		if row[9] == "" {
			continue
		}
		a, err := netip.ParseAddr(row[9])
		if err != nil || !examples[0].Contains(a) && !examples[1].Contains(a) && !examples[2].Contains(a) {
			t.Errorf("%s has the address %q", row[2], row[9])
		}
	}
}
