package i18n

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/fault"
)

// Key is an argument that is itself a catalogue key: T("x.refused", "field",
// i18n.Key("x.field.name")) shows the field's name in the reader's language.
type Key string

// Localizer speaks one language. It is safe for concurrent use.
type Localizer struct {
	catalog *Catalog
	lang    Language
	entries map[string]entry
}

// Language returns the language it speaks.
func (l *Localizer) Language() Language { return l.lang }

// Has tells whether the key exists.
func (l *Localizer) Has(key string) bool {
	_, ok := l.entries[key]
	return ok
}

// T returns the sentence of key; pairs are name, value. Whole numbers are
// written as they are (a port is not a quantity: use Int for one), durations
// are spoken, a Key is translated. An unknown key, a plural, or an argument
// not given shows as ⟦name⟧.
func (l *Localizer) T(key string, pairs ...any) string {
	e, ok := l.entries[key]
	if !ok || e.plural {
		return unknown(key)
	}
	return l.render(e, e.other, pairs)
}

// N returns the sentence of key for n things; {n} is n written in the
// language. French counts 0 and 1 as singular, English 1 only; so do −1 and 1
// alike.
func (l *Localizer) N(key string, n int, pairs ...any) string {
	e, ok := l.entries[key]
	if !ok {
		return unknown(key)
	}
	form := e.other
	if e.plural && l.singular(n) {
		form = e.one
	}
	return l.render(e, form, append([]any{"n", l.Int(n)}, pairs...))
}

// Fault returns the sentence of an error for the person: that of a fault by
// its key, "fault.internal" for any other, nothing for no error.
func (l *Localizer) Fault(err error) string {
	if err == nil {
		return ""
	}
	if f := fault.As(err); f != nil {
		return l.T(f.Key, f.Args...)
	}
	return l.T("fault.internal")
}

// FaultKind returns the general sentence of a kind of fault: the title of its page.
func (l *Localizer) FaultKind(kind fault.Kind) string {
	return l.T("fault." + string(kind))
}

func (l *Localizer) singular(n int) bool {
	if n < 0 {
		n = -n
	}
	return n == 1 || n == 0 && l.lang == French
}

func (l *Localizer) render(e entry, s sentence, pairs []any) string {
	var b strings.Builder
	for _, p := range s {
		if p.arg == "" {
			b.WriteString(p.text)
			continue
		}
		b.WriteString(l.argument(p.arg, pairs))
	}
	if e.plain {
		return Plain(b.String())
	}
	return b.String()
}

func (l *Localizer) argument(name string, pairs []any) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != name {
			continue
		}
		switch v := pairs[i+1].(type) {
		case Key:
			return l.T(string(v))
		case time.Duration:
			return l.Duration(v)
		case float64:
			return l.grouped(strconv.FormatFloat(v, 'f', -1, 64))
		default:
			return fmt.Sprint(v)
		}
	}
	return unknown(name)
}

func unknown(name string) string { return "⟦" + name + "⟧" }

type contextKey struct{}

// WithContext returns a context whose pages speak with l.
func WithContext(ctx context.Context, l *Localizer) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// FromContext returns the localizer of the context. Without one it returns a
// French localizer that knows no sentence, so that the omission is seen as ⟦key⟧.
func FromContext(ctx context.Context) *Localizer {
	if l, ok := ctx.Value(contextKey{}).(*Localizer); ok && l != nil {
		return l
	}
	return (&Catalog{}).For(French)
}
