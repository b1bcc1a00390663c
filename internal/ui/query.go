package ui

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Query is the state of a list, kept in its address: filters, sort, page.
// Every link it makes keeps the rest, so that Back and sharing work.
type Query struct {
	path   string
	values url.Values
}

// The query names of the sort and of the page.
const (
	sortName = "tri"
	pageName = "page"
)

// Query returns the state of the list this page shows.
func (c *Context) Query() Query {
	return Query{path: c.Request.URL.Path, values: c.Request.URL.Query()}
}

// Get is one filter, without spaces around it.
func (q Query) Get(name string) string { return strings.TrimSpace(q.values.Get(name)) }

// List is a filter with several values, written "a,b" or repeated.
func (q Query) List(name string) []string {
	var out []string
	for _, v := range q.values[name] {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}

// With is the address of the same list with one filter changed ("" drops it),
// from its first page.
func (q Query) With(name string, values ...string) string {
	next := q.copy()
	next.Del(pageName)
	text := strings.Join(values, ",")
	if text == "" {
		next.Del(name)
	} else {
		next.Set(name, text)
	}
	return q.address(next)
}

// Toggle is With that adds a value to a filter, or takes it out.
func (q Query) Toggle(name, value string) string {
	list := q.List(name)
	if i := slices.Index(list, value); i >= 0 {
		return q.With(name, slices.Delete(list, i, i+1)...)
	}
	return q.With(name, append(list, value)...)
}

// Has tells whether the filter holds the value.
func (q Query) Has(name, value string) bool { return slices.Contains(q.List(name), value) }

// Sort is the sorted column and its direction; allowed are the columns that
// exist, the first one the default.
func (q Query) Sort(allowed ...string) (column string, descending bool) {
	column, descending = strings.CutPrefix(q.Get(sortName), "-")
	if slices.Contains(allowed, column) {
		return column, descending
	}
	if len(allowed) > 0 {
		return allowed[0], false
	}
	return "", false
}

// SortLink is the address of the list sorted by the column, the other way
// round when it is already.
func (q Query) SortLink(column string) string {
	if q.Get(sortName) == column {
		return q.With(sortName, "-"+column)
	}
	return q.With(sortName, column)
}

// Direction is the aria-sort of a column: "ascending", "descending" or "".
func (q Query) Direction(column string) string {
	switch q.Get(sortName) {
	case column:
		return "ascending"
	case "-" + column:
		return "descending"
	}
	return ""
}

// Page is the page asked for, from 1.
func (q Query) Page() int {
	n, err := strconv.Atoi(q.Get(pageName))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// PageLink is the address of another page of the same list.
func (q Query) PageLink(n int) string {
	next := q.copy()
	next.Set(pageName, strconv.Itoa(n))
	if n <= 1 {
		next.Del(pageName)
	}
	return q.address(next)
}

// At is the address of the same filters under another path (an export).
func (q Query) At(path string) string { return Query{path: path, values: q.values}.address(q.copy()) }

func (q Query) copy() url.Values {
	out := make(url.Values, len(q.values))
	for k, v := range q.values {
		out[k] = slices.Clone(v)
	}
	return out
}

func (q Query) address(values url.Values) string {
	for k, v := range values {
		if len(v) == 0 || (len(v) == 1 && v[0] == "") {
			values.Del(k)
		}
	}
	if len(values) == 0 {
		return q.path
	}
	return q.path + "?" + strings.ReplaceAll(values.Encode(), "%2C", ",")
}

// Pager cuts a list of Total items in pages of Size.
type Pager struct {
	Query       Query
	Size, Total int
}

// Pager returns the pager of this list.
func (q Query) Pager(total, size int) Pager { return Pager{Query: q, Size: size, Total: total} }

// Pages is how many pages there are, at least one.
func (p Pager) Pages() int { return max(1, (p.Total+p.Size-1)/p.Size) }

// Current is the page shown: the last one when the one asked for is past it.
func (p Pager) Current() int { return min(p.Query.Page(), p.Pages()) }

// Offset is how many items come before this page.
func (p Pager) Offset() int { return (p.Current() - 1) * p.Size }

// First and Last are the ranks of the items shown, from 1; 0 when there is none.
func (p Pager) First() int { return min(p.Offset()+1, p.Total) }

// Last is the rank of the last item shown.
func (p Pager) Last() int { return min(p.Offset()+p.Size, p.Total) }
