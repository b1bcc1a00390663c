package ui_test

import (
	"testing"
	"time"

	"github.com/a-h/templ"

	"tocsin/internal/access"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// shown renders parts as the answer to a request for the address.
func shown(t *testing.T, address string, parts func(c *ui.Context) templ.Component) *uitest.Page {
	t.Helper()
	r := uitest.House(t, uitest.As(access.Reader), nil)
	r.Get("/liste", ui.SignedIn, func(c *ui.Context) error { return c.Render(parts(c)) })
	return uitest.Get(t, r, address).Want(200)
}

func TestTableSaysHowItIsSorted(t *testing.T) {
	t.Parallel()
	p := shown(t, "/liste?tri=-nom&q=a", func(c *ui.Context) templ.Component {
		return ui.Table(ui.TableSpec{Caption: "Personnes", Query: c.Query(), Rows: 1, Columns: []ui.Column{{Label: "Nom", Sort: "nom"}, {Label: "Mobile"}, {Label: "Délai", Sort: "delai", Class: "number"}}})
	})
	p.Count("th", 3).Count("th[aria-sort]", 1).Value("th:first-child", "aria-sort", "descending")
	p.Value("th:first-child a", "href", "/liste?q=a&tri=nom").Lacks("th:nth-child(2) a").Has("th.number a")
	p.Says("caption", "Personnes").Has(".table[tabindex='0'][aria-label=Personnes]")
}

func TestEmptyTableSaysSo(t *testing.T) {
	t.Parallel()
	p := shown(t, "/liste", func(*ui.Context) templ.Component {
		return ui.Table(ui.TableSpec{Caption: "Alertes", Empty: "Aucune alerte."})
	})
	p.Lacks("table").Says(".empty-row", "Aucune alerte.")
	shown(t, "/liste", func(*ui.Context) templ.Component { return ui.Table(ui.TableSpec{}) }).Says(".empty-row", "Rien à afficher")
}

func TestPagerLinks(t *testing.T) {
	t.Parallel()
	pager := func(total int) func(c *ui.Context) templ.Component {
		return func(c *ui.Context) templ.Component { return ui.Pages(c.Query().Pager(total, 50)) }
	}
	shown(t, "/liste?page=2&q=a", pager(312)).
		Says(".pager p", "51 à 100 sur 312").Says(".pager-now", "Page 2 sur 7").
		Value("a[rel=next]", "href", "/liste?page=3&q=a").Value("a[rel=prev]", "href", "/liste?q=a").
		Count(".pager a[aria-label]", 4)
	shown(t, "/liste?page=7", pager(312)).Count(".pager a", 2).Lacks("a[rel=next]")
	shown(t, "/liste", pager(50)).Lacks(".pager a").Says(".pager p", "1 à 50 sur 50")
	shown(t, "/liste", pager(0)).Lacks(".pager")
}

func TestMeterIsDrawnToScale(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                 string
		spec                 ui.MeterSpec
		value, second, quota string
	}{
		{"half", ui.MeterSpec{Value: 5, Max: 10}, "500", "500", ""},
		{"coming", ui.MeterSpec{Value: 2, Second: 3, Max: 10, Quota: 8}, "200", "500", "800"},
		{"more than wanted", ui.MeterSpec{Value: 30, Max: 10, Quota: 20}, "1000", "1000", "666"},
		{"quota above the people there are", ui.MeterSpec{Value: 5, Max: 10, Quota: 20}, "250", "250", "1000"},
		{"nobody", ui.MeterSpec{}, "0", "0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := shown(t, "/liste", func(*ui.Context) templ.Component { return ui.Meter(tt.spec) })
			p.Value(".meter-value", "width", tt.value).Value(".meter-second", "width", tt.second)
			if tt.quota == "" {
				p.Lacks(".meter-quota")
				return
			}
			p.Value(".meter-quota", "x1", tt.quota).Says(".meter-figures", "Quota")
		})
	}
}

func TestClocks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in                 time.Duration
		countdown, elapsed string
	}{
		{4*time.Minute + 59*time.Second, "04:59", "00:00"},
		{0, "00:00", "00:00"},
		{-time.Hour - 2*time.Minute - 3*time.Second, "00:00", "1:02:03"},
		{90 * time.Minute, "1:30:00", "00:00"},
	}
	for _, tt := range tests {
		at := uitest.Noon().Add(tt.in)
		shown(t, "/liste", func(c *ui.Context) templ.Component { return ui.Countdown(c, at) }).
			Says("time[data-countdown]", tt.countdown).Value("time", "datetime", at.Format(time.RFC3339))
		shown(t, "/liste", func(c *ui.Context) templ.Component { return ui.Elapsed(c, at) }).Says("time[data-elapsed]", tt.elapsed)
	}
	shown(t, "/liste", func(c *ui.Context) templ.Component { return ui.Ago(c, uitest.Noon().Add(-3*time.Minute)) }).
		Says("time", "il y a 3 min").Value("time", "datetime", "2026-11-22T10:57:00Z")
}

func TestStepsSayWhereOneIs(t *testing.T) {
	t.Parallel()
	p := shown(t, "/liste", func(*ui.Context) templ.Component { return ui.Steps([]string{"Fichier", "Colonnes", "Aperçu"}, 1) })
	p.Count("li.done", 1).Count("li[aria-current=step]", 1).Says("li[aria-current=step]", "Colonnes (en cours)")
}

func TestEveryToneHasItsShapeAndWord(t *testing.T) {
	t.Parallel()
	shapes := map[string]ui.Tone{}
	for _, tone := range []ui.Tone{ui.Information, ui.Attention, ui.Alert, ui.Critical, ui.Success, ui.Neutral} {
		p := shown(t, "/liste", func(*ui.Context) templ.Component { return ui.Message(tone, "texte") })
		drawn := uitest.Attribute(p.Find("svg.shape path")[0], "d")
		if other, taken := shapes[drawn]; taken {
			t.Errorf("%s and %s have the same shape", tone, other)
		}
		shapes[drawn] = tone
		if word := uitest.Text(p.Find(".message strong")[0]); word == "" || word[0] == '\xe2' {
			t.Errorf("%s has no word: %q", tone, word)
		}
	}
}

func TestEveryIconIsDrawn(t *testing.T) {
	t.Parallel()
	for _, name := range ui.Icons() {
		p := shown(t, "/liste", func(*ui.Context) templ.Component { return ui.Icon(name) })
		if uitest.Attribute(p.Find("path")[0], "d") == "" {
			t.Errorf("icon %s is empty", name)
		}
	}
}

func TestLinksCannotRunScripts(t *testing.T) {
	t.Parallel()
	p := shown(t, "/liste", func(*ui.Context) templ.Component {
		return ui.Button(ui.ButtonSpec{Label: "x", Href: "javascript:alert(1)"})
	})
	if href := uitest.Attribute(p.Find("a")[0], "href"); href == "javascript:alert(1)" {
		t.Error("a link runs a script")
	}
}
