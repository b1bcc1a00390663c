package ui

import (
	"fmt"
	"strconv"
	"time"

	"tocsin/internal/i18n"
)

// toneWord is the word of a tone.
func toneWord(loc *i18n.Localizer, t Tone) string {
	if t == "" {
		t = Neutral
	}
	return loc.T("ui.tone." + string(t))
}

func emptyWord(loc *i18n.Localizer, given string) string {
	if given != "" {
		return given
	}
	return loc.T("ui.table.empty")
}

// minutes is "04:59", or "1:02:03" from an hour on; "00:00" once past.
func minutes(d time.Duration) string {
	s := max(0, int(d/time.Second))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

// ChoiceGroup are neighbours of the same group.
type ChoiceGroup struct {
	Title   string
	Choices []Choice
}

// Grouped gathers neighbours of the same group.
func Grouped(choices []Choice) []ChoiceGroup {
	var out []ChoiceGroup
	for _, ch := range choices {
		if len(out) == 0 || out[len(out)-1].Title != ch.Group {
			out = append(out, ChoiceGroup{Title: ch.Group})
		}
		last := &out[len(out)-1]
		last.Choices = append(last.Choices, ch)
	}
	return out
}

func choiceHint(f *Form, name string, i int) string {
	return f.FieldID(name) + "-" + strconv.Itoa(i) + "-hint"
}

func pageSign(which string) string {
	switch which {
	case "first":
		return "«"
	case "previous":
		return "‹"
	case "next":
		return "›"
	}
	return "»"
}

func pageRel(which string) string {
	switch which {
	case "previous":
		return "prev"
	case "next":
		return "next"
	}
	return ""
}
