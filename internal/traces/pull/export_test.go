package pull

// Page shows the query of a page to the tests.
func Page(s Settings, after []any, rows int) (string, []any) {
	return dialects[s.Driver].page(s, after, false, rows)
}
