package alerting

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/vault"
)

// oneKey is a keyring of keys made from their first byte.
type oneKey []byte

func (k oneKey) DeriveKeys(purpose string) ([]vault.Derived, error) {
	out := make([]vault.Derived, len(k))
	for i, b := range k {
		out[i].Secret[0] = b
		copy(out[i].Secret[1:], purpose[max(0, len(purpose)-20):])
	}
	return out, nil
}

func anOrder(key string) RecallOrder {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	return RecallOrder{
		Code: "0123456789ab", Mode: Real, Establishment: "CHU de Valbrume", Number: "20261122-0300-7F3A", Title: "Plan blanc", Name: "ÉLOI Zoé",
		Matricule: "…4512", Metier: "IADE", OrderedBy: "Dr Ordre", IssuedAt: at, ETA: at.Add(30 * time.Minute), Until: at.Add(150 * time.Minute),
		Entrance: "Porte B : rue du Puits", Key: key,
	}
}

// TestWhatIsSignedIsReadBack writes an order, reads it, and changes every line
// of it: no other text passes for it.
func TestWhatIsSignedIsReadBack(t *testing.T) {
	t.Parallel()
	org := uuid.New()
	keys, err := keysOf(oneKey{7}, org)
	if err != nil {
		t.Fatal(err)
	}
	o := anOrder(keys[0].id)
	o.compose(time.FixedZone("Paris", 3600))
	sign := ed25519.Sign(keys[0].private, []byte(o.Text))
	read, ok := signedBy(keys, o.Code, o.Text, sign)
	if !ok || read.Name != o.Name || read.Entrance != o.Entrance || read.Roads != "" || !read.Until.Equal(o.Until) || read.Mode != Real {
		t.Fatalf("read back %v %+v", ok, read)
	}
	lines := strings.SplitAfter(o.Text, "\n")
	for i := range lines[:len(lines)-1] {
		for _, changed := range []string{strings.Replace(lines[i], " ", "  ", 1), "", lines[i] + lines[i], strings.ToUpper(lines[i]) + "x"} {
			text := strings.Join(lines[:i], "") + changed + strings.Join(lines[i+1:], "")
			if text == o.Text {
				continue
			}
			if _, ok := signedBy(keys, o.Code, text, sign); ok {
				t.Errorf("line %d changed to %q passes", i, changed)
			}
		}
	}
	for name, try := range map[string]func() bool{
		"another code": func() bool { _, ok := signedBy(keys, "aaaaaaaaaaaa", o.Text, sign); return ok },
		"no signature": func() bool { _, ok := signedBy(keys, o.Code, o.Text, nil); return ok },
		"a changed signature": func() bool {
			bad := append([]byte{1}, sign[1:]...)
			_, ok := signedBy(keys, o.Code, o.Text, bad)
			return ok
		},
		"no key": func() bool { _, ok := signedBy(nil, o.Code, o.Text, sign); return ok },
	} {
		if try() {
			t.Errorf("%s passes", name)
		}
	}
}

// TestNobodySignsForAnother: another establishment's key, and the key of
// another house, sign nothing here; a key from before a rotation still does.
func TestNobodySignsForAnother(t *testing.T) {
	t.Parallel()
	north, south := uuid.New(), uuid.New()
	ours, err := keysOf(oneKey{7}, north)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := keysOf(oneKey{7}, south)
	if err != nil {
		t.Fatal(err)
	}
	forged := anOrder(ours[0].id)
	forged.compose(time.UTC)
	if _, ok := signedBy(ours, forged.Code, forged.Text, ed25519.Sign(theirs[0].private, []byte(forged.Text))); ok {
		t.Error("another establishment signs under our key's name")
	}
	theirOwn := anOrder(theirs[0].id)
	theirOwn.compose(time.UTC)
	if _, ok := signedBy(ours, theirOwn.Code, theirOwn.Text, ed25519.Sign(theirs[0].private, []byte(theirOwn.Text))); ok {
		t.Error("another establishment's order passes for ours")
	}
	rotated, err := keysOf(oneKey{9, 7}, north)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := signedBy(rotated, forged.Code, forged.Text, ed25519.Sign(ours[0].private, []byte(forged.Text))); !ok {
		t.Error("after a rotation, yesterday's order is refused")
	}
	if rotated[0].id == ours[0].id || rotated[1].id != ours[0].id {
		t.Error("the keys are not those of the keyring, the newest first")
	}
}

// TestNoLineCanBeSmuggled: what people write never makes a line of its own.
func TestNoLineCanBeSmuggled(t *testing.T) {
	t.Parallel()
	o := anOrder("k")
	o.Name = "DUPONT\nNom : MARTIN\r\nMode : RÉEL"
	o.Entrance = "A\u2028B\x00\xff"
	o.compose(time.UTC)
	if n := strings.Count(o.Text, "\n"); n != len(recallLines(&o, new(string), &[3]string{}))+2 {
		t.Errorf("%d lines:\n%s", n, o.Text)
	}
	if read, ok := parseRecall(o.Text); !ok || !strings.HasPrefix(read.Name, "DUPONT Nom : MARTIN") {
		t.Errorf("%v %q", ok, read.Name)
	}
}

func TestMatriculeIsShortened(t *testing.T) {
	t.Parallel()
	for whole, want := range map[string]string{"": "", "7": "…7", "1234": "…34", "00012345": "…2345", "  é12345 ": "…345"} {
		if got := shortMatricule(whole); got != want {
			t.Errorf("%q: %q, want %q", whole, got, want)
		}
	}
}

func TestWhatIsScannedAtTheDoor(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"0123-4567-89ab": "0123456789ab", "https://t.example/ordre/0123456789ab": "0123456789ab", " O123 4567 89AB ": "0123456789ab",
		"Durand": "", "https://t.example/": "", "": "",
	} {
		if got := recallCode(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}
