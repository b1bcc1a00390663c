package email

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/wneessen/go-mail"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// dkimBits is the length of a key: what large providers ask for, and short
// enough for one DNS record.
const dkimBits = 2048

var selectorForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// signer signs messages by DKIM (RFC 6376, relaxed/relaxed, RSA-SHA256); nil
// signs nothing.
type signer struct {
	domain, selector string
	key              *rsa.PrivateKey
}

// Complete makes the key of a selector that has none: it never leaves the vault.
func (Kind) Complete(s channels.Settings) (channels.Settings, error) {
	if s.Get("dkim_selector") == "" || s.Get("dkim_key") != "" {
		return s, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, dkimBits)
	if err != nil {
		return nil, fmt.Errorf("make the DKIM key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write the DKIM key: %w", err)
	}
	out := maps.Clone(s)
	out["dkim_key"] = base64.StdEncoding.EncodeToString(der)
	return out, nil
}

// Records are what the DNS must publish for these settings.
func (Kind) Records(s channels.Settings) ([]channels.Record, error) {
	c, err := parseConfig(s)
	if err != nil || c.dkim == nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&c.dkim.key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("write the public key: %w", err)
	}
	return []channels.Record{{
		Name: c.dkim.selector + "._domainkey." + c.dkim.domain, Type: "TXT",
		Value: "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der),
	}}, nil
}

// parseSigner reads the key: what Complete made, or one that is pasted in PEM.
func parseSigner(s channels.Settings, from string) (*signer, error) {
	selector := s.Get("dkim_selector")
	if selector == "" || s.Get("dkim_key") == "" {
		return nil, nil
	}
	if !selectorForm.MatchString(selector) {
		return nil, fault.New(fault.Invalid, "channels.smtp.bad_selector").At("dkim_selector")
	}
	text := regexp.MustCompile(`-----[A-Z ]+-----|\s`).ReplaceAllString(s.Get("dkim_key"), "")
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "channels.smtp.bad_key").At("dkim_key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		parsed, err = x509.ParsePKCS1PrivateKey(der)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok || key.N.BitLen() < 1024 {
		return nil, fault.New(fault.Invalid, "channels.smtp.bad_key").At("dkim_key")
	}
	return &signer{domain: from[strings.LastIndexByte(from, '@')+1:], selector: selector, key: key}, nil
}

// signedHeaders are what nobody on the way may change, twice for those nobody
// may add. The list with the repetitions must fit one line of 75 characters: the
// library folds a longer one inside a name, which verifiers refuse.
func signedHeaders() (signed, twice []string) {
	return []string{"From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Content-Type"}, []string{"From", "Subject"}
}

// dkimOf makes the library's signer: it signs a message as it is written.
func (s *signer) dkimOf() *mail.DKIMSigner {
	d := mail.NewDKIMSigner(s.domain, s.selector, s.key)
	d.HeaderCanonicalization(mail.CanonicalizationRelaxed)
	d.BodyCanonicalization(mail.CanonicalizationRelaxed)
	signed, twice := signedHeaders()
	d.SignHeaders(signed...)
	d.OversignHeaders(twice...)
	return d
}
