package sms_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/sms"
	"tocsin/internal/clock"
	"tocsin/internal/wire/smpp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers every submit with its sequence as id.
func echo(s *scripted, c *smpp.Conn, f smpp.Frame) {
	if f.Command == smpp.SubmitSM {
		s.respond(c, f, smpp.StatusOK, strconv.Itoa(int(f.Sequence)))
	}
}

func TestClientDoesNotMixRequestsOfThePeerWithItsOwn(t *testing.T) {
	t.Parallel()
	delivered := make(chan sms.Delivery, 1)
	s := listen(t, func(s *scripted, c *smpp.Conn, f smpp.Frame) {
		if f.Command != smpp.SubmitSM {
			return
		}
		// The peer's own requests bear the very number of ours, before the response.
		s.empty(c, smpp.EnquireLink, smpp.StatusOK, f.Sequence)
		s.request(c, smpp.DeliverSM, f.Sequence, smpp.Message{ShortMessage: "1"})
		s.empty(c, smpp.EnquireLinkResp, smpp.StatusOK, f.Sequence)
		s.respond(c, f, smpp.StatusOK, "the one")
	})
	o := s.options()
	o.Deliver = func(d sms.Delivery) { delivered <- d }
	answer, err := s.client(o).Submit(context.Background(), plain())
	if err != nil || answer.ID != "the one" {
		t.Fatalf("got %+v, %v", answer, err)
	}
	if err := (<-delivered).Answer(smpp.StatusOK); err != nil {
		t.Fatal(err)
	}
	channelstest.Eventually(t, "the peer's requests are answered", func() bool {
		return len(s.saw(smpp.DeliverSMResp)) == 1 && len(s.saw(smpp.EnquireLinkResp)) == 1
	})
}

func TestClientTakesResponsesInAnyOrder(t *testing.T) {
	t.Parallel()
	const total = 50
	var mu sync.Mutex
	var waiting []smpp.Frame
	s := listen(t, func(s *scripted, c *smpp.Conn, f smpp.Frame) {
		mu.Lock()
		defer mu.Unlock()
		m, err := f.Message()
		if err != nil {
			t.Error(err)
		}
		f.Body = []byte(m.ShortMessage)
		waiting = append(waiting, f)
		if len(waiting) < total {
			return
		}
		for i := total - 1; i >= 0; i-- {
			s.respond(c, waiting[i], smpp.StatusOK, string(waiting[i].Body))
		}
	})
	o := s.options()
	o.Window = total
	client := s.client(o)
	var group sync.WaitGroup
	for n := range total {
		group.Go(func() {
			m := plain()
			m.ShortMessage = fmt.Sprintf("message %d", n)
			if answer, err := client.Submit(context.Background(), m); err != nil || answer.ID != m.ShortMessage {
				t.Errorf("%s got the answer %+v, %v", m.ShortMessage, answer, err)
			}
		})
	}
	group.Wait()
}

func TestClientWindowIsBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := listen(t, func(s *scripted, c *smpp.Conn, f smpp.Frame) {
		go func(f smpp.Frame) {
			<-release
			s.respond(c, f, smpp.StatusOK, "x")
		}(smpp.Frame{Command: f.Command, Sequence: f.Sequence})
	})
	o := s.options()
	o.Window = 3
	client := s.client(o)
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if _, err := client.Submit(context.Background(), plain()); err != nil {
				t.Error(err)
			}
		})
	}
	channelstest.Eventually(t, "the window fills", func() bool { return len(s.saw(smpp.SubmitSM)) == 3 })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.Submit(ctx, plain()); !errors.Is(err, sms.ErrNotSent) || errors.Is(err, sms.ErrNoAnswer) {
		t.Errorf("a message out of the window: got %v", err)
	}
	if n := len(s.saw(smpp.SubmitSM)); n != 3 || client.Load() != 3 {
		t.Errorf("%d requests in flight, load %d, want 3", n, client.Load())
	}
	close(release)
	group.Wait()
}

func TestClientOutcomesWithoutAnswer(t *testing.T) {
	t.Parallel()
	s := listen(t, func(*scripted, *smpp.Conn, smpp.Frame) {})
	o := s.options()
	o.Response = time.Second // the bind is answered within it too, on a busy machine
	client := s.client(o)
	if _, err := client.Submit(context.Background(), plain()); !errors.Is(err, sms.ErrNoAnswer) {
		t.Errorf("silence: got %v", err)
	}
	o.Response = 5 * time.Second
	client = s.client(o)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := client.Submit(ctx, plain()); !errors.Is(err, sms.ErrNoAnswer) || !errors.Is(err, context.Canceled) {
		t.Errorf("caller gone: got %v", err)
	}
	time.AfterFunc(20*time.Millisecond, s.cut)
	if _, err := client.Submit(context.Background(), plain()); !errors.Is(err, sms.ErrLost) {
		t.Errorf("connection cut: got %v", err)
	}
	if _, err := client.Submit(context.Background(), plain()); !errors.Is(err, sms.ErrNotSent) {
		t.Errorf("after the cut: got %v", err)
	}
	if client.Err() == nil {
		t.Error("the session does not say why it is over")
	}
}

func TestClientForgetsALateResponse(t *testing.T) {
	t.Parallel()
	late := make(chan smpp.Frame, 1)
	s := listen(t, func(s *scripted, c *smpp.Conn, f smpp.Frame) {
		select {
		case late <- smpp.Frame{Command: f.Command, Sequence: f.Sequence}:
		default:
			s.respond(c, <-late, smpp.StatusOK, "late")
			s.respond(c, f, smpp.StatusOK, "in time")
		}
	})
	o := s.options()
	o.Response = 300 * time.Millisecond
	client := s.client(o)
	if _, err := client.Submit(context.Background(), plain()); !errors.Is(err, sms.ErrNoAnswer) {
		t.Fatalf("got %v", err)
	}
	if answer, err := client.Submit(context.Background(), plain()); err != nil || answer.ID != "in time" {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestClientGenericNackAnswers(t *testing.T) {
	t.Parallel()
	s := listen(t, func(s *scripted, c *smpp.Conn, f smpp.Frame) {
		s.empty(c, smpp.GenericNack, smpp.StatusInvalidCommand, f.Sequence)
	})
	answer, err := s.client(s.options()).Submit(context.Background(), plain())
	if err != nil || answer.Status != smpp.StatusInvalidCommand {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestClientAnswersWhatItDoesNotSpeak(t *testing.T) {
	t.Parallel()
	const dataSM = smpp.Command(0x103)
	s := listen(t, func(s *scripted, c *smpp.Conn, f smpp.Frame) {
		if f.Command != smpp.SubmitSM {
			return
		}
		s.empty(c, dataSM, smpp.StatusOK, 70)
		s.empty(c, smpp.DeliverSM, smpp.StatusOK, 71) // a body cut short
		s.request(c, smpp.DeliverSM, 72, smpp.Message{ShortMessage: "nobody listens"})
		s.empty(c, smpp.AlertNotification, smpp.StatusOK, 73)
		s.respond(c, f, smpp.StatusOK, "x")
	})
	if _, err := s.client(s.options()).Submit(context.Background(), plain()); err != nil {
		t.Fatal(err)
	}
	channelstest.Eventually(t, "all are answered", func() bool { return len(s.saw(smpp.DeliverSMResp)) == 2 })
	nacks, answers := s.saw(smpp.GenericNack), s.saw(smpp.DeliverSMResp)
	if len(nacks) != 1 || nacks[0].Sequence != 70 || nacks[0].Status != smpp.StatusInvalidCommand {
		t.Errorf("generic_nack: %+v", nacks)
	}
	if answers[0].Status != smpp.StatusInvalidCmdLength || answers[1].Status != smpp.StatusReceiverTemporary {
		t.Errorf("deliver_sm_resp: %+v", answers)
	}
}

func TestClientLeavesALinkThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := listen(t, func(*scripted, *smpp.Conn, smpp.Frame) {})
	o := s.options()
	o.Enquire, o.Response = 30*time.Millisecond, 500*time.Millisecond
	client := s.client(o)
	<-client.Done()
	if err := client.Err(); !errors.Is(err, sms.ErrNoAnswer) {
		t.Errorf("got %v", err)
	}
	channelstest.Eventually(t, "one test of the link", func() bool { return len(s.saw(smpp.EnquireLink)) == 1 })
}

func TestClientEndsInGoodOrder(t *testing.T) {
	t.Parallel()
	var submits atomic.Int32
	s := listen(t, func(s *scripted, c *smpp.Conn, f smpp.Frame) {
		if f.Command == smpp.SubmitSM && submits.Add(1) == 1 {
			s.respond(c, f, smpp.StatusOK, "x")
			s.empty(c, smpp.Unbind, smpp.StatusOK, 9)
		}
	})
	client := s.client(s.options())
	if _, err := client.Submit(context.Background(), plain()); err != nil {
		t.Fatal(err)
	}
	<-client.Done()
	channelstest.Eventually(t, "the peer's unbind is answered", func() bool { return len(s.saw(smpp.UnbindResp)) == 1 })

	client = s.client(s.options())
	if !client.Drain(context.Background()) {
		t.Error("an idle client does not drain")
	}
	if err := client.Close(context.Background()); err != nil || len(s.saw(smpp.Unbind)) != 1 {
		t.Errorf("close: %v", err)
	}
}

func TestDialRefused(t *testing.T) {
	t.Parallel()
	s := listen(t, echo)
	o := s.options()
	o.Bind.SystemID = "much too long an identifier"
	if _, err := sms.Dial(context.Background(), o); !errors.Is(err, sms.ErrNotSent) {
		t.Errorf("got %v", err)
	}
	o = s.options()
	s.cut()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := sms.Dial(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// BenchmarkSubmit is the rate of the bare client against a peer of the same
// codec, both on this machine.
func BenchmarkSubmit(b *testing.B) {
	s := listen(b, func(s *scripted, c *smpp.Conn, f smpp.Frame) {
		if _, err := f.Message(); err != nil {
			b.Error(err)
		}
		s.respond(c, f, smpp.StatusOK, "12345678")
	})
	o := s.options()
	o.Window = 200
	client := s.client(o)
	b.SetParallelism(100)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := client.Submit(context.Background(), plain()); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submit/s")
}

// BenchmarkSend is the same through the channel: pace, parts, ids.
func BenchmarkSend(b *testing.B) {
	s := listen(b, func(s *scripted, c *smpp.Conn, f smpp.Frame) { s.respond(c, f, smpp.StatusOK, "12345678") })
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	in, err := sms.Kind{}.Describe().Validate(channels.Settings{"host": host, "port": port, "system_id": "x", "window": "200"})
	if err != nil {
		b.Fatal(err)
	}
	channel, err := sms.Kind{}.Open(channels.Opening{Settings: in, Inbox: channelstest.NewInbox(), Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- channel.Run(ctx) }()
	m := channels.Message{ID: uuid.New(), To: number(1), Text: "Plan blanc : venez à l'hôpital."}
	b.SetParallelism(100)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if out := channel.Send(context.Background(), m); out.State != channels.Accepted {
				b.Errorf("%+v", out)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "message/s")
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}
