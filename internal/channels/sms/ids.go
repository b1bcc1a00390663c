package sms

import (
	"strconv"
	"strings"
	"sync"

	"tocsin/internal/wire/smpp"
)

// The bases of ids: the response in hexadecimal and the receipt in decimal is
// the old habit; the reverse exists; most gateways write the same twice.
const (
	idAuto = "auto"
	idSame = "same"
	idHex  = "hex" // response in hexadecimal, receipt in decimal
	idDec  = "dec" // response in decimal, receipt in hexadecimal
)

// remembered is how many of the last ids "auto" compares receipts with.
const remembered = 4096

// ids gives a message one name, whether its response or its receipt tells it.
// The canonical form is that of the response, in lower case without leading
// zeros; a receipt is translated to it.
type ids struct {
	format string

	mu    sync.Mutex
	known map[string]struct{}
	ring  [remembered]string
	next  int
	// votes counts, per base, the receipts that matched in that base only.
	votes map[string]int
	// Letters tell hexadecimal from decimal where digits alone do not.
	lettersInResponse, lettersInReceipt bool
}

func newIDs(format string) *ids {
	return &ids{format: format, known: make(map[string]struct{}), votes: make(map[string]int)}
}

// canonical forgives case, spaces and leading zeros.
func canonical(id string) string {
	id = strings.ToLower(strings.TrimSpace(id))
	if trimmed := strings.TrimLeft(id, "0"); trimmed != "" {
		return trimmed
	}
	return id
}

// remember keeps the id of a response, for "auto" to compare receipts with.
func (i *ids) remember(id string) {
	id = canonical(id)
	if i.format != idAuto || id == "" {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.lettersInResponse = i.lettersInResponse || hasHexLetter(id)
	if old := i.ring[i.next]; old != "" {
		delete(i.known, old)
	}
	i.ring[i.next] = id
	i.known[id] = struct{}{}
	i.next = (i.next + 1) % remembered
}

// ofReceipt names a message from its receipt. receipted_message_id is a copy
// of the response's id; the id in the text may be in the other base.
func (i *ids) ofReceipt(r smpp.Receipt) string {
	written := canonical(r.ID)
	copied := canonical(r.TLVID)
	switch {
	case i.format == idSame:
	case i.format == idAuto:
		return i.guess(copied, written)
	case copied == "":
		return translate(written, i.format)
	}
	if copied != "" {
		return copied
	}
	return written
}

// settled is the number of receipts after which a base is no longer in doubt.
const settled = 3

// guess compares with the ids of the last responses, and learns which base the
// gateway writes. Ids of digits alone may match in the wrong base by chance, so
// only a receipt that matches in one base is a vote.
func (i *ids) guess(copied, written string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.known[copied]; ok && copied != "" {
		return copied
	}
	if written == "" {
		return copied
	}
	i.lettersInReceipt = i.lettersInReceipt || hasHexLetter(written)
	habit := i.habit()
	var matches []string
	for _, format := range []string{idSame, idHex, idDec} {
		if _, ok := i.known[translate(written, format)]; ok {
			matches = append(matches, format)
		}
	}
	if len(matches) == 1 {
		i.votes[matches[0]]++
		if i.votes[habit] < settled {
			return translate(written, matches[0])
		}
	}
	if len(matches) == 0 && copied != "" {
		return copied
	}
	return translate(written, habit)
}

// habit is the base most voted for; before any vote, the one that the letters
// seen so far suggest.
func (i *ids) habit() string {
	best := idSame
	switch {
	case i.lettersInResponse && !i.lettersInReceipt:
		best = idHex
	case i.lettersInReceipt && !i.lettersInResponse:
		best = idDec
	}
	for _, format := range []string{idSame, idHex, idDec} {
		if i.votes[format] > i.votes[best] {
			best = format
		}
	}
	return best
}

// hasHexLetter tells a hexadecimal number that cannot be decimal.
func hasHexLetter(id string) bool {
	return strings.ContainsAny(id, "abcdef") && strings.Trim(id, "0123456789abcdef") == ""
}

// translate rewrites the id of a receipt as the response wrote it.
func translate(id, format string) string {
	switch format {
	case idHex:
		if n, err := strconv.ParseUint(id, 10, 64); err == nil {
			return strconv.FormatUint(n, 16)
		}
	case idDec:
		if n, err := strconv.ParseUint(id, 16, 64); err == nil {
			return strconv.FormatUint(n, 10)
		}
	}
	return id
}
