package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
)

const (
	// replyMost bounds what one statement may answer, bytes.
	replyMost = 512 << 20
	// askSeconds is how long a question may last when its context says nothing.
	askSeconds = 300
	// killMost is how long telling the server to stop may take.
	killMost = 5 * time.Second
	// statementMost bounds the text of a statement: every value of a question, in
	// hexadecimal, fits.
	statementMost = 256 << 20
)

// server speaks to the HTTP interface.
type server struct {
	at   Address
	http *http.Client
}

func newServer(a Address) *server {
	return &server{a, &http.Client{Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 8, MaxConnsPerHost: 32, IdleConnTimeout: time.Minute}}}
}

// first has what we store and what we ask go to the same replica of each shard: that
// of the server we speak to, or else the first that is alive. Another may lag, and
// what was acknowledged must be found. (A quorum would say as much; on 18.16 a part
// that one stored is never rewritten by a purge.)
func (s *server) first(settings url.Values) {
	if s.at.Cluster != "" {
		settings.Set("load_balancing", "in_order")
	}
}

// table is a small table that travels with a statement.
type table struct {
	name, structure string
	rows            []byte // RowBinary
}

// exec does what answers nothing.
func (s *server) exec(ctx context.Context, statement string) error {
	_, err := s.send(ctx, statement, url.Values{}, nil, "")
	return err
}

// insert adds rows, RowBinary, as one block. id names it: the server refuses a
// second of the same name while the first still goes on, whoever gave it up.
func (s *server) insert(ctx context.Context, id, into string, rows []byte) error {
	settings := url.Values{"query": {"INSERT INTO " + into + " FORMAT RowBinary"}, "max_insert_block_size": {"10000000"}}
	if s.at.Cluster != "" {
		// It returns once the shards have it, and not once it waits for them.
		settings.Set("insert_distributed_sync", "1")
	}
	s.first(settings)
	settings.Set("query_id", id)
	_, err := s.send(ctx, "", settings, bytes.NewReader(rows), "application/octet-stream")
	return err
}

// query reads an answer, in RowBinary.
func (s *server) query(ctx context.Context, statement string, tables ...table) (*reader, error) {
	settings := url.Values{
		"readonly": {"2"}, "max_query_size": {strconv.Itoa(statementMost)}, "max_ast_elements": {"10000000"}, "max_expanded_ast_elements": {"10000000"},
		"max_execution_time": {strconv.Itoa(askSeconds)},
	}
	s.first(settings)
	answer, err := s.ask(ctx, statement+" FORMAT RowBinary", settings, tables)
	if err != nil {
		return nil, err
	}
	return &reader{rest: answer}, nil
}

func (s *server) ask(ctx context.Context, statement string, settings url.Values, tables []table) ([]byte, error) {
	// One statement and its tables are a form; the statement is a part of it, since
	// an address would be too long.
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if len(tables) == 0 {
		return s.send(ctx, statement, settings, nil, "")
	}
	for _, t := range tables {
		settings.Set(t.name+"_structure", t.structure)
		settings.Set(t.name+"_format", "RowBinary")
		part, err := w.CreateFormFile(t.name, t.name)
		if err == nil {
			_, err = part.Write(t.rows)
		}
		if err != nil {
			return nil, fmt.Errorf("write to the base of traces: %w", err)
		}
	}
	field, err := w.CreateFormField("query")
	if err == nil {
		_, err = io.WriteString(field, statement)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("write to the base of traces: %w", err)
	}
	return s.send(ctx, "", settings, &form, w.FormDataContentType())
}

// send does one statement: as the body, or in the settings with a body of its own.
func (s *server) send(ctx context.Context, statement string, settings url.Values, body io.Reader, kind string) (answer []byte, err error) {
	id := settings.Get("query_id")
	if id == "" {
		id = uuid.NewString()
		settings.Set("query_id", id)
	}
	settings.Set("database", s.at.Database)
	settings.Set("wait_end_of_query", "1") // an error in the middle is an error
	if body == nil {
		body, kind = bytes.NewReader([]byte(statement)), "text/plain"
	}
	res, err := s.post(ctx, settings, body, kind)
	if err != nil {
		if ctx.Err() != nil {
			s.kill(ctx, id)
			return nil, fmt.Errorf("ask the base of traces: %w", context.Cause(ctx))
		}
		return nil, fault.Wrap(err, fault.Unavailable, "traces.error.down")
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	answer, err = io.ReadAll(io.LimitReader(res.Body, replyMost+1))
	switch {
	case ctx.Err() != nil:
		s.kill(ctx, id)
		return nil, fmt.Errorf("ask the base of traces: %w", context.Cause(ctx))
	case err != nil:
		return nil, fault.Wrap(err, fault.Unavailable, "traces.error.down")
	case res.StatusCode != http.StatusOK:
		return nil, refusal(res.StatusCode, answer)
	case len(answer) > replyMost:
		return nil, fault.New(fault.Invalid, "traces.error.too_wide").At("where")
	}
	return answer, nil
}

func (s *server) post(ctx context.Context, settings url.Values, body io.Reader, kind string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.at.URL+"/?"+settings.Encode(), body)
	if err != nil {
		return nil, errors.New("the address of the base of traces does not fit") // it is not repeated: it may hold a value
	}
	req.Header.Set("Content-Type", kind)
	if s.at.User != "" {
		req.Header.Set("X-ClickHouse-User", s.at.User)
		req.Header.Set("X-ClickHouse-Key", s.at.Password)
	}
	res, err := s.http.Do(req)
	var wrong *url.Error
	if errors.As(err, &wrong) {
		err = wrong.Err // without the address, for the same reason
	}
	return res, err //nolint:wrapcheck // send does
}

// kill has the server give up what nobody waits for any more: it would go on to
// the end and keep its memory.
func (s *server) kill(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killMost)
	go func() {
		defer cancel()
		res, err := s.post(ctx, url.Values{}, bytes.NewReader([]byte("KILL QUERY WHERE query_id = '"+id+"' ASYNC")), "text/plain")
		if err == nil {
			_ = res.Body.Close() // it was a courtesy
		}
	}()
}

var code = regexp.MustCompile(`Code: (\d{1,5})`)

// refusal is what the server says, without its words: they repeat statements.
func refusal(status int, answer []byte) error {
	said := "no code"
	if m := code.FindSubmatch(answer[:min(len(answer), 4096)]); m != nil {
		said = "code " + string(m[1])
	}
	return fmt.Errorf("the base of traces refused: HTTP %d, %s", status, said)
}
