package ldap

import (
	"context"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"tocsin/internal/directory/feed"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
)

const (
	// valueLimit is how much of one attribute is kept; a photograph is no phone number.
	valueLimit = 500
	// valuesLimit is how many values of one attribute are kept.
	valuesLimit = 8
	// entriesMost ends a reading that never ends.
	entriesMost = 250_000
)

// The attributes that name an entry for good, whatever its place in the tree.
const (
	guidAD = "objectGUID"
	guid   = "entryUUID"
	flags  = "userAccountControl"
)

// disabledFlag is ADS_UF_ACCOUNTDISABLE of userAccountControl.
const disabledFlag = 0x2

// rows are the people of a server, page by page.
type rows struct {
	conn     *ldap.Conn
	request  *ldap.SearchRequest
	paging   *ldap.ControlPaging
	header   []string
	disabled bool // left out
	entries  []*ldap.Entry
	line     int
	last     bool
	stop     func() bool
}

func newRows(ctx context.Context, conn *ldap.Conn, s feed.Settings, page uint32) *rows {
	r := &rows{conn: conn, paging: ldap.NewControlPaging(page), header: slices.Compact(strings.Fields(s[setColumns])), disabled: s[setDisabled] == "true"}
	r.stop = context.AfterFunc(ctx, func() { closeQuietly(conn) })
	wanted := append(slices.Clone(r.header), guidAD, guid, flags)
	r.request = ldap.NewSearchRequest(s[setBase], ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, int(patience.Seconds()), false, s[setFilter], wanted, []ldap.Control{r.paging})
	return r
}

// Header implements directory.Rows: the key of the server, then the attributes.
func (r *rows) Header() []string { return append([]string{feed.KeyColumn}, r.header...) }

// Format implements directory.Rows.
func (r *rows) Format() table.Format { return table.Format{Kind: "ldap", Encoding: "UTF-8"} }

// Close ends the conversation.
func (r *rows) Close() {
	r.stop()
	closeQuietly(r.conn)
}

// Next implements directory.Rows. A page that does not come is an error: a list
// that is shorter than the server's would make people leave.
func (r *rows) Next() (table.Row, error) {
	for {
		for len(r.entries) > 0 {
			e := r.entries[0]
			r.entries = r.entries[1:]
			r.line++
			if r.line > entriesMost {
				return table.Row{}, fault.New(fault.Unavailable, "directory.feed.ldap.too_many", "most", entriesMost)
			}
			if !r.disabled || !accountDisabled(e) {
				return r.row(e), nil
			}
		}
		if r.last {
			return table.Row{}, io.EOF
		}
		if err := r.fetch(); err != nil {
			return table.Row{}, err
		}
	}
}

// fetch asks for one page.
func (r *rows) fetch() error {
	answer, err := r.conn.Search(r.request)
	if err != nil {
		return said(err)
	}
	r.entries = answer.Entries
	// Referrals (answer.Referrals) lead to other servers: nobody asked for them.
	control, ok := ldap.FindControl(answer.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
	if !ok {
		// The server does not page: what came is all, or the server said that it was not.
		r.last = true
		return nil
	}
	r.paging.SetCookie(control.Cookie)
	r.last = len(control.Cookie) == 0
	return nil
}

func (r *rows) row(e *ldap.Entry) table.Row {
	cells := make([]string, 0, len(r.header)+1)
	cells = append(cells, keyOf(e))
	for _, name := range r.header {
		cells = append(cells, cellOf(e, name))
	}
	return table.Row{Line: r.line, Cells: cells}
}

// keyOf is what names an entry for good; its place in the tree when it has none.
func keyOf(e *ldap.Entry) string {
	for _, name := range []string{guidAD, guid} {
		raw := rawOf(e, name)
		switch {
		case len(raw) == 16 && !utf8.Valid(raw) || len(raw) == 16 && strings.EqualFold(name, guidAD):
			return hex.EncodeToString(raw)
		case len(raw) > 0:
			return clean(string(raw))
		}
	}
	return clean(strings.ToLower(e.DN))
}

func rawOf(e *ldap.Entry, name string) []byte {
	if values := e.GetEqualFoldRawAttributeValues(name); len(values) > 0 {
		return values[0]
	}
	return nil
}

func accountDisabled(e *ldap.Entry) bool {
	n, err := strconv.ParseInt(e.GetEqualFoldAttributeValue(flags), 10, 64)
	return err == nil && n&disabledFlag != 0
}

// cellOf writes the values of an attribute in one cell, as a staff file would.
func cellOf(e *ldap.Entry, name string) string {
	var out []string
	for _, v := range e.GetEqualFoldAttributeValues(name) {
		if v = clean(v); v != "" && len(out) < valuesLimit {
			out = append(out, v)
		}
	}
	return strings.Join(out, " / ")
}

// clean keeps what is text: no control character, no broken UTF-8, no end of line.
func clean(v string) string {
	if len(v) > valueLimit {
		v = v[:valueLimit]
	}
	v = strings.ToValidUTF8(v, "")
	v = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c):
			return -1
		}
		return c
	}, v)
	return strings.TrimSpace(v)
}
