package pages

import "tocsin/internal/traces"

// Original is what the page of an event shows of an original.
func Original(raw []byte) string {
	text, _ := sheet{Stored: traces.Stored{Event: traces.Event{Raw: raw}}}.original()
	return text
}
