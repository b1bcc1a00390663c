package telephone

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

// Locales holds what is said.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Caller is a person recognised on the telephone.
type Caller struct {
	Account        uuid.UUID
	Name, Language string
	// CallBack is the number of the account, where the program calls back.
	CallBack string
}

// Accounts knows people by what they type on a telephone.
type Accounts interface {
	// Recognise judges a personal number and a code; wrong ones cost time.
	Recognise(ctx context.Context, scope access.Scope, from []string, number, pin string) (Caller, error)
	// OnTelephone is what a recognised person may do now in the scope's establishment.
	OnTelephone(ctx context.Context, scope access.Scope, account uuid.UUID) (access.Scope, error)
	// TelephoneStep writes a step in the journal.
	TelephoneStep(ctx context.Context, scope access.Scope, step string) error
}

// Options are what the desk rests on.
type Options struct {
	Alerting *alerting.Service
	Accounts Accounts
	Clock    clock.Clock
	Catalog  *i18n.Catalog
	Log      *slog.Logger
}

// Desk serves every establishment.
type Desk struct{ o Options }

// New returns the desk.
func New(o Options) *Desk { return &Desk{o} }

// Operator implements dispatch.Reception.
func (d *Desk) Operator(establishment uuid.UUID) channels.Operator {
	return operator{d, access.System(establishment, "telephone")}
}

// operator is the desk of one establishment.
type operator struct {
	*Desk
	scope access.Scope
}

// The digits asked for at most, and how often a question is asked.
const (
	numberMost = 7 // six and the #
	pinMost    = 11
	triesMost  = 2
	turnsMost  = 30
	linesMost  = 8
	sureKey    = "9"
)

// errNobody ends a conversation with somebody who says nothing.
var errNobody = errors.New("telephone: nobody answers")

// Answer asks a stranger for her number and her code, then lets her hang up: the
// program calls back the number of the account. Every refusal sounds the same.
func (o operator) Answer(ctx context.Context, from []string, line channels.Line) (channels.Visit, error) {
	v := o.visitor(line, Caller{Language: "fr"})
	for range triesMost {
		number, err := v.keys(ctx, v.t("alerting.telephone.number"), numberMost)
		if err != nil {
			return channels.Visit{}, err
		}
		pin, err := v.keys(ctx, v.t("alerting.telephone.pin"), pinMost)
		if err != nil {
			return channels.Visit{}, err
		}
		who, err := o.o.Accounts.Recognise(ctx, o.scope, from, number, pin)
		if err == nil {
			back := o.visitor(line, who)
			back.number = number
			return channels.Visit{To: who.CallBack, Talk: back.talk}, back.say(ctx, back.t("alerting.telephone.hang_up"))
		}
		if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMany) {
			o.o.Log.Error("telephone: nobody can be recognised", "error", err)
		}
		if err := v.say(ctx, v.t("alerting.telephone.wrong")); err != nil {
			return channels.Visit{}, err
		}
	}
	return channels.Visit{}, v.say(ctx, v.t("alerting.telephone.bye"))
}

// visitor is one person on the line.
type visitor struct {
	operator
	line   channels.Line
	who    Caller
	number string
	loc    *i18n.Localizer
}

func (o operator) visitor(line channels.Line, who Caller) *visitor {
	return &visitor{operator: o, line: line, who: who, loc: o.o.Catalog.For(i18n.Language(who.Language))}
}

func (v *visitor) t(key string, pairs ...any) string { return v.loc.T(key, pairs...) }

func (v *visitor) language() string { return string(v.loc.Language()) }

func (v *visitor) say(ctx context.Context, text string) error {
	_, err := v.line.Ask(ctx, text, v.language(), 0)
	return err
}

// keys asks until something is typed.
func (v *visitor) keys(ctx context.Context, text string, most int) (string, error) {
	for range triesMost {
		typed, err := v.line.Ask(ctx, text, v.language(), most)
		if err != nil || typed != "" {
			return typed, err
		}
	}
	return "", errNobody
}

// choose proposes lines by the keys 1 to 8; −1 is any other key, which goes back.
func (v *visitor) choose(ctx context.Context, before string, lines []string) (int, error) {
	parts := []string{before}
	for i, l := range lines[:min(len(lines), linesMost)] {
		parts = append(parts, v.t("alerting.telephone.key", "key", i+1, "label", l))
	}
	typed, err := v.keys(ctx, strings.Join(append(parts, v.t("alerting.telephone.back")), " "), 1)
	if err != nil || typed < "1" || typed > "8" || int(typed[0]-'1') >= len(lines) {
		return -1, err
	}
	return int(typed[0] - '1'), nil
}

// sure asks for the key of what cannot be undone, which no other question takes: a
// key pressed twice, or typed ahead by habit, launches nothing.
func (v *visitor) sure(ctx context.Context, before, act string) (bool, error) {
	typed, err := v.keys(ctx, strings.Join([]string{before, v.t("alerting.telephone.key", "key", sureKey, "label", act), v.t("alerting.telephone.give_up")}, " "), 1)
	return typed == sureKey, err
}

// rights asks anew what the person may do.
func (v *visitor) rights(ctx context.Context) (access.Scope, error) {
	return v.o.Accounts.OnTelephone(ctx, v.scope, v.who.Account)
}

// step writes what she did in the journal before it is done.
func (v *visitor) step(ctx context.Context, name string) (access.Scope, error) {
	scope, err := v.rights(ctx)
	if err != nil {
		return scope, err
	}
	return scope, v.o.Accounts.TelephoneStep(ctx, scope, name)
}
