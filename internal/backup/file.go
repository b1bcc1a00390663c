package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/fault"
)

// File is a backup that is being read.
type File struct {
	Header
	from io.ReaderAt
	size int64
	// line is the header as it is written, begin where the pieces do.
	line  []byte
	begin int64
	key   []byte
}

// headerLimit bounds the header: a file that is no backup may have no line break at all.
const headerLimit = 64 << 10

// Open reads the header of a file and nothing else. Errors: Invalid for a file
// that is no backup or whose header is damaged, Conflict for a later form.
func Open(from io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, min(size, headerLimit))
	if _, err := from.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	rest, ours := bytes.CutPrefix(head, []byte(magic))
	if !ours {
		if number, later := strings.CutPrefix(firstLine(head), "TOCSIN-BACKUP "); later {
			return nil, fault.New(fault.Conflict, "backup.newer", "program", number)
		}
		return nil, fault.New(fault.Invalid, "backup.not_a_backup")
	}
	line, _, whole := bytes.Cut(rest, []byte("\n"))
	f := &File{from: from, size: size, line: line, begin: int64(len(magic) + len(line) + 1)}
	if !whole || size < f.begin+int64(footerSize) {
		return nil, damaged(errors.New("the file ends in its header"))
	}
	if err := json.Unmarshal(line, &f.Header); err != nil {
		return nil, damaged(err)
	}
	return f, nil
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b[:min(len(b), 64)], []byte("\n"))
	return string(line)
}

// Check reads the whole file and compares it with its last line. It needs no
// passphrase. Errors: Invalid for a file that is damaged or cut.
func (f *File) Check(ctx context.Context) error {
	sum, left := sha256.New(), f.size-int64(footerSize)
	buf := make([]byte, 1<<20)
	for at := int64(0); at < left; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.from.ReadAt(buf[:min(int64(len(buf)), left-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the backup: %w", err)
		}
		if n == 0 {
			return damaged(io.ErrUnexpectedEOF)
		}
		if _, err := sum.Write(buf[:n]); err != nil {
			return err
		}
		at += int64(n)
	}
	last := make([]byte, footerSize)
	if _, err := f.from.ReadAt(last, left); err != nil && !errors.Is(err, io.EOF) {
		return damaged(err)
	}
	if string(last) != footer+hex.EncodeToString(sum.Sum(nil))+"\n" {
		return damaged(errors.New("the sum is another"))
	}
	return nil
}

// Unlock opens the file. Errors: Denied for another passphrase.
func (f *File) Unlock(passphrase string) (err error) {
	f.key, err = f.Lock.open(passphrase)
	return err
}

// Keyring gives the text of the keyring that was in use. Unlock comes before.
func (f *File) Keyring() ([]byte, error) {
	records, err := f.records()
	if err != nil {
		return nil, err
	}
	kind, n, err := records.next()
	if err == nil && kind != 'K' {
		err = errors.New("the keyring is not there")
	}
	if err != nil {
		return nil, damaged(err)
	}
	return records.bytes(n)
}

// records opens the stream of records, from its beginning.
func (f *File) records() (*records, error) {
	if f.key == nil {
		return nil, fault.New(fault.Denied, "backup.passphrase")
	}
	cipher, err := newSealed(f.key, f.line)
	if err != nil {
		return nil, err
	}
	text := io.NewSectionReader(f.from, f.begin, f.size-int64(footerSize)-f.begin)
	pieces := &sealReader{sealed: cipher, from: bufio.NewReaderSize(text, 1<<18)}
	packed, err := gzip.NewReader(pieces)
	if err != nil {
		return nil, damaged(err)
	}
	return &records{bufio.NewReaderSize(packed, 1<<18)}, nil
}

// suits returns the program's migrations that the file's rows are in. Errors:
// Conflict when the file knows a step that the program does not.
func (f *File) suits(rooms []fs.FS) (fs.FS, error) {
	only := only{}
	for _, room := range rooms {
		names, err := fs.Glob(room, "migrations/*.sql")
		if err != nil {
			return nil, fmt.Errorf("list migrations: %w", err)
		}
		for _, name := range names {
			number, _, _ := strings.Cut(path.Base(name), "_")
			version, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("migration %s: %w", name, err)
			}
			if slices.Contains(f.Migrations, version) {
				only[path.Base(name)] = room
			}
		}
	}
	if len(only) != len(f.Migrations) {
		return nil, fault.New(fault.Conflict, "backup.newer", "program", f.Program)
	}
	return only.files()
}

// records reads records one after the other.
type records struct{ from *bufio.Reader }

func (r *records) next() (kind byte, n uint64, err error) {
	if kind, err = r.from.ReadByte(); err == nil {
		n, err = binary.ReadUvarint(r.from)
	}
	return kind, n, err
}

func (r *records) bytes(n uint64) ([]byte, error) {
	if n > longest {
		return nil, damaged(fmt.Errorf("a record of %d bytes", n))
	}
	out := make([]byte, n)
	if _, err := io.ReadFull(r.from, out); err != nil {
		return nil, damaged(err)
	}
	return out, nil
}
