// Package main is « L’atelier de la liste »: it writes the list of worn
// passwords from words, rows of keys and the habits of people.
//
//	go run ./internal/identity/common/build internal/identity/common/list.txt.gz
package main

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the words
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"tocsin/internal/identity/common"
)

//go:embed words.txt
var words string

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: build list.txt.gz")
		os.Exit(2)
	}
	packed, err := pack(list(words))
	if err == nil {
		err = os.WriteFile(os.Args[1], packed, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// list combines the words: sections [solo] stand alone, [first] are followed by
// [second] ("bienvenue" + "hopital"), as a person asked for twelve characters does.
func list(text string) []string {
	sections := map[string][]string{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "["):
			name = strings.Trim(line, "[]")
		case line != "" && !strings.HasPrefix(line, "#"):
			for _, w := range strings.Fields(line) {
				sections[name] = append(sections[name], common.Plain(strings.ReplaceAll(w, "_", " ")))
			}
		}
	}
	out := map[string]bool{}
	for _, group := range sections {
		for _, w := range group {
			out[w] = true
		}
	}
	for _, a := range sections["first"] {
		for _, b := range slices.Concat(sections["first"], sections["second"]) {
			out[a+b] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

func pack(lines []string) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
