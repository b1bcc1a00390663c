//go:build !cgo

package duckdb

import (
	"context"
	"testing"

	"tocsin/internal/fault"
)

func TestAProgramWithoutTheBaseSaysSo(t *testing.T) {
	_, _, err := Open(context.Background(), t.TempDir(), Options{})
	if f := fault.As(err); f == nil || f.Kind != fault.Unavailable || f.Key != "traces.base.absent" {
		t.Errorf("opened without the base: %v", err)
	}
}
