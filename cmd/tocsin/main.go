// Command tocsin alerts and mobilises the staff of a hospital.
package main

import (
	"os"

	"tocsin/internal/app"
)

func main() {
	os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, parts()...))
}
