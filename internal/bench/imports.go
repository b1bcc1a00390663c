package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/document/table"
)

// bareImportRequest asks to read the file, and to write its rows as they are.
type bareImportRequest struct{ File, Folder string }

// bareImported is what that took.
type bareImported struct{ ReadS, WriteS, RSS float64 }

// bareImport reads the file by the same reader, and writes it in one
// transaction into one table of a bare SQLite file with the product's pragmas.
func bareImport(ctx context.Context, r bareImportRequest) (out bareImported, err error) {
	began := time.Now()
	if err := eachRow(r.File, func([]string) error { return nil }); err != nil {
		return out, err
	}
	out.ReadS = time.Since(began).Seconds()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(r.Folder, "nu.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	began = time.Now()
	if err := writeRows(ctx, db, r.File); err != nil {
		return out, err
	}
	out.WriteS, out.RSS = time.Since(began).Seconds(), ownPeakMB()
	return out, nil
}

func eachRow(path string, do func([]string) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	rows, err := table.Open(f, info.Size(), filepath.Base(path), table.DefaultLimits())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(row.Cells)
		}
		if err != nil {
			return err
		}
	}
}

// staffColumns is how many the staff file has.
const staffColumns = 9

func writeRows(ctx context.Context, db *sql.DB, file string) (err error) {
	if _, err := db.ExecContext(ctx, `CREATE TABLE nu (a, b, c, d, e, f, g, h, i)`); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO nu VALUES (?`+strings.Repeat(", ?", staffColumns-1)+`)`)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	values := make([]any, staffColumns)
	err = eachRow(file, func(cells []string) error {
		for i := range values {
			values[i] = cells[i]
		}
		_, err := insert.ExecContext(ctx, values...)
		return err
	})
	if err = errors.Join(err, insert.Close()); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (b *bench) import100k(ctx context.Context) ([]Result, error) {
	var preview, commit, rss, read, write, bareRSS samples
	for i := range b.Runs {
		h, err := b.newHouse(ctx, fmt.Sprintf("import100k-%d", i+1), b.Sizes.Import, nil, channels.SMS, publicURL)
		if err != nil {
			return nil, err
		}
		var bare bareImported
		err = b.do(ctx, "bare-import", bareImportRequest{File: filepath.Join(h.folder, staffFile), Folder: h.folder}, &bare)
		if err = errors.Join(err, h.remove()); err != nil {
			return nil, err
		}
		b.note("import100k bare %d/%d: read %.2f s, read and written %.2f s, %.0f MB", i+1, b.Runs, bare.ReadS, bare.WriteS, bare.RSS)
		preview, commit, rss = append(preview, h.PreviewS), append(commit, h.CommitS), append(rss, h.RSS)
		read, write, bareRSS = append(read, bare.ReadS), append(write, bare.WriteS), append(bareRSS, bare.RSS)
	}
	return []Result{
		preview.result("import100k.preview_s", "s", read, "the same file only read, s"),
		commit.result("import100k.commit_s", "s", write, "the same rows into one table of a bare SQLite file, s"),
		rss.result("import100k.rss_mb", "MB", bareRSS, "that program, MB"),
	}, nil
}
