package demo_test

import (
	"encoding/base32"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/demo"
)

func TestOneAccountForEachRole(t *testing.T) {
	t.Parallel()
	accounts, err := demo.Accounts()
	if err != nil {
		t.Fatal(err)
	}
	again, err := demo.Accounts()
	if err != nil {
		t.Fatal(err)
	}
	roles := map[access.Role]bool{}
	for n, a := range accounts {
		roles[a.Role] = true
		box, domain, _ := strings.Cut(a.Login, "@")
		if domain != demo.Domain || a.Name == "" {
			t.Errorf("%+v", a)
		}
		if len(a.Password) < 16 || strings.Contains(a.Password, box) {
			t.Errorf("the password of %s breaks the rules of passwords", a.Login)
		}
		if seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(a.TOTP); err != nil || len(seed) != 20 {
			t.Errorf("the second factor of %s: %d octets, %v", a.Login, len(seed), err)
		}
		if again[n].Password == a.Password || again[n].TOTP == a.TOTP {
			t.Errorf("%s has the same secrets in two runs", a.Login)
		}
	}
	if len(roles) != len(access.Roles()) {
		t.Errorf("%d roles have an account, of %d", len(roles), len(access.Roles()))
	}
}
