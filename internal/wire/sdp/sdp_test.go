package sdp_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"tocsin/internal/wire/rtp"
	"tocsin/internal/wire/sdp"
)

const answer = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"

func TestWhatWeOfferWeRead(t *testing.T) {
	for _, host := range []string{"192.0.2.1", "2001:db8::1"} {
		local := netip.AddrPortFrom(netip.MustParseAddr(host), 20000)
		got, err := sdp.Parse(sdp.Offer(sdp.Ours{Local: local, Session: 1, Version: 1}, rtp.PCMU))
		if want := (sdp.Media{Remote: local, Codec: rtp.PCMU, Event: sdp.EventType}); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
		got, err = sdp.Parse(sdp.Reply(sdp.Ours{Local: local, Session: 1, Version: 2}, sdp.Media{Codec: rtp.PCMA}))
		if want := (sdp.Media{Remote: local, Codec: rtp.PCMA}); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestDescriptions(t *testing.T) {
	at := func(host string, port uint16) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(host), port)
	}
	with := func(old, new string) string { return strings.Replace(answer, old, new, 1) }
	for name, c := range map[string]struct {
		text string
		want sdp.Media
		err  error
	}{
		"plain":                    {text: answer, want: sdp.Media{Remote: at("192.0.2.9", 20000), Codec: rtp.PCMA, Event: 101}},
		"lines end in LF":          {text: strings.ReplaceAll(answer, "\r\n", "\n"), want: sdp.Media{Remote: at("192.0.2.9", 20000), Codec: rtp.PCMA, Event: 101}},
		"the stream's address":     {text: answer + "c=IN IP4 192.0.2.10\r\n", want: sdp.Media{Remote: at("192.0.2.10", 20000), Codec: rtp.PCMA, Event: 101}},
		"no keys":                  {text: with("8 101", "8"), want: sdp.Media{Remote: at("192.0.2.9", 20000), Codec: rtp.PCMA}},
		"other type of keys":       {text: strings.ReplaceAll(answer, "101", "96"), want: sdp.Media{Remote: at("192.0.2.9", 20000), Codec: rtp.PCMA, Event: 96}},
		"µ-law without its name":   {text: with("8 101", "0 101"), want: sdp.Media{Remote: at("192.0.2.9", 20000), Codec: rtp.PCMU, Event: 101}},
		"video first":              {text: with("m=audio", "m=video 9 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\nm=audio"), want: sdp.Media{Remote: at("192.0.2.9", 20000), Codec: rtp.PCMA, Event: 101}},
		"a closed stream first":    {text: with("m=audio", "m=audio 0 RTP/AVP 8\r\nm=audio"), want: sdp.Media{Remote: at("192.0.2.9", 20000), Codec: rtp.PCMA, Event: 101}},
		"only another codec":       {text: with("8 101", "18 101"), err: sdp.ErrNoCodec},
		"8 is another codec":       {text: with("PCMA/8000", "G729/8000"), err: sdp.ErrNoCodec},
		"held":                     {text: with("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0"), err: sdp.ErrAddress},
		"to everybody":             {text: with("c=IN IP4 192.0.2.9", "c=IN IP4 224.2.1.1/127"), err: sdp.ErrAddress},
		"a name":                   {text: with("c=IN IP4 192.0.2.9", "c=IN IP4 evil.example"), err: sdp.ErrAddress},
		"refused":                  {text: with("m=audio 20000", "m=audio 0"), err: sdp.ErrNoAudio},
		"a port that is none":      {text: with("m=audio 20000", "m=audio 70000"), err: sdp.ErrNoAudio},
		"a port that is negative":  {text: with("m=audio 20000", "m=audio -1"), err: sdp.ErrNoAudio},
		"encrypted without a key":  {text: with("RTP/AVP", "RTP/SAVP"), err: sdp.ErrKey},
		"another key":              {text: with("RTP/AVP", "RTP/SAVP") + "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm\r\n", err: sdp.ErrKey},
		"a key with a name":        {text: with("RTP/AVP", "RTP/SAVP") + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm|1:4\r\n", err: sdp.ErrKey},
		"a key that is short":      {text: with("RTP/AVP", "RTP/SAVP") + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:4fl6DT4Bi+DWT6Ms\r\n", err: sdp.ErrKey},
		"another protection":       {text: with("RTP/AVP", "UDP/TLS/RTP/SAVP"), err: sdp.ErrTransport},
		"nothing":                  {text: "", err: sdp.ErrNoAudio},
		"noise":                    {text: "\x00\xff=\n=\nm=\nm=audio\nc=\na=rtpmap:\n", err: sdp.ErrNoAudio},
		"too long":                 {text: answer + strings.Repeat("a", 20_000), err: sdp.ErrTooLong},
		"too many lines":           {text: answer + strings.Repeat("a=\n", 600), err: sdp.ErrTooLong},
		"the address of the video": {text: answer + "m=video 9 RTP/AVP 96\r\nc=IN IP4 192.0.2.66\r\n", want: sdp.Media{Remote: at("192.0.2.9", 20000), Codec: rtp.PCMA, Event: 101}},
	} {
		got, err := sdp.Parse([]byte(c.text))
		if !errors.Is(err, c.err) || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(answer))
	f.Add([]byte("m=audio 1/2 RTP/AVP 8\r\nc=IN IP6 ::1/3/4\r\n"))
	f.Add([]byte("c=IN IP4 1.2.3.4\nm=audio 65535 RTP/AVP 0 8 101 127 128\na=rtpmap:127 telephone-event/8000/1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := sdp.Parse(b)
		if err != nil {
			return
		}
		if !m.Remote.IsValid() || m.Remote.Port() == 0 || m.Remote.Addr().IsMulticast() || m.Remote.Addr().IsUnspecified() {
			t.Errorf("sound would be sent to %s", m.Remote)
		}
		if m.Codec != rtp.PCMA && m.Codec != rtp.PCMU || m.Event != 0 && m.Event < 96 {
			t.Errorf("%+v", m)
		}
	})
}

// An offer with a key is read with it, that of RFC 4568's form with a lifetime too.
func TestAKeyIsRead(t *testing.T) {
	key := rtp.NewKey()
	o := sdp.Ours{Local: netip.MustParseAddrPort("127.0.0.1:20000"), Session: 1, Version: 1, Key: &key}
	offer := sdp.Offer(o, rtp.PCMA)
	got, err := sdp.Parse(offer)
	if err != nil || got.Key == nil || *got.Key != key {
		t.Errorf("%+v, %v", got, err)
	}
	lasting := strings.Replace(string(offer), "\r\na=ptime", "|2^31\r\na=ptime", 1)
	if got, err = sdp.Parse([]byte(lasting)); err != nil || got.Key == nil || *got.Key != key {
		t.Errorf("%+v, %v", got, err)
	}
	clear := strings.Replace(string(offer), "RTP/SAVP", "RTP/AVP", 1)
	if got, err = sdp.Parse([]byte(clear)); err != nil || got.Key != nil {
		t.Errorf("a key on a call in clear: %+v, %v", got, err)
	}
}
