package sdp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"tocsin/internal/wire/rtp"
)

// EventType is the payload type under which we ask for keys.
const EventType = 101

// Ours is our end of a call: where we listen, the number of the description, which
// grows when the same call is described again, and the key of our sound, nil in clear.
type Ours struct {
	Local            netip.AddrPort
	Session, Version uint64
	Key              *rtp.Key
}

// Offer describes our end, with the codec we prefer, and keys of the telephone.
func Offer(o Ours, prefer rtp.Codec) []byte {
	return o.describe([]rtp.Codec{prefer, other(prefer)}, EventType)
}

// Reply describes our end once what the other offered was read.
func Reply(o Ours, chosen Media) []byte {
	return o.describe([]rtp.Codec{chosen.Codec}, chosen.Event)
}

func other(c rtp.Codec) rtp.Codec {
	if c == rtp.PCMA {
		return rtp.PCMU
	}
	return rtp.PCMA
}

func (o Ours) describe(codecs []rtp.Codec, event byte) []byte {
	family, transport, local := "IP4", plain, o.Local
	if o.Key != nil {
		transport = secure
	}
	if local.Addr().Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", o.Session, o.Version, family, local.Addr(), family, local.Addr())
	fmt.Fprintf(&b, "m=audio %d %s", local.Port(), transport)
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
	if o.Key != nil {
		fmt.Fprintf(&b, "a=crypto:1 %s inline:%s\r\n", suite, base64.StdEncoding.EncodeToString(o.Key[:]))
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
	// Key is that of its sound (RFC 4568); nil when the sound is in clear.
	Key *rtp.Key
}

// The transports of sound, and the only protection we speak.
const (
	plain  = "RTP/AVP"
	secure = "RTP/SAVP"
	suite  = "AES_CM_128_HMAC_SHA1_80"
)

// The reasons for which a description is refused.
var (
	ErrTooLong   = errors.New("sdp: longer than any description of a call")
	ErrNoAudio   = errors.New("sdp: no audio stream that is open")
	ErrNoCodec   = errors.New("sdp: no codec of ours")
	ErrAddress   = errors.New("sdp: no address where sound can be sent")
	ErrTransport = errors.New("sdp: the sound is neither on RTP nor on SRTP")
	ErrKey       = errors.New("sdp: the sound is encrypted, without a key of a kind we have")
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
	key            *rtp.Key
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
	if line, ok := strings.CutPrefix(value, "crypto:"); ok && r.inAudio() && r.key == nil {
		r.key = keyOf(line)
	}
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

// keyOf reads a line of RFC 4568 §9.1; nil for another protection than ours, or a key
// that changes during the call.
func keyOf(line string) *rtp.Key {
	fields := strings.Fields(line)
	if len(fields) < 3 || fields[1] != suite || len(fields) > 3 {
		return nil // parameters of the session change what is encrypted
	}
	method, params, _ := strings.Cut(fields[2], ":")
	parts := strings.Split(params, "|")
	if method != "inline" || strings.Contains(fields[2], ";") || len(parts) > 1 && strings.Contains(parts[len(parts)-1], ":") {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(parts[0])
	if err != nil || len(raw) != len(rtp.Key{}) {
		return nil
	}
	return (*rtp.Key)(raw)
}

func (r *reading) result() (Media, error) {
	if r.audio == 0 {
		return Media{}, ErrNoAudio
	}
	switch {
	case r.transport == plain:
		r.key = nil
	case r.transport != secure:
		return Media{}, ErrTransport
	case r.key == nil:
		return Media{}, ErrKey
	}
	addr := r.stream
	if !addr.IsValid() {
		addr = r.session
	}
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() || addr.Zone() != "" {
		return Media{}, ErrAddress
	}
	m := Media{Remote: netip.AddrPortFrom(addr, r.port), Key: r.key}
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
