package backup

import (
	"bufio"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"tocsin/internal/fault"
)

// LeastPassphrase is how many characters a passphrase has at least.
const LeastPassphrase = 12

// Lock is how the key of the file is kept in its header.
type Lock struct {
	Salt []byte `json:"salt"`
	// Time, Memory (in KiB) and Threads are argon2id's (RFC 9106, § 3.1).
	Time    uint32 `json:"time"`
	Memory  uint32 `json:"memory_kib"`
	Threads uint8  `json:"threads"`
	// Key is the key of the file, sealed: nonce, ciphertext with tag.
	Key []byte `json:"key"`
}

// The cost of a guess: about a third of a second of a core. A file of ours never
// asks for more than the limits, which keep a forged header from taking the machine.
const (
	lockTime, lockMemory, lockThreads = 3, 64 << 10, 2
	mostTime, mostMemory              = 16, 1 << 20
)

func newLock(passphrase string) (Lock, []byte, error) {
	if len([]rune(passphrase)) < LeastPassphrase {
		return Lock{}, nil, fault.New(fault.Invalid, "backup.passphrase_short", "least", LeastPassphrase)
	}
	random := make([]byte, 16+chacha20poly1305.KeySize+chacha20poly1305.NonceSizeX)
	if _, err := rand.Read(random); err != nil {
		return Lock{}, nil, fmt.Errorf("draw the key of the file: %w", err)
	}
	salt, key, nonce := random[:16:16], random[16:48:48], random[48:]
	l := Lock{Salt: salt, Time: lockTime, Memory: lockMemory, Threads: lockThreads}
	aead, err := l.opener(passphrase)
	if err != nil {
		return Lock{}, nil, err
	}
	l.Key = aead.Seal(nonce, nonce, key, nil)
	return l, key, nil
}

// open gives the key of the file. Errors: Denied for another passphrase.
func (l Lock) open(passphrase string) ([]byte, error) {
	if l.Time < 1 || l.Time > mostTime || l.Memory < 8 || l.Memory > mostMemory || l.Threads < 1 || len(l.Key) < chacha20poly1305.NonceSizeX {
		return nil, damaged(errors.New("the lock of the file makes no sense"))
	}
	aead, err := l.opener(passphrase)
	if err != nil {
		return nil, err
	}
	key, err := aead.Open(nil, l.Key[:chacha20poly1305.NonceSizeX], l.Key[chacha20poly1305.NonceSizeX:], nil)
	if err != nil {
		return nil, fault.Wrap(err, fault.Denied, "backup.passphrase")
	}
	return key, nil
}

func (l Lock) opener(passphrase string) (cipher.AEAD, error) {
	return chacha20poly1305.NewX(argon2.IDKey([]byte(passphrase), l.Salt, l.Time, l.Memory, l.Threads, chacha20poly1305.KeySize))
}

// piece is how much of the stream is sealed at a time.
const piece = 64 << 10

// sealed is the cipher of the pieces of one file.
type sealed struct {
	aead   cipher.AEAD
	number uint64
	nonce  [chacha20poly1305.NonceSize]byte
}

func newSealed(key, header []byte) (*sealed, error) {
	salt := sha256.Sum256(header)
	own, err := hkdf.Key(sha256.New, key, salt[:], "tocsin/backup", chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("key of the pieces: %w", err)
	}
	aead, err := chacha20poly1305.New(own)
	return &sealed{aead: aead}, err
}

// next is the nonce of the next piece.
func (s *sealed) next(last bool) []byte {
	binary.BigEndian.PutUint64(s.nonce[3:11], s.number)
	s.nonce[11] = bit(last)
	s.number++
	return s.nonce[:]
}

// sealWriter seals what is written to it.
type sealWriter struct {
	*sealed
	to   io.Writer
	buf  []byte
	text []byte
}

func (w *sealWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		// A full piece waits: only when more comes is it known not to be the last.
		if len(w.buf) == piece {
			if err := w.flush(false); err != nil {
				return 0, err
			}
		}
		k := min(len(p), piece-len(w.buf))
		w.buf = append(w.buf, p[:k]...)
		p = p[k:]
	}
	return n, nil
}

func (w *sealWriter) flush(last bool) error {
	w.text = w.aead.Seal(w.text[:0], w.next(last), w.buf, nil)
	w.buf = w.buf[:0]
	_, err := w.to.Write(w.text)
	return err
}

// Close seals the last piece.
func (w *sealWriter) Close() error { return w.flush(true) }

// sealReader opens what a sealWriter wrote, and says damaged of anything else.
type sealReader struct {
	*sealed
	from *bufio.Reader
	buf  []byte
	open []byte
	over bool
}

func (r *sealReader) Read(p []byte) (int, error) {
	for len(r.open) == 0 {
		if r.over {
			return 0, io.EOF
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.open)
	r.open = r.open[n:]
	return n, nil
}

func (r *sealReader) fill() error {
	if r.buf == nil {
		r.buf = make([]byte, piece+r.aead.Overhead())
	}
	n, err := io.ReadFull(r.from, r.buf)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged(err)
	}
	if _, err := r.from.Peek(1); err != nil {
		r.over = true
	}
	if r.open, err = r.aead.Open(r.buf[:0], r.next(r.over), r.buf[:n], nil); err != nil {
		return damaged(err)
	}
	return nil
}

// damaged is the one sentence for a file that cannot be trusted.
func damaged(cause error) error {
	if fault.As(cause) != nil {
		return cause
	}
	return fault.Wrap(cause, fault.Invalid, "backup.damaged")
}
