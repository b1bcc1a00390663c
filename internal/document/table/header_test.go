package table_test

import (
	"strings"
	"testing"
)

// TestHeaderIsFound tries the tops of the files that hospitals send.
func TestHeaderIsFound(t *testing.T) {
	t.Parallel()
	data := "\n001;DUPONT;Zoé;Réanimation;0639981234;zoe@ch.example\n002;MARTIN;Léa;Urgences;0639981235;lea@ch.example\n"
	for _, c := range []struct {
		name, top, header string
		line, titles      int
	}{
		{"plain", "Matricule;Nom;Prénom;Service;Mobile;Courriel", "Matricule|Nom|Prénom|Service|Mobile|Courriel", 1, 0},
		{"upper case", "MATRICULE;NOM;PRÉNOM;UF;TÉL;MÉL", "MATRICULE|NOM|PRÉNOM|UF|TÉL|MÉL", 1, 0},
		{"english", "Id;Last name;First name;Ward;Phone;Email", "Id|Last name|First name|Ward|Phone|Email", 1, 0},
		{"unknown words", "Zig;Zag;Zug;Zeg;Zog;Zyg", "Zig|Zag|Zug|Zeg|Zog|Zyg", 1, 0},
		{"title", "Liste des agents\nMatricule;Nom;Prénom;Service;Mobile;Courriel", "Matricule|Nom|Prénom|Service|Mobile|Courriel", 2, 1},
		{"title over the columns", "CH de Valmont;;;;;\nÉdité le;12/03/2026;;;;\n;;;;;\nMatricule;Nom;Prénom;Service;Mobile;Courriel", "Matricule|Nom|Prénom|Service|Mobile|Courriel", 4, 2},
		{"two rows of header", "Agent;;;Affectation;Contact;\nMatricule;Nom;Prénom;Service;Mobile;Courriel", "Matricule|Nom|Prénom|Service|Mobile|Courriel", 2, 1},
		{"numbered names", "Matricule;Nom;Prénom;Service;Tél 1;Tél 2", "Matricule|Nom|Prénom|Service|Tél 1|Tél 2", 1, 0},
		{"a name on two lines", "Matricule;Nom;Prénom;Service;\"N° de\nmobile\";Courriel", "Matricule|Nom|Prénom|Service|N° de mobile|Courriel", 1, 0},
		{"a column without a name", "Matricule;;Prénom;Service;Mobile;Courriel", "Matricule||Prénom|Service|Mobile|Courriel", 1, 0},
		{"spaces", "  Matricule ; Nom  de  famille;Prénom;Service;Mobile;Courriel", "Matricule|Nom de famille|Prénom|Service|Mobile|Courriel", 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, c.top+data)
			f := s.Format()
			if got := strings.Join(s.Header(), "|"); got != c.header || f.HeaderLine != c.line || len(f.Titles) != c.titles {
				t.Errorf("header %q on line %d under %d titles, want %q on %d under %d", got, f.HeaderLine, len(f.Titles), c.header, c.line, c.titles)
			}
			if rows := dump(t, s); strings.Count(rows, "\n") != 1 || strings.Contains(rows, "!") {
				t.Errorf("rows %q, want the two agents", rows)
			}
		})
	}
}

// TestNoHeader: data is never taken for names, and columns get letters.
func TestNoHeader(t *testing.T) {
	t.Parallel()
	wide := strings.TrimSuffix(strings.Repeat("1;", 28), ";")
	for _, c := range []struct{ content, header string }{
		{"001;DUPONT;0639981234\n002;MARTIN;0639981235\n", "A|B|C"},
		{"zoe@ch.example;1\nlea@ch.example;2\n", "A|B"},
		{wide + "\n" + wide + "\n", "A|B|C|D|E|F|G|H|I|J|K|L|M|N|O|P|Q|R|S|T|U|V|W|X|Y|Z|AA|AB"},
	} {
		s := open(t, c.content)
		if got := strings.Join(s.Header(), "|"); got != c.header || s.Format().HeaderLine != 0 {
			t.Errorf("header %q on line %d, want %q", got, s.Format().HeaderLine, c.header)
		}
		if rows := dump(t, s); !strings.HasPrefix(rows, "1: ") || strings.Count(rows, "\n") != 1 {
			t.Errorf("rows %q", rows)
		}
	}
}

// TestDelimiterIsGuessed tries texts where another sign is more frequent than
// the delimiter.
func TestDelimiterIsGuessed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ content, delimiter, first string }{
		{"Nom;Adresse\nA;1, rue, du, Bac\nB;2, rue, des, Prés, hauts\n", ";", "A|1, rue, du, Bac"},
		{"Nom,Heure\nA,\"1;2;3\"\nB,\"4;5;6\"\n", ",", "A|1;2;3"},
		{"Nom\tNote\nA\tun, deux; trois\nB\tx\n", "\t", "A|un, deux; trois"},
		{"Nom|Note|Site\nA|un; deux|N\nB|x; y|S\n", "|", "A|un; deux|N"},
		{"Liste, au 12/03\nNom;Prénom\nA;B\nC;D\n", ";", "A|B"},
		{"Nom\nDupont, Zoé\nMartin\nPetit\n", ";", "Dupont, Zoé"},
	} {
		s := open(t, c.content)
		row, err := s.Next()
		if got := strings.Join(row.Cells, "|"); err != nil || s.Format().Delimiter != c.delimiter || got != c.first {
			t.Errorf("%q: delimiter %q, row %q, %v; want %q and %q", c.content, s.Format().Delimiter, got, err, c.delimiter, c.first)
		}
	}
}
