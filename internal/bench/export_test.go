package bench

import (
	"context"
	"io"
	"net/http"
	"time"

	"golang.org/x/net/html"
)

// Samples is samples, for the tests.
type Samples = samples

// Median is the middle value.
func (s samples) Median() float64 { return s.median() }

// Percentile is the nearest rank.
func (s samples) Percentile(p float64) float64 { return s.percentile(p) }

// Result makes a figure by the median, Worst by the largest value.
func (s samples) Result(id, unit string, raw samples, name string) Result {
	return s.result(id, unit, raw, name)
}

// Worst makes a figure by the largest value.
func (s samples) Worst(id, unit string, raw samples, name string) Result {
	return s.worst(id, unit, raw, name)
}

// Choose is choose.
func Choose(only string) (map[string]bool, error) { return choose(measurements(), only) }

// Round is round.
func Round(v float64) float64 { return round(v) }

// Kind is kind.
func Kind(path string) string { return kind(path) }

// PageLinks is pageLinks.
func PageLinks(page *html.Node) []string { return pageLinks(page) }

// Resources is resources.
func Resources(page *html.Node) []string { return resources(page) }

// Staff is staff.
func Staff(w io.Writer, n int) error { return staff(w, n, true) }

// Links is links.
func Links(text string, n int) string { return links(text, n) }

// Number is number.
func Number(n int) string { return number(n) }

// FileSystem is fileSystem.
func FileSystem(folder string) string { return fileSystem(folder) }

// Through fetches an address by a slow line and returns the octets received and the time it took.
func Through(ctx context.Context, target, address string, delay time.Duration, rate float64) (octets int, took time.Duration, err error) {
	t, err := throttle(target, delay, rate)
	if err != nil {
		return 0, 0, err
	}
	read := &counter{}
	transport := &http.Transport{DialContext: dialThrough(t, read), DisableCompression: true}
	began := time.Now()
	_, err = fetch(ctx, &http.Client{Transport: transport}, address)
	took = time.Since(began)
	transport.CloseIdleConnections()
	if cerr := t.close(); err == nil {
		err = cerr
	}
	return read.total(), took, err
}
