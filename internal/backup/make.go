package backup

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// The first words of a file, and the beginning of its last line.
const (
	magic  = "TOCSIN-BACKUP 1\n"
	footer = "\nsha256 "
)

// footerSize is the length of the last line, its line breaks included.
const footerSize = len(footer) + 2*sha256.Size + 1

// Header is what a file says without its passphrase.
type Header struct {
	Made time.Time `json:"made"`
	// Program is the version of Tocsin that made the file, Engine its database.
	Program string `json:"program"`
	Engine  string `json:"engine"`
	// Migrations are the steps of the schema that the rows are in.
	Migrations []int64 `json:"migrations"`
	Lock       Lock    `json:"lock"`
}

// Order says what a backup is made of and with.
type Order struct {
	Now        time.Time
	Program    string
	Passphrase string
	// Keyring is the text of the keyring's file.
	Keyring []byte
	// Progress, when not nil, is told how many rows were read, of how many.
	Progress func(done, total int64)
}

// Summary is what was written or read.
type Summary struct {
	Tables int
	Rows   int64
	Bytes  int64
	// SHA256 is that of the whole file, as sha256sum says it.
	SHA256 string
	// Mended counts the texts that the engine would have refused as they were.
	Mended int64
}

// Make writes all the data to w: one instant of them, read in one transaction
// that no writer waits for. rooms are the migrations of the program.
// Errors: Invalid for a passphrase that is too short.
func Make(ctx context.Context, db *storage.DB, rooms []fs.FS, w io.Writer, o Order) (s Summary, err error) {
	lock, key, err := newLock(o.Passphrase)
	if err != nil {
		return s, err
	}
	applied, err := versions(ctx, db, rooms)
	if err != nil {
		return s, err
	}
	line, err := json.Marshal(Header{Made: o.Now.UTC(), Program: o.Program, Engine: string(db.Engine()), Migrations: applied, Lock: lock})
	if err != nil {
		return s, fmt.Errorf("header: %w", err)
	}
	out := &counted{to: w, sum: sha256.New()}
	if _, err := out.Write(append([]byte(magic), append(line, '\n')...)); err != nil {
		return s, fmt.Errorf("write the backup: %w", err)
	}
	cipher, err := newSealed(key, line)
	if err != nil {
		return s, err
	}
	pieces := &sealWriter{sealed: cipher, to: out}
	packed, err := gzip.NewWriterLevel(pieces, gzip.BestSpeed)
	if err != nil {
		return s, err
	}
	rec := &recorder{to: bufio.NewWriterSize(packed, 1<<18), progress: o.Progress}
	if err := db.Read(ctx, access.Instance("backup"), func(tx *storage.Tx) error { return rec.all(ctx, tx, o.Keyring) }); err != nil {
		return s, err
	}
	for _, finish := range []func() error{rec.to.Flush, packed.Close, pieces.Close, out.sign} {
		if err := finish(); err != nil {
			return s, fmt.Errorf("write the backup: %w", err)
		}
	}
	return Summary{Tables: rec.tables, Rows: rec.done, Bytes: out.n, SHA256: hex.EncodeToString(out.sum.Sum(nil))}, nil
}

// versions are the migrations that were applied.
func versions(ctx context.Context, db *storage.DB, rooms []fs.FS) ([]int64, error) {
	list, err := db.Migrations(ctx, rooms...)
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, m := range list {
		if m.Applied {
			out = append(out, m.Version)
		}
	}
	return out, nil
}

// counted passes bytes on, counts them and sums them.
type counted struct {
	to  io.Writer
	sum hash.Hash
	n   int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	if _, herr := c.sum.Write(p[:n]); err == nil {
		err = herr
	}
	return n, err
}

// sign writes the last line.
func (c *counted) sign() error {
	_, err := c.Write([]byte(footer + hex.EncodeToString(c.sum.Sum(nil)) + "\n"))
	return err
}

// recorder writes the records of a backup.
type recorder struct {
	to          *bufio.Writer
	progress    func(done, total int64)
	tables      int
	done, total int64
}

// lot is about how many bytes of rows make a record.
const lot = 64 << 10

func (r *recorder) all(ctx context.Context, tx *storage.Tx, keyring []byte) error {
	tables, err := Tables(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		var n int64
		if _, err := tx.Row(ctx, "SELECT COUNT(*) FROM "+t.Name, nil, &n); err != nil {
			return err
		}
		r.total += n
	}
	if err := r.record('K', keyring); err != nil {
		return err
	}
	for _, t := range tables {
		if err := r.table(ctx, tx, t); err != nil {
			return err
		}
	}
	r.tables = len(tables)
	return r.number('Z', r.done)
}

func (r *recorder) table(ctx context.Context, tx *storage.Tx, t Table) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if err := r.record('T', text); err != nil {
		return err
	}
	var rows int64
	var held int64
	var buf []byte
	flush := func() error {
		if held == 0 {
			return nil
		}
		err := r.number('R', held)
		if err == nil {
			_, err = r.to.Write(buf)
		}
		rows, held, buf = rows+held, 0, buf[:0]
		if r.progress != nil {
			r.progress(r.done+rows, r.total)
		}
		return err
	}
	if err := eachRow(ctx, tx, t, func(row []byte) error {
		buf = append(buf, row...)
		if held++; len(buf) < lot {
			return nil
		}
		return flush()
	}); err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	r.done += rows
	return r.number('E', rows)
}

func (r *recorder) record(kind byte, b []byte) error {
	if err := r.number(kind, int64(len(b))); err != nil {
		return err
	}
	_, err := r.to.Write(b)
	return err
}

func (r *recorder) number(kind byte, n int64) error {
	_, err := r.to.Write(binary.AppendUvarint([]byte{kind}, uint64(n)))
	return err
}
