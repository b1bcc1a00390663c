package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// A batch is what one commit of the base holds at most.
const (
	batchEvents = 10000
	batchBytes  = 8 << 20
	// takeFor is how long one request goes on before it tells how far it came.
	takeFor = 5 * time.Second
	// failuresMost is how often in a row the base may refuse to store before the
	// process ends, to be started anew: what broke inside may be whole again.
	failuresMost = 5
)

// Server is the side of the base.
type Server struct {
	Engine traces.Engine
	// Spool is the folder in which events wait.
	Spool string
	Log   *slog.Logger
	// Now is the time, for how long a request lasts.
	Now func() time.Time

	taking   sync.Mutex
	reader   *spool.Reader
	batches  [2]batch
	turn     int // of batches, which was read last
	failures int
	broken   chan error
}

// Serve answers on l until ctx ends. Errors: that of the base when it does not
// store any more.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.broken = make(chan error, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+takePath, handle(s.Log, func(ctx context.Context, r takeRequest) (takeReply, error) {
		t, err := s.Take(ctx, r.UpTo)
		return takeReply(t), err
	}))
	mux.HandleFunc("POST "+copyPath, s.copy)
	Answer(mux, s.Engine, s.Log)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)}
	stopped := make(chan error, 1)
	go func() {
		var broken error
		select {
		case <-ctx.Done():
		case broken = <-s.broken:
		}
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeFor)
		defer cancel()
		stopped <- errors.Join(broken, server.Shutdown(end))
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve traces: %w", err)
	}
	return <-stopped
}

// seal opens the doors of a base that can be sealed; another says that it cannot.
func seal(mux *http.ServeMux, of traces.Base, log *slog.Logger) {
	base, ok := of.(traces.Sealer)
	if !ok {
		none := func(context.Context, json.RawMessage) (any, error) {
			return nil, fault.New(fault.Unavailable, "traces.seal.none")
		}
		for _, path := range []string{blocksPath, blockPath, witnessPath} {
			mux.HandleFunc("POST "+path, handle(log, none))
		}
		return
	}
	mux.HandleFunc("POST "+blocksPath, handle(log, func(ctx context.Context, r blocksRequest) ([]traces.BlockFile, error) {
		return base.Blocks(ctx, r.Organisation, r.Query)
	}))
	mux.HandleFunc("POST "+blockPath, handle(log, func(ctx context.Context, r blockRequest) ([]traces.SealedEvent, error) {
		return base.Block(ctx, r.Organisation, r.Class, r.Month, r.First)
	}))
	mux.HandleFunc("POST "+witnessPath, handle(log, func(ctx context.Context, r getRequest) (traces.Witness, error) {
		return base.Witness(ctx, r.Organisation, r.Ref)
	}))
}

// Answer opens the doors by which questions are asked of a base.
func Answer(mux *http.ServeMux, base traces.Base, log *slog.Logger) {
	mux.HandleFunc("POST "+askPath, handle(log, func(ctx context.Context, r askRequest) (traces.Answer, error) {
		return base.Ask(ctx, r.Organisation, r.Question)
	}))
	mux.HandleFunc("POST "+getPath, handle(log, func(ctx context.Context, r getRequest) (traces.Stored, error) {
		return base.Get(ctx, r.Organisation, r.Ref)
	}))
	mux.HandleFunc("POST "+purgePath, handle(log, func(ctx context.Context, r purgeRequest) (traces.Purged, error) {
		return base.Purge(ctx, r.Organisation, r.Purging)
	}))
	seal(mux, base, log)
}

// handle reads a request, does it, and writes what it gives.
func handle[Q, A any](log *slog.Logger, do func(context.Context, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if err := json.NewDecoder(io.LimitReader(r.Body, 4<<20)).Decode(&q); err != nil {
			tell(log, Refuse(w, fault.Wrap(err, fault.Invalid, "traces.error.base")))
			return
		}
		a, err := do(r.Context(), q)
		switch {
		case err == nil:
			tell(log, WriteJSON(w, a))
		case r.Context().Err() != nil: // nobody waits any more
		default:
			if fault.As(err) == nil {
				log.Error("traces", "at", r.URL.Path, "err", err)
			}
			tell(log, Refuse(w, err))
		}
	}
}

// tell logs a reply that could not be written: whoever asked has gone.
func tell(log *slog.Logger, err error) {
	if err != nil {
		log.Debug("traces", "err", err)
	}
}

// Take stores what the spool holds, in batches, until upTo or until takeFor has
// passed. One at a time. A Server that does not serve is the base of its own
// program: Take is then called by its Feeder.
func (s *Server) Take(ctx context.Context, upTo spool.Position) (out Taken, err error) {
	s.taking.Lock()
	defer s.taking.Unlock()
	if s.reader == nil {
		from, err := s.Engine.Applied(ctx)
		if err != nil {
			return out, fmt.Errorf("where the spool is read: %w", err)
		}
		s.reader = spool.NewReader(s.Spool, from)
	}
	out.Applied = s.reader.At()
	start := s.Now()
	for next := s.ahead(out.Applied, upTo); next != nil; {
		b := next()
		// While a batch is stored the one after it is read.
		next = nil
		if b.err == nil && s.Now().Sub(start) < takeFor {
			next = s.ahead(b.end, upTo)
		}
		out.Damage = append(out.Damage, b.damage...)
		if err = b.err; err == nil {
			err = s.Engine.Take(ctx, b.events, b.end)
		}
		if err != nil {
			if next != nil {
				out.Damage = append(out.Damage, next().damage...)
			}
			return out, s.failed(err)
		}
		s.failures = 0
		out.Applied = b.end
		out.Events += int64(len(b.events))
	}
	return out, nil
}

// failed has what was read be read again from the place that was committed.
func (s *Server) failed(err error) error {
	closing := s.reader.Close()
	s.reader = nil
	if s.failures++; s.failures == failuresMost && s.broken != nil {
		s.broken <- fmt.Errorf("the base failed %d times in a row: %w", failuresMost, err)
	}
	return errors.Join(err, closing)
}

// batch is what was read of the spool before a place.
type batch struct {
	events []traces.Placed
	end    spool.Position
	damage []string
	err    error
}

// ahead begins to read the batch after a place, and gives what waits for it; nil
// when there is nothing before upTo. Two batches take turns.
func (s *Server) ahead(from, upTo spool.Position) func() *batch {
	if !from.Before(upTo) {
		return nil
	}
	s.turn = 1 - s.turn
	b, read := &s.batches[s.turn], make(chan struct{})
	go func() {
		defer close(read)
		s.fill(b, upTo)
	}()
	return func() *batch {
		<-read
		return b
	}
}

// fill reads a batch and tells the place after it.
func (s *Server) fill(b *batch, upTo spool.Position) {
	*b = batch{events: b.events[:0]}
	for size := 0; len(b.events) < batchEvents && size < batchBytes; {
		record, err := s.reader.Next(upTo)
		var damage *spool.Damage
		switch {
		case errors.Is(err, io.EOF):
			b.end = upTo
			return
		case errors.As(err, &damage):
			b.damage = append(b.damage, damage.Error())
			s.Log.Error("traces", "err", damage)
			continue
		case err != nil:
			b.err = fmt.Errorf("read what waits: %w", err)
			return
		}
		size += len(record)
		p := traces.Placed{At: s.reader.At()}
		if err := traces.ReadRecord(record, &p.Event); err != nil {
			b.err = fmt.Errorf("record before %s: %w", p.At, err)
			return
		}
		// The record lives until the next one only.
		p.Raw = append([]byte(nil), p.Raw...)
		b.events = append(b.events, p)
	}
	b.end = s.reader.At()
}
