package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/wire/cap"
)

// PublicMost is the longest text that is published, in characters.
const PublicMost = 600

// Publication is what the outside is told of an alert, in the words of the
// Common Alerting Protocol 1.2. The text is written with the scenario, and holds
// nothing that is typed at launch: no name can slip in it.
type Publication struct {
	// On publishes the alerts of the scenario.
	On bool `json:"on" yaml:"on"`
	// Category, Urgency, Severity and Certainty are values of the protocol.
	Category  string `json:"category" yaml:"category"`
	Urgency   string `json:"urgency" yaml:"urgency"`
	Severity  string `json:"severity" yaml:"severity"`
	Certainty string `json:"certainty" yaml:"certainty"`
	// Area is where, in words; INSEE is the code of the commune, empty without one.
	Area  string `json:"area" yaml:"area"`
	INSEE string `json:"insee,omitempty" yaml:"insee,omitempty"`
	// Text is what happens, Instruction what to do.
	Text        Localized `json:"text" yaml:"text"`
	Instruction Localized `json:"instruction,omitempty" yaml:"instruction,omitempty"`
}

// Published is what of an alert may be told to the outside.
type Published struct {
	Publication
	Title         Localized
	Establishment string
	Mode          Mode
}

var (
	// aNumber is what looks like a telephone number: nine figures or more.
	aNumber = regexp.MustCompile(`\d(?:[ .\-\x{00a0}\x{202f}]?\d){8,}`)
	insee   = regexp.MustCompile(`^(\d{5}|2[AB]\d{3})$`)
)

// publication checks what would be published: an alert that others read must be
// whole, and betray nobody.
func (c *checker) publication() {
	p := c.def.Publication
	if p == nil || !p.On {
		return
	}
	if c.def.Profile == Discret {
		c.add("publication.on", "alerting.check.publication_discret")
	}
	for _, v := range []struct {
		field, value string
		list         []string
	}{
		{"category", p.Category, cap.Categories()},
		{"urgency", p.Urgency, cap.Urgencies()},
		{"severity", p.Severity, cap.Severities()},
		{"certainty", p.Certainty, cap.Certainties()},
	} {
		if !slices.Contains(v.list, v.value) {
			c.add("publication."+v.field, "alerting.check.publication_"+v.field)
		}
	}
	if strings.TrimSpace(p.Area) == "" || utf8.RuneCountInString(p.Area) > 120 {
		c.add("publication.area", "alerting.check.publication_area")
	}
	if p.INSEE != "" && !insee.MatchString(p.INSEE) {
		c.add("publication.insee", "alerting.check.publication_insee")
	}
	for _, lang := range languages() {
		if strings.TrimSpace(p.Text[lang]) == "" {
			c.add("publication.text."+lang, "alerting.check.publication_text")
		}
		for field, text := range map[string]string{"publication.text." + lang: p.Text[lang], "publication.instruction." + lang: p.Instruction[lang]} {
			c.outside(field, text)
		}
	}
}

func (c *checker) outside(field, text string) {
	switch {
	case utf8.RuneCountInString(text) > PublicMost:
		c.add(field, "alerting.check.body_long", "limit", PublicMost)
	case strings.ContainsAny(text, "{}"):
		c.add(field, "alerting.check.publication_blank")
	case aNumber.MatchString(text):
		c.add(field, "alerting.check.publication_number")
	}
}

// PublicationOf is what the outside may be told of an alert, as its scenario
// said when it was launched; false when nothing is. It reads in the
// transaction of the room above that publishes.
func (*Service) PublicationOf(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch) (Published, bool, error) {
	var definition, kept string
	found, err := tx.Row(ctx, `SELECT v.definition_json, l.setting_json FROM alerting_launches l JOIN alerting_versions v
		ON v.organisation_id = l.organisation_id AND v.id = l.version_id WHERE l.organisation_id = $1 AND l.id = $2`, []any{scope.Organisation(), l.ID}, &definition, &kept)
	if err != nil || !found {
		return Published{}, false, err
	}
	var d Definition
	var f frozen
	if err := errors.Join(json.Unmarshal([]byte(definition), &d), json.Unmarshal([]byte(kept), &f)); err != nil {
		return Published{}, false, fmt.Errorf("read what is published of alert %s: %w", l.ID, err)
	}
	if d.Publication == nil || !d.Publication.On {
		return Published{}, false, nil
	}
	return Published{*d.Publication, l.Title, f.Setting.Establishment, l.Mode}, true, nil
}
