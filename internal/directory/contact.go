package directory

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"tocsin/internal/directory/phone"
	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
)

// private tells, from the words beside a number, whether it is the person's own.
func private(label string) bool {
	for _, word := range strings.FieldsFunc(assist.Slug(label), func(r rune) bool { return r == '_' }) {
		switch word {
		case "perso", "personnel", "personnelle", "prive", "privee", "domicile", "dom", "maison", "home", "private", "personal":
			return true
		}
	}
	return false
}

// readAddress parses what a person typed for a contact point of that kind.
// Errors: Invalid, with the sentence of what is wrong and no number in it.
func readAddress(kind, text, zone string) (Contact, error) {
	switch kind {
	case Email:
		address, err := readMail(text)
		return Contact{Kind: Email, Address: address}, err
	case Pager:
		number, err := readPager(text)
		return Contact{Kind: Pager, Address: number}, err
	case Chat:
		address, err := readChat(text)
		return Contact{Kind: Chat, Address: address}, err
	case Mobile, Landline, Extension:
		r := phone.Parse(text, phone.Options{Region: region(zone)})
		if len(r.Problems) > 0 {
			return Contact{}, r.Problems[0].At("contact")
		}
		if len(r.Numbers) != 1 {
			return Contact{}, fault.New(fault.Invalid, "directory.one_number").At("contact")
		}
		n := r.Numbers[0]
		if n.Kind == phone.Short {
			return Contact{}, fault.New(fault.Invalid, "directory.short_number").At("contact")
		}
		return Contact{Kind: string(n.Kind), Address: n.E164, Shared: n.Warning == phone.WarningDECT}, nil
	}
	return Contact{}, fault.New(fault.Invalid, "directory.kind_unknown").At("contact")
}

// readPager accepts the number of one pager: "bip 512", "7 21 43".
func readPager(text string) (string, error) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r == ' ' || r == '.' || r == '-' || r == ':' || r == '\u00a0' || r == '\u202f'
	})
	if len(words) > 1 && slices.Contains([]string{"bip", "beeper", "pager", "récepteur"}, words[0]) {
		words = words[1:]
	}
	number := strings.Join(words, "")
	if len(number) < 2 || len(number) > 15 || strings.Trim(number, "0123456789") != "" {
		return "", fault.New(fault.Invalid, "directory.pager_invalid").At("contact")
	}
	return number, nil
}

// readChat accepts the identifier of one account on Matrix: "@jeanne.martin:hopital.example",
// or the link that clients give to share it. Source: Matrix specification, « User identifiers ».
func readChat(text string) (string, error) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "https://matrix.to/#/"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		if plain, err := url.PathUnescape(rest); err == nil {
			text = plain
		}
	}
	name, server, ok := strings.Cut(text, ":")
	if !ok || len(text) > 255 || len(name) < 2 || name[0] != '@' || strings.ContainsFunc(name[1:], func(r rune) bool { return r <= ' ' || r > '~' || r == '@' }) ||
		!chatServer.MatchString(server) {
		return "", fault.New(fault.Invalid, "directory.chat_invalid").At("contact")
	}
	return name + ":" + strings.ToLower(server), nil
}

// chatServer is the name of a homeserver, with its port.
var chatServer = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)

// readMail accepts one plain address of an internet mailbox.
func readMail(text string) (string, error) {
	trouble := fault.New(fault.Invalid, "directory.mail_invalid").At("contact")
	text = strings.Trim(strings.TrimSpace(text), "<>;, ")
	if rest, ok := strings.CutPrefix(strings.ToLower(text), "mailto:"); ok {
		text = rest
	}
	a, err := mail.ParseAddress(text)
	if err != nil || len(a.Address) > 254 || strings.ContainsAny(a.Address, " \"") {
		return "", trouble
	}
	_, domain, _ := strings.Cut(a.Address, "@")
	if !strings.Contains(domain, ".") {
		return "", trouble
	}
	return strings.ToLower(a.Address), nil
}

// region is the country of the numbering plan of a zone.
func region(zone string) string {
	switch zone {
	case "America/Guadeloupe":
		return "GP"
	case "America/Martinique":
		return "MQ"
	case "America/Cayenne":
		return "GF"
	case "Indian/Reunion":
		return "RE"
	case "Indian/Mayotte":
		return "YT"
	}
	return "FR"
}

// mask hides an address as lists show it.
func mask(c Contact) string {
	if c.Kind == Device {
		return "•••"
	}
	if c.Kind == Chat {
		name, server, _ := strings.Cut(c.Address, ":")
		first, _ := utf8.DecodeRuneInString(strings.TrimPrefix(name, "@"))
		return "@" + string(first) + "•••:" + server
	}
	if c.Kind != Email {
		return phone.Mask(c.Address)
	}
	name, domain, _ := strings.Cut(c.Address, "@")
	first, _ := utf8.DecodeRuneInString(name)
	return string(first) + "•••@" + domain
}
