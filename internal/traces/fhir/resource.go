package fhir

import (
	"encoding/json"
	"encoding/xml"
	"strconv"
	"strings"
)

// What FHIR R4 (4.0.1) calls AuditEvent, as far as the model goes. One set of
// types reads JSON and XML and writes JSON: XML of FHIR keeps values of simple
// types in an attribute.

// text is a simple value: a string in JSON, an attribute "value" in XML.
type text string

// UnmarshalXML reads the attribute.
func (t *text) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	for _, a := range start.Attr {
		if a.Name.Local == "value" {
			*t = text(a.Value)
		}
	}
	return d.Skip()
}

// truth is a boolean: nil when it is not said.
type truth struct{ Said, True bool }

// UnmarshalXML reads the attribute.
func (b *truth) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var t text
	if err := t.UnmarshalXML(d, start); err != nil {
		return err
	}
	v, err := strconv.ParseBool(string(t))
	*b = truth{err == nil, v}
	return nil
}

// UnmarshalJSON reads true, false or null.
func (b *truth) UnmarshalJSON(j []byte) error {
	var v *bool
	if err := json.Unmarshal(j, &v); err != nil {
		return err
	}
	if v != nil {
		*b = truth{true, *v}
	}
	return nil
}

// MarshalJSON writes it.
func (b truth) MarshalJSON() ([]byte, error) { return strconv.AppendBool(nil, b.True), nil }

type coding struct {
	System  text `json:"system,omitempty" xml:"system"`
	Code    text `json:"code,omitempty" xml:"code"`
	Display text `json:"display,omitempty" xml:"display"`
}

// full is the system and the code, as a search names them.
func (c coding) full() string {
	if c.Code == "" {
		return ""
	}
	return string(c.System + "|" + c.Code)
}

func (c coding) said() string {
	if c.Display != "" {
		return string(c.Display)
	}
	return string(c.Code)
}

type concept struct {
	Coding []coding `json:"coding,omitempty" xml:"coding"`
	Text   text     `json:"text,omitempty" xml:"text"`
}

func (c concept) said() string {
	if c.Text != "" {
		return string(c.Text)
	}
	if len(c.Coding) > 0 {
		return c.Coding[0].said()
	}
	return ""
}

func (c concept) has(codes ...text) bool {
	for _, k := range c.Coding {
		for _, code := range codes {
			if k.Code == code {
				return true
			}
		}
	}
	return false
}

type identifier struct {
	System text `json:"system,omitempty" xml:"system"`
	Value  text `json:"value,omitempty" xml:"value"`
}

type reference struct {
	Reference  text        `json:"reference,omitempty" xml:"reference"`
	Type       text        `json:"type,omitempty" xml:"type"`
	Identifier *identifier `json:"identifier,omitempty" xml:"identifier"`
	Display    text        `json:"display,omitempty" xml:"display"`
}

// kind is the type of what is referred to: "Patient" in "…/Patient/8001".
func (r *reference) kind() string {
	if r.Type != "" {
		return string(r.Type)
	}
	parts := strings.Split(string(r.Reference), "/")
	if len(parts) < 2 {
		return ""
	}
	if len(parts) >= 4 && parts[len(parts)-2] == "_history" {
		parts = parts[:len(parts)-2]
	}
	return parts[len(parts)-2]
}

// id is the identifier, or else the id in the reference.
func (r *reference) id() string {
	if r.Identifier != nil && r.Identifier.Value != "" {
		return string(r.Identifier.Value)
	}
	ref := string(r.Reference)
	if before, _, ok := strings.Cut(ref, "/_history/"); ok {
		ref = before
	}
	return ref[strings.LastIndexByte(ref, '/')+1:]
}

func (r *reference) system() string {
	if r.Identifier == nil {
		return ""
	}
	return string(r.Identifier.System)
}

type period struct {
	Start text `json:"start,omitempty" xml:"start"`
	End   text `json:"end,omitempty" xml:"end"`
}

type network struct {
	Address text `json:"address,omitempty" xml:"address"`
	Type    text `json:"type,omitempty" xml:"type"`
}

type agent struct {
	Type       *concept   `json:"type,omitempty" xml:"type"`
	Role       []concept  `json:"role,omitempty" xml:"role"`
	Who        *reference `json:"who,omitempty" xml:"who"`
	AltID      text       `json:"altId,omitempty" xml:"altId"`
	Name       text       `json:"name,omitempty" xml:"name"`
	Requestor  truth      `json:"requestor" xml:"requestor"`
	Location   *reference `json:"location,omitempty" xml:"location"`
	Network    *network   `json:"network,omitempty" xml:"network"`
	PurposeUse []concept  `json:"purposeOfUse,omitempty" xml:"purposeOfUse"`
}

type source struct {
	Site     text       `json:"site,omitempty" xml:"site"`
	Observer *reference `json:"observer,omitempty" xml:"observer"`
	Type     []coding   `json:"type,omitempty" xml:"type"`
}

type detail struct {
	Type   text `json:"type,omitempty" xml:"type"`
	String text `json:"valueString,omitempty" xml:"valueString"`
	Base64 text `json:"valueBase64Binary,omitempty" xml:"valueBase64Binary"`
}

type entity struct {
	What        *reference `json:"what,omitempty" xml:"what"`
	Type        *coding    `json:"type,omitempty" xml:"type"`
	Role        *coding    `json:"role,omitempty" xml:"role"`
	Lifecycle   *coding    `json:"lifecycle,omitempty" xml:"lifecycle"`
	Name        text       `json:"name,omitempty" xml:"name"`
	Description text       `json:"description,omitempty" xml:"description"`
	Query       text       `json:"query,omitempty" xml:"query"`
	Detail      []detail   `json:"detail,omitempty" xml:"detail"`
}

type meta struct {
	Profile []text `json:"profile,omitempty" xml:"profile"`
}

type auditEvent struct {
	ResourceType text      `json:"resourceType" xml:"-"`
	ID           text      `json:"id,omitempty" xml:"id"`
	Meta         *meta     `json:"meta,omitempty" xml:"meta"`
	Type         *coding   `json:"type,omitempty" xml:"type"`
	Subtype      []coding  `json:"subtype,omitempty" xml:"subtype"`
	Action       text      `json:"action,omitempty" xml:"action"`
	Period       *period   `json:"period,omitempty" xml:"period"`
	Recorded     text      `json:"recorded,omitempty" xml:"recorded"`
	Outcome      text      `json:"outcome,omitempty" xml:"outcome"`
	OutcomeDesc  text      `json:"outcomeDesc,omitempty" xml:"outcomeDesc"`
	Purpose      []concept `json:"purposeOfEvent,omitempty" xml:"purposeOfEvent"`
	Agent        []agent   `json:"agent,omitempty" xml:"agent"`
	Source       *source   `json:"source,omitempty" xml:"source"`
	Entity       []entity  `json:"entity,omitempty" xml:"entity"`
}
