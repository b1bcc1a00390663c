package vault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/vault"
)

func day(n int) time.Time { return time.Date(2026, 11, n, 3, 0, 0, 0, time.UTC) }

// fresh creates a keyring in a folder of its own.
func fresh(t *testing.T) (*vault.Vault, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "etc", "tocsin.key")
	v, err := vault.Create(path, day(1))
	if err != nil {
		t.Fatal(err)
	}
	return v, path
}

func seal(t *testing.T, v *vault.Vault, plain, context string) []byte {
	t.Helper()
	sealed, err := v.Seal([]byte(plain), context)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func wantFault(t *testing.T, err error, kind fault.Kind, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Kind != kind || f.Key != key {
		t.Errorf("got %v, want %s %s", err, kind, key)
	}
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	v, path := fresh(t)
	again, err := vault.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range []string{"", "s", strings.Repeat("longue phrase ", 1000)} {
		sealed := seal(t, v, plain, "identity.totp:1")
		if plain != "" && len(plain) > 3 && bytes.Contains(sealed, []byte(plain)) {
			t.Error("the secret is readable in what was sealed")
		}
		opened, err := again.Open(sealed, "identity.totp:1")
		if err != nil || string(opened) != plain {
			t.Errorf("opened %q, %v", opened, err)
		}
	}
	if bytes.Equal(seal(t, v, "same", "c"), seal(t, v, "same", "c")) {
		t.Error("the same secret sealed twice looks the same")
	}
}

func TestEveryChangedByteIsNoticed(t *testing.T) {
	t.Parallel()
	v, _ := fresh(t)
	sealed := seal(t, v, "secret", "channels.password:1")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if plain, err := v.Open(changed, "channels.password:1"); err == nil {
			t.Fatalf("byte %d changed and still opened as %q", i, plain)
		}
	}
	for n := range sealed {
		if _, err := v.Open(sealed[:n], "channels.password:1"); err == nil {
			t.Fatalf("opened after %d bytes", n)
		}
	}
	_, err := v.Open(sealed, "channels.password:2")
	wantFault(t, err, fault.Internal, "vault.damaged")
}

func TestAnotherKeyringOpensNothing(t *testing.T) {
	t.Parallel()
	v, _ := fresh(t)
	other, _ := fresh(t)
	_, err := other.Open(seal(t, v, "secret", "c"), "c")
	wantFault(t, err, fault.Unavailable, "vault.key_missing")
}

func TestRotation(t *testing.T) {
	t.Parallel()
	old, path := fresh(t)
	before := seal(t, old, "before", "c")
	oldKey, err := old.DeriveKey("alerting.link")
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := old.Rotate(day(2))
	if err != nil {
		t.Fatal(err)
	}
	after := seal(t, rotated, "after", "c")
	loaded, err := vault.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for want, sealed := range map[string][]byte{"before": before, "after": after} {
		if plain, err := loaded.Open(sealed, "c"); err != nil || string(plain) != want {
			t.Errorf("opened %q, %v; want %q", plain, err, want)
		}
	}
	if !loaded.Stale(before) || loaded.Stale(after) || old.Stale(before) || !loaded.Stale(nil) {
		t.Error("Stale does not follow the current key")
	}
	// A program that runs meets a value of the new key: it reads the file again.
	if plain, err := old.Open(after, "c"); err != nil || string(plain) != "after" {
		t.Errorf("a running program does not take up the rotation: %q %v", plain, err)
	}
	if !old.Stale(before) {
		t.Error("the running program still seals under the old key")
	}
	if keys := loaded.Keys(); len(keys) != 2 || keys[0].Created != "2026-11-02T03:00:00Z" {
		t.Errorf("keys: %+v", keys)
	}
	derived, err := loaded.DeriveKeys("alerting.link")
	if err != nil {
		t.Fatal(err)
	}
	if len(derived) != 2 || derived[0] == oldKey || derived[1] != oldKey {
		t.Errorf("derived keys: current first, old still there: %v", len(derived))
	}
	checkAlone(t, path)
}

// checkAlone fails when the keyring is not 0600 or left something beside it.
func checkAlone(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left beside the keyring: %v %v", left, err)
	}
}

func TestRotationsAtOnceLoseNoKey(t *testing.T) {
	t.Parallel()
	v, path := fresh(t)
	const nodes = 8
	sealed := make([][]byte, nodes)
	var wg sync.WaitGroup
	for i := range nodes {
		wg.Go(func() {
			rotated, err := v.Rotate(day(2 + i))
			if err != nil {
				t.Error(err)
				return
			}
			if sealed[i], err = rotated.Seal([]byte("secret"), "c"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	loaded, err := vault.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range sealed {
		if _, err := loaded.Open(s, "c"); err != nil {
			t.Errorf("node %d: %v", i, err)
		}
	}
}

func TestDerivedKeys(t *testing.T) {
	t.Parallel()
	v, path := fresh(t)
	again, err := vault.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	link, err1 := v.DeriveKey("alerting.link")
	same, err2 := again.DeriveKey("alerting.link")
	reply, err3 := v.DeriveKey("email.reply")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if link != same {
		t.Error("the same purpose gives another key after a restart")
	}
	if link.Secret == reply.Secret || link.Key != reply.Key {
		t.Error("two purposes share a key")
	}
}

func TestCreateNeverReplaces(t *testing.T) {
	t.Parallel()
	v, path := fresh(t)
	sealed := seal(t, v, "secret", "c")
	_, err := vault.Create(path, day(2))
	wantFault(t, err, fault.Conflict, "vault.keyring_exists")
	loaded, err := vault.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loaded.Open(sealed, "c"); err != nil {
		t.Error(err)
	}
	checkAlone(t, path)
}

func TestCreateWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := vault.Create(filepath.Join(file, "tocsin.key"), day(1))
	wantFault(t, err, fault.Unavailable, "vault.keyring_unwritable")
}

func TestHostileKeyrings(t *testing.T) {
	t.Parallel()
	const secret = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	line := "00000001 2026-11-22T03:00:00Z " + secret + "\n"
	cases := map[string]string{
		"empty":          "",
		"comments only":  "# nothing\n\n",
		"two fields":     "00000001 " + secret,
		"four fields":    strings.TrimSpace(line) + " x",
		"broken id":      strings.Replace(line, "00000001", "0000000g", 1),
		"long id":        strings.Replace(line, "00000001", "0000000001", 1),
		"broken date":    strings.Replace(line, "2026-11-22T03", "yesterday", 1),
		"short secret":   strings.Replace(line, secret, secret[:40], 1),
		"broken secret":  strings.Replace(line, secret, "*"+secret[1:], 1),
		"empty secret":   strings.Replace(line, secret, strings.Repeat("A", 43)+"=", 1),
		"same id twice":  line + line,
		"one bad line":   line + "rubbish",
		"binary":         "\x00\xff\xfe\x00",
		"far too big":    strings.Repeat("# padding\n", 10_000) + line,
		"very long line": line + strings.Repeat("x", 60_000),
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "tocsin.key")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := vault.Load(path)
			wantFault(t, err, fault.Unavailable, "vault.keyring_damaged")
			if err != nil && strings.Contains(err.Error(), secret[:20]) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
	t.Run("the model of these is good", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "tocsin.key")
		if err := os.WriteFile(path, []byte("# mine\r\n"+line), 0o400); err != nil {
			t.Fatal(err)
		}
		if _, err := vault.Load(path); err != nil {
			t.Error(err)
		}
	})
}

func TestFilesThatAreNoKeyring(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := vault.Load(filepath.Join(dir, "nowhere"))
	wantFault(t, err, fault.NotFound, "vault.keyring_missing")
	_, err = vault.Load(dir)
	wantFault(t, err, fault.Unavailable, "vault.keyring_damaged")
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = vault.Load(pipe)
	wantFault(t, err, fault.Unavailable, "vault.keyring_damaged")
}

func TestKeyringReadableByOthersIsRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o604, 0o640, 0o660, 0o666, 0o610} {
		_, path := fresh(t)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := vault.Load(path)
		wantFault(t, err, fault.Denied, "vault.keyring_exposed")
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", vault.Locales, access.Locales)
}
