package lab_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/internal/channels/sms"
	"tocsin/internal/lab"
	"tocsin/internal/wire/smpp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a lab that ends with the test.
type running struct {
	lab.Addresses
	t      testing.TB
	client *http.Client
}

// start runs a lab on ports of its own.
func start(t testing.TB, change func(*lab.Options)) *running {
	t.Helper()
	o := lab.Defaults()
	o.SMPP, o.SMTP, o.SIP, o.Control = "127.0.0.1:0", "127.0.0.1:0", "", "localhost:0"
	ready := make(chan lab.Addresses, 1)
	o.Ready = func(a lab.Addresses) { ready <- a }
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- lab.Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the lab ended badly: %v", err)
		}
	})
	select {
	case a := <-ready:
		return &running{Addresses: a, t: t, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}}
	case err := <-done:
		done <- err
		t.Fatalf("the lab did not start: %v", err)
		return nil
	}
}

// get reads the control port.
func (r *running) get(path string, into any) {
	r.t.Helper()
	response, err := r.client.Get("http://" + r.Control + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() {
		if err := response.Body.Close(); err != nil {
			r.t.Error(err)
		}
	}()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) post(path string) {
	r.t.Helper()
	response, err := r.client.Post("http://"+r.Control+path, "", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		r.t.Error(err)
	}
}

func (r *running) counts() lab.Counts {
	r.t.Helper()
	var c lab.Counts
	r.get("/counts", &c)
	return c
}

// bind opens a session of our own client.
func (r *running) bind(mode smpp.Command, change func(*sms.ClientOptions)) (*sms.Client, error) {
	o := sms.ClientOptions{
		Address: r.SMPP, Mode: mode, Bind: smpp.Bind{SystemID: "hopital", Password: "secret"}, Window: 500,
		Connect: 5 * time.Second, Response: 10 * time.Second, Enquire: time.Minute,
		Deliver: func(d sms.Delivery) {
			if err := d.Answer(smpp.StatusOK); err != nil {
				r.t.Logf("acknowledgement: %v", err)
			}
		},
	}
	if change != nil {
		change(&o)
	}
	c, err := sms.Dial(context.Background(), o)
	if err == nil {
		r.t.Cleanup(func() {
			if err := c.Abort(); err != nil {
				r.t.Error(err)
			}
		})
	}
	return c, err
}

// transceiver is a session that must open.
func (r *running) transceiver(change func(*sms.ClientOptions)) *sms.Client {
	r.t.Helper()
	c, err := r.bind(smpp.BindTransceiver, change)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// message is one text for one number.
func message(to, text string) *smpp.Message {
	return &smpp.Message{
		Source:       smpp.Address{TON: smpp.TONAlphanumeric, Number: "TOCSIN"},
		Destination:  smpp.Address{TON: smpp.TONInternational, NPI: smpp.NPIISDN, Number: to},
		ShortMessage: text, RegisteredDelivery: smpp.RegisteredFinal,
	}
}
