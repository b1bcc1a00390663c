package mllp

import (
	"bufio"
	"errors"
	"io"
)

// The signs of a frame.
const (
	begin = 0x0b
	end   = 0x1c
	after = 0x0d
)

const (
	// frameMost is the longest message, bytes.
	frameMost = 1 << 20
	// noiseMost is what may stand between two frames: some send blank lines.
	noiseMost = 1 << 10
)

var (
	errLong  = errors.New("a message is longer than a megabyte")
	errNoise = errors.New("what comes is no MLLP")
)

// skip waits for the first byte of a frame.
func skip(r *bufio.Reader) error {
	for range noiseMost {
		b, err := r.ReadByte()
		if err != nil || b == begin {
			return err
		}
	}
	return errNoise
}

// frame reads a message to its end. buf is used again.
func frame(r *bufio.Reader, buf []byte) ([]byte, error) {
	buf = buf[:0]
	for {
		part, err := r.ReadSlice(end)
		if len(buf)+len(part) > frameMost {
			return buf, errLong
		}
		buf = append(buf, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return buf, io.ErrUnexpectedEOF
		case err != nil:
			return buf, err
		}
		next, err := r.ReadByte()
		if err == nil && next == after {
			return buf[:len(buf)-1], nil
		}
		if err != nil {
			return buf, err
		}
		// A byte of a text in other characters: the frame goes on.
		if err := r.UnreadByte(); err != nil {
			return buf, err
		}
	}
}

// framed puts a message in a frame.
func framed(message []byte) []byte {
	out := make([]byte, 0, len(message)+3)
	out = append(out, begin)
	out = append(out, message...)
	return append(out, end, after)
}
