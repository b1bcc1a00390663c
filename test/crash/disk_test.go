//go:build unix

package crash_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is the account without rights: for root no folder is read-only.
const nobody = 65534

// A folder of data that cannot be written: the program says so in one clear
// sentence and does not start.
func TestReadOnlyDataIsOneClearSentence(t *testing.T) {
	for name, lang := range map[string]string{"fr": "fr_FR.UTF-8", "en": "C"} {
		t.Run(name, func(t *testing.T) {
			i := install(t)
			i.shut()
			p := start(t, func(cmd *exec.Cmd) {
				cmd.Env = append(cmd.Env, "LC_ALL="+lang)
				if os.Geteuid() == 0 {
					cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
					cmd.Dir = "/"
				}
			}, append([]string{"serve", "--listen", freePort(t)}, i.flags()...)...)
			if err := p.wait(); err == nil {
				t.Fatal("the program runs on a folder it cannot write")
			}
			said := strings.TrimSpace(p.said.String())
			if lines := strings.Split(said, "\n"); len(lines) != 1 || !strings.HasPrefix(said, "tocsin: ") || !strings.Contains(said, i.data()) {
				t.Errorf("want one sentence that names the folder, got:\n%s", said)
			}
			for _, jargon := range []string{"SQLITE", "sqlite", "goroutine", "errno", "(8)", "migrat"} {
				if strings.Contains(said, jargon) {
					t.Errorf("jargon %q in %q", jargon, said)
				}
			}
			if french := strings.Contains(said, "dossier"); french != (name == "fr") {
				t.Errorf("not in the language of the terminal: %q", said)
			}
		})
	}
}

// shut closes the data and lets nobody write them.
func (i *installation) shut() {
	i.t.Helper()
	for folder := i.folder; folder != os.TempDir() && len(folder) > 1; folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil {
			i.t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(i.key(), nobody, nobody); err != nil {
			i.t.Fatal(err)
		}
	}
	var folders []string
	err := filepath.WalkDir(i.data(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return firstOf(err, func() error { return os.Chmod(path, 0o444) })
		}
		folders = append(folders, path)
		return nil
	})
	for _, folder := range folders {
		err = firstOf(err, func() error { return os.Chmod(folder, 0o555) })
		i.t.Cleanup(func() {
			if err := os.Chmod(folder, 0o755); err != nil {
				i.t.Errorf("open the folder again: %v", err)
			}
		})
	}
	if err != nil {
		i.t.Fatal(err)
	}
}

// firstOf does the next step unless one before has failed.
func firstOf(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}
