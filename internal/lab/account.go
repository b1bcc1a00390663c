package lab

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// delivery is something for a client: a receipt, or what a person wrote. It
// stays until the client acknowledged it.
type delivery struct {
	from   uint64
	to     smpp.Address
	id     uint64
	state  smpp.MessageState // StateNone for what a person wrote
	cause  byte              // GSM error of TS 29.002, 0 for none
	sent   time.Time
	text   string
	coding byte
	tries  int
}

// account is one client of the gateway, whatever its sessions.
type account struct {
	smsc *smsc
	pace *rate.Limiter

	mu        sync.Mutex
	binds     int
	receivers []*session
	turn      int
	queue     []delivery
	head      int
}

// enter lets a session in; false beyond the sessions an account may hold.
func (a *account) enter(c *session, receives bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if most := a.smsc.options.Gateway.MaxBinds; most > 0 && a.binds >= most {
		return false
	}
	a.binds++
	if receives {
		a.receivers = append(a.receivers, c)
	}
	return true
}

// listen begins the deliveries of a session, once its bind is answered for.
func (a *account) listen() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pump()
}

// leave takes back what the session was given and did not acknowledge.
func (a *account) leave(c *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.binds--
	a.receivers = slices.DeleteFunc(a.receivers, func(r *session) bool { return r == c })
	for _, d := range c.delivering {
		d.tries++
		a.smsc.counters.again.Add(1)
		a.queue = append(a.queue, d)
	}
	c.delivering = nil
	a.pump()
}

// push sends when a window is open, or keeps for later.
func (a *account) push(d delivery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = append(a.queue, d)
	a.pump()
}

// acknowledged is the client's answer to a delivery. One refused comes again.
func (a *account) acknowledged(c *session, f smpp.Frame) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, known := c.delivering[f.Sequence]
	if !known {
		return
	}
	delete(c.delivering, f.Sequence)
	if f.Status == smpp.StatusOK {
		a.smsc.counters.acknowledged.Add(1)
	} else {
		d.tries++
		a.smsc.counters.again.Add(1)
		a.smsc.agenda.after(min(time.Duration(d.tries)*time.Second, time.Minute), func() { a.push(d) })
	}
	a.pump()
}

func (a *account) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.queue) - a.head
	for _, c := range a.receivers {
		n += len(c.delivering)
	}
	return n
}

// pump fills the windows of the receiving sessions, each in its turn. A receipt
// may so leave by another session than its message came in, as in real life.
func (a *account) pump() {
	full := 0
	for a.head < len(a.queue) && full < len(a.receivers) {
		c := a.receivers[a.turn%len(a.receivers)]
		a.turn++
		if !c.bound.Load() || len(c.delivering) >= a.smsc.options.Gateway.Deliveries {
			full++
			continue
		}
		full = 0
		d := a.queue[a.head]
		if !c.deliver(d) {
			full++ // the session is ending; leave() follows
			continue
		}
		a.queue[a.head] = delivery{}
		a.head++
	}
	if a.head == len(a.queue) {
		a.queue, a.head = a.queue[:0], 0
	} else if a.head > 4096 && a.head*2 > len(a.queue) {
		a.queue = append(a.queue[:0], a.queue[a.head:]...)
		a.head = 0
	}
}

// deliver writes a delivery; the account is locked.
func (c *session) deliver(d delivery) bool {
	c.sequence++
	sequence := c.sequence
	m := d.message(c.smsc.options.Clock.Now())
	err := c.conn.Write(func(dst []byte) ([]byte, error) {
		return smpp.AppendMessage(dst, smpp.DeliverSM, sequence, &m)
	})
	if err != nil {
		return false
	}
	c.delivering[sequence] = d
	if d.state == smpp.StateNone {
		c.smsc.counters.replies.Add(1)
	} else {
		c.smsc.counters.receipts.Add(1)
	}
	return true
}

// message writes what the client receives.
func (d *delivery) message(now time.Time) smpp.Message {
	m := smpp.Message{
		Source:      smpp.Address{TON: smpp.TONInternational, NPI: smpp.NPIISDN, Number: formatNumber(d.from)},
		Destination: d.to,
	}
	if d.state == smpp.StateNone {
		m.DataCoding, m.ShortMessage = d.coding, d.text
		if len(d.text) > smpp.MaxShortMessage {
			m.ShortMessage, m.TLVs = "", smpp.TLVs{{Tag: smpp.TagMessagePayload, Value: d.text}}
		}
		return m
	}
	id := strconv.FormatUint(d.id, 10)
	r := smpp.Receipt{ID: id, TLVID: id, State: d.state, Submitted: stamp(d.sent), Done: stamp(now), Delivered: "001", Text: d.text}
	if d.state != smpp.StateDelivered {
		r.Delivered = "000"
	}
	m.ESMClass = smpp.ESMReceipt
	m.TLVs = r.Optional()
	if d.cause != 0 {
		r.Error = leftPad(strconv.Itoa(int(d.cause)), 3)
		m.TLVs = append(m.TLVs, smpp.TLV{Tag: smpp.TagNetworkErrorCode, Value: string([]byte{3, 0, d.cause})})
	}
	m.ShortMessage = r.FormatText()
	return m
}

// stamp writes a date as receipts do, to the minute.
func stamp(t time.Time) string { return t.Format("0601021504") }

func leftPad(s string, n int) string {
	for len(s) < n {
		s = "0" + s
	}
	return s
}

// written gives the octets of what a person types, and their coding.
func written(text string) (octets string, coding byte) {
	encoding, raw := gsm.Encode(text)
	if encoding == gsm.UCS2 {
		return string(raw), smpp.CodingUCS2
	}
	return string(raw), smpp.CodingDefault
}
