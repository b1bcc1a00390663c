package pull

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/fault"
)

// Settings are where the rows are and how they are fetched. They hold no secret.
type Settings struct {
	Driver   string `json:"driver"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Database string `json:"database"` // the service of Oracle
	User     string `json:"user"`
	TLS      string `json:"tls"`

	// Schema and Table are the table or view; Columns are read, all of them, in
	// this order.
	Schema  string   `json:"schema"`
	Table   string   `json:"table"`
	Columns []Column `json:"columns"`
	// Key are the columns that grow with each row, the first the strongest.
	Key []string `json:"key"`
	// Overlap is how far back each reading begins again, for rows committed late:
	// minutes of a time, units of a number.
	Overlap int `json:"overlap"`
	// Rate is in rows a second; From and To are hours of the day of the source
	// between which the database may be asked: equal, always.
	Rate int `json:"rate"`
	From int `json:"from"`
	To   int `json:"to"`
	// Every is the wait, in seconds, once there is nothing more.
	Every int `json:"every"`
}

// Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// The kinds of column, as far as a key wants to know.
const (
	Number = "number"
	Time   = "time"
	Text   = "text"
)

// The ways of securing the connection.
const (
	TLSOn         = "on"         // the certificate is checked
	TLSUnverified = "unverified" // it is not
	TLSOff        = "off"
)

// Bounds.
const (
	nameMost    = 128
	rateMost    = 5000
	overlapMost = 1_000_000
	keyMost     = 3
	columnsMost = 300
)

// connection checks what a connection needs. Errors: Invalid with its field.
func (s Settings) connection() error {
	switch {
	case dialects[s.Driver].name == "":
		return fault.New(fault.Invalid, "traces.pull.driver").At("driver")
	case s.Host == "" || len(s.Host) > 253 || strings.ContainsAny(s.Host, "/\\@:?# \t\r\n\x00(),"):
		return fault.New(fault.Invalid, "traces.pull.host").At("host")
	case s.Port < 1 || s.Port > 65535:
		return fault.New(fault.Invalid, "traces.pull.port").At("port")
	case !named(s.Database):
		return fault.New(fault.Invalid, "traces.pull.database").At("database")
	case !named(s.User):
		return fault.New(fault.Invalid, "traces.pull.user").At("user")
	case !slices.Contains([]string{TLSOn, TLSUnverified, TLSOff}, s.TLS):
		return fault.New(fault.Invalid, "traces.pull.tls").At("tls")
	}
	return nil
}

func named(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= nameMost && !strings.ContainsAny(s, "\r\n\x00")
}

// check checks all of them. Errors: Invalid with its field.
func (s Settings) check() error {
	if err := s.connection(); err != nil {
		return err
	}
	switch {
	case !named(s.Table):
		return fault.New(fault.Invalid, "traces.pull.table").At("table")
	case len(s.Columns) == 0 || len(s.Columns) > columnsMost:
		return fault.New(fault.Invalid, "traces.pull.columns", "most", columnsMost).At("table")
	case s.Rate < 1 || s.Rate > rateMost:
		return fault.New(fault.Invalid, "traces.pull.rate", "most", rateMost).At("rate")
	case s.Overlap < 0 || s.Overlap > overlapMost:
		return fault.New(fault.Invalid, "traces.pull.overlap", "most", overlapMost).At("overlap")
	case s.From < 0 || s.From > 23 || s.To < 0 || s.To > 23:
		return fault.New(fault.Invalid, "traces.pull.hours").At("from")
	case s.Every < 5 || s.Every > 24*3600:
		return fault.New(fault.Invalid, "traces.pull.every").At("every")
	case len(s.Key) == 0 || len(s.Key) > keyMost:
		return fault.New(fault.Invalid, "traces.pull.key").At("key")
	}
	for _, k := range s.Key {
		if s.column(k) < 0 {
			return fault.New(fault.Invalid, "traces.pull.key").At("key")
		}
	}
	return nil
}

// column is the place of a column, -1 when it is none.
func (s Settings) column(name string) int {
	return slices.IndexFunc(s.Columns, func(c Column) bool { return c.Name == name })
}

// names are those of the columns.
func (s Settings) names() []string {
	out := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		out[i] = c.Name
	}
	return out
}

// open tells whether the database may be asked at a time of the source.
func (s Settings) open(now time.Time) bool {
	h := now.Hour()
	switch {
	case s.From == s.To:
		return true
	case s.From < s.To:
		return h >= s.From && h < s.To
	}
	return h >= s.From || h < s.To
}

// sameTable tells that a place in the table stays one.
func (s Settings) sameTable(o Settings) bool {
	return s.Driver == o.Driver && s.Host == o.Host && s.Port == o.Port && s.Database == o.Database && s.Schema == o.Schema && s.Table == o.Table && slices.Equal(s.Key, o.Key)
}

// address is where the database is, as it is noted.
func (s Settings) address() string { return s.Driver + "://" + s.Host + ":" + strconv.Itoa(s.Port) }
