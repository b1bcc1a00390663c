package files_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/files"
)

// watched is a house whose source has a folder.
func watched(t *testing.T, way string) (h *house, dir string) {
	t.Helper()
	t.Parallel()
	h = newHouse(t, storagetest.SQLite(t, organisation.Migrations, journal.Migrations, traces.Migrations))
	dir = filepath.Join(h.root, "dpi")
	h.must(os.Mkdir(dir, 0o750))
	h.save()
	h.must(h.Watch(t.Context(), h.admin, files.Folder{Source: h.source.ID, Path: dir, Patterns: []string{"*.csv", "*.csv.1"}, Way: way}))
	return h, dir
}

func (h *house) put(path, text string) {
	h.t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	h.must(err)
	_, err = f.WriteString(text)
	h.must(err)
	h.must(f.Close())
}

// look lets time pass, looks into the folders and reads.
func (h *house) look() {
	h.t.Helper()
	h.clock.Advance(11 * time.Second)
	_, err := h.Scan(h.t.Context(), h.clock.Now())
	h.must(err)
	h.work()
}

func (h *house) states() (out []string) {
	h.t.Helper()
	list, err := h.Files(h.t.Context(), h.admin, h.source.ID)
	h.must(err)
	for _, f := range list {
		out = append(out, fmt.Sprintf("%s %s %d", f.Name, f.State, f.Fresh))
	}
	return out
}

func (h *house) want(events int, states ...string) {
	h.t.Helper()
	if got := h.states(); fmt.Sprint(got) != fmt.Sprint(states) || len(h.queued()) != events {
		h.t.Fatalf("%q with %d events, want %q with %d", got, len(h.queued()), states, events)
	}
}

func TestAFileIsTakenOnceItIsWholeThenMoved(t *testing.T) {
	h, dir := watched(t, files.Move)
	path := filepath.Join(dir, "a.csv")
	h.put(path, export(0, 3))
	h.put(filepath.Join(dir, "b.csv.part"), export(0, 3))
	h.put(filepath.Join(dir, "notes.txt"), "x")
	h.look()
	h.want(0)
	h.put(path, "2026-11-30 10:00:00;zoé;8009") // it still grows, and ends without an end of line
	h.look()
	h.want(0)
	h.look()
	h.want(4, "a.csv done 4")
	if _, err := os.Stat(filepath.Join(dir, files.DoneName, "a.csv")); err != nil {
		t.Error(err)
	}
	h.put(path, "autre;chose\n1;2\n")
	h.look()
	h.look()
	h.want(4, "a.csv refused 0", "a.csv done 4")
	if _, err := os.Stat(filepath.Join(dir, files.RejectedName, "a.csv")); err != nil {
		t.Error(err)
	}
	// The name of one that was read before is kept, and the earlier file too.
	h.put(path, export(2, 5))
	h.look()
	h.look()
	left, err := os.ReadDir(filepath.Join(dir, files.DoneName))
	if h.want(6, "a.csv done 2", "a.csv refused 0", "a.csv done 4"); err != nil || len(left) != 2 {
		t.Error(left, err)
	}
}

func TestAFileThatIsLeftIsReadAgainWhenItChanges(t *testing.T) {
	h, dir := watched(t, files.Leave)
	path := filepath.Join(dir, "a.csv")
	h.put(path, export(0, 3))
	for range 4 {
		h.look()
	}
	h.want(3, "a.csv done 3")
	h.put(path, "2026-11-30 10:00:00;zoé;8009\n")
	h.look()
	h.look()
	h.want(4, "a.csv done 1", "a.csv done 3")
}

// TestAFileThatGrowsIsFollowed over a line in the making, a rotation by another
// name, and one by emptying.
func TestAFileThatGrowsIsFollowed(t *testing.T) {
	h, dir := watched(t, files.Follow)
	path := filepath.Join(dir, "a.csv")
	h.put(path, export(0, 3)+"2026-11-30 10:00")
	h.look()
	h.want(3, "a.csv growing 3")
	h.put(path, ":00;zoé;8009\n2026-11-30 10:01:00;zoé;8009\n")
	h.look()
	h.want(5, "a.csv growing 5")
	// What was added before the rotation and not read yet is read from the file
	// under its new name, which no pattern needs to match.
	h.put(path, "2026-11-30 10:02:00;zoé;8009\n")
	h.must(os.Rename(path, path+".old"))
	h.put(path, export(3, 9))
	h.look()
	h.want(12, "a.csv growing 6", "a.csv growing 6")
	h.must(os.Remove(path + ".old"))
	h.look()
	h.want(12, "a.csv growing 6", "a.csv done 6")
	h.must(os.Truncate(path, 0))
	h.put(path, export(20, 22))
	h.look()
	h.want(14, "a.csv growing 2", "a.csv done 6", "a.csv done 6")
}

// TestNoLinkLeadsOutOfAFolder puts links where a file and a folder should be.
func TestNoLinkLeadsOutOfAFolder(t *testing.T) {
	h, dir := watched(t, files.Leave)
	outside := t.TempDir()
	h.put(filepath.Join(outside, "secret.csv"), export(0, 3))
	h.must(os.Symlink(filepath.Join(outside, "secret.csv"), filepath.Join(dir, "a.csv")))
	h.must(os.Symlink(outside, filepath.Join(h.root, "lien")))
	h.look()
	h.look()
	h.want(0)
	ctx := t.Context()
	for path, key := range map[string]string{
		outside: "traces.folders.root", filepath.Join(h.root, "..", "etc"): "traces.folders.root", "dpi": "traces.folders.root",
		filepath.Join(h.root, "lien"): "traces.folders.open", filepath.Join(h.root, "absent"): "traces.folders.open",
	} {
		err := h.Watch(ctx, h.admin, files.Folder{Source: h.source.ID, Path: path, Patterns: []string{"*.csv"}, Way: files.Leave})
		if f := fault.As(err); f == nil || f.Key != key || f.Field != "path" {
			t.Errorf("%s: %v", path, err)
		}
	}
	// A file that becomes a link once it was found is no file any more.
	h.put(filepath.Join(dir, "b.csv"), export(5, 8))
	h.clock.Advance(11 * time.Second)
	for range 2 {
		_, err := h.Scan(ctx, h.clock.Now())
		h.must(err)
		h.clock.Advance(11 * time.Second)
	}
	h.must(os.Remove(filepath.Join(dir, "b.csv")))
	h.must(os.Symlink(filepath.Join(outside, "secret.csv"), filepath.Join(dir, "b.csv")))
	h.work()
	h.want(0, "b.csv waiting 0")
}

func TestAFolderIsOfOneSource(t *testing.T) {
	h, dir := watched(t, files.Leave)
	ctx := t.Context()
	other, _, err := h.traces.Add(ctx, h.elsewhere, traces.Wanted{Name: "DPI", Format: columns.Files, Zone: "UTC"})
	h.must(err)
	err = h.Watch(ctx, h.elsewhere, files.Folder{Source: other.ID, Path: dir, Patterns: []string{"*"}, Way: files.Leave})
	if !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
	if err := h.Watch(ctx, h.elsewhere, files.Folder{Source: h.source.ID}); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	// A folder allowed to one establishment is none of another's.
	h.opt.Roots = []string{h.admin.Organisation().String() + "=" + h.root}
	s := files.New(h.opt)
	if len(s.Roots(h.elsewhere)) > 0 || len(s.Roots(h.admin)) != 1 {
		t.Error(s.Roots(h.elsewhere), s.Roots(h.admin))
	}
	dpo := access.For(h.admin.Organisation(), access.Actor{}, true, access.DataProtection)
	if _, err := s.Folder(ctx, dpo, h.source.ID); !fault.Is(err, fault.Denied) {
		t.Error(err)
	}
}
