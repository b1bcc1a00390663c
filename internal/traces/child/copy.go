package child

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

const (
	copyPath = "/copy"
	// queuePatience is how long the base may take nothing of the queue before a copy
	// that waits for it is given up, queueLook how often it is looked at.
	queuePatience = time.Minute
	queueLook     = 50 * time.Millisecond
	// readerPatience is how long whoever receives a copy may take nothing: the base
	// stores nothing meanwhile.
	readerPatience = time.Minute
)

// copyWord is a line of a copy: what there is, one file, of which Size bytes follow
// unless it is the Same, the end, or what went wrong.
type copyWord struct {
	Files []traces.CopiedFile `json:"files,omitempty"`
	File  *traces.CopiedFile  `json:"file,omitempty"`
	Same  bool                `json:"same,omitempty"`
	End   bool                `json:"end,omitempty"`
	Fault *refusal            `json:"fault,omitempty"`
}

// copy answers with every file of the base, one after the other.
func (s *Server) copy(w http.ResponseWriter, r *http.Request) {
	var q traces.CopyQuery
	base, able := s.Engine.(traces.Copier)
	err := json.NewDecoder(io.LimitReader(r.Body, 64<<20)).Decode(&q)
	switch {
	case err != nil:
		err = fault.Wrap(err, fault.Invalid, "traces.error.base")
	case !able:
		err = fault.New(fault.Unavailable, "traces.copy.unable")
	default:
		err = s.reach(r.Context(), q.After)
	}
	if err != nil {
		tell(s.Log, Refuse(w, err))
		return
	}
	out := &copyWriter{to: w, control: http.NewResponseController(w), now: s.Now}
	word := copyWord{End: true}
	if err := base.Copy(r.Context(), q, out); err != nil {
		f := refused(err)
		word = copyWord{Fault: &f}
		if fault.As(err) == nil && r.Context().Err() == nil {
			s.Log.Error("traces", "at", copyPath, "err", err)
		}
	}
	tell(s.Log, out.say(word))
}

// reach waits until the base holds the spool up to a place. Whoever feeds it does
// that; only he knows what is on the disk.
func (s *Server) reach(ctx context.Context, after spool.Position) error {
	look := time.NewTicker(queueLook)
	defer look.Stop()
	var last spool.Position
	for moved := s.Now(); ; {
		at, err := s.Engine.Applied(ctx)
		if err != nil || !at.Before(after) {
			return err
		}
		if at != last {
			last, moved = at, s.Now()
		}
		if s.Now().Sub(moved) > queuePatience {
			return fault.New(fault.Unavailable, "traces.copy.behind")
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the base: %w", context.Cause(ctx))
		}
	}
}

// copyWriter writes a copy. It implements traces.CopySink.
type copyWriter struct {
	to      io.Writer
	control *http.ResponseController
	now     func() time.Time
}

// Write implements io.Writer: whoever takes nothing for long is left.
func (c *copyWriter) Write(b []byte) (int, error) {
	if err := c.control.SetWriteDeadline(c.now().Add(readerPatience)); err != nil {
		return 0, fmt.Errorf("deadline of a copy: %w", err)
	}
	return c.to.Write(b) //nolint:wrapcheck // it is one
}

func (c *copyWriter) say(word copyWord) error {
	if err := json.NewEncoder(c).Encode(word); err != nil {
		return fmt.Errorf("write copy: %w", err)
	}
	return nil
}

// Begin implements traces.CopySink.
func (c *copyWriter) Begin(files []traces.CopiedFile) error { return c.say(copyWord{Files: files}) }

// Take implements traces.CopySink.
func (c *copyWriter) Take(f traces.CopiedFile, content io.Reader) error {
	if err := c.say(copyWord{File: &f, Same: content == nil}); err != nil || content == nil {
		return err
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{c}, content, make([]byte, 1<<20))
	if err == nil && n != f.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", f.Name, err)
	}
	return nil
}

// Copy implements traces.Copier.
func (c *Client) Copy(ctx context.Context, q traces.CopyQuery, to traces.CopySink) (err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("ask for a copy: %w", err)
	}
	// Given up here, it is given up there.
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.at+copyPath, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask for a copy: %w", err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("ask for a copy: %w", context.Cause(ctx))
		}
		return fault.Wrap(err, fault.Unavailable, "traces.error.down")
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return ReadReply(res, nil)
	}
	return readCopy(ctx, bufio.NewReaderSize(res.Body, 1<<20), to)
}

func readCopy(ctx context.Context, from *bufio.Reader, to traces.CopySink) error {
	for begun := false; ; {
		word, err := readWord(from)
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return fault.Wrap(err, fault.Unavailable, "traces.copy.cut")
		}
		switch {
		case word.Fault != nil:
			return word.Fault.fault()
		case word.End:
			return nil
		case word.File == nil && !begun:
			begun, err = true, to.Begin(word.Files)
		case word.File == nil:
			err = fault.New(fault.Unavailable, "traces.copy.cut")
		case word.Same:
			err = to.Take(*word.File, nil)
		default:
			content := &io.LimitedReader{R: from, N: word.File.Size}
			if err = to.Take(*word.File, content); err == nil && content.N > 0 {
				err = fault.New(fault.Unavailable, "traces.copy.cut")
			}
		}
		if err != nil {
			return err
		}
	}
}

func readWord(from *bufio.Reader) (word copyWord, err error) {
	line, err := from.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &word)
	}
	if err != nil {
		return word, fmt.Errorf("read copy: %w", err)
	}
	return word, nil
}
