package bench_test

import (
	"os"
	"testing"

	"tocsin/internal/app"
	"tocsin/internal/bench"
)

// TestMain lets the test be the program: the bench starts its peers and its
// products by running itself again with other arguments.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "lab", "serve", bench.StepCommand:
			os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		}
	}
	os.Exit(m.Run())
}
