package sms

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"tocsin/internal/wire/smpp"
)

// The ways a Submit ends without an answer.
var (
	// ErrNotSent means that nothing was written: another try is safe.
	ErrNotSent = errors.New("sms: not sent")
	// ErrLost means that the connection broke before the answer: the message may have left.
	ErrLost = errors.New("sms: connection lost before the answer")
	// ErrNoAnswer means that the peer did not answer in time: the message may have left.
	ErrNoAnswer = errors.New("sms: no answer in time")
)

// BindError is a bind refused by the peer.
type BindError struct{ Status smpp.Status }

// Error names the status.
func (e *BindError) Error() string { return "sms: bind refused: " + e.Status.String() }

// ClientOptions are what one session needs.
type ClientOptions struct {
	// Address is host:port.
	Address string
	// TLS is nil for a connection in clear.
	TLS *tls.Config
	// Mode is smpp.BindTransceiver, BindTransmitter or BindReceiver.
	Mode smpp.Command
	Bind smpp.Bind
	// Window is the number of requests in flight at most.
	Window int
	// Connect bounds the dial and the bind, Response a request, Enquire is the
	// silence after which the link is tested.
	Connect, Response, Enquire time.Duration
	// Deliver takes each deliver_sm. It must not block; it, or who it hands the
	// delivery to, calls Answer once.
	Deliver func(Delivery)
	// Accepted, when not nil, sees each message id as its response is read:
	// before any delivery that the peer sent after it.
	Accepted func(id string)
}

// Client is one bound session: the bare protocol, without pace, retries or
// memory. Any number of goroutines may call Submit.
type Client struct {
	options ClientOptions
	conn    *smpp.Conn
	peer    string
	window  chan struct{}
	pool    sync.Pool
	done    chan struct{}
	group   sync.WaitGroup

	mu      sync.Mutex
	seq     uint32
	pending map[uint32]*request
	err     error
}

// request is one of ours, waiting for its response.
type request struct {
	command smpp.Command
	answer  chan Answer
	timer   *time.Timer
}

// Answer is a response of the peer.
type Answer struct {
	Status smpp.Status
	// ID is the message id of a submit_sm_resp, as the peer wrote it.
	ID string
}

// Delivery is a deliver_sm waiting for its acknowledgement.
type Delivery struct {
	Message  smpp.Message
	client   *Client
	sequence uint32
}

// Answer acknowledges the delivery, or refuses it. The error means that the
// connection is gone: the peer will send the delivery again.
func (d Delivery) Answer(status smpp.Status) error {
	return d.client.conn.Write(func(dst []byte) ([]byte, error) {
		return smpp.AppendResponse(dst, smpp.DeliverSMResp, status, d.sequence, smpp.Response{})
	})
}

// Dial connects and binds. The error is a *BindError when the peer refuses.
func Dial(ctx context.Context, o ClientOptions) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Connect)
	defer cancel()
	conn, err := dial(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &Client{
		options: o,
		window:  make(chan struct{}, max(o.Window, 1)),
		done:    make(chan struct{}),
		pending: make(map[uint32]*request, max(o.Window, 1)),
	}
	c.pool.New = func() any {
		timer := time.NewTimer(time.Hour)
		timer.Stop()
		return &request{answer: make(chan Answer, 1), timer: timer}
	}
	c.conn = smpp.NewConn(conn, smpp.Limits{Read: o.Enquire + 2*o.Response, Write: o.Response})
	c.group.Go(c.read)
	answer, err := c.request(ctx, o.Mode, func(dst []byte, seq uint32) ([]byte, error) {
		return smpp.AppendBind(dst, o.Mode, seq, &c.options.Bind)
	})
	if err == nil && answer.Status != smpp.StatusOK {
		err = &BindError{answer.Status}
	}
	if err != nil {
		return nil, errors.Join(err, c.Abort())
	}
	c.peer = answer.ID
	c.group.Go(c.enquire)
	return c, nil
}

func dial(ctx context.Context, o ClientOptions) (net.Conn, error) {
	if o.TLS == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", o.Address)
	}
	conn, err := (&tls.Dialer{Config: o.TLS}).DialContext(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return conn, nil
}

// Submit sends one submit_sm and waits for its response. The error is ErrLost
// or ErrNoAnswer when the message may have left; with any other, it did not.
func (c *Client) Submit(ctx context.Context, m *smpp.Message) (Answer, error) {
	select {
	case c.window <- struct{}{}:
	case <-c.done:
		return Answer{}, ErrNotSent
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("%w: %w", ErrNotSent, ctx.Err())
	}
	defer func() { <-c.window }()
	return c.request(ctx, smpp.SubmitSM, func(dst []byte, seq uint32) ([]byte, error) {
		return smpp.AppendMessage(dst, smpp.SubmitSM, seq, m)
	})
}

// request registers, writes, then waits.
func (c *Client) request(ctx context.Context, command smpp.Command, write func([]byte, uint32) ([]byte, error)) (Answer, error) {
	r, seq, ok := c.register(command)
	if !ok {
		return Answer{}, ErrNotSent
	}
	defer c.pool.Put(r)
	err := c.conn.Write(func(dst []byte) ([]byte, error) { return write(dst, seq) })
	if err != nil {
		if !c.forget(seq) {
			<-r.answer
		}
		return Answer{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	r.timer.Reset(c.options.Response)
	defer r.timer.Stop()
	select {
	case answer := <-r.answer:
		return answer, nil
	case <-r.timer.C:
		err = ErrNoAnswer
	case <-ctx.Done():
		err = fmt.Errorf("%w: %w", ErrNoAnswer, ctx.Err())
	case <-c.done:
		err = ErrLost
	}
	if !c.forget(seq) {
		// The response came at the same instant: it is the truth.
		return <-r.answer, nil
	}
	return Answer{}, err
}

// register numbers a request and enters it in the table, before anything is written.
func (c *Client) register(command smpp.Command) (*request, uint32, bool) {
	r := c.pool.Get().(*request)
	r.command = command
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		c.pool.Put(r)
		return nil, 0, false
	}
	for {
		c.seq = c.seq%0x7FFFFFFF + 1
		if _, taken := c.pending[c.seq]; !taken {
			c.pending[c.seq] = r
			return r, c.seq, true
		}
	}
}

// forget takes a request out of the table; false when its response did before.
func (c *Client) forget(seq uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, there := c.pending[seq]
	delete(c.pending, seq)
	return there
}

// read is the only reader of the connection.
func (c *Client) read() {
	var err error
	for err == nil {
		var frame smpp.Frame
		if frame, err = c.conn.Next(); err == nil {
			err = c.handle(frame)
		}
	}
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.mu.Unlock()
	close(c.done)
	if err := c.conn.Close(); err != nil {
		c.mu.Lock()
		c.err = errors.Join(c.err, err)
		c.mu.Unlock()
	}
}

// errUnbound is the end of a session that the peer closed in good order.
var errUnbound = errors.New("sms: the peer closed the session")

func (c *Client) handle(f smpp.Frame) error {
	if f.Command.IsResponse() {
		c.answer(f)
		return nil
	}
	switch f.Command {
	case smpp.DeliverSM:
		return c.deliver(f)
	case smpp.EnquireLink:
		return c.conn.Empty(smpp.EnquireLinkResp, smpp.StatusOK, f.Sequence)
	case smpp.Unbind:
		if err := c.conn.Empty(smpp.UnbindResp, smpp.StatusOK, f.Sequence); err != nil {
			return err
		}
		return errUnbound
	case smpp.AlertNotification, smpp.Outbind:
		return nil // the two requests that want no response
	default:
		return c.conn.Empty(smpp.GenericNack, smpp.StatusInvalidCommand, f.Sequence)
	}
}

// answer matches on the response bit, the sequence and the command: a peer
// numbers its own requests as it likes.
func (c *Client) answer(f smpp.Frame) {
	c.mu.Lock()
	r, ok := c.pending[f.Sequence]
	if ok && f.Command != r.command.Response() && f.Command != smpp.GenericNack {
		ok = false
	}
	if ok {
		delete(c.pending, f.Sequence)
	}
	c.mu.Unlock()
	if !ok {
		return // late: its sender was told "uncertain" already
	}
	a := Answer{Status: f.Status}
	if f.Command != smpp.GenericNack {
		a.ID = f.Response().ID
	} else if a.Status == smpp.StatusOK {
		a.Status = smpp.StatusUnknownError
	}
	if r.command == smpp.SubmitSM && a.Status == smpp.StatusOK && c.options.Accepted != nil {
		c.options.Accepted(a.ID)
	}
	r.answer <- a
}

func (c *Client) deliver(f smpp.Frame) error {
	d := Delivery{client: c, sequence: f.Sequence}
	var err error
	if d.Message, err = f.Message(); err != nil {
		return d.Answer(smpp.StatusInvalidCmdLength)
	}
	if c.options.Deliver == nil {
		return d.Answer(smpp.StatusReceiverTemporary)
	}
	c.options.Deliver(d)
	return nil
}

// enquire tests the link at intervals; a peer that does not answer is left.
func (c *Client) enquire() {
	tick := time.NewTicker(c.options.Enquire)
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-tick.C:
		}
		_, err := c.request(context.Background(), smpp.EnquireLink, func(dst []byte, seq uint32) ([]byte, error) {
			return smpp.AppendEmpty(dst, smpp.EnquireLink, smpp.StatusOK, seq), nil
		})
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// fail drops the connection; the reader then ends the session.
func (c *Client) fail(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = fmt.Errorf("link test: %w", err)
	}
	c.mu.Unlock()
	if abort := c.conn.Abort(); abort != nil {
		c.mu.Lock()
		c.err = errors.Join(c.err, abort)
		c.mu.Unlock()
	}
}

// Done is closed when the session is over.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why the session is over.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Load is the number of requests in flight.
func (c *Client) Load() int { return len(c.window) }

// Enquire tests the link now.
func (c *Client) Enquire(ctx context.Context) error {
	_, err := c.request(ctx, smpp.EnquireLink, func(dst []byte, seq uint32) ([]byte, error) {
		return smpp.AppendEmpty(dst, smpp.EnquireLink, smpp.StatusOK, seq), nil
	})
	return err
}

// Drain waits until nothing is in flight and lets nothing more in; false when
// ctx ended before.
func (c *Client) Drain(ctx context.Context) bool {
	for range cap(c.window) {
		select {
		case c.window <- struct{}{}:
		case <-c.done:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// Close unbinds, then closes the connection.
func (c *Client) Close(ctx context.Context) error {
	_, err := c.request(ctx, smpp.Unbind, func(dst []byte, seq uint32) ([]byte, error) {
		return smpp.AppendEmpty(dst, smpp.Unbind, smpp.StatusOK, seq), nil
	})
	if errors.Is(err, ErrNotSent) || errors.Is(err, ErrLost) {
		err = nil // the peer was quicker
	}
	return errors.Join(err, c.Abort())
}

// Abort closes the connection at once and waits for the session to end.
func (c *Client) Abort() error {
	err := c.conn.Abort()
	c.group.Wait()
	return err
}
