package i18n_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

func room(fr, en string) fs.FS {
	return fstest.MapFS{
		"locales/fr.yaml": {Data: []byte(fr)},
		"locales/en.yaml": {Data: []byte(en)},
	}
}

func TestLoadRealLocales(t *testing.T) {
	t.Parallel()
	c, err := i18n.Load(i18n.Locales, channels.Locales)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []fault.Kind{
		fault.Invalid, fault.Unauthenticated, fault.Denied, fault.NotFound,
		fault.Conflict, fault.TooMany, fault.Unavailable, fault.Internal,
	} {
		for _, lang := range i18n.Languages() {
			if got := c.For(lang).FaultKind(kind); strings.Contains(got, "⟦") {
				t.Errorf("%s has no sentence in %s: %s", kind, lang, got)
			}
		}
	}
	for _, reason := range []channels.Reason{
		channels.ReasonThrottled, channels.ReasonUnreachable, channels.ReasonTimeout, channels.ReasonAuth,
		channels.ReasonInvalidAddress, channels.ReasonBlocked, channels.ReasonMailboxFull,
		channels.ReasonExpired, channels.ReasonRejected, channels.ReasonPeerError,
		channels.ReasonBusy, channels.ReasonNoAnswer, channels.ReasonDeclined, channels.ReasonNoKey, channels.ReasonCongestion, channels.ReasonInterrupted,
	} {
		if !c.Has("channels.reason." + string(reason)) {
			t.Errorf("no sentence for the reason %s", reason)
		}
	}
	keys := c.Keys()
	if len(keys) == 0 || !c.Has(keys[0]) || c.Has("common.nothing_of_the_sort") {
		t.Errorf("Keys and Has disagree: %d keys", len(keys))
	}
}

func TestLoadNamesEveryFault(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, fr, en string
		want         []string
	}{
		{"missing both ways", "a.x: X\na.y: Y", "a.x: X\na.z: Z", []string{"a.y: missing in en", "a.z: missing in fr"}},
		{"arguments differ", `a.x: "{who} vient"`, `a.x: "{name} comes"`, []string{"a.x: arguments differ: fr [who], en [name]"}},
		{"plural in one language", "a.x: {one: un, other: des}", "a.x: many", []string{"a.x: a plural in one language only"}},
		{"plural without its form", "a.x: {one: un}", "a.x: {one: one, other: many}", []string{"exactly the forms one and other", "a.x: missing in fr"}},
		{"plural with a third form", "a.x: {one: un, other: des, many: x}", "a.x: {one: one, other: many}", []string{"exactly the forms"}},
		{"broken argument", `a.x: "{Who}"`, "a.x: who", []string{"a.x: fr line 1: a broken argument"}},
		{"open argument", `a.x: "bon {who"`, "a.x: who", []string{"a broken argument"}},
		{"lone brace", `a.x: "bon }"`, "a.x: who", []string{"a lone }"}},
		{"a list", "a.x: [un, deux]", "a.x: one", []string{"neither a sentence nor a plural"}},
		{"twice in a file", "a.x: un\na.x: deux", "a.x: one", []string{"a.x: written twice in fr"}},
		{"not a map", "- a", "a.x: one", []string{"not a map"}},
		{"not YAML", "a: [", "a.x: one", []string{"in fr"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := i18n.Load(room(c.fr, c.en))
			if err == nil {
				t.Fatal("loaded")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestLoadAcrossRooms(t *testing.T) {
	t.Parallel()
	_, err := i18n.Load(room("a.x: un", "a.x: one"), room("a.x: deux", "a.x: two"))
	if err == nil || !strings.Contains(err.Error(), "a.x: written twice in en") {
		t.Errorf("a key of two rooms was accepted: %v", err)
	}
	if _, err := i18n.Load(fstest.MapFS{}); err == nil {
		t.Error("a room without locales was accepted")
	}
	c, err := i18n.Load(room("", ""), room("b.x: un", "b.x: one"))
	if err != nil || !c.Has("b.x") {
		t.Errorf("an empty room spoils the others: %v", err)
	}
}
