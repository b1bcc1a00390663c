package identitytest

import (
	"encoding/base32"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/identity"
	"tocsin/internal/identity/pages"
)

// Password is what every person of the tests chose.
const Password = "quatre chevaux traversent la vallée"

// Person is somebody signed in.
type Person struct {
	ID    uuid.UUID
	Login string
	// Token is the session's, Device that of the known device.
	Token, Device string
	// Secret is the seed of the authenticator application, empty without one.
	Secret string
	Scope  access.Scope

	service *identity.Service
	clock   clock.Clock
}

// Here is where the people of the tests sit.
func Here() identity.Client {
	return identity.Client{Address: "192.0.2.10", Device: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
}

// Join invites a person to an establishment of any service, lets her choose her
// Password and, when her roles ask for it, set up an authenticator application.
func Join(t testing.TB, s *identity.Service, c clock.Clock, establishment uuid.UUID, login string, roles ...access.Role) *Person {
	t.Helper()
	inv, err := s.Add(t.Context(), access.Instance("test").Within(establishment), identity.NewAccount{Login: login, Name: nameOf(login), Roles: roles})
	if err != nil {
		t.Fatalf("invite %s: %v", login, err)
	}
	p := &Person{ID: inv.Account, Login: login, service: s, clock: c}
	step, err := s.Accept(t.Context(), Here(), inv.Code, Password)
	if err != nil {
		t.Fatalf("%s accepts: %v", login, err)
	}
	p.take(t, step)
	if s.NeedsFactor(roles) {
		p.SetUpTOTP(t)
	}
	return p
}

func nameOf(login string) string {
	name, _, _ := strings.Cut(login, "@")
	return strings.ToUpper(name[:1]) + name[1:]
}

func (p *Person) take(t testing.TB, step identity.Step) {
	t.Helper()
	p.Token = step.Token
	if step.Device != "" {
		p.Device = step.Device
	}
	if step.Done {
		p.Refresh(t)
	}
}

// Refresh reads the session again, after its rights changed.
func (p *Person) Refresh(t testing.TB) {
	t.Helper()
	session, err := p.service.Session(t.Context(), p.Token, Here())
	if err != nil {
		t.Fatalf("session of %s: %v", p.Login, err)
	}
	p.Scope = session.Scope
}

// SetUpTOTP sets up an authenticator application and returns the recovery codes
// it came with, if it is the first factor.
func (p *Person) SetUpTOTP(t testing.TB) (recovery []string) {
	t.Helper()
	set, err := p.service.BeginTOTP(t.Context(), p.Scope, p.Token)
	if err != nil {
		t.Fatalf("authenticator of %s: %v", p.Login, err)
	}
	p.Secret = strings.ReplaceAll(set.Secret, " ", "")
	fresh, err := p.service.ConfirmTOTP(t.Context(), p.Scope, p.Token, p.Code(t, 0))
	if err != nil {
		t.Fatalf("confirm the authenticator of %s: %v", p.Login, err)
	}
	p.Token = fresh
	p.Refresh(t)
	codes, err := p.service.RecoveryCodes(t.Context(), p.Scope, p.Token)
	if err != nil {
		t.Fatalf("recovery codes of %s: %v", p.Login, err)
	}
	return codes.New
}

// Code is what the authenticator application shows, later by some time.
func (p *Person) Code(t testing.TB, later time.Duration) string {
	t.Helper()
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(p.Secret); err != nil || p.Secret == "" {
		t.Fatalf("%s has no authenticator application", p.Login)
	}
	code, err := totp.GenerateCode(p.Secret, p.clock.Now().Add(later))
	if err != nil {
		t.Fatalf("code of %s: %v", p.Login, err)
	}
	return code
}

// Cookie is the session's cookie, for a request over http.
func (p *Person) Cookie() *http.Cookie {
	return &http.Cookie{Name: pages.SessionCookie, Value: p.Token}
}

// SecureCookie is the session's cookie, for a site whose public address is https.
func (p *Person) SecureCookie() *http.Cookie {
	return &http.Cookie{Name: "__Host-" + pages.SessionCookie, Value: p.Token}
}
