package lab_test

import (
	"maps"
	"testing"

	"tocsin/internal/alerting/reply"
	"tocsin/internal/lab"
)

func TestWhatAPersonUnderstands(t *testing.T) {
	t.Parallel()
	const link = "http://127.0.0.1:8080/r/abcd2345efgh"
	for text, want := range map[string]struct {
		asks, exercise bool
		link, only     string
		keys           map[lab.Intent]string
	}{
		"CHSA : PLAN BLANC. Afflux. Venez si vous pouvez. Rép 1 oui 2 non ou " + link: {asks: true, link: link, keys: map[lab.Intent]string{lab.Coming: "1", lab.Unavailable: "2"}},
		"EXERCICE CHSA : PLAN BLANC. Répondez 1=je viens, 2=je ne peux pas, 3=déjà sur place, 4=rappelez-moi": {
			asks: true, exercise: true,
			keys: map[lab.Intent]string{lab.Coming: "1", lab.Unavailable: "2", lab.OnSite: "3", lab.CallMe: "4"},
		},
		"CHSA : CONFINEMENT bât. 3. Rentrez. Rép 1 abrité 2 absent 3 aide ou " + link + ".": {
			asks: true, link: link,
			keys: map[lab.Intent]string{lab.OnSite: "1", lab.Unavailable: "2", lab.CallMe: "3"},
		},
		"TEST CHSA : essai mensuel, ne venez pas. Confirmez votre numéro : Rép 1 ou " + link:       {asks: true, exercise: true, link: link, only: "1"},
		"CHSA: CYBER ATTACK. Leave it on. Can you come? Reply 1 yes 2 no or " + link:               {asks: true, link: link, keys: map[lab.Intent]string{lab.Coming: "1", lab.Unavailable: "2"}},
		"CHSA : fin d’alerte, merci à tous. 312 collègues sont venus, présents à 8 h.":             {},
		"CHSA : le plan blanc continue. Si vous venez, passez par l’accueil des renforts.":         {},
		"Réunion à 14:30 en salle 2 : présence de tous. Contestation possible.":                    {},
		"CHSA : à 2 h, renfort demandé. Salle 3 : présents. Rép. 1 je viens 2 pas disponible":      {asks: true, keys: map[lab.Intent]string{lab.Coming: "1", lab.Unavailable: "2"}},
		"CHSA : réponse notée, merci. Représentez-vous à l’accueil, le test de l’alerte est fini.": {},
	} {
		n := lab.ReadNotice(text)
		if n.Asks() != want.asks || n.Exercise() != want.exercise || n.Link() != want.link || n.Only() != want.only || !maps.Equal(n.Keys(), want.keys) {
			t.Errorf("%q:\n asks %v, exercise %v, link %q, only %q, keys %v", text, n.Asks(), n.Exercise(), n.Link(), n.Only(), n.Keys())
		}
	}
}

// What people write must be read by the parser of the product as they mean it:
// otherwise the figures of the demonstration are noise.
func TestPeopleAreUnderstood(t *testing.T) {
	t.Parallel()
	kinds := map[lab.Intent]reply.Kind{
		lab.Coming: reply.Coming, lab.OnSite: reply.OnSite, lab.Unavailable: reply.Unavailable,
		lab.CallMe: reply.CallMe, lab.Stop: reply.Stop, lab.Unclear: reply.Unknown,
	}
	p := lab.DefaultPopulation()
	p.Link, p.Second = 0, 0.3
	for _, text := range []string{"CHSA : PLAN BLANC. Répondez 1 je viens 2 non", "EXERCICE CHSA : répondez", "CHSA: please reply, hospital alert"} {
		n := lab.ReadNotice(text)
		wrong, said := map[string]reply.Result{}, map[string]bool{}
		total := 0
		for i := range 4000 {
			for _, s := range p.Telephone(number(i)).First(n) {
				total++
				said[s.Words] = true
				r := reply.Parse(s.Words)
				byKey := r.Key != "" && r.Key == n.Keys()[s.Intent]
				if !byKey && r.Kind != kinds[s.Intent] {
					wrong[string(s.Intent)+": "+s.Words] = r
				}
				if r.Kind == reply.Coming && r.Minutes >= 0 && r.Minutes != s.Minutes {
					wrong[string(s.Intent)+": "+s.Words+" (minutes)"] = r
				}
			}
		}
		for w, r := range wrong {
			t.Errorf("%q is read %+v", w, r)
		}
		if total < 2500 || len(said) < 30 {
			t.Errorf("%d answers in %d spellings: people are not that alike", total, len(said))
		}
	}
}

func TestWhoAnswersWhat(t *testing.T) {
	t.Parallel()
	p := lab.DefaultPopulation()
	p.Link, p.Exercise = 1, 0.5
	asked := lab.ReadNotice("CHSA : Rép 1 oui 2 non ou http://127.0.0.1/r/x")
	exercise := lab.ReadNotice("EXERCICE CHSA : Rép 1 oui 2 non ou http://127.0.0.1/r/x")
	without := lab.ReadNotice("CHSA : Rép 1 oui 2 non")
	inLife, inExercise, woken := 0, 0, 0
	for i := range 2000 {
		who := p.Telephone(number(i))
		first := who.First(asked)
		inLife += len(first)
		inExercise += len(who.First(exercise))
		woken += len(who.Woken(asked))
		if len(first) > 0 && len(who.Woken(asked)) > 0 {
			t.Fatal("somebody who answered answers the reminder too")
		}
		for _, s := range who.First(without) {
			if s.Link {
				t.Fatal("somebody follows a link that is not there")
			}
		}
		if len(first) > 0 && first[0].Link == (first[0].Intent == lab.Unclear || first[0].Intent == lab.Stop) {
			t.Fatalf("%+v: the page has no button for that", first[0])
		}
	}
	if inExercise*10 > inLife*6 || inExercise*10 < inLife*4 {
		t.Errorf("%d answers in an exercise, %d in life: half was asked", inExercise, inLife)
	}
	if woken < 100 {
		t.Errorf("a reminder wakes %d people of 2000", woken)
	}
}
