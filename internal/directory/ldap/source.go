package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"embed"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"tocsin/internal/directory"
	"tocsin/internal/directory/feed"
	"tocsin/internal/fault"
)

// Locales holds the sentences of this source.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Kind reads LDAP servers. It implements feed.Kind.
type Kind struct{}

// The settings of a server.
const (
	setHost     = "host"
	setPort     = "port"
	setSecurity = "security"
	setCA       = "ca"
	setUser     = "user"
	setPassword = "password"
	setBase     = "base"
	setFilter   = "filter"
	setColumns  = "attributes"
	setPage     = "page"
	setDisabled = "disabled"
)

// The ways to a server.
const (
	secureTLS   = "ldaps"
	secureStart = "starttls"
	secureNone  = "none"
)

// personFilter chooses people: in Active Directory, machines are persons too, without a surname.
const personFilter = "(&(objectClass=person)(sn=*))"

// columns are read when nobody chooses others: what a staff list needs.
const columns = "employeeID employeeNumber sn givenName title department physicalDeliveryOfficeName mobile telephoneNumber mail"

// Describe implements feed.Kind.
func (Kind) Describe() feed.Description {
	return feed.Description{Kind: "ldap", Fields: []feed.Field{
		{Name: setHost, Type: feed.Text, Required: true},
		{Name: setPort, Type: feed.Number, Default: "636", Min: 1, Max: 65535},
		{Name: setSecurity, Type: feed.Choice, Default: secureTLS, Choices: []string{secureTLS, secureStart, secureNone}},
		{Name: setCA, Type: feed.LongText},
		{Name: setUser, Type: feed.Text},
		{Name: setPassword, Type: feed.Secret},
		{Name: setBase, Type: feed.Text, Required: true},
		{Name: setFilter, Type: feed.Text, Default: personFilter},
		{Name: setColumns, Type: feed.Text, Default: columns},
		{Name: setPage, Type: feed.Number, Default: "500", Min: 10, Max: 5_000},
		{Name: setDisabled, Type: feed.Bool, Default: "true"},
	}}
}

// patience bounds each exchange with a server.
const patience = 20 * time.Second

// connect opens, secures and identifies.
func connect(ctx context.Context, s feed.Settings) (*ldap.Conn, error) {
	address := net.JoinHostPort(s[setHost], s[setPort])
	secure, err := tlsOf(s)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: patience}
	options := []ldap.DialOpt{ldap.DialWithDialer(dialer)}
	scheme := "ldap://"
	if s[setSecurity] == secureTLS {
		scheme = "ldaps://"
		options = append(options, ldap.DialWithTLSConfig(secure))
	}
	conn, err := ldap.DialURL(scheme+address, options...)
	if err != nil {
		return nil, said(err)
	}
	conn.SetTimeout(patience)
	// A house that stops does not wait for the server.
	stop := context.AfterFunc(ctx, func() { closeQuietly(conn) })
	defer stop()
	if s[setSecurity] == secureStart {
		if err := conn.StartTLS(secure); err != nil {
			return nil, errors.Join(said(err), conn.Close())
		}
	}
	if s[setUser] == "" {
		err = conn.UnauthenticatedBind("")
	} else if s[setPassword] == "" {
		err = fault.New(fault.Invalid, "directory.feed.ldap.no_password").At(setPassword) // a bind without password succeeds as nobody
	} else {
		err = conn.Bind(s[setUser], s[setPassword])
	}
	if err != nil {
		return nil, errors.Join(said(err), conn.Close())
	}
	return conn, nil
}

func closeQuietly(conn *ldap.Conn) {
	if err := conn.Close(); err != nil {
		return // it was cut: there is nothing left to close
	}
}

func tlsOf(s feed.Settings) (*tls.Config, error) {
	c := &tls.Config{ServerName: s[setHost], MinVersion: tls.VersionTLS12}
	if pem := strings.TrimSpace(s[setCA]); pem != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, fault.New(fault.Invalid, "directory.feed.ldap.bad_ca").At(setCA)
		}
	}
	return c, nil
}

// said is one sentence for what a server or the network answers.
func said(err error) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid):
		return fault.Wrap(err, fault.Unavailable, "directory.feed.ldap.certificate")
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication):
		return fault.Wrap(err, fault.Invalid, "directory.feed.ldap.credentials").At(setPassword)
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax):
		return fault.Wrap(err, fault.Invalid, "directory.feed.ldap.bad_base").At(setBase)
	case ldap.IsErrorAnyOf(err, ldap.ErrorFilterCompile, ldap.LDAPResultFilterError):
		return fault.Wrap(err, fault.Invalid, "directory.feed.ldap.bad_filter").At(setFilter)
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultOperationsError):
		return fault.Wrap(err, fault.Denied, "directory.feed.ldap.rights")
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultConfidentialityRequired, ldap.LDAPResultStrongAuthRequired):
		return fault.Wrap(err, fault.Invalid, "directory.feed.ldap.bad_security").At(setSecurity)
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultAdminLimitExceeded):
		return fault.Wrap(err, fault.Unavailable, "directory.feed.ldap.limit")
	}
	return fault.Wrap(err, fault.Unavailable, "directory.feed.ldap.unreachable")
}

// Check implements feed.Kind: it connects and reads one entry.
func (k Kind) Check(ctx context.Context, s feed.Settings) error {
	rows, err := k.open(ctx, s, 1)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := rows.fetch(); err != nil {
		return err
	}
	if len(rows.entries) == 0 {
		return fault.New(fault.NotFound, "directory.feed.ldap.nobody").At(setFilter)
	}
	return nil
}

// Open implements feed.Kind.
func (k Kind) Open(ctx context.Context, s feed.Settings) (feed.Rows, error) {
	page, err := strconv.Atoi(s[setPage])
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "directory.feed.number").At(setPage)
	}
	return k.open(ctx, s, uint32(max(1, page))) //nolint:gosec // Validate bounds it
}

func (Kind) open(ctx context.Context, s feed.Settings, page uint32) (*rows, error) {
	if _, err := ldap.CompileFilter(s[setFilter]); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "directory.feed.ldap.bad_filter").At(setFilter)
	}
	conn, err := connect(ctx, s)
	if err != nil {
		return nil, err
	}
	return newRows(ctx, conn, s, page), nil
}

var _ directory.Rows = (*rows)(nil)
