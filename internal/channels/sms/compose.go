package sms

import (
	"encoding/binary"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// compose makes the submit_sm of each part of a message, without the validity
// period, which is known when the part leaves.
func (c *config) compose(m channels.Message, to smpp.Address) ([]smpp.Message, error) {
	base := smpp.Message{
		ServiceType:        c.serviceType,
		Source:             c.source,
		Destination:        to,
		RegisteredDelivery: c.registered,
	}
	if c.long == longPayload {
		return []smpp.Message{payload(base, m.Text)}, nil
	}
	encoding, texts, err := gsm.Split(m.Text, c.reference)
	if err != nil {
		return nil, err
	}
	base.DataCoding = coding(encoding)
	parts := make([]smpp.Message, len(texts))
	header := gsm.Part{Reference: c.referenceOf(m), Width: c.reference, Total: byte(len(texts))}
	for i, text := range texts {
		parts[i] = base
		if len(texts) == 1 {
			parts[i].ShortMessage = string(text)
			continue
		}
		header.Number = byte(i + 1)
		parts[i].ESMClass = smpp.ESMHeader
		parts[i].ShortMessage = string(append(header.AppendHeader(make([]byte, 0, len(text)+7)), text...))
	}
	return parts, nil
}

// payload leaves the cutting to the gateway; a text that fits alone stays in
// short_message, which every gateway understands.
func payload(base smpp.Message, text string) smpp.Message {
	encoding, octets := gsm.Encode(text)
	base.DataCoding = coding(encoding)
	if gsm.Count(text).Segments <= 1 {
		base.ShortMessage = string(octets)
		return base
	}
	base.TLVs = smpp.TLVs{{Tag: smpp.TagMessagePayload, Value: string(octets)}}
	return base
}

func coding(e gsm.Encoding) byte {
	if e == gsm.UCS2 {
		return smpp.CodingUCS2
	}
	return smpp.CodingDefault
}

// referenceOf ties the parts together by the delivery's id: sent again after a
// crash, the parts complete each other instead of making a second message.
func (c *config) referenceOf(m channels.Message) uint16 {
	ref := binary.BigEndian.Uint16(m.ID[14:])
	if c.reference == gsm.Reference8 {
		return ref & 0xFF
	}
	return ref
}

// validityOf writes until when the message is worth delivering.
func (c *config) validityOf(expires, now time.Time) string {
	switch {
	case expires.IsZero() || c.validity == "none":
		return ""
	case c.validity == "absolute":
		return smpp.FormatAbsolute(expires)
	default:
		return smpp.FormatRelative(expires.Sub(now))
	}
}
