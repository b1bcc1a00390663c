package detect

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"tocsin/internal/traces"
)

// The rules. They name hits, and end the keys of their sentences.
const (
	RuleUnexplained = "unexplained" // nothing but that the care explains nothing
	RuleSurname     = "surname"     // the patient has the name of the person
	RuleAddress     = "address"     // … lives where the person lives
	RuleStreet      = "street"      // … lives in the street of the person
	RuleColleague   = "colleague"   // … works here
	RuleOwn         = "own"         // … is the person
	RuleWellKnown   = "well_known"  // … was named by the DPO
	RuleGlass       = "glass"       // the record was opened in an emergency, or so it was said
	RuleLeaver      = "leaver"      // the person had left
	RuleHour        = "hour"        // not when the account is used
	RulePlace       = "place"       // not where the account is used
	RuleExport      = "export"      // taken out
	RulePrint       = "print"       // printed
	RuleBreadth     = "breadth"     // more records in an hour than peers open
	RuleStrangers   = "strangers"   // more records in an hour that the care does not explain
	RuleTaken       = "taken"       // more records printed or taken out in an hour
)

// Rules lists them in the order of weight.
func Rules() []string {
	return []string{
		RuleLeaver, RuleWellKnown, RuleSurname, RuleAddress, RuleStreet, RuleColleague, RuleOwn, RuleGlass, RuleExport, RulePrint, RuleTaken, RuleStrangers, RuleBreadth, RuleHour, RulePlace,
		RuleUnexplained,
	}
}

// The model is a sum of weights of evidence in natural logarithms of odds:
//
//	L = before + Σ log( P(reason | wrong) / P(reason | nothing wrong) )
//
// What is said of wrong accesses (the constants below) are suppositions, to one
// significant figure; what is said of the others is learnt
// from this establishment: how common the name is, how often this function opens
// what nothing explains, prints, exports. Reasons that say the same thing are no
// two reasons: of those about kin the strongest counts whole and the second by
// half, and hour and place together weigh two at most.
//
// The score is 50 at even odds and moves by six for each unit of L: a readable
// scale, on which the odds of 1 to 20 are 32 and those of 20 to 1 are 68.
const (
	before      = -4.0 // one session in 55 among those that nothing explains
	scorePerNat = 6.0

	usualAlone   = 0.05 // share of accesses without relation of a function not known yet
	wrongSurname = 0.15 // of wrong accesses, those to somebody of the same name…
	wrongAddress = 0.10 // … the same address
	wrongStreet  = 0.05
	wrongStaff   = 0.15
	wrongGlass   = 0.08
	wrongPrint   = 0.15
	wrongExport  = 0.10

	weightOwn       = 3.5
	weightWard      = 1.5  // a colleague of one's own service
	weightWellKnown = 6.0  // always told
	weightLeaver    = 10.0 // always told
	weightBare      = 1.5  // an emergency without a reason
	weightBrief     = -1.5 // opened and closed again: a wrong patient
	weightLong      = 0.5
	weightAbsent    = 0.5 // nobody cares for the patient these days
	weightShared    = -1.0
	weightTireless  = -4.0
	most            = 6.0 // of one reason about kin

	brief = 30 * second
)

func score(l float64) int { return int(clip(math.Round(50+scorePerNat*l), 1, 100)) }

// item is a reason with its weight; rule is empty for what only changes a score.
type item struct {
	rule   string
	weight float64
	says   traces.Evidence
}

// weighing gathers the reasons of one incident.
type weighing struct {
	items []item
	sum   float64
	args  map[string]string
}

func (w *weighing) add(rule string, weight float64, key string) {
	w.sum += weight
	w.items = append(w.items, item{rule, weight, traces.Evidence{Key: key, Args: w.args}})
}

// least is the weight from which a reason is worth a sentence.
const least = 0.3

// when adds a reason that weighs something.
func (w *weighing) when(rule string, weight float64, key string) {
	if weight >= least {
		w.add(rule, weight, key)
	}
}

// weigh gives the score of an incident, the rule that names it and the reasons.
func (d *Detector) weigh(h *house, in *incident, p *facts, over bool) (int, string, []traces.Evidence) {
	w := &weighing{sum: before, args: map[string]string{"who": in.who(), "count": strconv.FormatInt(in.events, 10)}}
	a := in.actor
	r := h.role(d.fold(in.function))
	if in.left {
		w.add(RuleLeaver, weightLeaver, "traces.detect.evidence.leaver")
	}
	if in.alone {
		usual := a.profile.Unexplained.share(r.Unexplained.share(usualAlone, 200), 50)
		w.sum += clip(math.Log(usualAlone/usual), -3, 1.5)
		w.kin(h, a, p)
		w.absent(p, in)
	}
	w.acts(h, r, in, over)
	w.habits(in)
	w.lower(in)
	w.community(h.community.opinion(a, p))
	if in.alone && p.wellKnown && !in.left {
		// Always told, whatever else is said.
		w.sum = max(w.sum, (float64(d.opt.Threshold)-50)/scorePerNat+0.1)
	}
	return score(w.sum), w.rule(), w.evidence()
}

// kin is what ties the patient to the person.
func (w *weighing) kin(h *house, a *actor, p *facts) {
	if p.wellKnown {
		w.add(RuleWellKnown, weightWellKnown, "traces.detect.evidence.well_known")
	}
	if !a.known || a.member.Shared {
		return
	}
	var found []item
	put := func(rule string, weight float64, key string) {
		if weight = min(weight, most); weight >= least {
			found = append(found, item{rule, weight, traces.Evidence{Key: key, Args: w.args}})
		}
	}
	switch {
	case p.account != 0 && p.account == a.id, p.key.ipp != "" && p.key.ipp == a.member.IPP:
		w.add(RuleOwn, weightOwn, "traces.detect.evidence.own")
		return
	case p.account != 0:
		weight, key := math.Log(wrongStaff/h.names.colleagues()), "traces.detect.evidence.colleague"
		if h.together(a, p.account) {
			weight, key = weight+weightWard, "traces.detect.evidence.colleague_ward"
		}
		put(RuleColleague, weight, key)
	}
	if a.surname != 0 && (p.surname == a.surname || p.birth == a.surname) {
		share, key := h.names.share(a.surname), "traces.detect.evidence.surname"
		if share > commonName {
			key = "traces.detect.evidence.surname_common"
		}
		put(RuleSurname, math.Log(wrongSurname/share), key)
	}
	switch {
	case a.address != 0 && p.address == a.address:
		put(RuleAddress, math.Log(wrongAddress/h.names.share(a.address)), "traces.detect.evidence.address")
	case a.street != 0 && p.street == a.street:
		put(RuleStreet, math.Log(wrongStreet/h.names.share(a.street)), "traces.detect.evidence.street")
	}
	slices.SortStableFunc(found, func(x, y item) int { return cmp.Compare(y.weight, x.weight) })
	for i, f := range found {
		w.add(f.rule, f.weight/float64(min(1<<i, 4)), f.says.Key)
	}
}

// commonName is the share of patients from which a name is said to be common.
const commonName = 0.002

// together tells whether a colleague works where the person works.
func (h *house) together(a *actor, account uint64) bool {
	other := h.community.actors[account]
	if other == nil {
		return false
	}
	return slices.ContainsFunc(a.member.Services, func(s string) bool { return slices.Contains(other.member.Services, s) })
}

// absent weighs a patient whom nobody cares for at that time.
func (w *weighing) absent(p *facts, in *incident) {
	for i := range p.relations {
		if graceOf(p.relations[i].Kind).holds(&p.relations[i], in.first) {
			return
		}
	}
	w.when(RuleUnexplained, weightAbsent, "traces.detect.evidence.absent")
}

// acts weighs what was done with the record.
func (w *weighing) acts(h *house, r *role, in *incident, over bool) {
	if in.glass > 0 && in.alone {
		weight := clip(math.Log(wrongGlass/once(h.glass[in.ward].share(0.01, 200), in.events)), -1, 2.5)
		if in.bare > 0 {
			w.add(RuleGlass, weight+weightBare, "traces.detect.evidence.glass_bare")
		} else {
			w.add(RuleGlass, weight, "traces.detect.evidence.glass")
		}
	}
	if in.exports > 0 {
		w.when(RuleExport, clip(math.Log(wrongExport/once(r.Exports.share(0.01, 200), in.events)), 0, 3), "traces.detect.evidence.export")
	}
	if in.prints > 0 {
		w.when(RulePrint, clip(math.Log(wrongPrint/once(r.Prints.share(0.05, 200), in.events)), 0, 1.5), "traces.detect.evidence.print")
	}
	switch {
	case over && in.events <= 2 && in.last-in.first <= brief && in.prints+in.exports == 0:
		w.add("", weightBrief, "traces.detect.evidence.brief")
	case in.events >= 4:
		w.sum += weightLong
	}
}

// once is the chance that something of a share happens once at least in n events.
func once(share float64, n int64) float64 { return 1 - math.Pow(1-min(share, 0.99), float64(n)) }

// habits weighs when and where, for an account that one person uses.
func (w *weighing) habits(in *incident) {
	if in.actor.member.Shared {
		return
	}
	hour, place := in.oddHour, in.oddPlace
	if over := hour + place - 2; over > 0 {
		place = max(0, place-over)
	}
	w.when(RuleHour, hour, "traces.detect.evidence.hour")
	w.when(RulePlace, place, "traces.detect.evidence.place")
}

// lower weighs what says that nobody is meant.
func (w *weighing) lower(in *incident) {
	if in.actor.member.Shared {
		w.add("", weightShared, "traces.detect.evidence.shared")
	}
	if !in.actor.known && in.actor.profile.tireless() {
		w.add("", weightTireless, "traces.detect.evidence.tireless")
	}
}

// community adds the second opinion, which is never enough by itself.
func (w *weighing) community(weight float64) {
	switch {
	case weight >= least:
		w.add("", weight, "traces.detect.evidence.foreign")
	case weight <= -least:
		w.add("", weight, "traces.detect.evidence.familiar")
	}
}

// rule is that of the strongest reason.
func (w *weighing) rule() string {
	name, strongest := RuleUnexplained, 0.0
	for _, i := range w.items {
		if i.rule != "" && i.weight > strongest {
			name, strongest = i.rule, i.weight
		}
	}
	return name
}

// evidence lists the reasons by weight, those against it at the end.
func (w *weighing) evidence() []traces.Evidence {
	slices.SortStableFunc(w.items, func(a, b item) int { return cmp.Compare(b.weight, a.weight) })
	out := make([]traces.Evidence, 0, len(w.items)+1)
	if len(w.items) == 0 || w.items[0].weight <= 0 {
		out = append(out, traces.Evidence{Key: "traces.detect.evidence.unexplained", Args: w.args})
	}
	for _, i := range w.items {
		out = append(out, i.says)
	}
	return out
}

// who names whoever acted, with function and service when they are known.
func (in *incident) who() string { return who(in.person, in.key.account, in.function, in.service) }

func who(person, account, function, service string) string {
	if person == "" {
		person = account
	}
	switch {
	case function != "" && service != "":
		return person + " (" + function + ", " + service + ")"
	case function+service != "":
		return person + " (" + function + service + ")"
	}
	return person
}

// Title is the key of the title of a rule in the catalog.
func Title(rule string) string { return "traces.detect.rule." + rule }
