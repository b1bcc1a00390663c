//go:build !cgo

package duckdb

import (
	"context"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// Engine stands for the base in a program that has none.
type Engine struct{ traces.Engine }

// Open says that this program was built without the base.
func Open(context.Context, string, Options) (*Engine, []Aside, error) {
	return nil, nil, fault.New(fault.Unavailable, "traces.base.absent")
}
