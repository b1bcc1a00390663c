package reply

import "strings"

// lemmaTable gives each lemma the spellings met on telephones, folded and
// without apostrophes. A lemma of two words stands for a contraction.
const lemmaTable = `
oui: oui ui wi oi ouai ouais oue ouep ouaip yep yes yeah yup yess affirmatif absolument volontiers evidemment carrement sure
ok: ok oki okay okey okok dac dacc daccord dakor dacord daccor entendu roger k okk
non: non nn nan nop nope no negatif naan noon nein nonn niet
pas: pas pa not jamais never
ne: ne n
peux: peux peu pe px peus pourrai pourrais pourai pourrait pourrons pouvons pourron pouvoir puis can could able jpeux jpe jpeu jpourrai jpourrais peuxx pouvait pouvez
ne peux: npeux
peut: peut
cant: cant cannot couldnt wont unable isnt
dont: dont
viens: viens vien vient viend viendrai viendrais viendrait viendrons venons jviens jvien jviendrai jarrive jarive jariv jarriv jarriver jarrives jarivve coming comming rejoins rejoindrai jrejoins decolle fonce jfonce jdecolle debarque jdebarque accours jaccours rapplique ramene rapplik radine omw jfile
descends: descends jdescends
pars: pars jpars partirai
reviens: reviens jreviens reviendrai
arrive: arrive arrives arrivee ariv arive arives arriv arrivve arriverai ariverai arriverais arriverons arrivons arrived arriving arrivrai
venir: venir vnir come arriver ariver rejoindre revenir deplacer aider help participer assister
dispo: dispo dispos disponible disponibles disponnible available availabel
indispo: indispo indisponible indisponibles indisponnible unavailable inapte
impossible: impossible imposible impossibl impossib unpossible
sur: sur
suis: suis sui chui chuis jsuis jsui chuit suit
serai: serai sera serais serait jserai jserais serez
la: la
deja: deja dja already
place: place plac
site: site
garde: garde
rappelez: rappelez rappeler rappelle rappelles rappeles rappele rapelez rapeler rapelle rapellez rapeller rapel rappel rapl rappellez rappeller telephonez telephoner
contactez: recontactez contactez contacter contacte joindre joignez
appelez: appelez appel appeler appelle apelez apeler apelle appelles appele call ring phone tel bigophone
moi: moi mwa moa me m
conges: conges conge congee conger cong
vacances: vacances vacance vac vacs holiday holidays vacation
malade: malade malades sick souffrant souffrante covid grippe gastro fievre hospitalise hospitalisee opere operee
arret: arret arrets
maladie: maladie
maternite: maternite
absent: absent absente absents away abroad
repos: repos rtt
deplacement: deplacement deplacements
demain: demain dmain dem1 demin tomorrow tmrw
merci: merci mercii mci mrc mrci thanks thank thx ty
recu: recu received compris noted note pris
desole: desole desolee dsl dsle desoler sorry navre navree
min: min mn mins mns minutes minute minut minu minuts mnt mnts mnutes minutte minuttes
h: h heure heures hr hrs heur heurs hour hours hre hres
d h: dheure dheur dheures dh
demi: demi demie half dmi
demi h: demiheure demieheure
quart: quart quarter quarts kart
dans: dans ds dan in dns dnas
dici: dici
environ: environ env around approx approximativement about circa environs
vers: vers ver
jusque: jusque jusqua jusquau until till jusk
souci: souci soucis soucy problem probleme problemes pb pbs prob worries worry pblm problems
mais: mais but mai
si: si if s
peutetre: peutetre ptetre ptet ptetr maybe perhaps possiblement might eventuellement probablement
soir: soir evening tonight
matin: matin morning mat matinee
aprem: aprem apremidi afternoon apresmidi
apres: apres after aprs
avant: avant before avt
etre: etre be etr
present: present presente
volontaire: volontaire volontaires partant partante
travaille: travaille bosse working jbosse jtravaille taffe taf
stop: stop stopp stopper
c: c ce
quoi: quoi koi
et: et and
ou: ou or
voiture: voiture
tout: tout tt
suite: suite
bien: bien b1 bi1 bi
numero: numero num number
route: route rte
chemin: chemin
retard: retard late
hopital: hopital hosto hospital hop chu ch chr hospi
urgences: urgences urgence sau
vais: vais jvais jvai vai irai
un: un an
vous: vous vs
y: y jy
lets: lets
whats: whats thats its
tiers: mari femme conjoint conjointe compagnon compagne epouse epoux copain copine collegue collegues mere pere soeur frere il elle ils elles husband wife colleague colleagues he she they bus metro taxi
plutot: plutot rather disons
`

// lemmas gives the lemma of a spelling. It never changes.
var lemmas = readLemmas()

// known are the words of the lemmas.
var known = lemmaWords()

func lemmaWords() map[string]bool {
	out := map[string]bool{}
	for _, lemma := range lemmas {
		for _, w := range strings.Fields(lemma) {
			out[w] = true
		}
	}
	return out
}

func readLemmas() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(lemmaTable) {
		lemma, spellings, ok := strings.Cut(strings.TrimSpace(line), ":")
		for _, s := range strings.Fields(spellings) {
			if ok {
				out[s] = lemma
			}
		}
	}
	return out
}

// correctable are the words that a slip of the finger may have changed and
// whose neighbours mean nothing else in an answer.
var correctable = strings.Fields(`jarrive arrive arriver arriverai viendrai impossible disponible indisponible vacances conges
	absent absente rappelez rappeler appelez malade minutes heure heures demain desole desolee available unavailable
	coming dispo indispo deplacement volontaire hopital chemin`)

// fillers say nothing here and are left aside before phrases are looked for.
var fillers = wordSet(`je j tu te t nous tres trop malheureusement vraiment svp stp bonjour bonsoir bjr bsr salut slt coucou hello hi hey cc
	madame monsieur mr mme dr docteur le les l i im ive ill am will the please plz pls donc alors aussi vite bcp beaucoup meme quand ici
	well just cordialement cdt cdlt bonne encore actuellement mon ma mes my effectivement finalement helas eh euh heu bah ben
	du franchement ptit so really is it desormais directement rapidement`)

func wordSet(list string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(list) {
		out[w] = true
	}
	return out
}
