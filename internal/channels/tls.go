package channels

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"tocsin/internal/fault"
)

// ClientTLS is how a channel speaks TLS to its peer: at least 1.2, to the name
// in the setting tls_server_name or else host, trusting the system's authorities
// or those of the PEM file in tls_ca. Errors: Invalid at tls_ca.
func ClientTLS(s Settings) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.Get("tls_server_name")}
	if cfg.ServerName == "" {
		cfg.ServerName = s.Get("host")
	}
	path := s.Get("tls_ca")
	if path == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "channels.ca_unreadable", "path", path).At("tls_ca")
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Invalid, "channels.ca_empty", "path", path).At("tls_ca")
	}
	return cfg, nil
}
