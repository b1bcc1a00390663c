package smpp

import (
	"fmt"
	"strings"

	"tocsin/internal/wire/gsm"
)

// MessageState is where a message is, at the peer (§5.2.28).
type MessageState byte

// The states of a message. StateNone stands for a receipt that names none.
const (
	StateNone          MessageState = 0
	StateEnroute       MessageState = 1
	StateDelivered     MessageState = 2
	StateExpired       MessageState = 3
	StateDeleted       MessageState = 4
	StateUndeliverable MessageState = 5
	StateAccepted      MessageState = 6
	StateUnknown       MessageState = 7
	StateRejected      MessageState = 8
)

// Final tells whether no other receipt will follow. ACCEPTED is a message read
// on the subscriber's behalf, UNKNOWN one the peer lost sight of: nothing more
// will be said of either.
func (s MessageState) Final() bool { return s >= StateDelivered && s <= StateRejected }

// String gives the seven letters of a receipt's stat field.
func (s MessageState) String() string {
	switch s {
	case StateEnroute:
		return "ENROUTE"
	case StateDelivered:
		return "DELIVRD"
	case StateExpired:
		return "EXPIRED"
	case StateDeleted:
		return "DELETED"
	case StateUndeliverable:
		return "UNDELIV"
	case StateAccepted:
		return "ACCEPTD"
	case StateUnknown:
		return "UNKNOWN"
	case StateRejected:
		return "REJECTD"
	case StateNone:
	}
	return ""
}

// parseState reads a stat field; gateways spell the words in full, or shorten
// them each in their own way.
func parseState(word string) MessageState {
	word = strings.ToUpper(strings.TrimSpace(word))
	for _, p := range []struct {
		prefix string
		state  MessageState
	}{
		{"DELIV", StateDelivered},
		{"DLVR", StateDelivered},
		{"EXPI", StateExpired},
		{"DELE", StateDeleted},
		{"UNDEL", StateUndeliverable},
		{"FAIL", StateUndeliverable},
		{"ACC", StateAccepted},
		{"UNKN", StateUnknown},
		{"REJ", StateRejected},
		{"ENROU", StateEnroute},
		{"BUFF", StateEnroute},
		{"SCHED", StateEnroute},
		{"SUBMI", StateEnroute},
		{"SKIP", StateDeleted},
	} {
		if strings.HasPrefix(word, p.prefix) {
			return p.state
		}
	}
	return StateNone
}

// Receipt is what a deliver_sm says of a message submitted before.
type Receipt struct {
	// ID is the id written in the text, TLVID the receipted_message_id; a
	// gateway gives either or both, and not always in the same base.
	ID, TLVID string
	State     MessageState
	// Error is the peer's own code, from the text or network_error_code.
	Error string
	// Submitted and Done are the dates as written: their zone is the peer's secret.
	Submitted, Done string
	// Count and Delivered are the sub and dlvrd fields as written.
	Count, Delivered string
	// Text is the beginning of the message, when the peer repeats it.
	Text string
}

// ParseReceipt reads the receipt in a deliver_sm: from the optional parameters
// when there are, from the text otherwise. It returns false for a message that
// is no receipt, and for one that names neither a message nor a state.
func ParseReceipt(m *Message) (Receipt, bool) {
	tlvID := m.TLVs.Text(TagReceiptedMessageID)
	tlvState, stated := m.TLVs.Uint(TagMessageState)
	kind := m.ESMClass & ESMTypeMask
	flagged := kind == ESMReceipt || kind == ESMIntermediateReceipt
	r, shaped := ParseReceiptText(receiptText(m))
	// Some gateways forget the flag: then both the id and the state are wanted,
	// which no person writes.
	if kind != 0 && !flagged || !flagged && !(shaped && r.ID != "" && r.State != StateNone) && !(tlvID != "" && stated) {
		return Receipt{}, false
	}
	r.TLVID = tlvID
	if stated && tlvState >= uint32(StateEnroute) && tlvState <= uint32(StateRejected) {
		r.State = MessageState(tlvState)
	}
	if kind == ESMIntermediateReceipt && r.State == StateNone {
		r.State = StateEnroute
	}
	if code, ok := m.TLVs.Get(TagNetworkErrorCode); ok && r.Error == "" && len(code) == 3 {
		r.Error = fmt.Sprintf("%d/%d", code[0], int(code[1])<<8|int(code[2]))
	}
	return r, (r.ID != "" || r.TLVID != "") && r.State != StateNone
}

func receiptText(m *Message) string {
	octets := m.Octets()
	if m.ESMClass&ESMHeader != 0 {
		_, octets, _ = gsm.SplitHeader(octets)
	}
	if m.DataCoding == CodingUCS2 && strings.IndexByte(octets, 0) >= 0 {
		return gsm.DecodeUCS2(octets)
	}
	return octets
}

// field is a piece of a receipt's text: which one, and where its value lies.
type field struct {
	name       string
	value, end int
}

// ParseReceiptText reads the text form of appendix B, and its cousins: any
// order, any case, "submitdate" or "submit_date" for "submit date", spaces
// after the colon, commas or newlines between fields, fields missing. What
// follows "text:" belongs to the message. It returns false when neither an id
// nor a state is found.
func ParseReceiptText(text string) (Receipt, bool) {
	var r Receipt
	stat := ""
	for _, f := range receiptFields(text) {
		value := strings.Trim(text[f.value:f.end], " \t\r\n,;\x00")
		into := r.field(f.name)
		if f.name == "stat" {
			into = &stat
		}
		if *into != "" {
			continue
		}
		*into = value
		if f.name == "id" {
			*into = firstWord(value)
		}
	}
	r.State = parseState(stat)
	return r, r.ID != "" || r.State != StateNone
}

func (r *Receipt) field(name string) *string {
	switch name {
	case "id":
		return &r.ID
	case "sub":
		return &r.Count
	case "dlvrd":
		return &r.Delivered
	case "submit date":
		return &r.Submitted
	case "done date":
		return &r.Done
	case "err":
		return &r.Error
	default:
		return &r.Text
	}
}

func firstWord(s string) string {
	if at := strings.IndexAny(s, " \t\r\n,;"); at >= 0 {
		return s[:at]
	}
	return s
}

// maxReceiptFields bounds the work on a text that repeats a field forever.
const maxReceiptFields = 16

func receiptFields(text string) []field {
	fields := make([]field, 0, 8)
	for i := 0; i < len(text) && len(fields) < maxReceiptFields; i++ {
		if i > 0 && isWord(text[i-1]) {
			continue
		}
		name, after := fieldAt(text[i:])
		if name == "" {
			continue
		}
		if n := len(fields); n > 0 {
			fields[n-1].end = i
		}
		fields = append(fields, field{name, i + after, len(text)})
		if name == "text" {
			break
		}
		i += after - 1
	}
	return fields
}

func isWord(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// fieldAt returns the field whose name and colon begin s, and where its value begins.
func fieldAt(s string) (name string, after int) {
	for _, f := range [...]struct{ written, name string }{
		{"id", "id"},
		{"sub", "sub"},
		{"dlvrd", "dlvrd"},
		{"submit date", "submit date"},
		{"submitdate", "submit date"},
		{"submit_date", "submit date"},
		{"submit\x11date", "submit date"}, // the underscore of the GSM alphabet
		{"done date", "done date"},
		{"donedate", "done date"},
		{"done_date", "done date"},
		{"done\x11date", "done date"},
		{"stat", "stat"},
		{"status", "stat"},
		{"err", "err"},
		{"error", "err"},
		{"text", "text"},
	} {
		n := len(f.written)
		if len(s) > n && strings.EqualFold(s[:n], f.written) {
			for n < len(s) && s[n] == ' ' {
				n++
			}
			if n < len(s) && s[n] == ':' {
				return f.name, n + 1
			}
		}
	}
	return "", 0
}

// FormatText writes the receipt as appendix B shows it.
func (r Receipt) FormatText() string {
	or := func(s, empty string) string {
		if s == "" {
			return empty
		}
		return s
	}
	return "id:" + r.ID + " sub:" + or(r.Count, "001") + " dlvrd:" + or(r.Delivered, "000") +
		" submit date:" + r.Submitted + " done date:" + r.Done +
		" stat:" + r.State.String() + " err:" + or(r.Error, "000") + " text:" + r.Text
}

// Optional writes the receipt as optional parameters.
func (r Receipt) Optional() TLVs {
	return TLVs{CString(TagReceiptedMessageID, r.TLVID), Uint8(TagMessageState, byte(r.State))}
}
