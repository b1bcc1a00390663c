package reply

import "strings"

// sense is what a phrase says in a clause.
type sense int

const (
	nothing  sense = iota
	neutral        // an idiom whose words must not be read apart
	come           // comes
	refuse         // does not come
	onSite         // is there
	call           // wants to be called
	reason         // a reason not to come
	yes            // oui
	okay           // ok
	no             // non
	thanks         // merci, bien reçu: acknowledges without promising
	perhaps        // does not know
	later          // another day
	not            // pas
	never          // ne, before a verb
	question       // asks
)

// phraseTable gives the phrases of each sense, in lemmas and without fillers. The
// longest phrase is taken first; <t> stands for a delay or an hour.
const phraseTable = `
neutral: pas de souci; pas souci; pas soucis; aucun souci; sans souci; non souci; pas hesiter; hesitez pas; pas hesitez; ne hesitez pas; pas mal; pas de panique; pas grave; inquietez pas; pas inquietez
neutral: inquiete pas; bougez pas; bouge pas; pas bouger; si besoin; au besoin; si necessaire; si faut; si il faut; si voulez; si possible; si possible; if needed; si needed; si required; si ca
neutral: pas loin; pas tres loin; pas trop loin; pas de retard; en retard; non stop; sans faute; pas merci; pas de pb; pas faute; suis pas inquiet; si je peux aider; si peux aider; si vous avez besoin; si avez besoin
neutral: pas habillé; pas encore; not far; si need; pas fini; manquerai pas; ne manquerai pas; pas longtemps; pas tard; pas plus tard; pas trop tard; pas que; pas seul; pas seule; merci de; merci d; ok pour
come: viens; arrive; en route; sur la route; sur route; en chemin; suis parti; suis partie; prends la route; prends route; en voiture; dans la voiture; saute dans; prepare; mets en route; suis debout; parti; partie
come: peux venir; peux arriver; vais venir; vais arriver; dispo; volontaire; suis present; serai present; present; serai la; suis la <t>; serai la <t>; la dans <t>; la vers <t>; la a <t>; la <t>; la pour <t>; etre la <t>; peux etre la; vais etre la; peux etre sur place
come: serai sur place; serai sur site; peux etre; compter sur moi; comptez sur moi; compte sur moi; on way; be there; there dans <t>; there at <t>; there <t>; sur place dans <t>; sur place a <t>; sur place <t>; sur place vers <t>; sur site dans <t>; sur site <t>
come: peux aller; vais y; suis dispo; suis volontaire; en approche; en train de venir; en train arriver; suis operationnel; suis operationnelle; suis pret; suis prete; pret a venir; peux me deplacer; peux moi venir; count on moi; suis a <t>; a <t>
come: tout de suite <t>; possible de venir; possible dans <t>; possible a partir <t>; possible vers <t>; possible a <t>; serai dispo; leaving; leaving now; heading; heading dans; dans route; monte dans; je file; je saute; suis des votres; suis a disposition; reste <t>
refuse: peux pas; peux plus; pas peux; ne peux; cant; dont come; viens pas; viens plus; arrive pas a venir; pas venir; pas pouvoir; pas possible; impossible; indispo; pas dispo; plus dispo; pas available; pas la; suis pas la; pas present; serai pas la; serai absent
refuse: pas mesure; pas en mesure; pas etat; pas en etat; incapable; pas en capacite; dans incapacite; pas moyen; aucun moyen; pas des votres; pas compter sur moi; comptez pas sur moi; pas comptez sur moi; ne comptez pas; sans moi; pas volontaire; refuse; decline
refuse: pas able; pas peux venir; pas etre la; pas moi; pas envie; moyen de venir pas; peut pas; peux absolument pas; hors de question; trop loin; ne peut; travaille plus; ne travaille plus; plus dans etablissement; plus partie; quitte etablissement; quitte hopital; quitte hosto
refuse: suis en retraite; a la retraite; retraite; retraitee; ne fais plus partie; fais plus partie; pas for me; pas pour moi; ne viens; ne arrive; pas arrive; pas viens; pas jouable; injoignable; pas coming; appelez pas moi; pas joignable
onSite: sur place; sur site; on site; deja la; deja sur place; deja present; deja arrive; suis la; suis arrive; bien arrive; suis hopital; suis a hopital; a hopital; suis urgences; suis a urgences; suis bloc; suis au bloc; au bloc; suis rea; suis en rea
onSite: de garde; en poste; en service; suis en service; suis en poste; deja au travail; deja travail; deja boulot; au boulot; deja a hopital; deja hopital; deja au bloc; deja bloc; deja en poste; deja de garde; deja dans service; suis dans service; dans service; deja urgences
onSite: suis boulot; suis travail; suis au travail; au travail; on shift; on duty; at work; dans hopital; at hopital; here; already here; already there; deja there; deja here; deja on site; deja sur site; deja travaille; travaille deja; travaille; suis a accueil; suis au pc; deja sur les lieux; sur lieux; suis sur lieux; deja la bas
call: rappelez moi; moi rappelez; moi appelez; appelez moi; moi rappelez svp; appelez back; call back; appelez moi back; peux moi appelez; peux appelez moi; rappelez; besoin info; besoin infos; besoin info; besoin precisions; besoin de precisions; besoin information; besoin de plus infos
call: moi tel; tel moi; moi passer un coup de fil; passer un coup de fil; coup de fil; un coup de fil; donnez moi details; give moi appelez; appelez svp; rappelez svp; need info; need more info; need details; need information; plus infos; plus de details; more info; plus infos
reason: conges; vacances; malade; arret maladie; arret de travail; arret travail; en arret; absent; repos; formation; en formation; deplacement; etranger; a etranger; en week end; weekend; en we; maternite; conge maternite; enceinte; accouche; accouche; accouchement; greve; bu; alcool; ivre; alcoolise
reason: sors de nuit; sort de nuit; sortie de nuit; descends de nuit; viens de finir; viens finir; sors de garde; sortie de garde; descends de garde; fin de garde; sors garde; sors nuit; sortie nuit; desole; garde enfants; garde mes enfants; enfants seul; enfants seule; enfants a garder; seul avec enfants; seule avec enfants
reason: personne pour garder; pas de nounou; pas nounou; pas de garde pour; pas de solution; avion; aeroport; montagne; a la mer; mer; plage; ski; mariage; enterrement; obseques; deuil; drunk; on leave; on holiday; leave; day off; off today; out of town; pas de voiture; pas voiture; sans voiture; km; kms; kilometres; ailleurs; autre hopital; autre etablissement; a paris
reason: voyage; croisiere; immobilise; platre; blesse; blessee; accident; panne; en panne; bloque; bloquee; coince; coincee; coinces; bloques; dans le train; dans train; train; drinking; drink; boire; abroad; en rtt; recup; recuperation; teletravail; retenu; retenue; empeche; empechee; convalescence; out of office; mi temps
yes: oui; bien sur; of course; avec plaisir; tout a fait; sans probleme; pas de probleme; aucun probleme; no souci; absolument; of course; partant; go; c bon; c est bon; cest bon; ca marche; ok bon; avec moi; c parti; cest parti; on y va; entendu
okay: ok; ca roule; parfait; nickel; c note; ok c note
no: non; non merci; no; negatif
thanks: merci; recu; bien recu; bonne reception; bien pris; message recu; ok merci; ok recu; ok bien recu; ok bien note; accuse reception; vu; acknowledged; copy; got it; pris connaissance; ok merci de info; ok message recu; ok bien pris
thanks: merci de info; merci pour info; merci du message; merci message; merci pour message; bon courage; ok bon courage; courage a tous; bien compris; ok compris
perhaps: peutetre; peut etre; pas sur; pas certain; pas certaine; sais pas; sais pas si; ne sais; pas si; essaie; essaye; essayer; vais voir; vais essayer; tiens au courant; redis; vous redis; reviens vers; regarde; vois; voir; si; verrai; verrais; hesite; will see; let you know; try; trying; dont know; pas savoir; confirme plus tard; pas encore sur; renseigne; faut que; demande a; habite; en attente; dois voir; dois demander; depend; a voir; je vais me renseigner; pas tout de suite; pas de suite; pas immediatement; pas maintenant; moi organise; organise; rappelle dans; rappelez <t>; vous rappelez; you back; appelez you; vais appelez; vais rappelez; vais vous rappelez; pas compris; comprends pas; peux confirmer
later: demain; lundi; mardi; mercredi; jeudi; vendredi; samedi; dimanche; semaine prochaine; semaine pro; prochaine fois; une autre fois; autre fois; next week; next time; monday; tuesday; wednesday; thursday; friday; saturday; sunday; apres demain; autre jour; fin de semaine; bientot; tard
not: pas
never: ne
question: est ce que; dois; faut il; doit on; dois venir; besoin de moi; c quoi; cest quoi; qui est ce; qui est; c qui; cest qui; qui etes; who is; what; quel; quelle; wrong numero; mauvais numero; erreur de numero; erreur numero; trompe; trompez de; pourquoi; why; should; erreur de destinataire; erreur destinataire; do you need
`

// phrases gives the sense of a phrase. It never changes.
var phrases = readPhrases()

// longest is the number of words of the longest phrase.
const longest = 5

func readPhrases() map[string]sense {
	names := map[string]sense{"neutral": neutral, "come": come, "refuse": refuse, "onSite": onSite, "call": call, "reason": reason, "yes": yes,
		"okay": okay, "no": no, "thanks": thanks, "perhaps": perhaps, "later": later, "not": not, "never": never, "question": question}
	out := map[string]sense{}
	for line := range strings.Lines(phraseTable) {
		name, list, _ := strings.Cut(strings.TrimSpace(line), ":")
		for p := range strings.SplitSeq(list, ";") {
			if p = strings.TrimSpace(p); p != "" {
				out[p] = names[name]
			}
		}
	}
	return out
}
