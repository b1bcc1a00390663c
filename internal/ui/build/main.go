// Package main is « L'atelier des pages »: it makes the bundles of
// internal/ui/dist from internal/ui/assets and the npm packages of package.json.
//
// It promises the same bytes for the same sources, names that carry a hash of
// what they hold, and (-check) to say when dist no longer matches its sources.
//
// It never runs on a server: dist is committed and embedded.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	check := flag.Bool("check", false, "say whether dist matches its sources, write nothing")
	root := flag.String("root", "internal/ui", "folder of the package ui")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "ui/build:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	files, err := bundle(root)
	if err != nil {
		return err
	}
	if check {
		return compare(root+"/dist", files)
	}
	return write(os.Stdout, root+"/dist", files)
}
