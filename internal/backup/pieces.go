package backup

import (
	"bufio"
	"io"
)

// NewLock makes the key of something that is sealed as a backup is, and the lock
// that keeps it. Errors: Invalid for a passphrase that is too short.
func NewLock(passphrase string) (Lock, []byte, error) { return newLock(passphrase) }

// Open gives the key. Errors: Denied for another passphrase, Invalid.
func (l Lock) Open(passphrase string) ([]byte, error) { return l.open(passphrase) }

// SealTo seals what is written, in the pieces of a backup. label is never the same
// twice under one key; Close seals the last piece and leaves to open.
func SealTo(to io.Writer, key, label []byte) (io.WriteCloser, error) {
	cipher, err := newSealed(key, label)
	if err != nil {
		return nil, err
	}
	return &sealWriter{sealed: cipher, to: to}, nil
}

// OpenFrom opens what SealTo sealed under the same label. Its errors are Invalid
// for anything else, also for one that was cut.
func OpenFrom(from io.Reader, key, label []byte) (io.Reader, error) {
	cipher, err := newSealed(key, label)
	if err != nil {
		return nil, err
	}
	return &sealReader{sealed: cipher, from: bufio.NewReaderSize(from, 1<<18)}, nil
}
