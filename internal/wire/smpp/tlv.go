package smpp

import "encoding/binary"

// Tag names an optional parameter (§5.3.2).
type Tag uint16

// The optional parameters used here.
const (
	TagUserMessageReference Tag = 0x0204
	TagSarMsgRefNum         Tag = 0x020C
	TagSarTotalSegments     Tag = 0x020E
	TagSarSegmentSeqnum     Tag = 0x020F
	TagScInterfaceVersion   Tag = 0x0210
	TagReceiptedMessageID   Tag = 0x001E
	TagNetworkErrorCode     Tag = 0x0423
	TagMessagePayload       Tag = 0x0424
	TagMessageState         Tag = 0x0427
	TagAdditionalStatusInfo Tag = 0x001D
)

// TLV is one optional parameter. Value holds octets, not text.
type TLV struct {
	Tag   Tag
	Value string
}

// TLVs are the optional parameters of a PDU, in order.
type TLVs []TLV

// Get returns the octets of the first parameter of that tag.
func (t TLVs) Get(tag Tag) (string, bool) {
	for _, p := range t {
		if p.Tag == tag {
			return p.Value, true
		}
	}
	return "", false
}

// Text returns a parameter that is a C-octet string, without its final zero.
func (t TLVs) Text(tag Tag) string {
	v, _ := t.Get(tag)
	for i := range len(v) {
		if v[i] == 0 {
			return v[:i]
		}
	}
	return v
}

// Uint returns a parameter that is an integer of 1 to 4 octets.
func (t TLVs) Uint(tag Tag) (uint32, bool) {
	v, ok := t.Get(tag)
	if !ok || v == "" || len(v) > 4 {
		return 0, false
	}
	n := uint32(0)
	for i := range len(v) {
		n = n<<8 | uint32(v[i])
	}
	return n, true
}

// Uint8 makes a parameter of one octet.
func Uint8(tag Tag, v byte) TLV { return TLV{tag, string([]byte{v})} }

// Uint16 makes a parameter of two octets.
func Uint16(tag Tag, v uint16) TLV { return TLV{tag, string([]byte{byte(v >> 8), byte(v)})} }

// CString makes a parameter that is a C-octet string.
func CString(tag Tag, v string) TLV { return TLV{tag, v + "\x00"} }

func (t TLVs) append(dst []byte) ([]byte, error) {
	for _, p := range t {
		if len(p.Value) > 0xFFFF {
			return dst, &FieldError{"tlv", 0xFFFF}
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(p.Tag))
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(p.Value)))
		dst = append(dst, p.Value...)
	}
	return dst, nil
}

// tlvs takes the parameters up to the end. A broken tail is left out rather
// than refused: the message before it is worth more than its options.
func (c *cursor) tlvs() TLVs {
	n := 0
	for rest := c.rest; len(rest) >= 4; n++ {
		size := 4 + (int(rest[2])<<8 | int(rest[3]))
		if size > len(rest) {
			break
		}
		rest = rest[size:]
	}
	if n == 0 {
		return nil
	}
	out := make(TLVs, n)
	for i := range out {
		tag := Tag(c.rest[0])<<8 | Tag(c.rest[1])
		size := int(c.rest[2])<<8 | int(c.rest[3])
		out[i] = TLV{tag, c.rest[4 : 4+size]}
		c.rest = c.rest[4+size:]
	}
	return out
}
