package lab

import (
	"strconv"
	"strings"
	"sync/atomic"

	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// session is one bound connection.
type session struct {
	smsc    *smsc
	conn    *smpp.Conn
	account *account
	submits bool
	bound   atomic.Bool
	// answering counts the responses under way when they take time.
	answering atomic.Int64

	// source is the sender of the messages, which hardly ever changes.
	source smpp.Address

	// Under the account's lock.
	delivering map[uint32]delivery
	sequence   uint32
}

func newSession(s *smsc, conn *smpp.Conn) *session {
	return &session{smsc: s, conn: conn, delivering: map[uint32]delivery{}}
}

// serve reads until the connection ends.
func (c *session) serve() {
	for {
		f, err := c.conn.Next()
		if err != nil {
			abort(c.conn)
			return
		}
		switch f.Command {
		case smpp.SubmitSM:
			c.submit(f)
		case smpp.DeliverSMResp:
			if c.account != nil {
				c.account.acknowledged(c, f)
			}
		case smpp.BindTransceiver, smpp.BindReceiver, smpp.BindTransmitter:
			c.bind(f)
		case smpp.EnquireLink:
			c.empty(smpp.EnquireLinkResp, smpp.StatusOK, f.Sequence)
		case smpp.Unbind:
			c.empty(smpp.UnbindResp, smpp.StatusOK, f.Sequence)
			if err := c.conn.Close(); err != nil {
				c.smsc.options.Log.Debug("lab: unbind", "error", err)
			}
			return
		case smpp.GenericNack, smpp.EnquireLinkResp, smpp.UnbindResp:
		default:
			c.empty(smpp.GenericNack, smpp.StatusInvalidCommand, f.Sequence)
		}
	}
}

// empty answers without a body; a connection that broke is seen by serve.
func (c *session) empty(command smpp.Command, status smpp.Status, sequence uint32) {
	if err := c.conn.Empty(command, status, sequence); err != nil {
		c.smsc.options.Log.Debug("lab: response not written", "error", err)
	}
}

func (c *session) bind(f smpp.Frame) {
	b, err := f.Bind()
	g := c.smsc.options.Gateway
	status := smpp.StatusOK
	switch {
	case err != nil:
		status = smpp.StatusBindFailed
	case c.account != nil:
		status = smpp.StatusAlreadyBound
	case g.SystemID != "" && b.SystemID != g.SystemID:
		status = smpp.StatusInvalidSystemID
	case g.Password != "" && b.Password != g.Password:
		status = smpp.StatusInvalidPassword
	}
	if status != smpp.StatusOK {
		c.empty(f.Command.Response(), status, f.Sequence)
		return
	}
	a := c.smsc.account(b.SystemID)
	if !a.enter(c, f.Command != smpp.BindTransmitter) {
		c.empty(f.Command.Response(), smpp.StatusBindFailed, f.Sequence)
		return
	}
	c.account, c.submits = a, f.Command != smpp.BindReceiver
	c.smsc.counters.binds.Add(1)
	c.respond(f.Command.Response(), f.Sequence, "tocsin-lab")
	c.bound.Store(true)
	a.listen()
}

func (c *session) respond(command smpp.Command, sequence uint32, id string) {
	err := c.conn.Write(func(dst []byte) ([]byte, error) {
		return smpp.AppendResponse(dst, command, smpp.StatusOK, sequence, smpp.Response{ID: id})
	})
	if err != nil {
		c.smsc.options.Log.Debug("lab: response not written", "error", err)
	}
}

// submit takes a message: counted first, answered for then, so that no message
// the client believes accepted is missing from the ledger.
func (c *session) submit(f smpp.Frame) {
	m, err := f.Message()
	to, isNumber := parseNumber(m.Destination.Number)
	status := smpp.StatusOK
	switch {
	case !c.submits:
		status = smpp.StatusInvalidBindStatus
	case err != nil:
		status = smpp.StatusInvalidMsgLength
	case !isNumber:
		status = smpp.StatusInvalidDestination
	default:
		status = c.admit(to)
	}
	switch status {
	case smpp.StatusOK:
	case smpp.StatusThrottled:
		c.smsc.counters.throttled.Add(1)
	default:
		c.smsc.counters.refused.Add(1)
	}
	if status != smpp.StatusOK {
		c.later(func() { c.empty(smpp.SubmitSMResp, status, f.Sequence) })
		return
	}
	c.accept(f.Sequence, to, &m)
}

// admit says whether the gateway takes a message now.
func (c *session) admit(to uint64) smpp.Status {
	g := c.smsc.options.Gateway
	switch {
	case c.account.pace != nil && !c.account.pace.AllowN(c.smsc.options.Clock.Now(), 1),
		g.Window > 0 && c.answering.Load() >= int64(g.Window):
		return smpp.StatusThrottled
	case c.smsc.town != nil && c.smsc.town.refuses(to):
		return smpp.StatusInvalidDestination
	}
	return smpp.StatusOK
}

func (c *session) accept(sequence uint32, to uint64, m *smpp.Message) {
	s := c.smsc
	now := s.options.Clock.Now()
	id := s.next.Add(1)
	part, text := userData(m)
	s.ledger.add(to, text, part.Number, now)
	written := strconv.FormatUint(id, 10)
	if s.options.Gateway.HexIDs {
		written = strconv.FormatUint(id, 16)
	}
	c.later(func() { c.respond(smpp.SubmitSMResp, sequence, written) })
	d := delivery{from: to, to: c.sender(m), id: id, sent: now, state: smpp.StateDelivered}
	if s.town != nil {
		s.town.sms(c.account, m, part, text, d)
		return
	}
	if wantsReceipt(m, d.state) && !s.options.Gateway.NoReceipts {
		c.receipt(d)
	}
}

// sender copies the sender once: the fields of a message share one string with
// the whole of it, which a receipt waiting would keep alive.
func (c *session) sender(m *smpp.Message) smpp.Address {
	if m.Source != c.source {
		c.source = m.Source
		c.source.Number = strings.Clone(m.Source.Number)
	}
	return c.source
}

func (c *session) receipt(d delivery) {
	if wait := c.smsc.options.Gateway.ReceiptDelay + c.smsc.options.Gateway.ResponseDelay; wait > 0 {
		c.smsc.agenda.after(wait, func() { c.account.push(d) })
		return
	}
	c.account.push(d)
}

// later does it now, or after the time a response takes.
func (c *session) later(do func()) {
	wait := c.smsc.options.Gateway.ResponseDelay
	if wait <= 0 {
		do()
		return
	}
	c.answering.Add(1)
	c.smsc.agenda.after(wait, func() {
		c.answering.Add(-1)
		do()
	})
}

// wantsReceipt reads registered_delivery (§5.2.17).
func wantsReceipt(m *smpp.Message, state smpp.MessageState) bool {
	switch m.RegisteredDelivery & 0x03 {
	case smpp.RegisteredFinal:
		return true
	case smpp.RegisteredFailure:
		return state != smpp.StateDelivered
	}
	return false
}

// userData separates the header that places a part in its message from its
// text, wherever the client put either.
func userData(m *smpp.Message) (part gsm.Part, text string) {
	text = m.Octets()
	if m.ESMClass&smpp.ESMHeader != 0 {
		part, text, _ = gsm.SplitHeader(text)
		return part, text
	}
	ref, grouped := m.TLVs.Uint(smpp.TagSarMsgRefNum)
	total, _ := m.TLVs.Uint(smpp.TagSarTotalSegments)
	number, _ := m.TLVs.Uint(smpp.TagSarSegmentSeqnum)
	if grouped {
		part = gsm.Part{Reference: uint16(ref), Width: gsm.Reference16, Total: byte(total), Number: byte(number)}
	}
	return part, text
}
