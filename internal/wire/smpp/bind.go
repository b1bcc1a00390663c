package smpp

// InterfaceVersion is the version of the protocol this package speaks.
const InterfaceVersion = 0x34

// Bind is a request to open a session: bind_transceiver, bind_receiver or
// bind_transmitter (§4.1).
type Bind struct {
	SystemID, Password, SystemType string
	// InterfaceVersion is sent as 0x34 when 0.
	InterfaceVersion byte
	AddrTON, AddrNPI byte
	AddressRange     string
}

// AppendBind appends a bind request; command is one of the three.
func AppendBind(dst []byte, command Command, sequence uint32, b *Bind) ([]byte, error) {
	start := len(dst)
	out, err := appendCString(begin(dst, command, StatusOK, sequence), "system_id", b.SystemID, 15)
	if err != nil {
		return dst, err
	}
	// The specification stops at 8; gateways that accept longer passwords exist.
	if out, err = appendCString(out, "password", b.Password, 32); err != nil {
		return dst, err
	}
	if out, err = appendCString(out, "system_type", b.SystemType, 12); err != nil {
		return dst, err
	}
	version := b.InterfaceVersion
	if version == 0 {
		version = InterfaceVersion
	}
	out = append(out, version, b.AddrTON, b.AddrNPI)
	if out, err = appendCString(out, "address_range", b.AddressRange, 40); err != nil {
		return dst, err
	}
	return end(out, start), nil
}

// Bind decodes the body of a bind request.
func (f Frame) Bind() (Bind, error) {
	c := cursor{rest: string(f.Body)}
	b := Bind{SystemID: c.cstring(), Password: c.cstring(), SystemType: c.cstring()}
	b.InterfaceVersion, b.AddrTON, b.AddrNPI = c.octet(), c.octet(), c.octet()
	b.AddressRange = c.cstring()
	if c.bad {
		return Bind{}, ErrTruncated
	}
	return b, nil
}

// Response is the body of bind_*_resp (ID is the peer's system_id), and of
// submit_sm_resp and deliver_sm_resp (ID is the message_id).
type Response struct {
	ID   string
	TLVs TLVs
}

// AppendResponse appends a response that carries an id. A response that
// refuses has no body: use AppendEmpty.
func AppendResponse(dst []byte, command Command, status Status, sequence uint32, r Response) ([]byte, error) {
	start := len(dst)
	out, err := appendCString(begin(dst, command, status, sequence), "id", r.ID, 64)
	if err != nil {
		return dst, err
	}
	if out, err = r.TLVs.append(out); err != nil {
		return dst, err
	}
	return end(out, start), nil
}

// Response decodes the body of a response; an absent body is an empty one, as
// a peer may send when it refuses.
func (f Frame) Response() Response {
	c := cursor{rest: string(f.Body)}
	return Response{ID: c.lastCString(), TLVs: c.tlvs()}
}
