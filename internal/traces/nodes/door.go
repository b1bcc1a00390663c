package nodes

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/child"
)

const (
	appendPath = "/append"
	// portionMost is what one request brings, bytes; a record may stand out.
	portionMost = 16 << 20
	bodyMost    = portionMost + spool.MaxRecord + binary.MaxVarintLen64
	// underWay bounds what is in memory of all requests, bytes: the others wait.
	underWay = 4 * bodyMost
	// readMost is how long one request may take to arrive.
	readMost = time.Minute
	// endMost is how long what was begun may last after the end.
	endMost = 5 * time.Second
)

type appended struct {
	Held int64 `json:"held"`
}

// Door is where the machine that holds the base hears the others.
type Door struct {
	Queue traces.Queue
	Base  traces.Base
	Keys  Keys
	// Ready tells whether this machine holds the base at this moment.
	Ready func() bool
	Log   *slog.Logger

	room *semaphore.Weighted
}

// Serve hears the other nodes until ctx ends.
func (d *Door) Serve(ctx context.Context, l net.Listener) error {
	d.room = semaphore.NewWeighted(underWay)
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+appendPath, d.append)
	child.Answer(mux, d.Base, d.Log)
	server := &http.Server{
		Handler: d.whileHeld(mux), ReadHeaderTimeout: endMost, ReadTimeout: readMost, IdleTimeout: 2 * readMost,
		// It is cut with the connection of whoever asked, and not with our end: what
		// was taken is answered.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:    slog.NewLogLogger(d.Log.Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endMost)
		defer cancel()
		if err := server.Shutdown(end); err != nil {
			err = server.Close()
			stopped <- err
			return
		}
		stopped <- nil
	}()
	if err := server.Serve(tls.NewListener(l, serverConfig(d.Keys))); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("hear the nodes: %w", err)
	}
	return <-stopped
}

// whileHeld refuses while another machine holds the base.
func (d *Door) whileHeld(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.Ready() {
			d.tell(child.Refuse(w, fault.New(fault.Unavailable, "traces.error.none")))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (d *Door) append(w http.ResponseWriter, r *http.Request) {
	if err := d.lay(r); err != nil {
		if fault.As(err) == nil && r.Context().Err() == nil {
			d.Log.Error("traces of a node", "err", err)
		}
		d.tell(child.Refuse(w, err))
		return
	}
	d.tell(child.WriteJSON(w, appended{d.Queue.Held()}))
}

// lay reads the records of a request whole, and lays them in the queue.
func (d *Door) lay(r *http.Request) error {
	if r.ContentLength <= 0 || r.ContentLength > bodyMost {
		return fault.New(fault.Invalid, "traces.error.base")
	}
	if err := d.room.Acquire(r.Context(), r.ContentLength); err != nil {
		return fmt.Errorf("wait for room: %w", err)
	}
	defer d.room.Release(r.ContentLength)
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return fmt.Errorf("read traces of a node: %w", err)
	}
	records, err := split(body)
	if err != nil {
		return err
	}
	_, err = d.Queue.Append(r.Context(), records...)
	return err
}

// split cuts a body into its records. What the base could not read later is
// refused now: a record of a newer program would stop it for all.
func split(body []byte) (records [][]byte, err error) {
	var e traces.Event
	for len(body) > 0 {
		size, n := binary.Uvarint(body)
		if n <= 0 || size == 0 || size > spool.MaxRecord || size > uint64(len(body)-n) {
			return nil, fault.New(fault.Invalid, "traces.error.base")
		}
		record := body[n : n+int(size)]
		if err := traces.ReadRecord(record, &e); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "traces.error.base")
		}
		records, body = append(records, record), body[n+int(size):]
	}
	return records, nil
}

// tell logs a reply that could not be written: whoever asked has gone.
func (d *Door) tell(err error) {
	if err != nil {
		d.Log.Debug("traces", "err", err)
	}
}
