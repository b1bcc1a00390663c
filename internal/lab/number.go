package lab

import (
	"strconv"
	"strings"
)

// parseNumber reads the digits of a number in international form; false for a
// name, an extension, or more than E.164's fifteen digits.
func parseNumber(s string) (uint64, bool) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+"), "00")
	if len(s) < 8 || len(s) > 15 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && s[0] != '0'
}

func formatNumber(n uint64) string { return strconv.FormatUint(n, 10) }

func fingerprint(n uint64) string { return strconv.FormatUint(n, 36) }
