//go:build !cgo || notraces

package main

import "tocsin/internal/app"

// parts are what this program was built with: no base of traces.
func parts() []app.Part { return nil }
