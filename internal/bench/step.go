package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// channel of a step to the bench: requests come in by lines, events go out.
type line struct {
	in  *bufio.Scanner
	out *json.Encoder
}

func (l *line) read(into any) (more bool, err error) {
	if !l.in.Scan() {
		return false, l.in.Err()
	}
	return true, json.Unmarshal(l.in.Bytes(), into)
}

func (l *line) tell(name string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return l.out.Encode(event{name, text})
}

// Step runs one step of a measurement in a process of its own: its memory and
// its processor time are then those of what is measured, and it can be killed.
func Step(ctx context.Context, name string, in io.Reader, out io.Writer, p Program) error {
	l := &line{in: bufio.NewScanner(in), out: json.NewEncoder(out)}
	l.in.Buffer(nil, 1<<20)
	var err error
	switch name {
	case "prepare":
		err = step(ctx, l, func(ctx context.Context, r prepareRequest) (prepared, error) { return prepare(ctx, r, p.Build) })
	case "serve":
		err = serve(ctx, l, p.Build)
	case "bare-sms":
		err = step(ctx, l, bareSMS)
	case "bare-email":
		err = step(ctx, l, bareEmail)
	case "bare-import":
		err = step(ctx, l, bareImport)
	case "backup":
		err = step(ctx, l, func(ctx context.Context, r keptRequest) (kept, error) { return keep(ctx, r, p.Build) })
	case "restore":
		err = step(ctx, l, func(ctx context.Context, r keptRequest) (kept, error) { return bringBack(ctx, r, p) })
	case "differ":
		err = step(ctx, l, differ)
	case "bare-rows":
		err = step(ctx, l, bareRows)
	case "calls":
		err = step(ctx, l, calls)
	case "rehearse":
		err = step(ctx, l, func(ctx context.Context, r rehearseRequest) (rehearsed, error) { return rehearse(ctx, r, p.Build) })
	case "flags":
		err = step(ctx, l, func(ctx context.Context, r flagsRequest) (flagged, error) { return flags(ctx, r, p.Build) })
	case "traces":
		err = serveTraces(ctx, l, p.Traces)
	case "bare-traces":
		err = step(ctx, l, func(ctx context.Context, r heldRequest) (answered, error) { return bareTraces(ctx, r, p.Base) })
	case "held-traces":
		err = step(ctx, l, func(ctx context.Context, r heldRequest) (answered, error) { return heldTraces(ctx, r, p.Base) })
	default:
		err = fmt.Errorf("no step is called %q", name)
	}
	return err
}

// step answers one request.
func step[Q, A any](ctx context.Context, l *line, do func(context.Context, Q) (A, error)) error {
	var request Q
	if more, err := l.read(&request); err != nil || !more {
		return fmt.Errorf("no request: %w", err)
	}
	answer, err := do(ctx, request)
	if err != nil {
		return err
	}
	return l.tell("done", answer)
}

// ownPeakMB is the largest resident memory of this process.
func ownPeakMB() float64 { return peakMB("self") }

// copyFile copies a closed file.
func copyFile(from, to string) error {
	text, err := os.Open(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, text); err != nil {
		return err
	}
	if err := text.Close(); err != nil {
		return err
	}
	// What is measured later must not wait for this copy to reach the disk.
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}
