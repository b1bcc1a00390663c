package exports_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheVerifiersSayInOneSentenceWhatTheyCannotRead gives each program of docs/
// what is no archive: whoever received one is no programmer, and a stack is no
// answer. Status 2 is "not read": neither proven nor refuted.
func TestTheVerifiersSayInOneSentenceWhatTheyCannotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	absent, text := filepath.Join(dir, "absent"), put("notes.txt", "bonjour\n")
	cut := put("journal.jsonl", `{"tocsin_journal":1,"keys":{}}`+"\n"+`{"num`)
	put("folder/log.txt", "block x\n")
	// The program itself, whatever starts it here.
	python, err := exec.Command("python3", "-c", "import sys; print(sys.executable, end='')").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ program, script, of, path, says string }{
		{string(python), "verifier-export.py", absent, "", "No such file"},
		{string(python), "verifier-export.py", text, "", "not a ZIP archive"},
		{string(python), "verifier-export.py", text, dir, "openssl"},
		{string(python), "verifier-traces.py", absent, "", "log.txt"},
		{string(python), "verifier-traces.py", filepath.Join(dir, "folder"), "", "cut or altered"},
		{string(python), "verifier-traces.py", filepath.Join(dir, "folder"), dir, "openssl"},
		{"node", "verifier-journal.mjs", absent, "", "no such file"},
		{"node", "verifier-journal.mjs", cut, "", "line 2"},
		{"node", "verifier-journal.mjs", text, "", "line 1"},
	} {
		cmd := exec.Command(c.program, filepath.Join("../../../docs", c.script), c.of)
		if c.path != "" { // where no openssl is
			cmd.Env = []string{"PATH=" + c.path}
		}
		said, err := cmd.CombinedOutput()
		var ended *exec.ExitError
		if !errors.As(err, &ended) || ended.ExitCode() != 2 || !strings.Contains(string(said), c.says) {
			t.Errorf("%s %s: %v\n%s", c.script, c.of, err, said)
		}
		for line := range strings.Lines(string(said)) {
			if strings.Contains(line, "Traceback") || strings.Contains(line, "    at ") {
				t.Errorf("%s %s shows a stack:\n%s", c.script, c.of, said)
			}
		}
	}
}
