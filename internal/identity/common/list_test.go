package common_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"tocsin/internal/identity/common"
)

func load(t *testing.T) *common.List {
	t.Helper()
	l, err := common.Load()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestListIsLong(t *testing.T) {
	if n := load(t).Len(); n < 5000 {
		t.Errorf("%d patterns, want 5,000 at least", n)
	}
}

func TestWornPasswords(t *testing.T) {
	l := load(t)
	for _, worn := range []string{
		"password", "Password123!", "P@ssw0rd2026", "passwordpassword", "motdepasse", "MotDePasse#1", "m0td3p4ss3", "azerty123456", "AZERTYUIOP!!!",
		"qwertyuiop", "bienvenue2026", "Bienvenue@Hopital", "centrehospitalier", "Centre Hospitalier 75", "jetaime jetaime", "doudou doudou doudou", "soleil_2024_!",
		"1234567890", "000000000000", "2026-11-22-2026", "abcdefghijklmnop", "zyxwvutsrqpo", "abcabcabcabc", "Été2026été2026", "!!!!!!!!!!!!", "infirmiere!2025",
	} {
		if !l.Has(worn) {
			t.Errorf("%q passes", worn)
		}
	}
	for _, good := range []string{
		"quatre chevaux traversent la vallée", "correct horse battery stapler", "Xk9#vq2Lm!pR", "le bus 7 passe toujours en retard", "tournevis orange sous la neige",
	} {
		if l.Has(good) {
			t.Errorf("%q is refused", good)
		}
	}
}

// The bundled list is what its workshop makes of the words.
func TestListIsUpToDate(t *testing.T) {
	out := filepath.Join(t.TempDir(), "list.txt.gz")
	cmd := exec.CommandContext(t.Context(), "go", "run", "./build", out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	made, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	bundled, err := os.ReadFile("list.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	if string(made) != string(bundled) {
		t.Error("words.txt changed: go run ./internal/identity/common/build internal/identity/common/list.txt.gz")
	}
}
