package alerting

import "testing"

func TestWithoutLink(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, want string }{
		{"the last sentence", "PLAN BLANC. Venez si vous pouvez. Rép 1 oui 2 non ou {lien}", "PLAN BLANC. Venez si vous pouvez."},
		{"in the middle", "Afflux. Répondez : {lien} avant 8 h. Merci.", "Afflux. Merci."},
		{"nothing else", "Répondez ici : {lien}", "Répondez ici"},
		{"a line of its own", "Pouvez-vous venir ?\n{lien}\nPassez par A.", "Pouvez-vous venir ?\n\nPassez par A."},
		{"no link", "Ne venez pas.", "Ne venez pas."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := withoutLink(tt.body); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
