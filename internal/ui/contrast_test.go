package ui_test

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tocsin/internal/ui"
)

// themes reads the tokens of the style sheet: light, then dark over light.
func themes(t *testing.T, css string) []map[string]string {
	t.Helper()
	blocks := regexp.MustCompile(`:root(\[data-theme="?dark"?\])?\{([^}]*)\}`).FindAllStringSubmatch(css, -1)
	light, dark := map[string]string{}, map[string]string{}
	for _, b := range blocks {
		for declaration := range strings.SplitSeq(b[2], ";") {
			name, value, found := strings.Cut(declaration, ":")
			if !found || !strings.HasPrefix(name, "--") {
				continue
			}
			if b[1] == "" && light[name] == "" {
				light[name] = value
			}
			if b[1] != "" {
				dark[name] = value
			}
		}
	}
	if len(dark) < 30 || len(light) < len(dark) {
		t.Fatalf("read %d light and %d dark tokens", len(light), len(dark))
	}
	for name, value := range light {
		if dark[name] == "" {
			dark[name] = value
		}
	}
	return []map[string]string{light, dark}
}

// The dark tokens are written twice, for those whose device is dark and for
// those who chose it: they must be the same.
func TestDarkIsTheSameChosenOrNot(t *testing.T) {
	t.Parallel()
	bundles, err := ui.Bundles()
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`:root(?::not\(\[data-theme="?light"?\]\)|\[data-theme="?dark"?\])\{([^}]*)\}`).FindAllStringSubmatch(string(bundles["app.css"]), -1)
	// The print sheet has one too; it sets no focus colour.
	blocks = slices.DeleteFunc(blocks, func(b []string) bool { return !strings.Contains(b[1], "--focus") })
	if len(blocks) != 2 {
		t.Fatalf("%d dark blocks, want 2", len(blocks))
	}
	if blocks[0][1] != blocks[1][1] {
		t.Errorf("dark by the device:\n%s\ndark by choice:\n%s", blocks[0][1], blocks[1][1])
	}
}

// contrast is the ratio of WCAG 2.2 between two colours.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	hex := strings.TrimPrefix(strings.TrimSpace(colour), "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		t.Fatalf("colour %q", colour)
	}
	channel := func(v uint64) float64 {
		c := float64(v&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(n>>16) + 0.7152*channel(n>>8) + 0.0722*channel(n)
}
