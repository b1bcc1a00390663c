package lab

import (
	"context"
	"fmt"
	"net"

	"golang.org/x/sync/errgroup"
)

// clerks is how many people click a link or write a mail at the same time.
const clerks = 16

// lab holds the parts together.
type lab struct {
	options Options
	agenda  *agenda
	crew    *crew
	smsc    *smsc
	post    *post
	// exchange is nil without telephones.
	exchange *exchange
}

// door is one address and who answers there.
type door struct {
	address *string
	serve   func(context.Context, net.Listener) error
	listens net.Listener
}

// Run simulates the network until ctx ends; nil after a clean stop. The error
// says which address is not this machine, or cannot be listened on.
func Run(ctx context.Context, o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	l := build(o)
	doors := []*door{{address: &o.SMPP, serve: l.smsc.serve}, {address: &o.SMTP, serve: l.post.serve}, {address: &o.Control, serve: l.serveControl}}
	if err := listen(ctx, doors); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	if o.SIP != "" {
		x, err := newExchange(o)
		if err != nil {
			shut(doors)
			return fmt.Errorf("lab: %w", err)
		}
		l.exchange, o.SIP = x, x.address().String()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { l.agenda.run(ctx); return nil })
	group.Go(func() error { l.crew.run(ctx, clerks); return nil })
	for _, d := range doors {
		if d.listens != nil {
			group.Go(func() error { return d.serve(ctx, d.listens) })
		}
	}
	if l.exchange != nil {
		group.Go(func() error { return l.exchange.serve(ctx) })
	}
	if o.Ready != nil {
		o.Ready(Addresses{SMPP: o.SMPP, SMTP: o.SMTP, SIP: o.SIP, Control: o.Control})
	}
	err := group.Wait()
	if l.post.walker != nil {
		l.post.walker.transport.CloseIdleConnections()
	}
	return err
}

// listen opens every door, or none.
func listen(ctx context.Context, doors []*door) error {
	var config net.ListenConfig
	for _, d := range doors {
		if *d.address == "" {
			continue
		}
		listener, err := config.Listen(ctx, "tcp", *d.address)
		if err != nil {
			shut(doors)
			return err
		}
		d.listens, *d.address = listener, listener.Addr().String()
	}
	return nil
}

// shut closes the doors that are open.
func shut(doors []*door) {
	for _, open := range doors {
		if open.listens != nil {
			closeQuietly(open.listens)
		}
	}
}

func build(o Options) *lab {
	l := &lab{options: o, agenda: newAgenda(o.Clock), crew: newCrew()}
	l.smsc = newSMSC(o, l.agenda)
	l.post = newPost(o, l.agenda, l.crew)
	if !o.Fast {
		w := newWalker()
		l.smsc.town = newTown(o, l.agenda, l.crew, w)
		l.post.walker, l.post.town = w, l.smsc.town
	}
	return l
}

func (l *lab) counts() Counts {
	c := &l.smsc.counters
	out := Counts{Pending: l.agenda.waiting() + l.crew.waiting(), SMS: SMSCounts{
		Tally: l.smsc.ledger.tally(), Binds: c.binds.Load(), Refused: c.refused.Load(), Throttled: c.throttled.Load(),
		Receipts: c.receipts.Load(), Replies: c.replies.Load(), Acknowledged: c.acknowledged.Load(), Again: c.again.Load(), Waiting: l.smsc.waiting(),
	}}
	if w := l.post.walker; w != nil {
		out.Clicks = ClickCounts{Done: w.done.Load(), Failed: w.failed.Load(), GaveUp: w.gaveUp.Load()}
	}
	out.Mail = l.post.counts()
	if l.exchange != nil {
		out.Calls = l.exchange.book.counts()
	}
	return out
}
