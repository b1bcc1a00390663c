//go:build cgo

package duckdb

import (
	"testing"

	"tocsin/internal/traces/tracestest"
)

func TestConformance(t *testing.T) {
	tracestest.Run(t, openedWhole)
}
