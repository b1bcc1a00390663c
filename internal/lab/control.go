package lab

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Counts is what GET /counts answers.
type Counts struct {
	SMS    SMSCounts   `json:"sms"`
	Mail   MailCounts  `json:"mail"`
	Clicks ClickCounts `json:"clicks"`
	Calls  CallCounts  `json:"calls"`
	// Pending is what people still have to do: messages to receive, answers to write.
	Pending int `json:"pending"`
}

// SMSCounts are the messages and what became of them.
type SMSCounts struct {
	Tally
	Binds     uint64 `json:"binds"`
	Refused   uint64 `json:"refused"`
	Throttled uint64 `json:"throttled"`
	// Receipts and Replies count what was written to clients, repeats included;
	// Again those that had to be written again; Waiting what no client acknowledged yet.
	Receipts     uint64 `json:"receipts"`
	Replies      uint64 `json:"replies"`
	Acknowledged uint64 `json:"acknowledged"`
	Again        uint64 `json:"again"`
	Waiting      int    `json:"waiting"`
}

// MailCounts are the mails and what was sent back.
type MailCounts struct {
	Tally
	Refused uint64 `json:"refused"`
	Replies uint64 `json:"replies"`
	Bounces uint64 `json:"bounces"`
	Away    uint64 `json:"away"`
	// Failed counts what Tocsin's intake did not take.
	Failed uint64 `json:"failed"`
}

// ClickCounts are the answers on the page of a link. GaveUp found no button for
// what the person wanted to say.
type ClickCounts struct {
	Done   uint64 `json:"done"`
	Failed uint64 `json:"failed"`
	GaveUp uint64 `json:"gave_up"`
}

// page is how many messages one answer of /messages holds.
const page = 10_000

// control answers, on the loopback only:
//
//	GET  /counts                     Counts
//	GET  /messages?since=N&limit=N   entries of SMS beyond rank N
//	GET  /doubles                    SMS that came more than once
//	GET  /mails?since=N, /mail-doubles   the same of mail
//	GET  /calls?since=N&limit=N      calls beyond rank N
//	POST /reset                      forget all counts
//	POST /cut                        break every SMPP session, as a network does
func (l *lab) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) { l.answer(w, l.counts()) })
	for path, book := range map[string]*ledger{"messages": l.smsc.ledger, "mails": l.post.ledger} {
		mux.HandleFunc("GET /"+path, func(w http.ResponseWriter, r *http.Request) {
			since, limit := number(r, "since", 0), number(r, "limit", page)
			l.answer(w, book.after(since, min(max(limit, 0), page)))
		})
	}
	mux.HandleFunc("GET /doubles", func(w http.ResponseWriter, _ *http.Request) { l.answer(w, l.smsc.ledger.doubles(page)) })
	mux.HandleFunc("GET /mail-doubles", func(w http.ResponseWriter, _ *http.Request) { l.answer(w, l.post.ledger.doubles(page)) })
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, r *http.Request) {
		calls := []CallEntry{}
		if l.exchange != nil {
			calls = l.exchange.book.after(number(r, "since", 0), min(max(number(r, "limit", page), 0), page))
		}
		l.answer(w, calls)
	})
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		l.smsc.ledger.reset()
		l.post.ledger.reset()
		if l.exchange != nil {
			l.exchange.book.reset()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /cut", func(w http.ResponseWriter, _ *http.Request) {
		l.smsc.cut()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func number(r *http.Request, name string, otherwise int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil {
		return otherwise
	}
	return n
}

func (l *lab) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		l.options.Log.Debug("lab: control answer", "error", err)
	}
}

// serveControl answers until ctx ends.
func (l *lab) serveControl(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: l.control(), ReadHeaderTimeout: 10 * time.Second}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		closeQuietly(server)
		close(closed)
	})
	err := server.Serve(listener)
	if !stop() {
		<-closed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
