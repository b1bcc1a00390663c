package files

import (
	"context"
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
)

// The states of a file.
const (
	// Unmapped waits for a mapping: nothing says what its columns are.
	Unmapped = "unmapped"
	Waiting  = "waiting"
	Reading  = "reading"
	// Growing was read to its end and may be added to.
	Growing   = "growing"
	Done      = "done"
	Refused   = "refused"
	Cancelled = "cancelled"
)

// Where a file came from.
const (
	FromPage   = "page"
	FromToken  = "token"
	FromFolder = "folder"
)

// File is a file that was given.
type File struct {
	ID, Source uuid.UUID
	Name       string
	Origin     string
	Size       int64
	State      string
	Reason     *fault.Error // why it was refused
	Mapping    int          // the version it was read by
	Read       columns.Position
	// Rows were read, Fresh of them were not known, Failures of these could not
	// be understood.
	Rows, Fresh, Failures int64
	By                    string
	Given, Ended          time.Time
	SHA256                []byte
	// Again tells that the file was given before: it is the one that was.
	Again bool

	organisation uuid.UUID
	path         string
	head         int64 // bytes that SHA256 is of, of a file that is followed; zero: of the whole
	modified     int64
}

// Over tells that nothing more is going to be read.
func (f File) Over() bool { return f.State == Done || f.State == Refused || f.State == Cancelled }

const fileColumns = `organisation_id, id, source_id, name, origin, path, sha256, head_bytes, size, modified_us, state, reason, mapping, read_bytes, read_line, rows_read, rows_fresh, failures, given_by, given_us, ended_us`

func readFiles(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []File, err error) {
	err = tx.Query(ctx, `SELECT `+fileColumns+` FROM traces_files WHERE `+which, args, func(row func(...any) error) error {
		var f File
		var reason string
		var given int64
		var ended sql.NullInt64
		if err := row(&f.organisation, &f.ID, &f.Source, &f.Name, &f.Origin, &f.path, &f.SHA256, &f.head, &f.Size, &f.modified, &f.State, &reason, &f.Mapping, &f.Read.Offset, &f.Read.Line,
			&f.Rows, &f.Fresh, &f.Failures, &f.By, &given, &ended); err != nil {
			return err
		}
		f.Given, f.Ended, f.Reason = storage.Time(given), storage.NullTime(ended), readReason(reason)
		out = append(out, f)
		return nil
	})
	return out, err
}

// keptReason is a fault as it is kept, to be said in the language of who reads.
type keptReason struct {
	Key  string `json:"key"`
	Args []any  `json:"args,omitempty"`
}

// WriteReason writes a fault to be kept; what is no fault is ours, and only logged.
func WriteReason(err error) string {
	f := fault.As(err)
	if f == nil || f.Key == "" {
		return `{"key":"traces.files.broken"}`
	}
	b, err := json.Marshal(keptReason{f.Key, f.Args})
	if err != nil {
		return `{"key":"traces.files.broken"}`
	}
	return string(b)
}

func readReason(text string) *fault.Error { return ReadReason(text) }

// ReadReason reads a fault that was kept; nil when there was none.
func ReadReason(text string) *fault.Error {
	var k keptReason
	if text == "" || json.Unmarshal([]byte(text), &k) != nil {
		return nil
	}
	for i, a := range k.Args {
		if n, ok := a.(float64); ok {
			k.Args[i] = int(n)
		}
	}
	return fault.New(fault.Invalid, k.Key, k.Args...)
}

// cleanName is the name of a file as it is shown: its last part, without signs
// that are not seen.
func cleanName(name string) string {
	name = filepath.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(name, ""))
	if name = strings.TrimSpace(name); name == "" || name == "." || name == ".." || name == "/" {
		return "export"
	}
	return traces.Cut(name, 200)
}

// Files lists those of a source, the last first. Needs access.TracesRead.
func (s *Service) Files(ctx context.Context, scope access.Scope, source uuid.UUID) (out []File, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readFiles(ctx, tx, `organisation_id = $1 AND source_id = $2 ORDER BY id DESC LIMIT 100`, scope.Organisation(), source)
		return err
	})
	return out, err
}

// File gives one. Needs access.TracesRead. Errors: NotFound.
func (s *Service) File(ctx context.Context, scope access.Scope, id uuid.UUID) (out File, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = oneFile(ctx, tx, scope, id)
		return err
	})
	return out, err
}

// FileOf gives a file to the source that brought it. Errors: NotFound.
func (s *Service) FileOf(ctx context.Context, from traces.Speaker, id uuid.UUID) (out File, err error) {
	scope := access.System(from.Organisation(), "traces")
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = oneFile(ctx, tx, scope, id)
		return err
	})
	if err == nil && out.Source != from.ID {
		return File{}, fault.New(fault.NotFound, "traces.files.unknown")
	}
	return out, err
}

func oneFile(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (File, error) {
	list, err := readFiles(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
	if err != nil {
		return File{}, err
	}
	if len(list) == 0 {
		return File{}, fault.New(fault.NotFound, "traces.files.unknown")
	}
	return list[0], nil
}
