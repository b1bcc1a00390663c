package inventory

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
)

// IdentifierKind is what names a thing for machines. The values are stored.
type IdentifierKind string

// The kinds of identifiers.
const (
	Host    IdentifierKind = "host"   // name on the network
	IP      IdentifierKind = "ip"     // address
	MAC     IdentifierKind = "mac"    // address of the network card
	Serial  IdentifierKind = "serial" // the maker's number
	AETitle IdentifierKind = "ae"     // DICOM application entity
)

// IdentifierKinds lists them in the order they are shown.
func IdentifierKinds() []IdentifierKind { return []IdentifierKind{Host, IP, MAC, Serial, AETitle} }

// Identifier is one of the names of a thing.
type Identifier struct {
	Kind  IdentifierKind `json:"kind"`
	Value string         `json:"value"`
}

// identifiersMost bounds the identifiers of one thing.
const identifiersMost = 64

// ParseIdentifier gives the one form in which an identifier is kept and looked
// for: names in small letters without final dots, addresses as RFC 5952 and
// IEEE 802 write them, serial numbers in capitals without spaces. Errors:
// Invalid at the kind's field.
func ParseIdentifier(kind IdentifierKind, text string) (Identifier, error) {
	text = strings.TrimSpace(assist.Clean(text))
	refused := fault.New(fault.Invalid, "inventory.identifier."+string(kind), "value", text).At(string(kind))
	if text == "" || utf8.RuneCountInString(text) > 253 || strings.ContainsFunc(text, unicode.IsControl) {
		return Identifier{}, refused
	}
	switch kind {
	case Host:
		text = strings.TrimRight(strings.ToLower(text), ".")
		if text == "" || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
			return Identifier{}, refused
		}
	case IP:
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return Identifier{}, refused
		}
		text = a.Unmap().String()
	case MAC:
		a, err := net.ParseMAC(text)
		if err != nil || len(a) != 6 {
			return Identifier{}, refused
		}
		text = a.String()
	case Serial:
		text = strings.ToUpper(strings.Join(strings.Fields(text), ""))
	case AETitle:
		if len(text) > 16 { // DICOM PS3.5 § 6.2, AE
			return Identifier{}, refused
		}
	default:
		return Identifier{}, fault.New(fault.Invalid, "inventory.identifier.unknown")
	}
	return Identifier{kind, text}, nil
}

// SplitIdentifiers cuts a text that lists several: lines, commas, semicolons;
// and spaces where no value holds one.
func SplitIdentifiers(kind IdentifierKind, text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		switch r {
		case ',', ';', '\n', '\r', '|':
			return true
		case ' ', '\t':
			return kind == Host || kind == IP || kind == MAC
		}
		return false
	})
}

// Values are the identifiers of one kind.
func (i Item) Values(kind IdentifierKind) (out []string) {
	for _, d := range i.Identifiers {
		if d.Kind == kind {
			out = append(out, d.Value)
		}
	}
	return out
}

// tidyIdentifiers parses each, drops doubles and puts them in the order of their kinds.
func tidyIdentifiers(list []Identifier) ([]Identifier, error) {
	var out []Identifier
	for _, d := range list {
		parsed, err := ParseIdentifier(d.Kind, d.Value)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, parsed) {
			out = append(out, parsed)
		}
	}
	if len(out) > identifiersMost {
		return nil, fault.New(fault.Invalid, "inventory.identifiers_too_many", "most", identifiersMost)
	}
	slices.SortStableFunc(out, func(a, b Identifier) int {
		return slices.Index(IdentifierKinds(), a.Kind) - slices.Index(IdentifierKinds(), b.Kind)
	})
	return out, nil
}
