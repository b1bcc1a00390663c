package smtp

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// VerifyDKIM gives the verdict of Perl's Mail::DKIM on a message, when the DNS
// has this record under this name: "pass", "fail", "invalid" or "none".
func VerifyDKIM(t testing.TB, message []byte, name, record string) string {
	t.Helper()
	need(t, "perl")
	command := exec.Command("perl", "-MMail::DKIM", dkimScript(t), record, name)
	command.Stdin = bytes.NewReader(message)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	said, err := command.Output()
	if err != nil {
		t.Fatalf("Mail::DKIM (Debian libmail-dkim-perl, make test-deps): %v\n%s", err, complaints.String())
	}
	verdict, _, _ := bytes.Cut(said, []byte(" "))
	return string(verdict)
}

// dkimScript is found from the working directory, since a program compiled with
// -trimpath does not know where its source was.
func dkimScript(t testing.TB) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for up := filepath.Dir(root); up != root; root, up = up, filepath.Dir(up) {
		path := filepath.Join(root, "test", "peers", "smtp", "dkim.pl")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("the script dkim.pl is not found")
	return ""
}
