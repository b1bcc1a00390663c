package reply

import "strings"

// sense is what a phrase says in a clause.
type sense int

const (
	nothing   sense = iota
	neutral         // an idiom whose words must not be read apart
	come            // comes
	leave           // sets off, maybe to here
	objection       // a reason brought by a "mais"
	refuse          // does not come
	onSite          // is there
	call            // wants to be called
	reason          // a reason not to come
	yes             // oui
	okay            // ok
	no              // non
	thanks          // merci, bien reçu: acknowledges without promising
	perhaps         // does not know
	later           // another day
	not             // pas
	never           // ne, before a verb
	question        // asks
)

// phraseTable gives the phrases of each sense, in lemmas and without fillers. The
// longest phrase is taken first; <t> stands for a delay or an hour.
const phraseTable = `
neutral: pas hesiter; pas hesitez; hesitez pas; pas mal; pas de panique; pas grave; pas inquietez; inquietez pas; inquiete pas; pas bougez; bougez pas; bouge pas
neutral: si besoin; au besoin; si necessaire; si faut; si tiers faut; si voulez; si vous voulez; si possible; si needed; si need; si required; si ca
neutral: si peux venir; si avez besoin; si vous avez besoin; pas loin; pas far; pas de retard; en retard; non stop; sans faute; pas faute; non plutot
neutral: viens de; viens d; <t> absent; pas fini; pas parti; pas partie; pas manquerai; manquerai pas; ne manquerai pas; pas longtemps; pas tard; pas que; pas seul; pas seule; merci de
come: viens; arrive; descends; prends la route
leave: pars; en route; sur la route; sur route; en chemin; en voiture; dans voiture
come: reviens; peux reviens; viens de suite; viens de partir; parti de chez; partie de chez; rends sur place; rends a hopital; rends au hopital; possible a partir; saute dans; file; prepare; mets en route; moi mets en route; suis debout; en train de venir; en approche
come: peux venir; peux moi venir; vais venir; possible de venir; peux aller; vais au hopital; vais a hopital; y vais; y va; on y va; y serai; demarre; prends voiture; prends route; pret a venir; suis pret; suis prete
come: dispo; suis dispo; serai dispo; volontaire; suis volontaire; suis operationnel; suis operationnelle; suis a disposition; suis des votres; present; suis present; serai present
come: serai la; serai sur place; serai sur site; vais etre la; peux etre; peux etre la; peux etre sur place; etre there; peux etre there; compter sur moi; comptez sur moi; compte sur moi; count on moi
come: la <t>; la dans <t>; la vers <t>; la a <t>; la pour <t>; la environ <t>; suis la <t>; suis la dans <t>; suis la vers <t>; suis la a <t>; serai la <t>; etre la <t>; suis la environ <t>
come: sur place <t>; sur place dans <t>; sur place a <t>; sur place vers <t>; sur site <t>; sur site dans <t>; there <t>; there dans <t>; there at <t>; suis a <t>; tout de suite <t>
come: possible dans <t>; possible vers <t>; possible a <t>; on way; leaving; heading; c parti
refuse: peux pas; peux plus; pas peux; ne peux; peut pas; ne peut; peux oui pas; cant; dont venir; pas venir; pas dispo; plus dispo; pas possible; pas peux venir; pas pret
refuse: viens pas; viens plus; ne viens; ne arrive; pas viens; pas arrive; arrive pas a venir; viens pas a venir; viens pas a hopital; bien sur que non; impossible; indispo; pas la; suis pas la; pas present; serai pas la; serai absent; pas etre la
refuse: pas mesure; pas en mesure; pas etat; pas en etat; incapable; pas en capacite; dans incapacite; pas moyen; aucun moyen; pas des votres; pas jouable; non way
refuse: pas compter sur moi; comptez pas sur moi; pas comptez sur moi; ne comptez pas; sans moi; pas volontaire; refuse; decline; pas moi; pas envie; pas pour moi; pas for moi; hors de question
refuse: travaille plus; ne travaille plus; plus partie; fais plus partie; ne fais plus partie; quitte etablissement; quitte hopital; retraite; retraitee; a la retraite; suis en retraite; plus dans etablissement
refuse: injoignable; pas joignable; non dispo; non volontaire; non present; non joignable; non peux; pas soir; pas c soir; pas cette nuit; pas demain; pas aujourdhui; pas france; pas en france; pas en ville
onSite: sur place; sur site; on site; sur lieux; suis sur lieux; suis la; suis arrive; bien arrive; here; suis la depuis
onSite: deja la; deja la bas; deja sur place; deja sur site; deja sur lieux; deja on site; deja present; deja arrive; deja there; deja here; deja en poste; deja de garde; deja au travail; deja travail
onSite: deja au boulot; deja boulot; deja a hopital; deja au hopital; deja hopital; deja au bloc; deja bloc; deja dans service; deja urgences; deja aux urgences; deja travaille; deja at work
onSite: suis hopital; suis a hopital; suis au hopital; au hopital; at hopital; dans hopital; suis urgences; suis aux urgences; suis au bloc; suis bloc; au bloc; suis en rea; suis rea
onSite: suis au pc; suis a accueil; suis au boulot; suis boulot; au boulot; suis au travail; suis travail; au travail; at work; on shift; on duty; de garde; en poste; suis en poste
onSite: viens d venir; viens d arrive; y suis; deja dans; en salle; deja en salle; dans hall; sur parking; aux vestiaires; au vestiaire; moi gare; suis dans hall; suis sur parking; en service; suis en service; dans service; suis dans service; travaille; travaille deja
call: rappelez moi; moi rappelez; appelez moi; moi appelez; contactez moi; moi contactez; appelez back; appelez moi back; peux moi appelez; peux appelez moi; rappelez
call: coup de fil; un coup de fil; passer un coup de fil; besoin info; besoin infos; besoin de precisions; besoin precisions; besoin information; besoin de plus infos
call: besoin d infos; besoin d info; plus d infos; plus infos; plus de details; donnez moi details; need info; need more info; need details; need information; more info
reason: conges; conges maternite; maternite; vacances; on vacances; malade; arret maladie; arret de travail; arret travail; en arret; absent; repos; en repos; suis en repos; day off; off today
reason: formation; en formation; deplacement; etranger; a etranger; week end; en week end; weekend; en weekend; en we; teletravail; voyage; croisiere; aeroport; dans avion; train; dans train; bloque dans train
reason: montagne; mer; a la mer; plage; ski; mariage; enterrement; obseques; deuil; greve; bu; alcool; ivre; alcoolise; drunk; drink; drinking; boire; out of town; out of office; on leave; leave
reason: enceinte; accouche; accouchement; convalescence; immobilise; immobilisee; platre; blesse; blessee; accident; panne; en panne; bloque; bloquee; coince; coincee; bloques; coinces
reason: viens de rentrer; viens de moi coucher; viens accoucher; viens d accoucher; clinique; a la clinique; sors de nuit; sort de nuit; sortie de nuit; descends de nuit; sors nuit; sortie nuit; viens de finir; viens finir; sors de garde; sort de garde; sortie de garde; descends de garde; fin de garde; sors garde
reason: desole; garde enfants; enfants seul; enfants seule; enfants a garder; seul avec enfants; seule avec enfants; personne pour garder; pas de nounou; pas nounou; pas de solution; pas de voiture; pas voiture; sans voiture
reason: parti de hopital; suis parti de hopital; partie de hopital; suis partie de hopital; baby sitter; pas de baby sitter; loin; km; kms; kilometres; ailleurs; autre hopital; autre etablissement; a paris; recup; recuperation; retenu; retenue; empeche; empechee
yes: a vos ordres; lets go; oui; bien sur; of course; avec plaisir; tout a fait; go; c bon; c est bon; ca marche; ok bon; avec moi; ok pour moi; pas de souci; pas souci; aucun souci; sans souci; non souci
okay: ok; ca roule; parfait; nickel; ok c recu
no: non; non merci
thanks: merci; recu; bien recu; ok recu; ok bien recu; ok merci; ok message recu; message recu; accuse reception; vu; ok vu; acknowledged; copy; connaissance; merci de info; merci pour info; ok pour info
thanks: merci message; merci pour message; bon courage; ok bon courage; courage a tous
perhaps: peutetre; peut etre; pas sur; pas certain; pas certaine; sais pas; pas sais; ne sais; pas si; pas savoir; dont know; essaie; essaye; essayer; try; trying; vais voir; vais essayer; si; verrai; verrais; voir
perhaps: vois; regarde; hesite; tiens au courant; vous tiens au courant; redis; vous redis; vous dis; reviens vers; let you know; confirme plus tard; peux confirmer; renseigne; faut que; demande a; dois voir; dois demander
perhaps: travaille a; prends poste; wish; would; aurais; aimerais; voudrais; voulais; arrive pas a; arrive plus a; viens pas a; viens plus a; de garde weekend; de garde c weekend; de garde week end; travaille cette nuit; travaille soir; travaille c soir; depend; a voir; habite; en attente; organise; moi organise; pas tout de suite; pas de suite; pas immediatement; pas maintenant; pas recu; comprends pas; see
perhaps: je rappelez; je appelez; rappelez <t>; rappelez dans <t>; vous rappelez; vous appelez; appelez you; rappelez you; vais appelez; vais rappelez; vais vous rappelez; attends
later: demain; apres demain; lundi; mardi; mercredi; jeudi; vendredi; samedi; dimanche; monday; tuesday; wednesday; thursday; friday; saturday; sunday
later: semaine prochaine; semaine pro; fin de semaine; prochaine fois; autre fois; une autre fois; autre jour; next week; next time; bientot; tard
not: pas
never: ne
question: est c que; dois; dois venir; faut tiers; doit on; besoin de moi; c quoi; qui est c; qui est; c qui; qui etes; who; what; quel; quelle; quoi; pourquoi; why; should; do you need
question: numero; mauvais numero; wrong numero; erreur de numero; erreur numero; trompe; trompez; erreur de destinataire; erreur destinataire
`

// phrases gives the sense of a phrase. It never changes.
var phrases = readPhrases()

// longest is the number of words of the longest phrase.
const longest = 5

func readPhrases() map[string]sense {
	names := map[string]sense{
		"neutral": neutral, "come": come, "leave": leave, "refuse": refuse, "onSite": onSite, "call": call, "reason": reason, "yes": yes,
		"okay": okay, "no": no, "thanks": thanks, "perhaps": perhaps, "later": later, "not": not, "never": never, "question": question,
	}
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
