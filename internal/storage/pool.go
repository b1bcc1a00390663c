package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
)

// litePool is the reading connections to the SQLite file, opened when first needed.
type litePool struct {
	dsn string
	// places holds a connection, or nil for one that is not open yet, for each reader.
	places chan *lite

	mu     sync.Mutex
	closed bool
}

func newLitePool(dsn string, n int) *litePool {
	p := &litePool{dsn: dsn, places: make(chan *lite, n)}
	for range n {
		p.places <- nil
	}
	return p
}

func (p *litePool) take(ctx context.Context) (c *lite, err error) {
	select {
	case c = <-p.places:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c == nil {
		if c, err = openLiteConn(p.dsn); err != nil {
			p.places <- nil
			return nil, err
		}
	}
	return c, nil
}

// give takes a connection back. One that was cut half way is not used again.
func (p *litePool) give(c *lite, whole bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v, ok := c.conn.(driver.Validator); whole && !p.closed && (!ok || v.IsValid()) {
		p.places <- c
		return nil
	}
	p.places <- nil
	return c.close()
}

// read runs fn on one snapshot.
func (p *litePool) read(ctx context.Context, fn func(querier) error) (err error) {
	c, err := p.take(ctx)
	if err != nil {
		return fmt.Errorf("begin read: %w", err)
	}
	whole := false
	defer func() { err = errors.Join(err, p.give(c, whole)) }()
	if _, err := c.exec(ctx, "BEGIN", nil); err != nil {
		return fmt.Errorf("begin read: %w", err)
	}
	defer func() {
		rerr := c.finish(ctx, "ROLLBACK")
		if whole = rerr == nil; rerr != nil {
			err = errors.Join(err, fmt.Errorf("end read: %w", rerr))
		}
	}()
	return fn(c)
}

// ping asks one connection to answer.
func (p *litePool) ping(ctx context.Context) error {
	return p.read(ctx, func(q querier) error {
		return q.query(ctx, "SELECT 1", nil, func(func(...any) error) error { return nil })
	})
}

// close closes the connections at rest; those in use close when they are given back.
func (p *litePool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for range cap(p.places) {
		select {
		case c := <-p.places:
			if c != nil {
				errs = append(errs, c.close())
			}
		default:
		}
	}
	return errors.Join(errs...)
}
