package smpp_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"tocsin/internal/wire/smpp"
)

func sample() smpp.Message {
	return smpp.Message{
		ServiceType:        "CMT",
		Source:             smpp.Address{TON: smpp.TONAlphanumeric, Number: "TOCSIN"},
		Destination:        smpp.Address{TON: smpp.TONInternational, NPI: smpp.NPIISDN, Number: "33639980001"},
		ESMClass:           smpp.ESMHeader,
		Priority:           1,
		ValidityPeriod:     "000000010000000R",
		RegisteredDelivery: smpp.RegisteredFinal,
		DataCoding:         smpp.CodingUCS2,
		ShortMessage:       "\x05\x00\x03\x01\x02\x01\x00V",
		TLVs:               smpp.TLVs{smpp.Uint16(smpp.TagUserMessageReference, 7), smpp.CString(smpp.TagReceiptedMessageID, "ab")},
	}
}

// read cuts octets into frames.
func read(t *testing.T, octets []byte) smpp.Frame {
	t.Helper()
	frame, err := smpp.NewReader(bytes.NewReader(octets), 0).Next()
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// TestSubmitOctets compares with octets laid out by hand from §4.4.1.
func TestSubmitOctets(t *testing.T) {
	t.Parallel()
	m := smpp.Message{
		Source:             smpp.Address{TON: 5, NPI: 0, Number: "AB"},
		Destination:        smpp.Address{TON: 1, NPI: 1, Number: "336"},
		RegisteredDelivery: 1,
		ShortMessage:       "Hi",
	}
	got, err := smpp.AppendMessage(nil, smpp.SubmitSM, 9, &m)
	want := "\x00\x00\x00\x29\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x09" +
		"\x00" + "\x05\x00AB\x00" + "\x01\x01336\x00" + "\x00\x00\x00" + "\x00\x00" + "\x01\x00\x00\x00" + "\x02Hi"
	want = string([]byte{0, 0, 0, byte(len(want))}) + want[4:]
	if err != nil || string(got) != want {
		t.Fatalf("got  %x (%v)\nwant %x", got, err, want)
	}
}

func TestMessageRoundTrip(t *testing.T) {
	t.Parallel()
	for _, command := range []smpp.Command{smpp.SubmitSM, smpp.DeliverSM} {
		want := sample()
		octets, err := smpp.AppendMessage([]byte("before"), command, 42, &want)
		if err != nil {
			t.Fatal(err)
		}
		frame := read(t, octets[len("before"):])
		if frame.Command != command || frame.Sequence != 42 || frame.Status != smpp.StatusOK {
			t.Errorf("header %+v", frame)
		}
		got, err := frame.Message()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v (%v)\nwant %+v", got, err, want)
		}
	}
}

func TestBindRoundTrip(t *testing.T) {
	t.Parallel()
	for _, command := range []smpp.Command{smpp.BindTransceiver, smpp.BindReceiver, smpp.BindTransmitter} {
		want := smpp.Bind{SystemID: "hopital", Password: "secret", SystemType: "x", AddrTON: 1, AddrNPI: 1, AddressRange: "^33"}
		octets, err := smpp.AppendBind(nil, command, 1, &want)
		if err != nil {
			t.Fatal(err)
		}
		want.InterfaceVersion = smpp.InterfaceVersion
		frame := read(t, octets)
		got, err := frame.Bind()
		if err != nil || got != want || frame.Command != command {
			t.Errorf("%s: got %+v (%v)", command, got, err)
		}
	}
}

func TestResponses(t *testing.T) {
	t.Parallel()
	octets, err := smpp.AppendResponse(nil, smpp.SubmitSMResp, smpp.StatusOK, 5,
		smpp.Response{ID: "1a2b", TLVs: smpp.TLVs{smpp.Uint8(smpp.TagScInterfaceVersion, 0x34)}})
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, octets).Response()
	if version, ok := got.TLVs.Uint(smpp.TagScInterfaceVersion); got.ID != "1a2b" || !ok || version != 0x34 {
		t.Errorf("got %+v", got)
	}
	if got := read(t, smpp.AppendEmpty(nil, smpp.SubmitSMResp, smpp.StatusThrottled, 6)); got.Status != smpp.StatusThrottled ||
		got.Sequence != 6 || got.Response().ID != "" {
		t.Errorf("refusal without body: %+v", got)
	}
	if got := (smpp.Frame{Body: []byte("no end")}).Response(); got.ID != "no end" {
		t.Errorf("id without its zero: %+v", got)
	}
}

func TestDecodeKeepsNothingOfTheBuffer(t *testing.T) {
	t.Parallel()
	want := sample()
	octets, err := smpp.AppendMessage(nil, smpp.DeliverSM, 1, &want)
	if err != nil {
		t.Fatal(err)
	}
	frame := read(t, octets)
	got, err := frame.Message()
	clear(frame.Body)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the message changed with the buffer: %+v (%v)", got, err)
	}
}

func TestEncodeNamesTheFieldAtFault(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("1", 300)
	for field, spoil := range map[string]func(*smpp.Message){
		"service_type":           func(m *smpp.Message) { m.ServiceType = "CMTCMT" },
		"source_addr":            func(m *smpp.Message) { m.Source.Number = long },
		"destination_addr":       func(m *smpp.Message) { m.Destination.Number = "33\x006" },
		"schedule_delivery_time": func(m *smpp.Message) { m.ScheduleTime = long },
		"validity_period":        func(m *smpp.Message) { m.ValidityPeriod = long },
		"short_message":          func(m *smpp.Message) { m.ShortMessage = long },
		"tlv":                    func(m *smpp.Message) { m.TLVs = smpp.TLVs{{1, strings.Repeat("x", 0x10000)}} },
	} {
		m := sample()
		spoil(&m)
		dst := []byte("kept")
		out, err := smpp.AppendMessage(dst, smpp.SubmitSM, 1, &m)
		if fe, ok := errors.AsType[*smpp.FieldError](err); !ok || fe.Field != field || fe.Error() == "" {
			t.Errorf("%s: got %v", field, err)
		}
		if string(out) != "kept" {
			t.Errorf("%s: a broken PDU was left behind", field)
		}
	}
}

func TestReaderBounds(t *testing.T) {
	t.Parallel()
	whole := smpp.AppendEmpty(nil, smpp.EnquireLink, 0, 1)
	for name, c := range map[string]struct {
		octets string
		want   error
	}{
		"nothing":            {"", io.EOF},
		"half a header":      {string(whole[:7]), smpp.ErrTruncated},
		"length under 16":    {"\x00\x00\x00\x0f" + string(whole[4:]), smpp.ErrLength},
		"length of 4 GiB":    {"\xff\xff\xff\xff" + string(whole[4:]), smpp.ErrLength},
		"length above limit": {"\x00\x00\x04\x01" + string(whole[4:]), smpp.ErrLength},
		"body cut":           {"\x00\x00\x00\x20" + string(whole[4:]) + "abc", smpp.ErrTruncated},
		"body missing":       {"\x00\x00\x00\x20" + string(whole[4:]), smpp.ErrTruncated},
	} {
		if _, err := smpp.NewReader(strings.NewReader(c.octets), 1024).Next(); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	t.Parallel()
	m := sample()
	m.TLVs = nil
	octets, err := smpp.AppendMessage(nil, smpp.DeliverSM, 1, &m)
	if err != nil {
		t.Fatal(err)
	}
	body := octets[smpp.HeaderSize:]
	for n := range body {
		if _, err := (smpp.Frame{Body: body[:n]}).Message(); !errors.Is(err, smpp.ErrTruncated) {
			t.Fatalf("%d octets of %d: got %v", n, len(body), err)
		}
	}
	if _, err := (smpp.Frame{Body: []byte("id\x00pw\x00type\x00\x34")}).Bind(); !errors.Is(err, smpp.ErrTruncated) {
		t.Errorf("bind: got %v", err)
	}
}

func TestBrokenOptionsDoNotLoseTheMessage(t *testing.T) {
	t.Parallel()
	want := sample()
	octets, err := smpp.AppendMessage(nil, smpp.DeliverSM, 1, &want)
	if err != nil {
		t.Fatal(err)
	}
	body := append(octets[smpp.HeaderSize:], "\x04\x24\xff\xffshort"...)
	got, err := smpp.Frame{Body: body}.Message()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v (%v)", got, err)
	}
}

func TestOctetsFindsThePayload(t *testing.T) {
	t.Parallel()
	m := smpp.Message{TLVs: smpp.TLVs{{smpp.TagMessagePayload, "long"}}}
	if m.Octets() != "long" {
		t.Errorf("got %q", m.Octets())
	}
	if m.ShortMessage = "short"; m.Octets() != "short" {
		t.Errorf("got %q", m.Octets())
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		smpp.SubmitSMResp.String():          "submit_sm_resp",
		smpp.GenericNack.String():           "generic_nack",
		smpp.Command(0x21).String():         "command 0x00000021",
		smpp.StatusThrottled.String():       "ESME_RTHROTTLED (0x58)",
		smpp.StatusInvalidSystemID.String(): "ESME_RINVSYSID (0x0F)",
		smpp.StatusSubmitFailed.String():    "ESME_RSUBMITFAIL (0x45)",
		smpp.Status(0x400).String():         "status 0x00000400",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if !smpp.DeliverSMResp.IsResponse() || smpp.DeliverSM.IsResponse() || smpp.DeliverSM.Response() != smpp.DeliverSMResp {
		t.Error("requests and responses are mixed up")
	}
}

func TestEveryStatusHasItsOwnName(t *testing.T) {
	t.Parallel()
	named, seen := 0, make(map[string]smpp.Status)
	for s := smpp.StatusOK; s <= smpp.StatusUnknownError; s++ {
		name := s.String()
		if strings.HasPrefix(name, "ESME_R") {
			named++
		}
		if other, twice := seen[name]; twice {
			t.Errorf("%#x and %#x are both %s", uint32(s), uint32(other), name)
		}
		seen[name] = s
	}
	// As many as §5.1.3 lists, reserved ranges left out.
	if named != 48 {
		t.Errorf("%d statuses have a name", named)
	}
}

func TestThinAllocations(t *testing.T) {
	m := sample()
	m.TLVs = nil
	buffer := make([]byte, 0, 512)
	var failure error
	encode := testing.AllocsPerRun(100, func() {
		if _, err := smpp.AppendMessage(buffer, smpp.SubmitSM, 1, &m); err != nil {
			failure = err
		}
	})
	octets, err := smpp.AppendMessage(nil, smpp.SubmitSM, 1, &m)
	if err != nil {
		t.Fatal(err)
	}
	frame := read(t, octets)
	decode := testing.AllocsPerRun(100, func() {
		if _, err := frame.Message(); err != nil {
			failure = err
		}
	})
	if encode != 0 || decode > 1 || failure != nil {
		t.Errorf("encode %v allocations (want 0), decode %v (want 1), %v", encode, decode, failure)
	}
}

func BenchmarkSubmitEncodeDecode(b *testing.B) {
	m := sample()
	var buffer []byte
	from := bytes.NewReader(nil)
	reader := smpp.NewReader(from, 0)
	b.ReportAllocs()
	for b.Loop() {
		out, err := smpp.AppendMessage(buffer[:0], smpp.SubmitSM, 1, &m)
		if err != nil {
			b.Fatal(err)
		}
		buffer = out
		from.Reset(out)
		frame, err := reader.Next()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := frame.Message(); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzPDU(f *testing.F) {
	m := sample()
	octets, err := smpp.AppendMessage(nil, smpp.SubmitSM, 1, &m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(octets)
	f.Add(smpp.AppendEmpty(nil, smpp.EnquireLink, 0, 1))
	f.Fuzz(func(t *testing.T, octets []byte) {
		reader := smpp.NewReader(bytes.NewReader(octets), 4096)
		for {
			frame, err := reader.Next()
			if err != nil {
				return
			}
			response := frame.Response()
			if len(response.ID) > len(frame.Body) {
				t.Fatal("an id longer than its PDU")
			}
			if _, err := frame.Bind(); err != nil && !errors.Is(err, smpp.ErrTruncated) {
				t.Fatal(err)
			}
			m, err := frame.Message()
			if err != nil {
				continue
			}
			smpp.ParseReceipt(&m)
			again, err := smpp.AppendMessage(nil, smpp.DeliverSM, 1, &m)
			if err != nil {
				continue // a field longer than we write
			}
			back, err := smpp.Frame{Body: again[smpp.HeaderSize:]}.Message()
			if err != nil || !reflect.DeepEqual(back, m) {
				t.Fatalf("%+v became %+v (%v)", m, back, err)
			}
		}
	})
}
