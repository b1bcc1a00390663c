package smpp

// Address is a telephone number or a name, with its type and its plan (§5.2.5, §5.2.6).
type Address struct {
	TON, NPI byte
	Number   string
}

// Types of number and numbering plans in use.
const (
	TONUnknown       = 0
	TONInternational = 1
	TONNational      = 2
	TONShortCode     = 3
	TONAlphanumeric  = 5
	NPIUnknown       = 0
	NPIISDN          = 1
)

// Bits of esm_class (§5.2.12).
const (
	ESMTypeMask            = 0x3C
	ESMReceipt             = 0x04
	ESMDeliveryAck         = 0x08
	ESMUserAck             = 0x10
	ESMIntermediateReceipt = 0x20
	ESMHeader              = 0x40
)

// Values of data_coding (§5.2.19).
const (
	CodingDefault = 0x00
	CodingASCII   = 0x01
	CodingLatin1  = 0x03
	CodingBinary  = 0x04
	CodingUCS2    = 0x08
)

// Values of registered_delivery (§5.2.17).
const (
	RegisteredNone    = 0
	RegisteredFinal   = 1
	RegisteredFailure = 2
)

// MaxShortMessage is the longest short_message, in octets; beyond it the text
// goes in message_payload.
const MaxShortMessage = 254

// Message is the body of submit_sm and of deliver_sm (§4.4.1, §4.6.1).
type Message struct {
	ServiceType         string
	Source, Destination Address
	ESMClass            byte
	ProtocolID          byte
	Priority            byte
	// ScheduleTime and ValidityPeriod are times as FormatAbsolute and FormatRelative write them.
	ScheduleTime, ValidityPeriod string
	RegisteredDelivery           byte
	ReplaceIfPresent             byte
	DataCoding                   byte
	DefaultMessageID             byte
	// ShortMessage holds octets, not text: data_coding says how to read them.
	ShortMessage string
	TLVs         TLVs
}

// Octets returns the user data, wherever the peer put it.
func (m *Message) Octets() string {
	if m.ShortMessage == "" {
		if payload, ok := m.TLVs.Get(TagMessagePayload); ok {
			return payload
		}
	}
	return m.ShortMessage
}

// AppendMessage appends a submit_sm or a deliver_sm. On error dst is returned
// as it was.
func AppendMessage(dst []byte, command Command, sequence uint32, m *Message) ([]byte, error) {
	start := len(dst)
	out, err := appendCString(begin(dst, command, StatusOK, sequence), "service_type", m.ServiceType, 5)
	if err != nil {
		return dst, err
	}
	if out, err = appendAddress(out, "source_addr", m.Source); err != nil {
		return dst, err
	}
	if out, err = appendAddress(out, "destination_addr", m.Destination); err != nil {
		return dst, err
	}
	out = append(out, m.ESMClass, m.ProtocolID, m.Priority)
	if out, err = appendCString(out, "schedule_delivery_time", m.ScheduleTime, 16); err != nil {
		return dst, err
	}
	if out, err = appendCString(out, "validity_period", m.ValidityPeriod, 16); err != nil {
		return dst, err
	}
	if len(m.ShortMessage) > MaxShortMessage {
		return dst, &FieldError{"short_message", MaxShortMessage}
	}
	out = append(out, m.RegisteredDelivery, m.ReplaceIfPresent, m.DataCoding, m.DefaultMessageID, byte(len(m.ShortMessage)))
	out = append(out, m.ShortMessage...)
	if out, err = m.TLVs.append(out); err != nil {
		return dst, err
	}
	return end(out, start), nil
}

func appendAddress(dst []byte, field string, a Address) ([]byte, error) {
	return appendCString(append(dst, a.TON, a.NPI), field, a.Number, 20)
}

// Message decodes the body of a submit_sm or a deliver_sm.
func (f Frame) Message() (Message, error) {
	c := cursor{rest: string(f.Body)}
	m := Message{ServiceType: c.cstring()}
	m.Source = c.address()
	m.Destination = c.address()
	m.ESMClass, m.ProtocolID, m.Priority = c.octet(), c.octet(), c.octet()
	m.ScheduleTime, m.ValidityPeriod = c.cstring(), c.cstring()
	m.RegisteredDelivery, m.ReplaceIfPresent = c.octet(), c.octet()
	m.DataCoding, m.DefaultMessageID = c.octet(), c.octet()
	m.ShortMessage = c.take(int(c.octet()))
	if c.bad {
		return Message{}, ErrTruncated
	}
	m.TLVs = c.tlvs()
	return m, nil
}

func (c *cursor) address() Address {
	return Address{TON: c.octet(), NPI: c.octet(), Number: c.cstring()}
}
