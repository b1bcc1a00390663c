package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"tocsin/internal/wire/rtp"
)

// EventType is the payload type under which we ask for keys.
const EventType = 101

// Offer describes our end: where we listen, the codec we prefer, and keys.
// version grows when the same call is described again.
func Offer(local netip.AddrPort, prefer rtp.Codec, session, version uint64) []byte {
	return describe(local, session, version, []rtp.Codec{prefer, other(prefer)}, EventType)
}

// Reply describes our end once what the other offered was read.
func Reply(local netip.AddrPort, chosen Media, session, version uint64) []byte {
	return describe(local, session, version, []rtp.Codec{chosen.Codec}, chosen.Event)
}

func other(c rtp.Codec) rtp.Codec {
	if c == rtp.PCMA {
		return rtp.PCMU
	}
	return rtp.PCMA
}

func describe(local netip.AddrPort, session, version uint64, codecs []rtp.Codec, event byte) []byte {
	family := "IP4"
	if local.Addr().Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", session, version, family, local.Addr(), family, local.Addr())
	fmt.Fprintf(&b, "m=audio %d RTP/AVP", local.Port())
	for _, c := range codecs {
		fmt.Fprintf(&b, " %d", c)
	}
	if event != 0 {
		fmt.Fprintf(&b, " %d", event)
	}
	b.WriteString("\r\n")
	for _, c := range codecs {
		fmt.Fprintf(&b, "a=rtpmap:%d %s/8000\r\n", c, c)
	}
	if event != 0 {
		fmt.Fprintf(&b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", event, event)
	}
	b.WriteString("a=ptime:20\r\na=sendrecv\r\n")
	return []byte(b.String())
}

// Media is what the other end takes: where it listens, the codec it puts first
// among ours, and the payload type of its keys (0 when it sends none).
type Media struct {
	Remote netip.AddrPort
	Codec  rtp.Codec
	Event  byte
}

// The reasons for which a description is refused.
var (
	ErrTooLong   = errors.New("sdp: longer than any description of a call")
	ErrNoAudio   = errors.New("sdp: no audio stream that is open")
	ErrNoCodec   = errors.New("sdp: no codec of ours")
	ErrAddress   = errors.New("sdp: no address where sound can be sent")
	ErrTransport = errors.New("sdp: the sound is not on plain RTP")
)

// The longest description read, and the most lines of it.
const (
	longest   = 16 << 10
	mostLines = 500
)

// Parse reads the description of the other end. Lines that say nothing of the
// first open audio stream are passed over, whatever they hold.
func Parse(b []byte) (Media, error) {
	if len(b) > longest {
		return Media{}, ErrTooLong
	}
	r := reading{}
	n := 0
	for line := range strings.Lines(string(b)) {
		if n++; n > mostLines {
			return Media{}, ErrTooLong
		}
		kind, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if !ok {
			continue
		}
		switch kind {
		case "c":
			r.connection(value)
		case "m":
			r.media(value)
		case "a":
			r.attribute(value)
		}
	}
	return r.result()
}

// reading is what is known of a description so far.
type reading struct {
	session, stream netip.Addr
	// section counts the streams; audio is the number of the one we take.
	section, audio int
	port           uint16
	transport      string
	types          []byte
	event          map[byte]bool
	named          map[byte]string
}

func (r *reading) inAudio() bool { return r.audio != 0 && r.section == r.audio }

func (r *reading) connection(value string) {
	fields := strings.Fields(value)
	if len(fields) != 3 || fields[0] != "IN" {
		return
	}
	host, _, _ := strings.Cut(fields[2], "/")
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return
	}
	switch {
	case r.section == 0:
		r.session = addr.Unmap()
	case r.inAudio():
		r.stream = addr.Unmap()
	}
}

func (r *reading) media(value string) {
	r.section++
	fields := strings.Fields(value)
	if r.audio != 0 || len(fields) < 4 || fields[0] != "audio" {
		return
	}
	digits, _, _ := strings.Cut(fields[1], "/")
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || port == 0 {
		return
	}
	r.audio, r.port, r.transport = r.section, uint16(port), fields[2]
	r.event, r.named = map[byte]bool{}, map[byte]string{}
	for _, f := range fields[3:] {
		if n, err := strconv.ParseUint(f, 10, 7); err == nil {
			r.types = append(r.types, byte(n))
		}
	}
}

func (r *reading) attribute(value string) {
	rest, ok := strings.CutPrefix(value, "rtpmap:")
	if !ok || !r.inAudio() {
		return
	}
	number, encoding, ok := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(number, 10, 7)
	if !ok || err != nil {
		return
	}
	name := strings.ToUpper(strings.TrimSuffix(strings.TrimSpace(encoding), "/1"))
	r.named[byte(n)] = name
	if name == "TELEPHONE-EVENT/8000" {
		r.event[byte(n)] = true
	}
}

func (r *reading) result() (Media, error) {
	if r.audio == 0 {
		return Media{}, ErrNoAudio
	}
	if r.transport != "RTP/AVP" {
		return Media{}, ErrTransport
	}
	addr := r.stream
	if !addr.IsValid() {
		addr = r.session
	}
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() || addr.Zone() != "" {
		return Media{}, ErrAddress
	}
	m := Media{Remote: netip.AddrPortFrom(addr, r.port)}
	found := false
	for _, t := range r.types {
		c := rtp.Codec(t)
		switch {
		case m.Event == 0 && r.event[t] && t >= 96:
			m.Event = t
		case !found && (c == rtp.PCMA || c == rtp.PCMU) && (r.named[t] == "" || r.named[t] == c.String()+"/8000"):
			m.Codec, found = c, true
		}
	}
	if !found {
		return Media{}, ErrNoCodec
	}
	return m, nil
}
