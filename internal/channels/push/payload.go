package push

import (
	"encoding/json"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"tocsin/internal/channels"
)

// note is what the service worker of « Mon espace » reads.
type note struct {
	Title    string   `json:"title"`
	Body     string   `json:"body"`
	Code     string   `json:"code,omitempty"`
	Tag      string   `json:"tag"`
	Language string   `json:"language"`
	Quiet    bool     `json:"quiet,omitempty"`
	Answers  []choice `json:"answers,omitempty"`
	// Noted and Waits are said once a button was pressed, with a network and without.
	Noted string `json:"noted,omitempty"`
	Waits string `json:"waits,omitempty"`
}

type choice struct {
	Action string `json:"action"`
	Title  string `json:"title"`
}

// bodyMost is what a telephone shows of a notification, and what fits in one
// (4,096 octets, RFC 8030 § 7.2, with the buttons and the encryption).
const bodyMost = 1_500

// payload writes a message for the service worker. The link goes: the whole
// notification leads to the space.
func payload(m channels.Message) ([]byte, error) {
	n := note{Title: m.Subject, Body: m.Text, Tag: m.ID.String(), Language: m.Language, Quiet: m.Quiet}
	if n.Title == "" {
		n.Title = "Tocsin"
	}
	if m.Link != "" {
		n.Body = strings.TrimRight(strings.ReplaceAll(n.Body, m.Link, ""), " :")
		n.Code = path.Base(m.Link)
		n.Tag = n.Code
	}
	for len(n.Body) > bodyMost {
		n.Body = n.Body[:bodyMost-4]
		for !utf8.ValidString(n.Body) {
			n.Body = n.Body[:len(n.Body)-1]
		}
		n.Body += "…"
	}
	if n.Code != "" {
		n.Answers = choices(m)
	}
	if len(n.Answers) > 0 {
		n.Noted, n.Waits = "Réponse notée", "Réponse gardée : elle partira avec le réseau"
		if m.Language == "en" {
			n.Noted, n.Waits = "Answer noted", "Answer kept: it will leave with the network"
		}
	}
	return json.Marshal(n)
}

// choices are the two buttons a notification can carry: the first delay of the
// first answer, and the next answer. The space proposes the others.
func choices(m channels.Message) (out []choice) {
	for _, a := range m.Answers {
		if a.Action == "" {
			continue
		}
		c := choice{a.Action, a.Label}
		if len(a.Delays) > 0 {
			n := strconv.Itoa(a.Delays[0])
			c = choice{a.Action + "-" + n, a.Label + " (" + n + " min)"}
		}
		if out = append(out, c); len(out) == 2 {
			break
		}
	}
	return out
}
