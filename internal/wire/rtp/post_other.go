//go:build !linux

package rtp

import (
	"net"
	"net/netip"
)

// postman sends packets.
type postman struct{ conn *net.UDPConn }

func (p *postman) open(conn *net.UDPConn) error {
	p.conn = conn
	return nil
}

// send hands a packet to the system, or drops it.
func (p *postman) send(packet []byte, to netip.AddrPort) {
	_, _ = p.conn.WriteToUDPAddrPort(packet, to) //nolint:errcheck // see the caller
}
