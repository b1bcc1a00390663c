package ui_test

import (
	"slices"
	"testing"

	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// queryOf is the state of a list shown at the address.
func queryOf(t *testing.T, address string) ui.Query {
	t.Helper()
	var q ui.Query
	r := uitest.House(t, ui.Visitor{}, nil)
	r.Get("/annuaire", ui.Public, func(c *ui.Context) error {
		q = c.Query()
		return hello(c)
	})
	uitest.Get(t, r, address).Want(200)
	return q
}

func TestLinksKeepTheRestOfTheList(t *testing.T) {
	t.Parallel()
	q := queryOf(t, "/annuaire?q=mar&etat=a,b&etat=c&tri=nom&page=3&vide=")
	tests := []struct{ name, got, want string }{
		{"page", q.PageLink(4), "/annuaire?etat=a,b&etat=c&page=4&q=mar&tri=nom"},
		{"first page", q.PageLink(1), "/annuaire?etat=a,b&etat=c&q=mar&tri=nom"},
		{"filter goes back to the first page", q.With("q", "dub"), "/annuaire?etat=a,b&etat=c&q=dub&tri=nom"},
		{"filter dropped", q.With("q"), "/annuaire?etat=a,b&etat=c&tri=nom"},
		{"value added", q.Toggle("etat", "d"), "/annuaire?etat=a,b,c,d&q=mar&tri=nom"},
		{"value taken out", q.Toggle("etat", "b"), "/annuaire?etat=a,c&q=mar&tri=nom"},
		{"sort by another", q.SortLink("service"), "/annuaire?etat=a,b&etat=c&q=mar&tri=service"},
		{"sort the other way", q.SortLink("nom"), "/annuaire?etat=a,b&etat=c&q=mar&tri=-nom"},
		{"same filters, other path", q.At("/annuaire.csv"), "/annuaire.csv?etat=a,b&etat=c&page=3&q=mar&tri=nom"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	if list := q.List("etat"); !slices.Equal(list, []string{"a", "b", "c"}) {
		t.Errorf("etat is %q", list)
	}
	if !q.Has("etat", "c") || q.Has("etat", "z") {
		t.Error("Has is wrong")
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	tests := []struct {
		address, column string
		down            bool
		direction       string
	}{
		{"/annuaire", "nom", false, ""},
		{"/annuaire?tri=service", "service", false, "ascending"},
		{"/annuaire?tri=-service", "service", true, "descending"},
		{"/annuaire?tri=password", "nom", false, ""},
	}
	for _, tt := range tests {
		q := queryOf(t, tt.address)
		column, down := q.Sort("nom", "service")
		if column != tt.column || down != tt.down || q.Direction("service") != tt.direction {
			t.Errorf("%s: %s %v %q, want %s %v %q", tt.address, column, down, q.Direction("service"), tt.column, tt.down, tt.direction)
		}
	}
}

func TestPager(t *testing.T) {
	t.Parallel()
	tests := []struct {
		address                             string
		total                               int
		pages, current, offset, first, last int
	}{
		{"/annuaire", 0, 1, 1, 0, 0, 0},
		{"/annuaire", 50, 1, 1, 0, 1, 50},
		{"/annuaire?page=2", 51, 2, 2, 50, 51, 51},
		{"/annuaire?page=99", 120, 3, 3, 100, 101, 120},
		{"/annuaire?page=-4", 120, 3, 1, 0, 1, 50},
		{"/annuaire?page=x", 120, 3, 1, 0, 1, 50},
	}
	for _, tt := range tests {
		p := queryOf(t, tt.address).Pager(tt.total, 50)
		got := []int{p.Pages(), p.Current(), p.Offset(), p.First(), p.Last()}
		if want := []int{tt.pages, tt.current, tt.offset, tt.first, tt.last}; !slices.Equal(got, want) {
			t.Errorf("%s of %d: %v, want %v", tt.address, tt.total, got, want)
		}
	}
}
