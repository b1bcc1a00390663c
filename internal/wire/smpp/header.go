package smpp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Command identifies a PDU (§5.1.2.1).
type Command uint32

// The commands this package speaks.
const (
	GenericNack         Command = 0x80000000
	BindReceiver        Command = 0x00000001
	BindReceiverResp    Command = 0x80000001
	BindTransmitter     Command = 0x00000002
	BindTransmitterResp Command = 0x80000002
	SubmitSM            Command = 0x00000004
	SubmitSMResp        Command = 0x80000004
	DeliverSM           Command = 0x00000005
	DeliverSMResp       Command = 0x80000005
	Unbind              Command = 0x00000006
	UnbindResp          Command = 0x80000006
	BindTransceiver     Command = 0x00000009
	BindTransceiverResp Command = 0x80000009
	Outbind             Command = 0x0000000B
	EnquireLink         Command = 0x00000015
	EnquireLinkResp     Command = 0x80000015
	AlertNotification   Command = 0x00000102
)

const responseBit = 0x80000000

// IsResponse tells a response from a request: a peer numbers its own requests,
// so the two never share a table.
func (c Command) IsResponse() bool { return c&responseBit != 0 }

// Response returns the command that answers c.
func (c Command) Response() Command { return c | responseBit }

// String names the command as the specification does.
func (c Command) String() string {
	name, known := "", true
	switch c &^ responseBit {
	case GenericNack &^ responseBit:
		return "generic_nack"
	case BindReceiver:
		name = "bind_receiver"
	case BindTransmitter:
		name = "bind_transmitter"
	case SubmitSM:
		name = "submit_sm"
	case DeliverSM:
		name = "deliver_sm"
	case Unbind:
		name = "unbind"
	case BindTransceiver:
		name = "bind_transceiver"
	case Outbind:
		name = "outbind"
	case EnquireLink:
		name = "enquire_link"
	case AlertNotification:
		name = "alert_notification"
	default:
		known = false
	}
	if !known {
		return fmt.Sprintf("command 0x%08X", uint32(c))
	}
	if c.IsResponse() {
		name += "_resp"
	}
	return name
}

// HeaderSize is the length of the header that begins each PDU.
const HeaderSize = 16

// DefaultMaxLength bounds a PDU: a message_payload of 64 KiB and its fields.
const DefaultMaxLength = 1<<16 + 1<<12

// Frame is one PDU as read: its header, and its body still to decode.
type Frame struct {
	Command  Command
	Status   Status
	Sequence uint32
	// Body is valid until the next call of Reader.Next.
	Body []byte
}

// The ways a stream of PDUs can be broken; after one, only closing is left.
var (
	ErrLength    = errors.New("smpp: command_length out of bounds")
	ErrTruncated = errors.New("smpp: truncated PDU")
)

// Reader cuts a stream into PDUs.
type Reader struct {
	from   io.Reader
	max    int
	buffer []byte
	header [HeaderSize]byte
}

// NewReader reads PDUs of at most max octets (DefaultMaxLength when 0). Give it
// a buffered reader.
func NewReader(from io.Reader, max int) *Reader {
	if max <= 0 {
		max = DefaultMaxLength
	}
	return &Reader{from: from, max: max}
}

// Next returns the next PDU; io.EOF at a clean end between two of them.
func (r *Reader) Next() (Frame, error) {
	if _, err := io.ReadFull(r.from, r.header[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return Frame{}, ErrTruncated
		}
		return Frame{}, err
	}
	length := int64(binary.BigEndian.Uint32(r.header[:]))
	if length < HeaderSize || length > int64(r.max) {
		return Frame{}, fmt.Errorf("%w: %d", ErrLength, length)
	}
	size := int(length) - HeaderSize
	if cap(r.buffer) < size {
		r.buffer = make([]byte, max(size, 512))
	}
	body := r.buffer[:size]
	if _, err := io.ReadFull(r.from, body); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return Frame{}, ErrTruncated
		}
		return Frame{}, err
	}
	return Frame{
		Command:  Command(binary.BigEndian.Uint32(r.header[4:])),
		Status:   Status(binary.BigEndian.Uint32(r.header[8:])),
		Sequence: binary.BigEndian.Uint32(r.header[12:]),
		Body:     body,
	}, nil
}

// begin appends a header whose length is filled in by end.
func begin(dst []byte, command Command, status Status, sequence uint32) []byte {
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(command))
	dst = binary.BigEndian.AppendUint32(dst, uint32(status))
	return binary.BigEndian.AppendUint32(dst, sequence)
}

// end writes the length of the PDU that began at start.
func end(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}

// AppendEmpty appends a PDU that has no body: enquire_link, unbind, their
// responses, generic_nack, and any response that refuses.
func AppendEmpty(dst []byte, command Command, status Status, sequence uint32) []byte {
	start := len(dst)
	return end(begin(dst, command, status, sequence), start)
}
