package directory

import (
	"testing"

	"tocsin/internal/fault"
)

// Accounts of Matrix and Tchap are found in files, and read as their clients write them.
func TestChatAccountsAreRead(t *testing.T) {
	for _, header := range []string{"Tchap", "Identifiant Matrix", "Messagerie instantanée", "Chat"} {
		if got := guess([]string{"Nom", header}, [][]string{{"LE GOFF", "@maelle.legoff:hopital.example"}})[1]; got != FieldChat {
			t.Errorf("%q: %q", header, got)
		}
	}
	if got := guess([]string{"Nom", "Compte"}, [][]string{{"LE GOFF", "@maelle:hopital.example"}, {"MARTIN", "@jeanne:hopital.example"}})[1]; got != FieldChat {
		t.Errorf("a column without a name: %q", got)
	}
	if got := guess([]string{"Nom", "Messagerie"}, [][]string{{"LE GOFF", "maelle@hopital.example"}})[1]; got != FieldEmail {
		t.Errorf("a mailbox: %q", got)
	}
	for text, want := range map[string]string{
		"@jeanne.martin:hopital.example":                    "@jeanne.martin:hopital.example",
		" @j_m-1=x/+:Agent.Exemple.Tchap.GOUV.fr:8448 ":     "@j_m-1=x/+:agent.exemple.tchap.gouv.fr:8448",
		"https://matrix.to/#/@jeanne:hopital.example?via=x": "@jeanne:hopital.example",
		"https://matrix.to/#/%40jeanne%3Ahopital.example":   "@jeanne:hopital.example",
		"jeanne:hopital.example":                            "",
		"@jeanne":                                           "",
		"@:hopital.example":                                 "",
		"@jeanne:":                                          "",
		"@jeanne:hopital.example/../x":                      "",
		"@jea nne:hopital.example":                          "",
		"!salon:hopital.example":                            "",
		"@jeanne:hopital.example\r\nX: y":                   "",
		"jeanne@hopital.example":                            "",
		"@jeanne:hopital.example:8448:1":                    "",
	} {
		got, err := readChat(text)
		if got != want || (want == "") != (fault.As(err) != nil) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	r := &reading{header: []string{"Tchap"}, origins: []string{"tchap"}, mapping: Mapping{FieldChat}}
	e := &entry{}
	r.chats(e, 0, "@a:x.example ; @b:x.example, faux")
	if len(e.Contacts) != 2 || len(e.problems) != 1 || e.Contacts[1].Address != "@b:x.example" || e.Contacts[1].Kind != Chat {
		t.Errorf("%+v", e.Contacts)
	}
	if got := mask(Contact{Kind: Chat, Address: "@jeanne:x.example"}); got != "@j•••:x.example" {
		t.Errorf("masked: %q", got)
	}
}
