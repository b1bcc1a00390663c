package sms

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// Bounds of what waits to become durable. Beyond them a delivery is refused
// for now, and the gateway sends it again: stopping to read would also hold the
// responses to what we send.
const (
	waitingReceipts = 8192
	waitingReplies  = 1024
	batchSize       = 512
	// inboxPatience bounds one call of the Inbox.
	inboxPatience = 30 * time.Second
)

// arrival is one deliver_sm on its way to the Inbox.
type arrival struct {
	delivery Delivery
	receipt  channels.Receipt
	at       time.Time
}

// inbound carries what the gateway sends to the Inbox, in batches, and answers
// the gateway once the Inbox has kept them.
type inbound struct {
	inbox channels.Inbox
	log   *slog.Logger
	now   func() time.Time
	ids   *ids

	receipts chan arrival
	replies  chan arrival
	waiting  atomic.Int64
	group    sync.WaitGroup
	cancel   context.CancelFunc
}

func newInbound(o channels.Opening, names *ids) *inbound {
	ctx, cancel := context.WithCancel(context.Background())
	i := &inbound{
		inbox: o.Inbox, log: o.Log, now: o.Now, ids: names, cancel: cancel,
		receipts: make(chan arrival, waitingReceipts),
		replies:  make(chan arrival, waitingReplies),
	}
	i.group.Go(func() { i.keepReceipts(ctx) })
	i.group.Go(func() { i.keepReplies(ctx) })
	return i
}

// take is called by the readers of the sessions; it never blocks.
func (i *inbound) take(d Delivery) {
	a := arrival{delivery: d, at: i.now()}
	queue := i.replies
	if r, ok := smpp.ParseReceipt(&d.Message); ok {
		a.receipt = receiptOf(r, &d.Message, a.at)
		a.receipt.ProviderID = i.ids.ofReceipt(r)
		queue = i.receipts
	} else if isNotice(d.Message.ESMClass) {
		i.log.Warn("smpp: a delivery that is neither a receipt we can read nor an answer", "esm_class", d.Message.ESMClass)
		i.answer(d, smpp.StatusOK)
		return
	}
	i.waiting.Add(1)
	select {
	case queue <- a:
	default:
		i.answer(d, smpp.StatusReceiverTemporary)
		i.waiting.Add(-1)
	}
}

// isNotice is a delivery that no person wrote: a receipt without id or state, or
// a handset's acknowledgement. What a person acknowledges by hand is an answer.
func isNotice(class byte) bool {
	switch class & smpp.ESMTypeMask {
	case smpp.ESMReceipt, smpp.ESMIntermediateReceipt, smpp.ESMDeliveryAck:
		return true
	}
	return false
}

// drain waits until every delivery was answered, or ctx ends.
func (i *inbound) drain(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i.waiting.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// close stops once the sessions are closed: what is queued was never
// acknowledged, so the gateway sends it again.
func (i *inbound) close() {
	i.cancel()
	i.group.Wait()
}

func (i *inbound) answer(d Delivery, s smpp.Status) {
	if err := d.Answer(s); err != nil {
		i.log.Debug("smpp: a delivery could not be acknowledged; the gateway will send it again", "error", err)
	}
}

func (i *inbound) settle(arrivals []arrival, err error) {
	status := smpp.StatusOK
	if err != nil {
		status = smpp.StatusReceiverTemporary
		i.log.Warn("smpp: deliveries refused for now: they could not be kept", "count", len(arrivals), "error", err)
	}
	for _, a := range arrivals {
		i.answer(a.delivery, status)
	}
	i.waiting.Add(-int64(len(arrivals)))
}

func (i *inbound) keepReceipts(ctx context.Context) {
	for {
		batch := nextBatch(ctx, i.receipts)
		if batch == nil {
			return
		}
		items := make([]channels.Receipt, len(batch))
		for n, a := range batch {
			items[n] = a.receipt
		}
		call, cancel := context.WithTimeout(ctx, inboxPatience)
		err := i.inbox.Receipts(call, items)
		cancel()
		i.settle(batch, err)
	}
}

// nextBatch waits for one arrival and takes those behind it; nil when ctx ends.
func nextBatch(ctx context.Context, queue <-chan arrival) []arrival {
	var batch []arrival
	select {
	case a := <-queue:
		batch = append(batch, a)
	case <-ctx.Done():
		return nil
	}
	for len(batch) < batchSize {
		select {
		case a := <-queue:
			batch = append(batch, a)
		default:
			return batch
		}
	}
	return batch
}

func (i *inbound) keepReplies(ctx context.Context) {
	parts := newReassembly(i.now)
	tick := time.NewTicker(partPatience / 4)
	defer tick.Stop()
	for {
		var ready []assembled
		select {
		case a := <-i.replies:
			ready = parts.add(a)
			for more := true; more && len(ready) < batchSize; {
				select {
				case a := <-i.replies:
					ready = append(ready, parts.add(a)...)
				default:
					more = false
				}
			}
		case <-tick.C:
			ready = parts.late()
		case <-ctx.Done():
			return
		}
		i.keep(ctx, parts, ready)
	}
}

func (i *inbound) keep(ctx context.Context, parts *reassembly, ready []assembled) {
	if len(ready) == 0 {
		return
	}
	items := make([]channels.Reply, len(ready))
	for n, r := range ready {
		items[n] = r.reply
	}
	call, cancel := context.WithTimeout(ctx, inboxPatience)
	err := i.inbox.Replies(call, items)
	cancel()
	for _, r := range ready {
		i.settle(r.arrivals, err)
		parts.settle(r, err == nil)
	}
}

// replyOf makes the reply of a message, given its octets without header.
func replyOf(a arrival, octets string) channels.Reply {
	m := &a.delivery.Message
	return channels.Reply{
		PeerID: m.TLVs.Text(smpp.TagReceiptedMessageID),
		From:   fromPeer(m.Source),
		To:     fromPeer(m.Destination),
		Text:   decode(m.DataCoding, octets),
		At:     a.at,
	}
}

// decode reads octets as their data_coding says (§5.2.19; TS 23.038 §4 for the
// values it leaves to GSM). What is no text is read as Latin-1, so that a reply
// is always seen.
func decode(coding byte, octets string) string {
	text := ""
	switch {
	case coding == smpp.CodingUCS2, coding >= 0xE0 && coding <= 0xEF, coding >= 0x10 && coding < 0x80 && coding&0x0C == 0x08:
		text = gsm.DecodeUCS2(octets)
	case coding == smpp.CodingDefault, coding >= 0x10 && coding < 0x80 && coding&0x0C == 0, coding >= 0xC0 && coding < 0xE0,
		coding >= 0xF0 && coding&0x04 == 0:
		text = gsm.DecodeGSM7(octets)
	default:
		text = gsm.DecodeLatin1(octets)
	}
	// A database of text refuses zero octets, and gateways pad with them.
	return strings.TrimSpace(strings.ReplaceAll(text, "\x00", ""))
}
