package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/backup"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// keptRequest names data, and the file they are kept in.
type keptRequest struct {
	Folder, Database, File string
	// Profile is a folder and the beginning of a name; empty profiles nothing.
	Profile string
}

// kept is what it took to write the file, or to bring it back.
type kept struct {
	Seconds float64
	Rows    int64
	Bytes   int64
}

// keep makes a backup as the command does: written, on the disk, read again.
func keep(ctx context.Context, r keptRequest, build Builder) (out kept, err error) {
	began := time.Now()
	stop, err := profile(r.Profile)
	if err != nil {
		return out, err
	}
	defer stop()
	s, err := settings(r.Folder, "127.0.0.1:0", publicURL, r.Database)
	if err != nil {
		return out, err
	}
	h, err := build(ctx, s)
	if err != nil {
		return out, err
	}
	done, err := h.BackUp(ctx, r.File)
	if err = errors.Join(err, h.Close()); err != nil {
		return out, err
	}
	return kept{Seconds: time.Since(began).Seconds(), Rows: done.Rows, Bytes: done.Bytes}, nil
}

// bringBack restores as the command does: the file read whole before, the rows
// read again after.
func bringBack(ctx context.Context, r keptRequest, p Program) (out kept, err error) {
	began := time.Now()
	stop, err := profile(r.Profile)
	if err != nil {
		return out, err
	}
	defer stop()
	s, err := settings(r.Folder, "127.0.0.1:0", publicURL, r.Database)
	if err == nil {
		err = p.Restore(ctx, s, r.File)
	}
	return kept{Seconds: time.Since(began).Seconds()}, err
}

// differRequest names a house on SQLite and its copy on PostgreSQL.
type differRequest struct{ Folder, Database string }

// differ holds both against each other, row by row.
func differ(ctx context.Context, r differRequest) (d backup.Difference, err error) {
	lite, err := storage.Open(ctx, storage.Options{Dir: filepath.Join(r.Folder, "data")})
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, lite.Close()) }()
	other, err := storage.Open(ctx, storage.Options{URL: r.Database})
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, other.Close()) }()
	return backup.Compare(ctx, lite, other)
}

// bareRowsRequest names a base whose rows are copied, and a file whose bytes are.
type bareRowsRequest struct{ Database, File, To string }

// bareRows copies the bytes of the file to the disk, and every row inside
// PostgreSQL into tables without keys or indexes.
func bareRows(ctx context.Context, r bareRowsRequest) (out kept, err error) {
	began := time.Now()
	if err := copyFile(r.File, r.To); err != nil {
		return out, err
	}
	db, err := storage.Open(ctx, storage.Options{URL: r.Database})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.Write(ctx, access.Instance("bench"), func(tx *storage.Tx) error {
		tables, err := backup.Tables(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `CREATE SCHEMA nu`); err != nil {
			return err
		}
		for _, t := range tables {
			n, err := tx.Exec(ctx, "CREATE TABLE nu."+t.Name+" AS TABLE "+t.Name)
			if err != nil {
				return err
			}
			out.Rows += n
		}
		return nil
	})
	out.Seconds = time.Since(began).Seconds()
	return out, err
}

// fifth is the services of the alert: a fifth of the people.
const fifth = services / 5

// restore100k backs a house with an alert up, and brings it back on the other engine.
func (b *bench) restore100k(ctx context.Context) (out []Result, err error) {
	p, err := b.startPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h, err := b.prepareHouse(ctx, "restore100k", b.Sizes.Import, prepareRequest{SMPP: p.smpp, URL: publicURL, Medium: channels.SMS, Services: fifth})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	if err := b.called(ctx, h, p); err != nil {
		return nil, err
	}
	var seconds, differ, bare, rows samples
	for i := range b.Runs {
		took, raw, d, err := b.move(ctx, h, fmt.Sprintf("restore100k-%d", i+1))
		if err != nil {
			return nil, err
		}
		seconds, bare = append(seconds, took), append(bare, raw)
		differ, rows = append(differ, float64(d.Differ)), append(rows, float64(d.Rows/2))
	}
	return []Result{
		seconds.result("restore100k.s", "s", bare, "the bytes of the file written, and the same rows copied inside PostgreSQL without keys or indexes, s"),
		differ.worst("restore100k.diff", "rows", rows, "rows compared"),
	}, nil
}

// called is one alert of the house, to its last receipt; the program then ends.
func (b *bench) called(ctx context.Context, h *house, p *peer) error {
	product, err := b.open(ctx, h, serveRequest{})
	if err != nil {
		return err
	}
	l, err := product.launch(ctx)
	if err == nil {
		_, _, err = p.took(ctx, channels.SMS, l.People)
	}
	if err != nil {
		return errors.Join(err, product.kill())
	}
	_, err = product.close(ctx)
	return err
}

// move takes the house to a new base on PostgreSQL. It returns the seconds of
// both commands, those of the raw copy, and how the two bases differ.
func (b *bench) move(ctx context.Context, h *house, name string) (seconds, raw float64, d backup.Difference, err error) {
	database, err := b.newDatabase(ctx, name, "")
	if err != nil {
		return 0, 0, d, err
	}
	folder := filepath.Join(b.folder, name)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return 0, 0, d, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	file := filepath.Join(folder, "tocsin.sauvegarde")
	profiled := func(what string) string {
		if b.Profile == "" {
			return ""
		}
		return filepath.Join(b.Profile, name+"-"+what)
	}
	var there, back, bare kept
	if err := b.do(ctx, "backup", keptRequest{Folder: h.folder, File: file, Profile: profiled("backup")}, &there); err != nil {
		return 0, 0, d, err
	}
	if err := b.do(ctx, "restore", keptRequest{Folder: folder, Database: database, File: file, Profile: profiled("restore")}, &back); err != nil {
		return 0, 0, d, err
	}
	if err := b.do(ctx, "differ", differRequest{h.folder, database}, &d); err != nil {
		return 0, 0, d, err
	}
	if err := b.do(ctx, "bare-rows", bareRowsRequest{database, file, filepath.Join(folder, "nu")}, &bare); err != nil {
		return 0, 0, d, err
	}
	if bare.Rows != there.Rows {
		return 0, 0, d, fmt.Errorf("%d rows were kept, and %d are there", there.Rows, bare.Rows)
	}
	b.note("%s: %d rows, %.1f MB; backup %.1f s, restore %.1f s; bare %.1f s; %d rows differ", name, there.Rows, float64(there.Bytes)/1e6, there.Seconds, back.Seconds, bare.Seconds, d.Differ)
	return there.Seconds + back.Seconds, bare.Seconds, d, nil
}
