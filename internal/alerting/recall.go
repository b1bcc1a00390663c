package alerting

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/vault"
)

// RecallSlack is how long an order stays valid after the announced arrival: a
// closed road, a cordon, children to leave with somebody.
const RecallSlack = 2 * time.Hour

// sameArrival is the difference of announced hours below which the order in
// somebody's hands still says the truth.
const sameArrival = 5 * time.Minute

// Keys gives the keys of a purpose, the current one first: vault.Vault.
type Keys interface {
	DeriveKeys(purpose string) ([]vault.Derived, error)
}

// RecallOrder is an ordre de rappel: the employer recalls one person for one
// alert. It is no réquisition, which is the prefect's. Its words are those that
// were signed, in French, for whoever stands at a cordon.
type RecallOrder struct {
	// Code is what the QR leads to, without its hyphens.
	Code          string
	Mode          Mode
	Establishment string
	// Number is the alert's; see Launch.Number.
	Number, Title        string
	Name                 string // « DURAND Camille »
	Matricule            string // its last four signs
	Metier               string
	OrderedBy            string
	IssuedAt, ETA, Until time.Time
	// Entrance, Roads and Parking are empty when the establishment says nothing of them.
	Entrance, Roads, Parking string
	// Key names the public key; Text is what Signature signs, byte for byte.
	Key       string
	Text      string
	Signature []byte
}

// RecallStatus is what a cordon reads first.
type RecallStatus string

// The answers of a verification.
const (
	RecallValid     RecallStatus = "valid"
	RecallExpired   RecallStatus = "expired"
	RecallWithdrawn RecallStatus = "withdrawn"
	RecallInvalid   RecallStatus = "invalid"
)

// RecallReason says why an order is not valid any more.
type RecallReason string

// The reasons; empty while the order is valid.
const (
	RecallUnknown   RecallReason = "unknown"    // no such order, or too old to be shown
	RecallForged    RecallReason = "forged"     // its signature is not the establishment's
	RecallChanged   RecallReason = "changed"    // the person says now that he does not come
	RecallStoodDown RecallReason = "stood_down" // he was told that he is not needed
	RecallOver      RecallReason = "over"       // the alert has ended
	RecallLeft      RecallReason = "left"       // he came, and left
	RecallLate      RecallReason = "late"       // its hour is past
)

// RecallCheck is the answer to who verifies an order.
type RecallCheck struct {
	Status RecallStatus
	Reason RecallReason
	// Order is empty when Reason is RecallUnknown or RecallForged.
	Order RecallOrder
	// At is when the alert ended or the person left; zero otherwise.
	At   time.Time
	Zone *time.Location
}

// SpacedCode writes a code in groups of four, as it is read aloud.
func SpacedCode(code string) string {
	if len(code) != vault.LinkCodeLength {
		return code
	}
	return code[:4] + "-" + code[4:8] + "-" + code[8:]
}

// Number names an alert on paper: its day and minute in the establishment's
// zone, and four signs that tell apart two alerts of the same minute.
func (l Launch) Number(zone *time.Location) string {
	return l.LaunchedAt.In(zone).Format("20060102-1504") + "-" + strings.ToUpper(hex.EncodeToString(l.ID[14:]))
}

// recallHeading is the first line of every signed text; its figure changes with the lines.
const recallHeading = "ORDRE DE RAPPEL (Tocsin, version 1)"

// recallNature is said on the order itself: nobody must take it for what it is not.
const recallNature = "rappel par l’employeur ; ce n’est pas une réquisition du préfet"

// nothingSaid stands for what the establishment does not say.
const nothingSaid = "—"

// recallLine is one fact of the signed text.
type recallLine struct {
	label string
	value *string
}

// recallLines are the lines of the signed text, in their order; reading and
// writing share them.
func recallLines(o *RecallOrder, mode *string, at *[3]string) []recallLine {
	return []recallLine{
		{"Mode", mode},
		{"Code", &o.Code},
		{"Établissement", &o.Establishment},
		{"Alerte", &o.Number},
		{"Motif", &o.Title},
		{"Nom", &o.Name},
		{"Matricule", &o.Matricule},
		{"Métier", &o.Metier},
		{"Ordonné par", &o.OrderedBy},
		{"Émis", &at[0]},
		{"Arrivée attendue", &at[1]},
		{"Valable jusqu’à", &at[2]},
		{"Entrée", &o.Entrance},
		{"Voies fermées", &o.Roads},
		{"Stationnement", &o.Parking},
		{"Clé", &o.Key},
	}
}

// recallModes are the words of the modes on an order.
func recallModes() map[Mode]string { return map[Mode]string{Real: "RÉEL", Exercise: "EXERCICE"} }

// compose writes the text to sign: one line for each fact, in one order, so
// that the same facts always give the same bytes.
func (o *RecallOrder) compose(zone *time.Location) {
	mode := recallModes()[o.Mode]
	at := [3]string{}
	for i, t := range []time.Time{o.IssuedAt, o.ETA, o.Until} {
		at[i] = t.In(zone).Format(time.RFC3339)
	}
	var b strings.Builder
	b.WriteString(recallHeading + "\n")
	for _, l := range recallLines(o, &mode, &at) {
		said := strings.Join(strings.Fields(strings.ToValidUTF8(*l.value, "")), " ")
		if said == "" {
			said = nothingSaid
		}
		fmt.Fprintf(&b, "%s : %s\n", l.label, said)
	}
	b.WriteString("Nature : " + recallNature + "\n")
	o.Text = b.String()
}

// parseRecall reads a signed text; false when one byte is not where it should be.
func parseRecall(text string) (o RecallOrder, ok bool) {
	if !utf8.ValidString(text) {
		return o, false
	}
	body, found := strings.CutPrefix(text, recallHeading+"\n")
	if !found {
		return o, false
	}
	if body, found = strings.CutSuffix(body, "Nature : "+recallNature+"\n"); !found {
		return o, false
	}
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	var mode string
	var at [3]string
	fields := recallLines(&o, &mode, &at)
	if len(lines) != len(fields) {
		return o, false
	}
	for i, f := range fields {
		said, found := strings.CutPrefix(lines[i], f.label+" : ")
		if !found {
			return o, false
		}
		if said != nothingSaid {
			*f.value = said
		}
	}
	for m, word := range recallModes() {
		if word == mode {
			o.Mode = m
		}
	}
	o.Text = text
	for i, t := range []*time.Time{&o.IssuedAt, &o.ETA, &o.Until} {
		read, err := time.Parse(time.RFC3339, at[i])
		if err != nil {
			return o, false
		}
		*t = read
	}
	return o, o.Mode != "" && vault.ReadLinkCode(o.Code) == o.Code
}

// recallKey is the pair of keys of one establishment made from one key of the keyring.
type recallKey struct {
	id      string
	private ed25519.PrivateKey
}

func (k recallKey) public() ed25519.PublicKey { return k.private.Public().(ed25519.PublicKey) }

// keysOf gives the keys that sign the orders of an establishment, the current
// one first. Every node makes the same ones from the same keyring, those from
// before a rotation included, and no establishment can sign for another.
func keysOf(keys Keys, organisation uuid.UUID) ([]recallKey, error) {
	derived, err := keys.DeriveKeys("alerting.recall/" + organisation.String())
	if err != nil {
		return nil, fmt.Errorf("keys of the recall orders: %w", err)
	}
	out := make([]recallKey, len(derived))
	for i, d := range derived {
		private := ed25519.NewKeyFromSeed(d.Secret[:])
		sum := sha256.Sum256(private.Public().(ed25519.PublicKey))
		out[i] = recallKey{hex.EncodeToString(sum[:8]), private}
	}
	return out, nil
}

// signedBy reads an order whose signature is that of one of the keys, and whose
// text names that key and that code; false otherwise, whatever is wrong.
func signedBy(keys []recallKey, code, text string, signature []byte) (RecallOrder, bool) {
	o, ok := parseRecall(text)
	if !ok || o.Code != code {
		return RecallOrder{}, false
	}
	for _, k := range keys {
		if k.id == o.Key && ed25519.Verify(k.public(), []byte(text), signature) {
			o.Signature = signature
			return o, true
		}
	}
	return RecallOrder{}, false
}

// shortMatricule keeps the end of a number: enough to compare with a card.
func shortMatricule(m string) string {
	signs := []rune(strings.TrimSpace(m))
	kept := min(4, (len(signs)+1)/2)
	if kept == 0 {
		return ""
	}
	return "…" + string(signs[len(signs)-kept:])
}

// standsFor tells what the facts say of an order whose signature is right.
func (p *person) standsFor(o RecallOrder, l Launch, left, now time.Time) (RecallStatus, RecallReason, time.Time) {
	switch {
	case l.State != Running:
		return RecallWithdrawn, RecallOver, l.EndedAt
	case p.Meaning != Coming:
		return RecallWithdrawn, RecallChanged, time.Time{}
	case p.Marks&markStoodDown != 0:
		return RecallWithdrawn, RecallStoodDown, time.Time{}
	case !left.IsZero():
		return RecallExpired, RecallLeft, left
	case !now.Before(o.Until):
		return RecallExpired, RecallLate, time.Time{}
	}
	return RecallValid, "", time.Time{}
}
