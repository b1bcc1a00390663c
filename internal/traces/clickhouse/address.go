package clickhouse

import (
	"net/url"
	"regexp"
	"strings"

	"tocsin/internal/fault"
)

// Address is where the server is, read from the setting.
type Address struct {
	// URL is that of its HTTP interface, without the account.
	URL            string
	User, Password string
	Database       string
	// Cluster is the cluster of the server that the tables are made on; empty for
	// one server.
	Cluster string
}

// name is what may be a database or a cluster: it is written into statements.
var name = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// ParseAddress reads http(s)://user:password@host:8123/database?cluster=name;
// clickhouse:// is http://. Errors: Invalid, without the address: it has a
// password.
func ParseAddress(text string) (Address, error) {
	refused := fault.New(fault.Invalid, "traces.clickhouse.address")
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Fragment != "" {
		return Address{}, refused
	}
	a := Address{Database: strings.Trim(u.Path, "/"), Cluster: u.Query().Get("cluster"), User: u.User.Username()}
	a.Password, _ = u.User.Password()
	for key := range u.Query() {
		if key != "cluster" {
			return Address{}, refused
		}
	}
	if !name.MatchString(a.Database) || a.Cluster != "" && !name.MatchString(a.Cluster) {
		return Address{}, refused
	}
	scheme, port := u.Scheme, u.Port()
	switch scheme {
	case "clickhouse":
		scheme = "http"
	case "http", "https":
	default:
		return Address{}, refused
	}
	if port == "" {
		port = map[string]string{"http": "8123", "https": "8443"}[scheme]
	}
	a.URL = scheme + "://" + u.Hostname() + ":" + port
	if strings.Contains(u.Hostname(), ":") {
		a.URL = scheme + "://[" + u.Hostname() + "]:" + port
	}
	return a, nil
}
