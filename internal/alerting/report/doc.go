// Package report is « Le rapport »: what an alert did, told in the same words
// and the same figures on paper (tagged PDF), in a workbook and to machines.
//
// It promises that the three say the same thing, computed once from the facts
// that alerting kept; that every curve has its table; and that the people it
// names are those whose way of being reached must be mended.
//
// It never names who refused to come, nor who was absent or at rest, and never
// shows a phone number.
package report

import "embed"

// Locales are the words of the report.
//
//go:embed locales/*.yaml
var Locales embed.FS
