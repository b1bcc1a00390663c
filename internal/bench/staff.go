package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// staffFile is the name of the staff file of a house.
const staffFile = "personnel.csv"

// writeStaff writes the staff file of an invented group of n people: four
// sites, 160 services, names that repeat as names do, a number and a mailbox
// for each. Nobody can be reached: the peers are on this machine.
func writeStaff(path string, n int, desks bool) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("staff file: %w", err)
	}
	w := bufio.NewWriterSize(f, 1<<16)
	if err := staff(w, n, desks); err != nil {
		return fmt.Errorf("staff file: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("staff file: %w", err)
	}
	return f.Close()
}

// services is how many the file has, in turns.
const services = 160

func serviceName(k int) string { return fmt.Sprintf("Service %d", k) }

// peopleOf is how many of the first n people of the file are in its first services.
func peopleOf(n, of int) int { return n/services*of + min(n%services, of) }

func staff(w io.Writer, n int, desks bool) error {
	if _, err := fmt.Fprint(w, "Matricule;Nom;Prénom;Métier;Service;Site;Mobile;Poste;Courriel\n"); err != nil {
		return err
	}
	starts := []string{"Mar", "Ber", "Du", "Le", "Gar", "Mo", "Ro", "Fau", "Gi", "Bon", "Cha", "Per", "Lam", "Vi", "Sau", "Bou", "De", "Ri", "Cor", "Al"}
	ends := []string{"tin", "nard", "pont", "grand", "nier", "reau", "bert", "cher", "rard", "net", "bot", "rin", "lot", "dal", "vage", "vier", "lmas", "card", "dier", "lain"}
	firsts := []string{
		"Camille", "Élodie", "François", "Hélène", "Inès", "Jérôme", "Karim", "Léa", "Mamadou", "Noémie", "Olivier", "Pascale", "Quentin",
		"Raphaël", "Sophie", "Thomas", "Ugo", "Valérie", "Xavier", "Yasmina", "Zoé", "Anne-Sophie", "Benoît", "Chloé", "David", "Émilie", "Fatou",
	}
	jobs := []string{"IDE", "Aide-soignante", "IADE", "Médecin urgentiste"}
	for i := range n {
		desk := ""
		if desks {
			desk = fmt.Sprintf("poste %d", 10_000+i%9_000)
		}
		_, err := fmt.Fprintf(w, "M%06d;%s%s;%s;%s;%s;Site %d;06 %02d %02d %02d %02d;%s;agent%d@banc.example\n",
			i, starts[i%len(starts)], ends[i/len(starts)%len(ends)], firsts[i%len(firsts)], jobs[i%len(jobs)], serviceName(i%services), i%4,
			1+i/1_000_000%8, i/10_000%100, i/100%100, i%100, desk, i)
		if err != nil {
			return err
		}
	}
	return nil
}
