package pull

import (
	"cmp"
	"slices"
)

// kinds are those of the columns of the key.
func (p *Pull) kinds() []string {
	out := make([]string, len(p.Settings.Key))
	for i, k := range p.Settings.Key {
		out[i] = p.Settings.Columns[p.Settings.column(k)].Kind
	}
	return out
}

// less tells whether a key comes before another.
func less(a, b, kinds []string) bool {
	for i, kind := range kinds {
		order := cmp.Compare(a[i], b[i])
		if kind != Text {
			order = cmp.Compare(measure(a[i], kind), measure(b[i], kind))
		}
		if order != 0 {
			return order < 0
		}
	}
	return false
}

func sortMemos(list []memo) {
	slices.SortFunc(list, func(a, b memo) int {
		if order := cmp.Compare(a.at, b.at); order != 0 {
			return order
		}
		return cmp.Compare(a.mark, b.mark)
	})
}
